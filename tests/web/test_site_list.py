"""The list for deciding: its figures are the record's; columns, sorting and CSV; what it says, and what it minds."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from types import SimpleNamespace

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import Markup

from pathfolio.explain.evidence import Fact
from pathfolio.explain.reasons.kind import Subject
from pathfolio.explain.reasons.kinds import KIND_OF
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.verdict_text import result_text
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.figures import FIGURES
from pathfolio.kg.schema import Relation
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.verdict import Outcome, RuleResult, UsedFact, Verdict
from pathfolio.web.site import create_app
from pathfolio.web.site.cautions import cautions_of
from pathfolio.web.site.kept_cells import KeptCells
from pathfolio.web.site.list_columns import COLUMNS, USUAL, ListColumn, sorted_lines
from pathfolio.web.site.listed import ListLine, RiskFit, advised, spoken
from pathfolio.web.site.texts import texts_of
from tests.explain.ledger_world import entry_of
from tests.web.plain_site import app, client
from tests.web.priced_site import priced_app, priced_build
from tests.web.site_pages import page_of, twin_of

__all__ = ["app", "client", "priced_app", "priced_build"]  # fixtures

USER = "INV000002"


def order_of(html: str) -> list[int]:
    return [int(rank) for rank in re.findall(r'<tbody class="recommendation" data-rank="(\d+)"', html)]


def shown_columns(html: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'data-column="(\w+)"', html)))


# -- figures -------------------------------------------------------------------------------------------------


def test_the_figures_shown_are_those_of_the_record(client: FlaskClient, app: Flask, build: Build) -> None:
    answer = client.get(f"/investors/{USER}?format=json")
    record = entry_of(app.extensions["pathfolio"].ledger, answer.headers["Pathfolio-Record"])
    for line, kept in zip(answer.get_json()["recommended"], record["list"], strict=True):
        facts = {fact["id"]: fact for fact in kept["explanation"]["facts"]}
        assert {fact["metric"] for fact in line["facts"]} >= {"last_close", "return_1d"}
        for fact in line["facts"]:
            assert facts[fact["id"]] == fact | {"user_id": None} or facts[fact["id"]] == fact
            assert fact["as_of"] <= build.as_of.isoformat()


def test_each_line_shows_price_day_and_figures_in_the_readers_language(client: FlaskClient, app: Flask) -> None:
    for lang in LANGUAGES:
        html, twin = page_of(client, f"/investors/{USER}?lang={lang}"), twin_of(client, f"/investors/{USER}")
        for line in twin["recommended"]:
            figures = {fact["metric"]: fact["value"] for fact in line["facts"]}
            assert f"{figures['last_close']:,.2f}" in html
            assert line["price_day"] in html
            assert line["code"] in unescape(html)
        drawn = [app.extensions["pathfolio"].small_line(line["asset"]["id"]) for line in twin["recommended"]]
        assert len(re.findall(r'<svg class="spark"', html)) == sum(line is not None for line in drawn) > 0


def test_an_old_price_says_so(app: Flask, adviser: Adviser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten days after its last close a price is still one of today, a day later it is not."""
    site = app.extensions["pathfolio"]
    advice, graph = adviser.advise(Question("", "", USER)), site.graph
    for days, old in ((10, 0), (11, 11)):
        monkeypatch.setattr(site, "graph", replace(graph, as_of=graph.as_of + timedelta(days=days)))
        lines = advised(site, "en", advice).lines
        assert {line.days_old for line in lines} == {old}
    with app.test_request_context(f"/investors/{USER}"):
        price = app.jinja_env.get_template("list_parts.html").make_module(texts_in("en")).price
        said = str(price(lines[0], "1.00"))
    assert "old price" in said
    assert "The last close is 11 days older than the data." in said


def texts_in(lang: str) -> dict[str, object]:
    texts = texts_of(lang)
    return {"say": texts.say, "words": texts.words, "lang": lang}


def line_of(rank: int, **facts: float) -> ListLine:
    day = date(2026, 6, 30)
    made = tuple(Fact(name, "A", name, value, "fraction", day, day, "a source") for name, value in facts.items())
    blank = dict.fromkeys(("asset", "group", "price_day", "risk"))
    return ListLine(
        rank=rank, code="", currency="", score=1 / rank, facts=made, days_old=0, badges=(), reasons=(), listed=None,
        shares=(), verdict="pass", warnings=(), **blank,
    )  # fmt: skip


def test_what_is_not_known_comes_last_whichever_way_lines_are_sorted() -> None:
    lines = [line_of(1), line_of(2, return_1y=0.1), line_of(3, return_1y=-0.2), line_of(4, return_1y=0.1)]
    assert [line.rank for line in sorted_lines(lines, "year_change", "down")] == [2, 4, 3, 1]
    assert [line.rank for line in sorted_lines(lines, "year_change", "up")] == [3, 2, 4, 1]
    assert [line.rank for line in sorted_lines(lines, "rank", "down")] == [4, 3, 2, 1]
    risky = [replace(lines[0], risk=RiskFit(5, 3)), replace(lines[1], risk=RiskFit(2, 3)), lines[2]]
    assert [line.rank for line in sorted_lines(risky, "risk", "up")] == [2, 1, 3]


def test_every_figure_has_a_column() -> None:
    read: set[str] = set()

    class Asked:
        risk, score = None, 0.0

        def figure(self, metric: str) -> None:
            read.add(metric)

    for column in COLUMNS.values():
        column.value(Asked())
    assert read == {*FIGURES, "expense_ratio"}


# -- columns, order and CSV ----------------------------------------------------------------------------------


def test_columns_are_chosen_by_the_address_and_remembered(client: FlaskClient) -> None:
    assert shown_columns(page_of(client, f"/investors/{USER}")) == list(USUAL)
    chosen = page_of(client, f"/investors/{USER}?columns=sharpe&columns=price&columns=nonsense")
    assert shown_columns(chosen) == ["price", "sharpe"]
    assert shown_columns(page_of(client, "/investors/INV000003")) == ["price", "sharpe"]
    assert shown_columns(page_of(client, f"/investors/{USER}?columns=score,risk")) == ["risk", "score"]
    client.set_cookie("pathfolio_columns", "<script>.price")
    assert shown_columns(page_of(client, f"/investors/{USER}")) == ["price"]
    assert shown_columns(page_of(client, f"/investors/{USER}?columns=nonsense")) == list(USUAL)


def test_lines_are_sorted_by_a_heading_and_back(client: FlaskClient) -> None:
    html = page_of(client, f"/investors/{USER}?kind=fund")
    assert order_of(html) == sorted(order_of(html))
    link = unescape(str(re.search(r'href="([^"]+)" data-sort="year_change"', html).group(1)))
    assert "kind=fund" in link
    down = page_of(client, link)
    values = [float(text) for text in re.findall(r'data-column="year_change" data-value="([^"]+)"', down)]
    assert values == sorted(values, reverse=True) != []
    assert 'aria-sort="descending"' in down
    up = unescape(str(re.search(r'href="([^"]+)" data-sort="year_change"', down).group(1)))
    values_up = re.findall(r'data-column="year_change" data-value="([^"]+)"', page_of(client, up))
    assert list(map(float, values_up)) == sorted(values)
    for wrong in ("sort=nonsense", "order=sideways", "columns=" + "a" * 201):
        assert client.get(f"/investors/{USER}?{wrong}").status_code == 400


def test_the_csv_has_every_figure_and_is_recorded(client: FlaskClient) -> None:
    answer = client.get(f"/investors/{USER}?format=csv&sort=price")
    assert answer.mimetype == "text/csv"
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["Pathfolio-Record"])
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    told = twin_of(client, f"/investors/{USER}")["recommended"]
    assert [row["asset_id"] for row in rows] == [line["asset"]["id"] for line in told]
    assert set(COLUMNS) <= set(rows[0])
    for row, line in zip(rows, told, strict=True):
        figures = {fact["metric"]: fact["value"] for fact in line["facts"]}
        assert float(row["price"]) == figures["last_close"]
        assert row["price_as_of"] == line["price_day"]
        assert (row["year_change"] == "") == ("return_1y" not in figures)


# -- what it says --------------------------------------------------------------------------------------------


def test_a_list_speaks_of_figures_and_less_of_others(build: Build, adviser: Adviser) -> None:
    """In lists of 30 investors who hold something at least a quarter of the sentences name figures, at most a third are
    of others. This market has no three years of closes: with them, it is more than a third."""
    held = np.diff(build.scorer.interactions.ever.indptr) > 0
    count: Counter[Subject] = Counter()
    for user in build.graph.user_ids[held][:30]:
        for explanation in adviser.advise(Question("", "", str(user))).explanations:
            said = spoken(explanation, "en")
            subjects = [KIND_OF[reason.trigger].subject for reason in said if not reason.is_caution]
            assert len(subjects) <= 3
            assert max(Counter(subjects).values(), default=0) <= 2
            assert len(said) - len(subjects) <= 1
            count.update(KIND_OF[reason.trigger].subject for reason in said)
    assert count[Subject.FIGURES] * 4 >= count.total() > 600
    assert count[Subject.OTHERS] * 3 <= count.total()


def finding(measured: float, subject: str = "USD", reason: str = "near_limit") -> RuleResult:
    facts = (UsedFact("A", "EXPOSURE", subject, value=1.0), UsedFact("", "PURCHASE_SHARE", value=0.05))
    kind = "concentration/currency"
    return RuleResult("fx", kind, Outcome.WARN, Outcome.WARN, reason, measured, 0.8, subject, facts, warn_at=0.6)


def test_a_caution_says_what_is_there_and_what_is_bought() -> None:
    """0.95 * 0.76 + 0.05 = 0.772."""
    text = result_text(finding(0.772), "en", to_investor=True)
    assert text == "You hold 76.0% in USD; a purchase of 5.0% of the portfolio makes that 77.2%; guideline 60.0%."
    assert "76.0%" not in result_text(finding(0.772), "en")
    assert "76.0%" in result_text(finding(0.772, reason="derived_above_limit"), "zh-TW", to_investor=True)
    bare = replace(finding(0.772), facts=())
    assert result_text(bare, "en", to_investor=True) == result_text(bare, "en")


def test_what_is_said_of_several_lines_is_said_once() -> None:
    old = RuleResult("age", "freshness/profile", Outcome.WARN, Outcome.WARN, "stale", 500.0, 365.0, "", ())
    verdicts = [
        Verdict("A", Outcome.WARN, (old, finding(0.772))),
        Verdict("B", Outcome.WARN, (old, finding(0.65))),
        Verdict("C", Outcome.WARN, (old, finding(0.7, "EUR"))),
    ]
    found = cautions_of(verdicts, [1, 2, 3], "en")
    assert found.of_list == (
        result_text(old, "en", to_investor=True),
        result_text(finding(0.772), "en", to_investor=True) + " (Places 1, 2.)",
    )
    assert found.of_lines == ((), (), (result_text(finding(0.7, "EUR"), "en", to_investor=True),))
    assert found.answers_are_old
    assert not cautions_of([Verdict("A", Outcome.PASS, ())], [1], "en").of_list


def test_badges_name_groups_of_which_the_investor_holds_something(client: FlaskClient, build: Build) -> None:
    graph, seen = build.graph, 0
    for user in map(str, graph.user_ids[:20]):
        twin = twin_of(client, f"/investors/{user}")
        held = [holding["asset"]["id"] for holding in twin["portfolio"]["holdings"]]
        for line in twin["recommended"]:
            for badge in line["badges"]:
                of = graph.outgoing(Relation(badge["how"]))
                groups = {str(graph.nodes.id[g]) for asset in held for g in of.of(graph.asset_row(asset)).tolist()}
                assert badge["node"]["id"] in groups
                seen += 1
    assert seen


def test_cells_of_an_asset_are_made_once_and_what_is_of_the_investor_each_time() -> None:
    made: list[str] = []

    def make(column: ListColumn, line: object) -> Markup:
        made.append(column.name)
        return Markup("{}").format(column.name)

    line = SimpleNamespace(asset=SimpleNamespace(id="A"))
    cells = KeptCells()
    for lang in ("en", "en", "zh-TW"):
        for name in ("price", "risk", "score"):
            assert cells(lang, COLUMNS[name], line, make) == name  # type: ignore[arg-type]
    assert sorted(made) == ["price", "price", "risk", "risk", "risk", "score", "score", "score"]


def test_a_list_looks_the_same_whoever_looked_before(priced_build: Build, priced_app: Flask) -> None:
    """Another investor's list with the same assets has their own risk limits, scores and language."""
    users = [str(user) for user in priced_build.graph.user_ids[:6]]
    fresh = {user: _figures(create_app(priced_build), user) for user in users[-2:]}
    for user in users:
        _figures(priced_app, user, "zh-TW")
        _figures(priced_app, user)
    assert {user: _figures(priced_app, user) for user in fresh} == fresh


def _figures(app: Flask, user: str, lang: str = "en") -> list[str]:
    page = app.test_client().get(f"/investors/{user}?lang={lang}&columns={','.join(COLUMNS)}").text
    return re.findall(r'<td class="number.*?</td>', page, re.DOTALL)
