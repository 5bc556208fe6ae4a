"""Tables of groups are what slow counts say, and move by none or by eleven from day to day."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.kg.graph import IntArray, KnowledgeGraph
from pathfolio.kg.schema import PROFILE_RELATIONS, NodeKind, Relation
from pathfolio.recommender.disclosed import disclosed
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.groups_at_once import GroupsAtOnce
from pathfolio.recommender.interactions import Interactions
from tests.explain.explain_world import DAY
from tests.kg.random_market import ever_holders
from tests.recommender.slow_groups import (
    POSITIONS,
    TOLD,
    both,
    dated,
    positions_of,
    slow_count,
    slow_daily,
    slow_disclosed,
    slow_levels,
    slow_members,
    slow_pair,
)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_tables_are_slow_counts(seed: int) -> None:
    graph = dated(seed)
    groups, assets = Groups(Interactions(graph)), graph.assets.tolist()
    assert groups.holders.tolist() == [slow_count(graph, slow_members(graph, asset, *POSITIONS)) for asset in assets]
    assert groups.together.toarray().tolist() == [[slow_pair(graph, a, b) for b in assets] for a in assets]
    for position, asset in enumerate(assets):
        slow = {k: n for relation in PROFILE_RELATIONS for k, n in slow_levels(graph, relation, asset).items()}
        assert dict(zip(groups.levels.tolist(), groups.of_level_and_asset[:, position].tolist(), strict=True)) == slow


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_tables_of_builds_of_before_are_slow_counts(seed: int) -> None:
    graph = dated(seed)
    groups, assets = GroupsAtOnce(Interactions(graph)), graph.assets.tolist()
    holders = [ever_holders(graph, asset) for asset in assets]
    assert groups.holders.tolist() == [len(of) if len(of) >= TOLD else 0 for of in holders]
    for position, asset in enumerate(assets):
        told = [min(len(of & holders[position]), len(of) - TOLD, len(holders[position]) - TOLD) for of in holders]
        together = groups.together[:, [position]].toarray().ravel().tolist()
        assert together == [n if n >= TOLD and at != position else 0 for at, n in enumerate(told)]
        edges = [
            edge for relation in POSITIONS for edge in graph.edges_between(relation) if graph.edges.tail[edge] == asset
        ]
        ages = [(DAY - date(1970, 1, 1)).days - int(graph.edges.as_of[edge]) for edge in edges]
        np.testing.assert_allclose(groups.daily[:, position], slow_daily(ages))


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10**6))
def test_disclosed_positions_are_those_of_a_slow_count(seed: int) -> None:
    graph = dated(seed)
    kept = set(positions_of(disclosed(graph)))
    assert kept == {(user, asset) for user in graph.users.tolist() for asset in slow_disclosed(graph, user)}


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10**6))
def test_from_one_day_to_the_next_a_count_moves_by_none_or_by_eleven(seed: int) -> None:
    graph = dated(seed)
    days = [DAY - timedelta(days=back) for back in range(40, -1, -1)]
    worlds = [Groups(Interactions(part_of(graph, day))) for day in days]
    moved = set()
    for table in (told_holders, told_together, told_of_level_and_asset):
        counts = np.stack([np.asarray(table(groups)).ravel() for groups in worlds])
        steps = np.diff(counts, axis=0)
        assert ((steps == 0) | (steps >= TOLD)).all()
        moved.add(bool(steps.any()))
    assert True in moved


def part_of(graph: KnowledgeGraph, day: date) -> KnowledgeGraph:
    """What was known on a day, with all nodes, that tables are of one shape."""
    edges, limit = graph.edges, (day - date(1970, 1, 1)).days
    kept = (edges.as_of <= limit) & (edges.known_at <= limit)
    return graph.part(np.ones(len(graph), bool), kept, day, graph.name)


def told_holders(groups: Groups) -> IntArray:
    return groups.holders


def told_together(groups: Groups) -> IntArray:
    """Who has both, before it is lowered so that enough are left out."""
    of, assets = groups.interactions.ever.indices.astype(np.int64), groups.interactions.shape[1]
    pairs = [of[first] * assets + of[second] for first, second in groups.told_pairs()]
    return np.bincount(np.concatenate([np.zeros(0, np.int64), *pairs]), minlength=assets**2)


def told_of_level_and_asset(groups: Groups) -> IntArray:
    """Who has a level of risk and an asset, by the slow count."""
    graph = groups.interactions.graph
    levels = graph.rows(NodeKind.RISK_LEVEL).tolist()[:2]
    members = [slow_members(graph, level, Relation.HAS_RISK) for level in levels]
    holders = [slow_members(graph, asset, *POSITIONS) for asset in graph.assets.tolist()[:4]]
    return np.array([slow_count(graph, both(one, other)) for one in members for other in holders])
