"""The site through Flask's test client: what pages say, in both languages, and what they never say."""

from __future__ import annotations

import json
import re
from html import unescape
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from flask.testing import FlaskClient

from pathfolio.explain.explainer import Explainer
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.records.verdict_text import verdict_text
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.recommender.build import Build
from pathfolio.recommender.model import Recommendation
from pathfolio.recommender.suitability.rulefile import rules_for
from pathfolio.web.site import create_app
from tests.explain.ledger_world import entry_of
from tests.web.plain_site import app, client
from tests.web.site_pages import first_recommendation, investors, links, page_of, twin_of
from tests.web.site_world import HOSTILE

__all__ = ["app", "client"]  # fixtures


@pytest.fixture(scope="module")
def adviser(build: Build) -> Adviser:
    """What the site's lists must be: those of the market's rules."""
    return Adviser(build, rules_for(build.graph))


def listed(adviser: Adviser, user: str, k: int = 10, kind: str | None = None) -> tuple[Recommendation, ...]:
    return adviser.advise(Question("", "", user, k, kind)).lines


# -- what pages say ------------------------------------------------------------------------------------------


def test_home_names_the_data_and_says_that_it_is_a_sample(client: FlaskClient, build: Build) -> None:
    html, twin = page_of(client, "/"), twin_of(client, "/")
    assert "Sample market: generated data" in html
    assert build.build_hash in html
    assert twin["build"] == build.build_hash
    assert twin["as_of"] == build.as_of.isoformat()
    assert twin["nodes"] == build.graph.counts()["nodes"]
    assert twin["edges"] == int(build.graph.current.sum())


def test_home_begins_with_one_investor_of_each_risk_level(client: FlaskClient, build: Build) -> None:
    twin = twin_of(client, "/")
    shown = {level["node"]["id"] for example in twin["examples"] for level in example["levels"]}  # type: ignore[attr-defined]
    graph = build.graph
    used = {str(graph.nodes.id[row]) for row in graph.outgoing(Relation.HAS_RISK).neighbour}
    assert used <= shown
    urls = links(page_of(client, "/"), "/investors/")
    assert len(urls) == len(twin["examples"])  # type: ignore[arg-type]
    assert all(client.get(url).status_code == 200 for url in urls)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_investors_page_is_the_list_with_its_reasons(
    client: FlaskClient, build: Build, adviser: Adviser, lang: str
) -> None:
    explainer = Explainer(build.graph, build.build_hash)
    for user in investors(build):
        lines = listed(adviser, user)
        html = page_of(client, f"/investors/{user}?lang={lang}")
        twin = twin_of(client, f"/investors/{user}")
        assert [line["asset"]["id"] for line in twin["recommended"]] == [line.asset_id for line in lines]  # type: ignore[attr-defined]
        for line, shown in zip(lines, twin["recommended"], strict=True):  # type: ignore[call-overload]
            assert shown["score"] == pytest.approx(line.score, abs=1e-9)
            asset = build.graph.asset_row(line.asset_id) - int(build.graph.assets[0])
            position = build.graph.row(NodeKind.USER, user) - int(build.graph.users[0])
            account = build.scorer.account(position, asset)
            reasons = {reason.text for reason in explainer.explain(account, line.rank, [lang]).reasons}
            assert {reason["text"] for reason in shown["reasons"]} <= reasons
            assert all(reason["text"] in unescape(html) for reason in shown["reasons"])
            assert sum(share["value"] for share in shown["shares"]) == pytest.approx(line.score, abs=1e-9)


def test_the_legend_names_what_carries_the_lists_scores_and_nothing_else(client: FlaskClient, build: Build) -> None:
    page = page_of(client, f"/investors/{investors(build)[1]}")
    legend = page.partition('<ul class="legend"')[2].partition("</ul>")[0]
    named = set(re.findall(r"swatch family-(\w+)", legend))
    shown = set(re.findall(r'<rect class="family-(\w+)"', page))
    assert shown <= named and "own" not in named and "co_investment" in named


@pytest.mark.parametrize("kind", ["stock", "fund", "bond"])
def test_the_switch_lists_one_kind(client: FlaskClient, build: Build, adviser: Adviser, kind: str) -> None:
    ids = [str(key) for key in build.graph.nodes.id[build.graph.users]]
    user = next(user for user in ids if listed(adviser, user, 10, kind))
    twin = twin_of(client, f"/investors/{user}?kind={kind}")
    assert {line["asset"]["kind"].lower() for line in twin["recommended"]} == {kind}  # type: ignore[attr-defined]
    assert f'kind={kind}" aria-current="page"' in page_of(client, f"/investors/{user}?kind={kind}")


def test_every_page_with_a_recommendation_is_recorded_before_it_is_shown(
    build: Build, adviser: Adviser, tmp_path: Path
) -> None:
    ledger = open_ledger(tmp_path / "ledger", environ={})
    client = create_app(build, desk=Desk(adviser, ledger)).test_client()
    user = investors(build)[1]
    asset = listed(adviser, user)[0].asset_id
    for number, (url, through) in enumerate(
        [
            (f"/investors/{user}", "site"),
            (f"/investors/{user}?format=json", "api"),
            (f"/investors/{user}/assets/{asset}", "site"),
            (f"/investors/{user}/assets/{asset}?format=json", "api"),
            (f"/investors/{user}?kind=fund&lang=zh-TW", "site"),
        ],
        1,
    ):
        response = client.get(url)
        headers = ledger.headers(person=user)
        assert (len(headers), response.headers["Pathfolio-Record"]) == (number, headers[0].id)
        record = entry_of(ledger, headers[0].id)
        assert record["question"]["through"] == through
        assert record["question"]["lang"] == ("zh-TW" if "zh-TW" in url else "en")
        assert record["question"]["asset_id"] == (asset if "assets" in url else None)
    (ledger.folder / "ledger.sqlite").rename(tmp_path / "gone")
    for url in (f"/investors/{user}", f"/investors/{user}/assets/{asset}?format=json"):
        response = client.get(url)
        assert response.status_code == 503
        assert asset not in response.text
        assert str(tmp_path) not in response.text
    assert client.get(f"/assets/{asset}").status_code == 200  # about no investor


def test_what_is_not_suitable_is_told_with_the_rule(client: FlaskClient, build: Build, adviser: Adviser) -> None:
    """In the person's language; the asset's own page says so, too, and gives it no rank."""
    advice = next(a for a in (adviser.advise(Question("", "", user)) for user in investors(build)) if a.rejected)
    user, first = advice.question.user_id, advice.rejected[0]
    for lang, title in (("en", "Suitability"), ("zh-CN", "适当性"), ("zh-TW", "適合度")):
        why = verdict_text(first.verdict.results, lang, to_investor=True)
        html = unescape(page_of(client, f"/investors/{user}?lang={lang}"))
        assert why
        assert all(sentence in html for sentence in why)
        page = unescape(page_of(client, f"/investors/{user}/assets/{first.asset_id}?lang={lang}"))
        assert title in page
        assert all(sentence in page for sentence in why)
    assert twin_of(client, f"/investors/{user}/assets/{first.asset_id}")["rank"] == 0


def test_holdings_are_those_of_the_graph_and_never_recommended(client: FlaskClient, build: Build) -> None:
    graph = build.graph
    for user in investors(build):
        row = graph.row(NodeKind.USER, user)
        held = {str(graph.nodes.id[asset]) for asset in graph.outgoing(Relation.HOLDS).of(row)}
        before = {str(graph.nodes.id[asset]) for asset in graph.outgoing(Relation.HELD).of(row)}
        twin = twin_of(client, f"/investors/{user}")
        portfolio: dict[str, object] = twin["portfolio"]  # type: ignore[assignment]
        assert {holding["asset"]["id"] for holding in portfolio["holdings"]} == held  # type: ignore[attr-defined]
        assert portfolio["held_before"] == len(before)
        assert not {line["asset"]["id"] for line in twin["recommended"]} & (held | before)  # type: ignore[attr-defined]


def test_the_twin_of_a_recommendation_is_the_explanation(client: FlaskClient, build: Build, adviser: Adviser) -> None:
    schema = json.loads(resources.files("pathfolio.explain").joinpath("explanation.schema.json").read_text("utf-8"))
    user = investors(build)[1]
    for kind in (None, "fund"):
        for line in listed(adviser, user, 3, kind):
            url = f"/investors/{user}/assets/{line.asset_id}" + (f"?kind={kind}" if kind else "")
            if "/" in line.asset_id:
                continue
            twin = twin_of(client, url)
            jsonschema.validate(twin, schema)
            assert (twin["user_id"], twin["asset_id"], twin["rank"]) == (user, line.asset_id, line.rank)
            assert twin["score"] == pytest.approx(line.score, abs=1e-9)
            assert {reason["lang"] for reason in twin["reasons"]} == set(LANGUAGES)  # type: ignore[attr-defined]


def test_the_page_of_a_recommendation_shows_all_that_the_score_is_made_of(client: FlaskClient, build: Build) -> None:
    url = first_recommendation(client, investors(build)[1])
    html, twin = unescape(page_of(client, url)), twin_of(client, url)
    for reason in twin["reasons"]:  # type: ignore[attr-defined]
        assert (reason["text"] in html) == (reason["lang"] == "en")
    shown = re.findall(r'<li class="proof[^"]*" id="([^"]+)"', html)
    assert shown
    by_id = {path["id"]: path for path in twin["paths"]}  # type: ignore[attr-defined]
    for key in shown:
        for edge in by_id[key]["edges"]:
            assert edge["source"] in html
            assert edge["known_at"] in html
    assert '<svg class="pf-picture"' in html
    largest = max(by_id.values(), key=lambda path: abs(path["contribution"]))
    assert shown[0] == largest["id"]


def test_evidence_that_a_reason_cites_is_on_the_page(client: FlaskClient, build: Build) -> None:
    """What a reason points to is there to be jumped to, unless it is one of the smallest of many paths."""
    for user in investors(build)[1:4]:
        html = page_of(client, first_recommendation(client, user))
        ids, cited = set(re.findall(r'id="([pf][0-9a-f]{12})"', html)), re.findall(r'href="#([pf][0-9a-f]{12})"', html)
        assert cited
        assert set(cited) <= ids


def test_an_asset_says_how_many_hold_it_but_never_a_few(client: FlaskClient, build: Build) -> None:
    graph, seen = build.graph, set()
    for key, told in zip(graph.asset_ids.tolist(), build.scorer.groups.holders.tolist(), strict=True):
        if "/" in key:
            continue
        profile: dict[str, object] = twin_of(client, f"/assets/{key}")["profile"]  # type: ignore[assignment]
        assert profile["holders"] == (told or None)
        html = page_of(client, f"/assets/{key}")
        assert ("too few to say" in html) == (told == 0)
        assert (f"at least {told} investors" in html) == (told > 0)
        assert told == 0 or told > 10
        seen.add(told > 10)
    assert seen == {True, False}


def test_a_fund_lists_what_it_holds_with_weights(client: FlaskClient, build: Build) -> None:
    graph = build.graph
    fund = int(graph.rows(NodeKind.FUND)[0])
    profile: dict[str, object] = twin_of(client, f"/assets/{graph.nodes.id[fund]}")["profile"]  # type: ignore[assignment]
    holdings = graph.outgoing(Relation.INVESTS_IN)
    expected = dict(
        zip(graph.nodes.id[holdings.of(fund)], graph.edges.weight[holdings.edges_of(fund)].tolist(), strict=True)
    )
    assert {part["asset"]["id"]: part["weight"] for part in profile["parts"]} == expected  # type: ignore[attr-defined]
    weights = [part["weight"] for part in profile["parts"]]  # type: ignore[attr-defined]
    assert weights == sorted(weights, reverse=True)


def test_no_page_names_another_investor(client: FlaskClient, build: Build) -> None:
    graph = build.graph
    user = investors(build)[1]
    others = {str(graph.nodes.id[row]) for row in graph.users} - {user}
    others |= {str(graph.nodes.name[row]) for row in graph.users if graph.nodes.id[row] != user} - {""}
    others -= {str(graph.nodes.name[graph.row(NodeKind.USER, user)]), HOSTILE}
    why = first_recommendation(client, user)
    for url in (f"/investors/{user}", why, "/assets/" + why.rpartition("/")[2]):
        for text in (unescape(page_of(client, url)), json.dumps(twin_of(client, url), ensure_ascii=False)):
            assert not [name for name in others if name in text]


# -- search --------------------------------------------------------------------------------------------------


def test_search_finds_by_id_name_and_chinese_name(client: FlaskClient, build: Build) -> None:
    graph = build.graph
    row = int(graph.assets[5])
    for query in (graph.nodes.id[row], graph.nodes.name[row].upper(), graph.nodes.name_local[row]):
        hits = twin_of(client, f"/search?q={query}")["assets"]
        assert hits[0]["id"] == graph.nodes.id[row]  # type: ignore[index]
    user = investors(build)[3]
    assert twin_of(client, f"/search?q={user.lower()}")["investors"][0]["id"] == user  # type: ignore[index]


def test_search_says_when_nothing_fits_and_when_there_is_more(client: FlaskClient) -> None:
    assert "Nothing here is called “zzzz”" in page_of(client, "/search?q=zzzz")
    twin = twin_of(client, "/search?q=a&limit=2")
    assert len(twin["investors"]) == 2  # type: ignore[arg-type]
    assert int(twin["more_investors"]) > 0  # type: ignore[call-overload]
    for limit in ("-1", "x", "999999"):
        assert client.get(f"/search?q=a&limit={limit}").status_code == 200


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "No investor “&lt;b&gt;NOBODY” in this data"),
        ("zh-CN", "数据中没有投资者“&lt;b&gt;NOBODY”"),
        ("zh-TW", "資料中沒有投資人「&lt;b&gt;NOBODY」"),
    ],
)
def test_an_investor_who_is_not_there_is_named(client: FlaskClient, lang: str, said: str) -> None:
    answer = client.get("/investors/<b>NOBODY", query_string={"lang": lang})
    assert answer.status_code == 404
    assert said in answer.text


def test_templates_changed_under_a_running_site_are_not_read(
    build: Build, adviser: Adviser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(build, desk=Desk(adviser, open_ledger(tmp_path / "ledger", environ={})))
    monkeypatch.setattr(app.jinja_env.loader, "get_source", None)  # from here on none can be read
    client = app.test_client()
    user = investors(build)[0]
    for url in ("/", "/search?q=a", f"/investors/{user}", "/questionnaire", "/graph", "/build", "/investors/nobody"):
        assert client.get(url).status_code in (200, 404), url
