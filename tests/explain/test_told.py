"""What investors tell the site: their own list uses it at once, the record says so, and replays bit for bit."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pathfolio.explain.batch import explain_all
from pathfolio.explain.checker.check import check_explanation
from pathfolio.explain.ledger import custody
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.payloads import RECOMMENDATION
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.assumption import Assumed
from pathfolio.explain.records.everybody import Everybody, choosers_of, record_everybody
from pathfolio.explain.records.inspect import read_record, report_on
from pathfolio.explain.records.replay import find_build, replay
from pathfolio.explain.records.serve import ServedAnswer, serve
from pathfolio.explain.records.telling import TOLD_KIND, Teller, history_of, tell, told_by, told_by_all
from pathfolio.kg.languages import languages
from pathfolio.kg.progress import Progress
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Position
from pathfolio.recommender.assumed import YEARS
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.investor import TOLD
from pathfolio.recommender.suitability.rulefile import load_rules
from pathfolio.recommender.told import ToldFact, newest, told_investor
from tests.explain.records_world import LOOK, ask, investors

DAY = date(2026, 6, 30)


@pytest.fixture(scope="module")
def adviser(small_build: Build) -> Adviser:
    return Adviser(small_build, load_rules("tw"))


def told(ledger: Ledger, adviser: Adviser, user: str, *facts: tuple[str, str] | tuple[str, str, bool]) -> str:
    graph = adviser.build.graph
    teller = Teller(user, "site", graph.name, graph.as_of)
    return tell(ledger, teller, user, [ToldFact(each[0], each[1], DAY, each[2:] != (False,)) for each in facts]).id


def listed(found: ServedAnswer) -> list[str]:
    return [line.asset_id for line in found.advice.lines]


def question(user: str, adviser: Adviser, **more: object) -> Question:
    return ask(user, today=adviser.build.as_of, **more)


def test_the_newest_word_counts_and_following_ends_a_dismissal() -> None:
    said = [
        ToldFact("FOLLOWS", "A", DAY),
        ToldFact("HAS_RISK", "Low", DAY),
        ToldFact("HAS_RISK", "High", DAY + timedelta(1)),
        ToldFact("DISMISSES", "A", DAY + timedelta(1)),
        ToldFact("INTERESTED_IN", "Banks", DAY),
        ToldFact("INTERESTED_IN", "Banks", DAY, stands=False),
    ]
    assert [(fact.relation, fact.target, fact.stands) for fact in newest(said)] == [
        ("FOLLOWS", "A", False),
        ("HAS_RISK", "High", True),
        ("DISMISSES", "A", True),
        ("INTERESTED_IN", "Banks", False),
    ]


def test_what_is_followed_and_left_out_moves_the_own_list_alone_and_undoing_brings_it_back(
    adviser: Adviser, ledger: Ledger
) -> None:
    user, other = investors(adviser.build)[3], investors(adviser.build)[9]
    before, others = (listed(serve(adviser, ledger, question(who, adviser))) for who in (user, other))
    told(ledger, adviser, user, ("FOLLOWS", before[0]), ("DISMISSES", before[1]))
    after = listed(serve(adviser, ledger, question(user, adviser)))
    assert after != before and not {before[0], before[1]} & set(after)
    assert listed(serve(adviser, ledger, question(other, adviser))) == others
    told(ledger, adviser, user, ("FOLLOWS", before[0], False), ("DISMISSES", before[1], False))
    assert listed(serve(adviser, ledger, question(user, adviser))) == before


def test_the_list_is_that_of_the_same_assumption(adviser: Adviser, ledger: Ledger) -> None:
    user = investors(adviser.build)[3]
    follow, dismiss = listed(serve(adviser, ledger, question(user, adviser)))[2:4]
    levels = adviser.build.scorer
    assert levels is not None
    stated = Assumed.of(adviser.build.graph, told_investor(levels, 3)).levels
    what_if = Assumed(levels=stated, follow=(follow,), dismiss=(dismiss,))
    assumed = serve(adviser, ledger, question(user, adviser, assumed=what_if))
    told(ledger, adviser, user, ("FOLLOWS", follow), ("DISMISSES", dismiss))
    found = serve(adviser, ledger, question(user, adviser))
    assert listed(found) == listed(assumed)
    np.testing.assert_array_equal(found.advice.scores, assumed.advice.scores)


def test_the_record_states_what_was_told_with_source_and_day_and_replays_bit_for_bit(
    adviser: Adviser, ledger: Ledger
) -> None:
    build, user = adviser.build, investors(adviser.build)[3]
    first = serve(adviser, ledger, question(user, adviser))
    assert "told" not in json.loads(ledger.opened(ledger.leaf(first.receipt.id)))["question"]
    levels = [str(build.graph.nodes.id[row]) for row in build.graph.rows(*_tails(Relation.HAS_RISK))]
    follow, dismiss = listed(first)[:2]
    entry = told(
        ledger, adviser, user, ("FOLLOWS", follow), ("DISMISSES", dismiss), ("HAS_RISK", levels[-1]), (YEARS, "10")
    )
    for asked in (
        question(user, adviser),
        question(user, adviser, explained=False),
        question(user, adviser, kind="stock"),
        question(user, adviser, asset_id=listed(first)[4], counterfactual=True),
        question(user, adviser, assumed=Assumed(follow=(listed(first)[5],)), thrifty=True),
    ):
        found = serve(adviser, ledger, asked)
        header, record = read_record(ledger, found.receipt.id, LOOK)
        assert {(fact.relation, fact.target, fact.day, fact.entry) for fact in record.question.told} >= {
            ("FOLLOWS", follow, build.as_of, entry),
            ("DISMISSES", dismiss, build.as_of, entry),
        }
        if asked.assumed is None:
            assert header.kind == RECOMMENDATION
            risk = record.investor.levels["risk"]
            assert (risk.tail, risk.source, risk.as_of) == (levels[-1], TOLD, build.as_of.isoformat())
        again = replay(ledger, header.id, record, find_build(ledger, record, None))
        assert (again.same, again.sealed) == (True, True), again.differences
        for lang in languages():
            report_on(ledger, header.id, LOOK, lang)


def _tails(relation: Relation) -> tuple[object, ...]:
    from pathfolio.kg.schema import RELATIONS

    return RELATIONS[relation].tails


def test_explanations_walk_through_what_was_told_and_the_checker_holds_them_to_it(
    adviser: Adviser, ledger: Ledger
) -> None:
    graph, user = adviser.build.graph, investors(adviser.build)[3]
    industry = str(graph.nodes.id[graph.outgoing(Relation.IN_INDUSTRY).neighbour[0]])
    first = listed(serve(adviser, ledger, question(user, adviser)))
    told(ledger, adviser, user, ("FOLLOWS", first[0]), ("INTERESTED_IN", industry))
    found = serve(adviser, ledger, question(user, adviser))
    edges = [path.edges[0] for each in found.advice.explanations for path in each.paths]
    own = {(edge.relation, edge.source, edge.as_of) for edge in edges if edge.source == TOLD}
    assert own >= {("FOLLOWS", TOLD, graph.as_of)}
    for each in found.advice.explanations:
        data = each.to_json("en")
        assert check_explanation(graph, data, adviser.rules, told=found.advice.question.told) == []
        if any(path.edges[0].source == TOLD for path in each.paths):
            assert any("told no such thing" in problem for problem in check_explanation(graph, data, adviser.rules))


def test_the_gate_uses_the_answers_day_and_an_older_answer_than_the_snapshots_does_not_count(
    adviser: Adviser, ledger: Ledger
) -> None:
    build, user = adviser.build, investors(adviser.build)[3]
    years_later = build.as_of + timedelta(days=800)
    stale = adviser.advise(ask(user, today=years_later))
    assert any(r.reason == "stale" and "profile" in r.kind for v in stale.verdicts for r in v.results)
    level = str(build.graph.nodes.id[build.graph.outgoing(Relation.HAS_RISK).of(build.graph.user_span.row(3))[0]])
    fresh = (ToldFact("HAS_RISK", level, years_later),)
    answered = adviser.advise(ask(user, today=years_later, told=fresh))
    assert not any(r.reason == "stale" and "profile" in r.kind for v in answered.verdicts for r in v.results)
    assert any(
        fact.source == TOLD and fact.as_of == years_later.isoformat()
        for v in answered.verdicts
        for r in v.results
        if r.kind == "freshness/profile"
        for fact in r.facts
    )
    old = (ToldFact("HAS_RISK", "Aggressive", date(1990, 1, 1)),)
    assert not told_investor(build.scorer, 3, old).has_chosen


def test_everybodys_lists_and_their_records_use_it_too(adviser: Adviser, ledger: Ledger) -> None:
    user = investors(adviser.build)[3]
    first = listed(serve(adviser, ledger, question(user, adviser)))
    told(ledger, adviser, user, ("DISMISSES", first[0]))
    alone = listed(serve(adviser, ledger, question(user, adviser, explained=False)))
    lists = record_everybody(
        adviser, ledger, Everybody("clerk", "Python", today=adviser.build.as_of), Progress(out=None), workers=1
    )
    assert [str(adviser.build.graph.asset_ids[asset]) for asset in lists.assets[3]] == alone
    assert first[0] not in alone


def test_everybodys_evidence_is_of_what_they_told_too(adviser: Adviser, ledger: Ledger, tmp_path: Path) -> None:
    """What lies behind a list in the table of everybody's evidence is what the list's own page shows."""
    graph, scorer = adviser.build.graph, adviser.build.scorer
    user, other = investors(adviser.build)[3:5]
    industry = str(graph.nodes.id[graph.rows(NodeKind.INDUSTRY)[0]])
    held = set(graph.outgoing(Relation.HOLDS).of(graph.user_span.row(Position(3))).tolist())
    followed = next(str(graph.nodes.id[row]) for row in graph.assets.tolist() if row not in held)
    told(ledger, adviser, user, ("INTERESTED_IN", industry), ("FOLLOWS", followed))
    asked, silent = Everybody("clerk", "Python", today=adviser.build.as_of), Progress(out=None)
    lists = record_everybody(adviser, ledger, asked, silent, workers=1)
    choosers = choosers_of(adviser, lists.told)
    assert list(choosers.investors) == [3]
    out = tmp_path / "evidence.parquet"
    explain_all(scorer, out, silent, lists=lists.assets, choosers=choosers, workers=1)
    table = pq.read_table(out).to_pandas()
    for who in (user, other):
        shown = serve(adviser, ledger, question(who, adviser)).advice.explanations
        paths = [(f.asset_id, f.rank, p.id, p.contribution, list(p.relations)) for f in shown for p in f.paths]
        rows = table[table["user_id"] == who]
        columns = (rows[name].tolist() for name in ("asset_id", "rank", "path_id", "contribution"))
        relations = [list(each) for each in rows["relations"]]
        found = sorted(zip(*columns, relations, strict=True))
        assert [row[:3] for row in found] == [row[:3] for row in sorted(paths)]
        assert [row[4] for row in found] == [row[4] for row in sorted(paths)]
        assert [row[3] for row in found] == pytest.approx([row[3] for row in sorted(paths)])
        firsts = {row[4][0] for row in found}
        assert ({"FOLLOWS", "INTERESTED_IN"} <= firsts) == (who == user)


def test_it_says_nothing_in_another_data_set_and_goes_with_an_erasure(adviser: Adviser, ledger: Ledger) -> None:
    user, data = investors(adviser.build)[3], adviser.build.graph.name
    told(ledger, adviser, user, ("FOLLOWS", "X"))
    assert len(told_by(ledger, data, user)) == len(history_of(ledger, data, user)) == 1
    assert told_by(ledger, "other data", user) == ()
    assert set(told_by_all(ledger, data)) == {user} and told_by_all(ledger, data, date(2000, 1, 1)) == {}
    assert [header.kind for header in ledger.headers(kinds=[TOLD_KIND])] == [TOLD_KIND]
    custody.erase(ledger, user, who="clerk", reason="asked for it", despite_retention=True)
    assert told_by(ledger, data, user) == () and told_by_all(ledger, data) == {}
