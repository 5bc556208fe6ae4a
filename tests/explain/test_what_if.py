"""What-if lists: the score of a changed row, moves of rank, explanations that add up, the API and its page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pathfolio.explain.evidence import FOLLOWS
from pathfolio.explain.reasons.case import Investor
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.what_if_list import ASSUMED, AssumedLookups, AssumedTracer, WhatIfDesk
from pathfolio.kg.languages import languages
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.recommender.assumed import (
    EMPHASIS,
    INTEREST_HALF,
    INTEREST_WEIGHT,
    NOBODY,
    AssumedInvestor,
    AssumedScore,
)
from pathfolio.recommender.build import Build
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.ranking import id_order, top_lists
from pathfolio.recommender.scorer import Scorer
from pathfolio.recommender.suitability.gate import Gate
from pathfolio.recommender.suitability.rulefile import load_rules
from tests import ROOT
from tests.explain.what_if_world import busy, new_asset

TEMPLATES = ROOT / "web" / "site" / "templates"


@pytest.fixture(scope="module")
def scorer(build: Build) -> Scorer:
    return build.scorer


@pytest.fixture(scope="module")
def ungated(build: Build) -> WhatIfDesk:
    return WhatIfDesk(build, Gate.over(build.graph, load_rules("none")))


# -- the score -----------------------------------------------------------------------------------------------


def test_nothing_assumed_changes_nothing(scorer: Scorer) -> None:
    for user in range(0, len(scorer.graph.users), 17):
        score = AssumedScore(scorer, AssumedInvestor.of(scorer, user))
        np.testing.assert_array_equal(score.scores(), scorer.scores(np.array([user]))[0])
        assert score.account(3) == scorer.account(user, 3)


def test_a_followed_asset_counts_as_held_and_once_more_alone(scorer: Scorer) -> None:
    """Restated with whole rows: (holdings + f) + EMPHASIS * (f alone - nothing)."""
    user = busy(scorer)
    as_is = AssumedInvestor.of(scorer, user)
    f = new_asset(scorer, user)

    def row(assets: set[int], levels: tuple[int, ...]) -> InvestorRows:
        there = InvestorRows.of(scorer.interactions, np.array([user]))
        ever, profile = there.ever.toarray() * 0, there.profile.toarray() * 0
        ever[0, sorted(assets)] = 1
        profile[0, list(levels)] = 1
        kind = type(there.ever)
        return replace(there, ever=kind(ever), profile=kind(profile))

    def total(investors: InvestorRows) -> np.ndarray:
        return scorer.sum_rows(investors)[0]

    whole = row({*as_is.held, f}, tuple(as_is.levels.values()))
    expected = total(whole) + EMPHASIS * (total(row({f}, ())) - total(row(set(), ())))
    expected[~scorer.led_to(whole)[0]] = -np.inf
    score = AssumedScore(scorer, replace(as_is, followed=frozenset({f})))
    np.testing.assert_allclose(score.scores(), expected, atol=1e-12)


def test_dismissing_a_holding_is_never_having_had_it(scorer: Scorer) -> None:
    user = busy(scorer)
    as_is = AssumedInvestor.of(scorer, user)
    gone = min(as_is.held)
    dismissed = AssumedScore(scorer, replace(as_is, dismissed=frozenset({gone}))).scores()
    without = AssumedScore(scorer, replace(as_is, held=as_is.held - {gone})).scores()
    np.testing.assert_array_equal(dismissed, without)


@pytest.mark.parametrize("kind", [NodeKind.INDUSTRY, NodeKind.CATEGORY])
def test_an_interest_adds_to_what_has_it_most_to_what_sells_best(scorer: Scorer, kind: NodeKind) -> None:
    graph = scorer.graph
    relation = {NodeKind.INDUSTRY: Relation.IN_INDUSTRY, NodeKind.CATEGORY: Relation.IN_CATEGORY}[kind]
    node = int(graph.rows(kind)[0])
    has = np.array([node in graph.outgoing(relation).of(int(row)) for row in graph.assets])
    assert has.any()
    added = (
        AssumedScore(scorer, AssumedInvestor(interests=(node,))).scores()
        - AssumedScore(scorer, AssumedInvestor()).scores()
    )
    base = sum(scorer.base.values())
    best_first = sorted(np.flatnonzero(has).tolist(), key=lambda asset: (-base[asset], asset))
    np.testing.assert_allclose(added[best_first], [INTEREST_WEIGHT / (1 + n / INTEREST_HALF) for n in range(has.sum())])
    assert not added[~has].any()


def test_every_account_adds_up(scorer: Scorer) -> None:
    user = busy(scorer)
    asked = replace(
        AssumedInvestor.of(scorer, user),
        followed=frozenset({new_asset(scorer, user)}),
        interests=(int(scorer.graph.rows(NodeKind.INDUSTRY)[0]),),
    )
    score = AssumedScore(scorer, asked)
    scores = score.scores()
    for asset in range(0, len(scores), 7):
        account = score.account(asset)
        assert account.gap < 1e-9
        assert account.score == pytest.approx(scores[asset], abs=1e-9)


# -- lists and moves -----------------------------------------------------------------------------------------


def test_the_list_is_the_top_of_the_scores(scorer: Scorer, ungated: WhatIfDesk) -> None:
    user = busy(scorer)
    before = AssumedInvestor.of(scorer, user)
    asked = replace(before, followed=frozenset({new_asset(scorer, user)}), dismissed=frozenset({2}))
    found = ungated.answer(asked, before, 10, "stock", ("en",))
    stocks = np.isin(scorer.graph.assets, scorer.graph.rows(NodeKind.STOCK))

    def full(investor: AssumedInvestor) -> list[int]:
        allowed = stocks.copy()
        allowed[list(investor.held | investor.followed | investor.dismissed)] = False
        scores = AssumedScore(scorer, investor).scores()
        return top_lists(scores[None], allowed[None], id_order(scorer.graph), int(allowed.sum()))[0].tolist()

    new, old = full(asked), full(before)
    assert [line.move.asset for line in found.lines] == new[:10]
    assert [line.move.was for line in found.lines] == [old.index(a) + 1 if a in old else 0 for a in new[:10]]
    assert [move.asset for move in found.left] == [asset for asset in old[:10] if asset not in new[:10]]
    climbs = {asset: (old.index(asset) + 1) / rank for rank, asset in enumerate(new[:100], 1) if rank > 10}
    best = sorted((c for c in climbs.values() if c > 1), reverse=True)[:5]
    assert [move.climb for move in found.risers] == pytest.approx(best)


def test_following_moves_the_neighbours_up(build: Build, scorer: Scorer, ungated: WhatIfDesk) -> None:
    """Over many investors: what shares an industry or issuer with the followed asset climbs, others fall a little."""
    graph, industry = scorer.graph, scorer.graph.outgoing(Relation.IN_INDUSTRY)
    near: list[float] = []
    far: list[float] = []
    for user in range(0, len(graph.users), 3):
        before = AssumedInvestor.of(scorer, user)
        f = new_asset(scorer, user)
        group = industry.of(int(graph.assets[f])).tolist()
        old = AssumedScore(scorer, before).scores()
        new = AssumedScore(scorer, replace(before, followed=frozenset({f}))).scores()
        climb = np.argsort(np.argsort(-old)) - np.argsort(np.argsort(-new))
        for asset in range(len(graph.assets)):
            if asset == f or asset in before.held:
                continue
            same = bool(set(industry.of(int(graph.assets[asset])).tolist()) & set(group))
            (near if same else far).append(float(climb[asset]))
    assert len(near) > 50
    assert np.mean(near) > np.mean(far) + 1


def test_what_is_followed_is_named_and_never_taken_for_a_fact(scorer: Scorer, ungated: WhatIfDesk) -> None:
    user = busy(scorer)
    before = AssumedInvestor.of(scorer, user)
    f = new_asset(scorer, user)
    followed = str(scorer.graph.nodes.id[scorer.graph.assets[f]])
    found = ungated.answer(replace(before, followed=frozenset({f})), before, 40, None, languages())
    paths = [path for line in found.lines for path in line.explanation.paths]
    assumed = [path for path in paths if path.edges[0].source == ASSUMED]
    assert assumed
    assert all((path.edges[0].relation, path.edges[0].tail) == (FOLLOWS, followed) for path in assumed)
    assert all(path.nodes[1].id != followed for path in paths if path.edges[0].source != ASSUMED)
    for line in found.lines:
        carried = sum(p.contribution for p in line.explanation.paths if p.edges[0].source == ASSUMED)
        assert line.from_assumed == pytest.approx(carried)
    texts = [reason.text for line in found.lines for reason in line.explanation.reasons]
    assert any("which you follow" in text for text in texts)
    assert any("您追蹤的" in text for text in texts)


def test_somebody_new_is_called_you(scorer: Scorer, ungated: WhatIfDesk) -> None:
    level = int(scorer.graph.rows(NodeKind.RISK_LEVEL)[0])
    asked = AssumedInvestor(levels={Relation.HAS_RISK: level})
    found = ungated.answer(asked, None, 5, None, ("en",))
    assert {line.explanation.user.name for line in found.lines} == {"You"}
    assert all(line.move.was == 0 for line in found.lines)
    first = [path.edges[0] for line in found.lines for path in line.explanation.paths]
    assert all((edge.relation, edge.source) == ("HAS_RISK", ASSUMED) for edge in first)
    assert asked.row == NOBODY


def test_nobody_is_not_the_investor_in_the_last_row(ungated: WhatIfDesk) -> None:
    """Row -2 must never be read as one counted from the end: nothing is held, answered or bought early by nobody."""
    nobody = AssumedInvestor()
    tracer = AssumedTracer(ungated._tracer, nobody)
    lookups = AssumedLookups(ungated._lookups, tracer, nobody)
    assets = ungated.build.graph.assets.tolist()
    assert sum(lookups.early.of(NOBODY, asset) for asset in assets) == 0
    assert lookups.investor(NOBODY) == Investor(NOBODY, ())
    found = ungated.answer(nobody, None, len(assets), None, ("en",))
    told = {reason.trigger for line in found.lines for reason in line.explanation.reasons}
    assert not told & {
        "early_buyers",
        "risk_fits",
        "risk_above",
        "spread_sector",
        "concentration_sector",
        "income_sought",
    }
    assert not any(line.explanation.paths for line in found.lines)


def test_a_question_leaves_no_trace(scorer: Scorer, ungated: WhatIfDesk) -> None:
    """The same question before and after others gives the same answer."""
    user = busy(scorer)
    before = AssumedInvestor.of(scorer, user)
    first = ungated.answer(before, None, 10, None, ("en",))
    ungated.answer(replace(before, followed=frozenset({new_asset(scorer, user)})), before, 10, None, ("en",))
    assert ungated.answer(before, None, 10, None, ("en",)) == first


# -- suitability ---------------------------------------------------------------------------------------------


def suitable(investor: AssumedInvestor, gate: Gate) -> np.ndarray:
    """Positions of the assets that may be listed."""
    at = np.flatnonzero(investor.eligible(gate.assets.graph, None))
    return at[investor.screened(gate, gate.assets.graph.assets[at]).allowed]


def test_nothing_unsuitable_is_listed_under_the_assumed_level(build: Build, scorer: Scorer) -> None:
    """A lower level lists fewer assets, and each list passes the gate; unchanged, it is the gate's own."""
    adviser = Adviser(build, load_rules("tw"))
    gate, graph, user = adviser.gate, build.graph, busy(scorer)
    as_is = AssumedInvestor.of(scorer, user)
    counts = []
    for level in graph.rows(NodeKind.RISK_LEVEL).tolist():
        asked = as_is.with_answers({Relation.HAS_RISK: level})
        counts.append(len(suitable(asked, gate)))
    own = gate.screen(int(graph.users[user]), graph.assets).allowed
    own[list(as_is.held)] = False
    np.testing.assert_array_equal(suitable(as_is, gate), np.flatnonzero(own))
    assert min(counts) < max(counts)


def test_a_short_horizon_rules_risky_assets_out(build: Build) -> None:
    gate = Adviser(build, load_rules("eu")).gate
    levels = {
        Relation.HAS_RISK: build.graph.row(NodeKind.RISK_LEVEL, "Aggressive"),
        Relation.HAS_CAPACITY: build.graph.row(NodeKind.CAPACITY, "over USD 300k"),
    }
    somebody = [AssumedInvestor(levels=levels, years=years) for years in (0.5, 3.0, 20.0)]
    counts = [len(suitable(one, gate)) for one in somebody]
    assert counts[0] < counts[1] <= counts[2]
