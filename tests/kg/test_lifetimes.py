"""From when to when a version is current: the same as stepping through the snapshots of every day."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.kg.graph import KnowledgeGraph, to_days
from pathfolio.kg.schema import Relation
from pathfolio.kg.store.lifetimes import STILL_CURRENT, lifetimes
from tests.kg.random_market import DAY, random_market
from tests.kg.store_world import world


def current_keys(graph: KnowledgeGraph) -> set[tuple[object, ...]]:
    """Current edges by names, since rows move from one snapshot to another."""
    nodes, edges = graph.nodes, graph.edges
    return {
        (edges.relation[e], nodes.id[edges.head[e]], nodes.id[edges.tail[e]], edges.as_of[e], edges.known_at[e])
        for e in np.flatnonzero(graph.current)
    }


def alive_keys(graph: KnowledgeGraph, day: date) -> set[tuple[object, ...]]:
    start, until = lifetimes(graph)
    alive = (start <= to_days(day)) & (to_days(day) < until)
    nodes, edges = graph.nodes, graph.edges
    return {
        (edges.relation[e], nodes.id[edges.head[e]], nodes.id[edges.tail[e]], edges.as_of[e], edges.known_at[e])
        for e in np.flatnonzero(alive)
    }


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), back=st.integers(0, 430))
def test_alive_is_current_on_every_day(seed: int, back: int) -> None:
    graph = random_market(seed, edges=250)
    late = np.random.default_rng(seed).integers(0, 60, len(graph.edges)).astype(np.int32)
    known_at = np.minimum(graph.edges.known_at + late, to_days(DAY)).astype(np.int32)
    columns = {name: getattr(graph.edges, name) for name in graph.edges.__dataclass_fields__} | {"known_at": known_at}
    graph = KnowledgeGraph(graph.nodes, type(graph.edges)(**columns), DAY, "late news")
    day = DAY - timedelta(days=back)
    assert alive_keys(graph, day) == current_keys(graph.at(day))


@pytest.mark.parametrize("day", ["2024-02-15", "2024-04-09", "2024-07-31", "2024-10-14", "2024-10-15", "2024-12-31"])
def test_tiny_market(day: str) -> None:
    assert alive_keys(world(), date.fromisoformat(day)) == current_keys(world().at(date.fromisoformat(day)))


def test_by_hand() -> None:
    """F's statement of March is known on 10 April and replaced when that of September is known, on 10 October."""
    graph = world()
    start, until = lifetimes(graph)
    nodes, edges = graph.nodes, graph.edges
    found = {
        (str(nodes.id[edges.tail[e]]), int(start[e]), int(until[e]))
        for e in np.flatnonzero(edges.relation == list(Relation).index(Relation.INVESTS_IN))
        if nodes.id[edges.head[e]] == "F"
    }
    april, october = to_days(date(2024, 4, 10)), to_days(date(2024, 10, 10))
    first, second = (april, october), (october, STILL_CURRENT)
    assert found == {("A", *first), ("B", *first), ("A", *second), ("C", *second)}
