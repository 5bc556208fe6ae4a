"""Levels that the source predicted are told as such, and a pass is plain only where every rule was decided."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pathfolio.explain.records.layout import FORMAT, WITHOUT_DAY
from pathfolio.explain.records.layout.shown import RecordedVerdict
from pathfolio.explain.records.report import report_texts
from pathfolio.explain.records.tables import TableWriter
from pathfolio.explain.records.told import state_of
from pathfolio.explain.records.verdict_text import outcome_text, result_text
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.graph import KnowledgeGraph, to_date
from pathfolio.kg.languages import languages
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.tables import Tables as DataTables
from pathfolio.recommender.suitability.gate import Gate
from pathfolio.recommender.suitability.rulefile import SHIPPED, load_rules
from pathfolio.recommender.suitability.verdict import STATES, Outcome, RuleResult, Verdict
from pathfolio.web.site.texts import texts_of
from tests import ROOT
from tests.kg.far_trans_files import write_archive
from tests.recommender.suitability_world import AS_OF, prices, rule, tables, tiny_market

CUSTOMERS = """\
customerID,customerType,riskLevel,investmentCapacity,lastQuestionnaireDate,timestamp
C1,Mass,Income,CAP_LT30K,2015-04-27,2018-01-02
C2,Mass,Predicted_Income,Predicted_CAP_LT30K,2000-01-01,2018-01-02
C3,Legal Entity,Aggressive,CAP_GT300K,2020-06-01,2018-01-02
NA,Inactive,Conservative,CAP_LT30K,2018-01-02,2018-01-02
"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> DataTables:
    folder = write_archive(tmp_path_factory.mktemp("bank"))
    (folder / "customer_information.csv").write_text(CUSTOMERS, encoding="utf-8")
    return read_folder(folder)


def level_of(graph: KnowledgeGraph, user: str) -> tuple[str, date, date, str]:
    """Level, day of the answers, day from which it was known, and mark."""
    edge = graph.outgoing(Relation.HAS_RISK).edges_of(graph.row(NodeKind.USER, user))[0]
    edges = graph.edges
    days = to_date(int(edges.as_of[edge])), to_date(int(edges.known_at[edge]))
    return (str(graph.nodes.id[edges.tail[edge]]), *days, str(edges.qualifier[edge]))


def test_a_level_is_of_the_day_of_its_answers(bank: DataTables) -> None:
    """Known from the row's day on; a later questionnaire counts from its own day; a predicted level has no answers."""
    row = date(2018, 1, 2)
    early, late = assemble_graph(bank, date(2019, 12, 31)), assemble_graph(bank, date(2021, 1, 1))
    assert level_of(early, "C1") == ("Income", date(2015, 4, 27), row, "")
    assert level_of(early, "C2") == ("Income", row, row, "predicted")
    assert level_of(early, "C3") == ("Aggressive", row, row, "")
    assert level_of(late, "C3") == ("Aggressive", date(2020, 6, 1), date(2020, 6, 1), "")
    assert level_of(early.at(row), "C1") == level_of(early, "C1")


def test_answers_that_count_as_fresh_by_the_row_s_day_are_stale(bank: DataTables) -> None:
    graph = assemble_graph(bank, date(2019, 12, 31))
    gate = Gate.over(graph, load_rules("eu"))
    ages = {}
    for user in ("C1", "C2"):
        verdict = gate.screen(graph.row(NodeKind.USER, user), graph.assets[:1]).verdict(0)
        found = next(result for result in verdict.results if result.rule == "profile-age")
        ages[user] = found.reason, found.effect.word
        assert result_text(found, "en", to_investor=True)
    assert ages == {"C1": ("stale", "warn"), "C2": ("predicted", "warn")}


@pytest.mark.realdata
def test_answers_of_far_trans(real_data: Path) -> None:
    """Of the levels on 30 June 2022 that have a row within 1,095 days, 2,703 told ones rest on older answers."""
    graph = assemble_graph(read_folder(real_data / "far-trans"), date(2022, 6, 30))
    at, edges = graph.outgoing(Relation.HAS_RISK).edge, graph.edges
    day = (date(2022, 6, 30) - date(1970, 1, 1)).days
    told = edges.qualifier[at] != "predicted"
    assert int(((day - edges.as_of[at] > 1095) & (day - edges.known_at[at] <= 1095) & told).sum()) == 2703
    assert int((~told).sum()) == 6936
    assert (edges.as_of[at] <= edges.known_at[at]).all()


def predicted_market() -> KnowledgeGraph:
    users = pd.DataFrame(
        [("told", "Careful"), ("guessed", "Predicted_Careful")], columns=["user_id", "risk_level"]
    ).assign(as_of="2026-01-01", experience="much")
    assets = pd.DataFrame(
        [("low", "stock", "Low", "RR1"), ("high", "stock", "High", "RR5")],
        columns=["asset_id", "kind", "name", "risk_rating"],
    )
    return assemble_graph(tables(users=users, assets=assets), AS_OF)


def results(text: str, user: str) -> dict[str, RuleResult]:
    graph = predicted_market()
    found = Gate.over(graph, rule(text)).screen(graph.row(NodeKind.USER, user), graph.assets)
    verdicts = [found.verdict(number) for number in range(len(graph.assets))]
    return {verdict.asset_id: verdict.results[0] for verdict in verdicts}


@pytest.mark.parametrize("effect", ["pass", "warn", "reject"])
def test_a_predicted_level_allows_as_the_file_says_and_forbids_as_a_told_one(effect: str) -> None:
    text = f'kind = "risk_level"\npredicted = "{effect}"'
    told, guessed = results(text, "told"), results(text, "guessed")
    assert (told["low"].effect.word, told["high"].effect.word) == ("pass", "reject")
    assert (guessed["low"].effect.word, guessed["high"].effect.word) == (effect, "reject")
    for asset in guessed:
        assert guessed[asset].facts[0].note == "predicted"
        for lang, said in (("en", "predicted"), ("zh-CN", "推测"), ("zh-TW", "推估")):
            assert said in result_text(guessed[asset], lang)
            assert said not in result_text(told[asset], lang)


@pytest.mark.parametrize("market", SHIPPED)
def test_shipped_rules_say_what_a_predicted_level_is_worth(market: str) -> None:
    found = {each.name: each for each in load_rules(market).rules}
    assert {found[name].predicted for name in ("risk-level", "capacity", "profile-age")} == {Outcome.WARN}


def test_a_pass_is_plain_only_where_every_rule_was_decided() -> None:
    """Of `plain` no class is known, and the file lets that pass."""
    graph = tiny_market()
    for unknown, state in (("pass", "pass_with_unknowns"), ("warn", "warn"), ("reject", "reject")):
        rules = rule(f'kind = "risk_level"\nunknown = "{unknown}"')
        found = Gate.over(graph, rules, prices()).screen(graph.row(NodeKind.USER, "bob"), graph.assets)
        verdicts = {v.asset_id: v for v in map(found.verdict, range(len(graph.assets)))}
        assert verdicts["plain"].state == verdicts["plain"].to_json()["outcome"] == state
        assert verdicts["cash"].state == "pass"
        briefs = [found.brief(number).state for number in range(len(graph.assets))]
        assert briefs == [verdict.state for verdict in verdicts.values()]
        assert found.states() == {name: briefs.count(name) for name in STATES}


def test_records_keep_the_state_and_old_ones_give_it_again() -> None:
    result = RuleResult("r", "risk_level", Outcome.UNKNOWN, Outcome.PASS, "no_class", None, None, "", ())
    rules = rule('kind = "risk_level"')
    verdict = Verdict("a", Outcome.PASS, (result,), ("r",))
    new, old = (TableWriter(rules, version).verdict(verdict) for version in (FORMAT, WITHOUT_DAY))
    assert (new.outcome, old.outcome) == ("pass_with_unknowns", "pass")
    assert state_of(new) == state_of(old) == "pass_with_unknowns"
    assert state_of(RecordedVerdict("pass", against=())) == "pass"


def test_each_state_has_words_and_a_colour_of_its_own() -> None:
    css = (ROOT / "web/site/static/site.css").read_text(encoding="utf-8")
    for lang in languages():
        words = [outcome_text(state, lang) for state in STATES]
        assert len(set(words)) == len(STATES) == 4
        assert words == [texts_of(lang).say(f"verdict_{state}") for state in STATES]
        assert report_texts(lang)["predicted"]
    rules = [line for line in css.splitlines() if line.startswith(".verdict-")]
    rows = {
        state: next(line for line in rules if re.match(rf"[^{{]*\.verdict-{state}\b[ ,]", line)) for state in STATES
    }
    assert len(set(rows.values())) == 4
    assert not any("accent" in row for state, row in rows.items() if state != "pass")
