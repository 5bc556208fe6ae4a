"""The served score: a sum that its account adds up to, without what is held, and right where the answer is known."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.tables import COLUMNS, Tables, typed_table
from pathfolio.recommender.account import HOLDS_OR_HELD, OTHER_INVESTORS
from pathfolio.recommender.build import Build
from pathfolio.recommender.channels.attributes import SharedAttributes, attribute_matrix
from pathfolio.recommender.channels.co_investment import CoInvestment
from pathfolio.recommender.channels.funds import FundHoldings, holdings_matrix
from pathfolio.recommender.channels.profile import fit_profile
from pathfolio.recommender.ease import ease, ease_weights
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.investor_ranking import audience
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.retrieve import rank_for
from pathfolio.recommender.scorer import FEWEST_LED_TO, Scorer

DAY = date(2026, 6, 30)


def _graph(**frames: pd.DataFrame) -> KnowledgeGraph:
    given = {name: typed_table(name, frames.get(name, pd.DataFrame())) for name in COLUMNS}
    return assemble_graph(Tables(**given, name="Tiny"), DAY)


def _checkerboard() -> Groups:
    """Even investors hold even assets, odd ones odd assets; each lacks one asset of their colour, eleven the same."""
    pairs = [(f"u{u:02}", f"a{a}") for u in range(88) for a in range(8) if (u + a) % 2 == 0 and u % 8 != a]
    assets = pd.DataFrame({"asset_id": [f"a{a}" for a in range(8)], "kind": "stock", "name": "A"})
    positions = pd.DataFrame(pairs, columns=["user_id", "asset_id"]).assign(as_of="2026-01-31", units=1.0)
    return Groups(Interactions(_graph(assets=assets, positions=positions)))


def test_co_investment_finds_the_missing_square() -> None:
    groups = _checkerboard()
    ever = groups.interactions.ever
    channel = CoInvestment(groups.interactions.graph, groups, ease_weights(groups, 1.0), np.ones(8))
    scores = ever @ channel.kernel()
    scores[ever.toarray() > 0] = -np.inf
    assert scores.argmax(axis=1).tolist() == [user % 8 for user in range(88)]


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_ease_from_the_investors_side_is_ease(dropout: float) -> None:
    """With fewer investors than assets Woodbury's identity is used; it must give the closed form itself."""
    x = sp.csr_array((np.random.default_rng(0).random((5, 9)) < 0.5).astype(float))
    seen = np.flatnonzero(x.sum(axis=0))
    gram = (x.T @ x).toarray()[np.ix_(seen, seen)]
    p = np.linalg.inv(gram + 3 * np.eye(len(seen)) + dropout / (1 - dropout) * np.diag(np.diag(gram)))
    expected = -p / np.diag(p)[None, :]
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(ease(x, 3.0, dropout)[np.ix_(seen, seen)], expected, atol=1e-6)


def test_ease_with_dropout_is_what_many_dropped_inputs_would_fit() -> None:
    """Least squares over many copies of the data with inputs dropped at random, outputs whole (Steck 2020)."""
    rng, rate, copies = np.random.default_rng(1), 0.3, 4000
    x = (rng.random((12, 4)) < 0.5).astype(float)
    dropped = np.concatenate([x * (rng.random(x.shape) > rate) for _ in range(copies)]) / (1 - rate)
    whole, weights = np.tile(x, (copies, 1)), ease(sp.csr_array(x), 2.0, rate)
    for asset in range(4):
        others = np.arange(4) != asset
        inputs = dropped[:, others]
        fitted = np.linalg.solve(inputs.T @ inputs / copies + 2 * np.eye(3), inputs.T @ whole[:, asset] / copies)
        np.testing.assert_allclose(weights[others, asset], fitted, atol=0.02)


def test_co_holders_are_the_other_investors_who_hold_both() -> None:
    groups = _checkerboard()
    it, graph = groups.interactions, groups.interactions.graph
    channel = CoInvestment(graph, groups, ease_weights(groups, 1.0), np.ones(8))
    (part,) = channel.account(InvestorRows.of(it, np.array([0])), 0)
    by_holding = {graph.nodes.id[w.nodes[1]]: w.count for w in part.walks}
    assert by_holding == {
        "a2": 22,
        "a4": 22,
        "a6": 22,
    }  # eleven each of two kinds; another eleven hold a0 alone of the pair
    assert all(w.nodes[2] == OTHER_INVESTORS and w.relations[1:] == (HOLDS_OR_HELD,) * 2 for w in part.walks)
    assert (part.value, part.remainder) == (sum(w.contribution for w in part.walks), 0.0)
    (part,) = channel.account(InvestorRows.of(it, np.array([2])), 0)
    assert [w.count for w in part.walks if w.nodes[1] != graph.assets[0]] == [21, 21]  # u02 has a0 themselves


def test_shared_attributes_by_hand() -> None:
    """Two banks of three assets: one shared industry node of degree 2, one shared class node of degree 3."""
    assets = pd.DataFrame(
        {"asset_id": ["b1", "b2", "o"], "kind": "stock", "name": "A", "industry": ["Banks", "Banks", "Oil"]}
    )
    graph = _graph(
        assets=assets, positions=pd.DataFrame({"user_id": ["u"], "asset_id": ["b1"], "as_of": ["2026-01-01"]})
    )
    bank, stock, oil = 2**-0.25, 3**-0.25, 1.0
    likeness = (bank**2 + stock**2) / (bank**2 + stock**2)
    to_oil = stock**2 / (math.hypot(bank, stock) * math.hypot(oil, stock))
    kernel = SharedAttributes(graph, attribute_matrix(graph), np.ones(3)).kernel()
    np.testing.assert_allclose(kernel[0], [0, likeness, to_oil])


def test_look_through_walks() -> None:
    """A fund that is 60% s and 80% t (before scaling to length 1) reaches the holder of s by 0.6."""
    assets = pd.DataFrame({"asset_id": ["f", "s", "t"], "kind": ["fund", "stock", "stock"], "name": "A"})
    holdings = pd.DataFrame({"fund_id": "f", "asset_id": ["s", "t"], "weight": [0.3, 0.4], "as_of": "2026-05-31"})
    positions = pd.DataFrame({"user_id": ["u"], "asset_id": ["s"], "as_of": ["2026-01-01"]})
    graph = _graph(assets=assets, fund_holdings=holdings, positions=positions)
    channel = FundHoldings(graph, holdings_matrix(graph), np.ones(3))
    fund = graph.asset_row("f") - int(graph.assets[0])
    (part,) = channel.account(InvestorRows.of(Interactions(graph), np.array([0])), fund)
    assert part.value == pytest.approx(0.6)
    assert [graph.nodes.id[n] for n in part.walks[0].nodes] == ["u", "s", "f"]


def test_profile_lift_by_hand() -> None:
    """12 of 30 cautious investors hold b, none of the 30 others: log((12 + 5) / (30 * 12/60 + 5))."""
    users = pd.DataFrame({"user_id": [f"u{i:02}" for i in range(60)], "risk_level": ["Low"] * 30 + ["High"] * 30})
    held = pd.DataFrame({"user_id": [f"u{i:02}" for i in range(12)], "asset_id": "b", "as_of": "2026-01-01"})
    assets = pd.DataFrame({"asset_id": ["b"], "kind": ["bond"], "name": "B"})
    graph = _graph(users=users.assign(as_of="2025-01-01"), positions=held, assets=assets)
    groups = Groups(Interactions(graph))
    profile = fit_profile(groups, 1.0)
    low, high = (groups.levels.tolist().index(graph.row(NodeKind.RISK_LEVEL, level)) for level in ("Low", "High"))
    assert profile.lift[[low, high], 0].tolist() == [pytest.approx(math.log(17 / 11)), 0.0]
    for user, others in ((15, 12), (3, 11)):  # who holds b is not among the others
        (part,) = profile.account(InvestorRows.of(groups.interactions, np.array([user])), 0)
        assert (part.walks[0].count, part.remainder) == (others, 0.0)
    assert profile.account(InvestorRows.of(groups.interactions, np.array([45])), 0) == ()


def test_purchases_that_statements_date_are_spread_over_the_time_between() -> None:
    """First held in the statement of 30 June, not in that of 1 January: 30 of 180 days lie in the last 30."""
    rows = [("u", "a", "2026-01-01"), ("u", "a", "2026-06-30"), ("u", "b", "2026-06-30")]
    positions = pd.DataFrame(rows, columns=["user_id", "asset_id", "as_of"]).assign(units=1.0)
    assets = pd.DataFrame({"asset_id": ["a", "b", "c"], "kind": "stock", "name": "A"})
    trades = pd.DataFrame(
        {"user_id": ["u"], "asset_id": ["c"], "date": ["2026-06-01"], "side": ["buy"], "units": [1.0]}
    )
    it = Interactions(_graph(assets=assets, positions=positions, transactions=trades))
    np.testing.assert_allclose(it.bought_within(30), [0.0, 30 / 180, 1.0])


def test_the_longer_a_list_serves_the_less_new_issues_lead_it(sample_build: Build) -> None:
    scorer = sample_build.scorer
    today, half_year = scorer.for_days(1), scorer.for_days(182)
    assert half_year.options.demand.horizon == 182
    assert half_year.demand.issue.sum() < 0.05 * today.demand.issue.sum()
    np.testing.assert_allclose(today.for_days(182).scores(np.arange(5)), half_year.scores(np.arange(5)), atol=1e-6)


def test_every_account_adds_up_to_the_score(sample_build: Build) -> None:
    scorer = sample_build.scorer
    users = np.arange(0, len(scorer.graph.users), 7)
    scores = scorer.scores(users)
    for row, user in zip(scores, users.tolist(), strict=True):
        for asset in np.argsort(-row)[:10].tolist():
            account = scorer.account(user, asset)
            assert account.gap < 1e-6
            assert account.score == pytest.approx(row[asset], abs=1e-6)


def test_base_values_do_not_tell_of_a_few_people(sample_build: Build) -> None:
    """They are shown as numbers, from which the number of holders could be computed."""
    scorer = sample_build.scorer
    few, many = scorer.interactions.holders < 11, scorer.groups.holders > 10
    assert few.sum() > 1 and many.any()
    assert len(set(scorer.base["popularity"][few])) == 1
    assert scorer.base["popularity"][many].min() > scorer.base["popularity"][few].max()
    assert len(set(scorer.base["recent_demand"][scorer.demand.recent < 10])) == 1


def test_walks_are_walks_of_the_graph_and_show_nobody_else(sample_build: Build) -> None:
    graph, scorer = sample_build.graph, sample_build.scorer
    user = int(np.argmax(np.diff(scorer.interactions.ever.indptr)))
    for asset in range(0, len(graph.assets), 5):
        for channel in scorer.account(user, asset).channels:
            for walk in channel.walks:
                assert len(walk.relations) == len(walk.nodes) - 1
                assert walk.nodes[0] == graph.users[user]
                assert walk.nodes[-1] == graph.assets[asset]
                assert not set(walk.nodes[1:]) & set(graph.users.tolist())


def test_lists_are_complete_and_leave_out_what_was_held(sample_build: Build) -> None:
    scorer = sample_build.scorer
    ever = scorer.interactions.ever.toarray() > 0
    for user, user_id in enumerate(scorer.graph.user_ids):
        ids = [line.asset_id for line in rank_for(scorer, user_id, 10)]
        assert len(set(ids)) == 10
        assert not ever[user, [scorer.graph.asset_row(i) - scorer.graph.assets[0] for i in ids]].any()


def has_walk(scorer: Scorer, user_id: str, asset_id: str) -> bool:
    """Whether the account of the score has a path to show."""
    graph = scorer.graph
    user, asset = graph.row(NodeKind.USER, user_id) - graph.users[0], graph.asset_row(asset_id) - graph.assets[0]
    return any(channel.walks for channel in scorer.account(int(user), int(asset)).channels)


def test_who_has_positions_is_listed_no_asset_without_a_path(small_build: Build) -> None:
    """Not among ten, nor on a list of all of a kind where paths lead to `FEWEST_LED_TO` assets of it and more."""
    scorer, left_out = small_build.scorer, 0
    kind_of = dict(zip(scorer.graph.asset_ids, scorer.graph.nodes.kind[scorer.graph.assets].tolist(), strict=True))
    ids, held = set(scorer.graph.asset_ids), scorer.interactions.ever.toarray() > 0
    for user in np.flatnonzero(held.any(axis=1)).tolist():
        user_id = str(scorer.graph.user_ids[user])
        own = set(scorer.graph.asset_ids[held[user]])
        led = {asset_id for asset_id in ids - own if has_walk(scorer, user_id, asset_id)}
        listed = {line.asset_id for line in rank_for(scorer, user_id, len(ids))}
        ten = [line.asset_id for line in rank_for(scorer, user_id, 10)]
        assert len(ten) == 10
        assert led.issuperset(ten)
        for kind in set(kind_of.values()):
            of_kind = {asset_id for asset_id in ids if kind_of[asset_id] == kind}
            if len(led & of_kind) >= FEWEST_LED_TO:
                assert listed & of_kind == led & of_kind
                left_out += len(of_kind - own - led)
    assert left_out > 0


def test_the_list_of_somebody_new_is_complete_paths_or_none(small_build: Build) -> None:
    scorer, without_path = small_build.scorer, 0
    ids = set(scorer.graph.asset_ids)
    for user in np.flatnonzero(np.diff(scorer.interactions.ever.indptr) == 0).tolist():
        user_id = str(scorer.graph.user_ids[user])
        assert {line.asset_id for line in rank_for(scorer, user_id, len(ids))} == ids
        without_path += sum(not has_walk(scorer, user_id, asset_id) for asset_id in ids)
    assert without_path > 0


def test_who_holds_nothing_gets_a_list_from_the_profile(sample_build: Build) -> None:
    scorer = sample_build.scorer
    cold = np.flatnonzero(np.diff(scorer.interactions.ever.indptr) == 0)
    assert len(cold)
    user_id = str(scorer.graph.nodes.id[scorer.graph.users[cold[0]]])
    assert len(rank_for(scorer, user_id, 10, "fund")) == 10
    assert {line.kind for line in rank_for(scorer, user_id, 4, "bond")} == {"bond"}


def test_the_learned_channels_are_in_every_score(sample_build: Build) -> None:
    scorer = sample_build.scorer
    warm = int(np.flatnonzero(np.diff(scorer.interactions.ever.indptr) > 3)[0])
    names = {channel.name for channel in scorer.account(warm, 0).channels if channel.value}
    assert {"kg_embedding", "gat"} <= names


def test_refresh_on_the_same_day_changes_nothing(sample_build: Build) -> None:
    scorer, users = sample_build.scorer, np.arange(20)
    np.testing.assert_allclose(scorer.refresh(scorer.graph).scores(users), scorer.scores(users), atol=1e-6)


def test_an_audience_is_ordered_and_holds_nobody_who_has_the_asset(sample_build: Build) -> None:
    scorer = sample_build.scorer
    asset = int(np.argmax(scorer.interactions.holders))
    people = audience(scorer, str(scorer.graph.nodes.id[scorer.graph.assets[asset]]), 25)
    assert [p.score for p in people] == sorted((p.score for p in people), reverse=True)
    holders = set(scorer.graph.nodes.id[scorer.graph.users[scorer.interactions.ever[:, [asset]].nonzero()[0]]])
    assert not holders & {p.user_id for p in people}
