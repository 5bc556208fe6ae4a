"""Counts of groups and of what waits for the calendar, by their definitions: slow, and short enough to be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np

from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import RELATION_CODE, Relation
from pathfolio.recommender.groups_at_once import CELLS
from tests.kg.random_market import lively_market

POSITIONS = (Relation.HOLDS, Relation.HELD)
TOLD = 11
"""Ten and whoever looks: the fewest that are counted, and the fewest that are left out of a count."""


def positions_of(graph: KnowledgeGraph) -> Iterator[tuple[int, int]]:
    """Investor and asset of every version of every position, sold ones included."""
    at = np.isin(graph.edges.relation, [RELATION_CODE[relation] for relation in POSITIONS])
    yield from zip(graph.edges.head[at].tolist(), graph.edges.tail[at].tolist(), strict=True)


def dated(seed: int) -> KnowledgeGraph:
    """A lively market whose positions were bought on all sorts of days."""
    graph = lively_market(seed, users=100, assets=18)
    rng, as_of = np.random.default_rng(seed), graph.edges.as_of.copy()
    for relation in POSITIONS:
        edges = graph.edges_between(relation)
        as_of[edges] = (
            as_of[edges] + 30 - rng.choice([0, 2, 6, 7, 12, 20, 29, 45, 75, 90, 91, 150, 181, 300], len(edges))
        )
    return replace(graph, edges=replace(graph.edges, as_of=as_of))


def slow_told(members: dict[int, int], today: int, first: int = 0, length: int = 2**16) -> tuple[set[int], set[int]]:
    """Who of those that came in an interval are told, and who wait, by the definition."""
    here = {user: day for user, day in members.items() if first <= day < first + length}
    told: set[int] = set()
    waiting = set(here)
    if len(here) > 1 and length > 1:
        halves = [slow_told(here, today, first + at, length // 2) for at in (0, length // 2)]
        told, waiting = (halves[0][which] | halves[1][which] for which in (0, 1))
    return (told | waiting, set()) if len(waiting) >= TOLD and first + length - 1 <= today else (told, waiting)


def slow_people(graph: KnowledgeGraph, members: dict[int, int]) -> set[int]:
    return slow_told(members, (graph.as_of - date(1970, 1, 1)).days)[0]


def slow_count(graph: KnowledgeGraph, members: dict[int, int]) -> int:
    return len(slow_people(graph, members))


def slow_members(graph: KnowledgeGraph, node: int, *relations: Relation) -> dict[int, int]:
    """Investors who have or had a relation to a node, and since when snapshots show it."""
    found: dict[int, int] = {}
    codes = {RELATION_CODE[relation] for relation in relations}
    edges = graph.edges
    columns = (
        edges.relation.tolist(),
        edges.head.tolist(),
        edges.tail.tolist(),
        np.maximum(edges.as_of, edges.known_at),
    )
    for code, user, tail, day in zip(*columns, strict=True):
        if code in codes and tail == node:
            found[user] = min(day, found.get(user, day))
    return found


def both(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
    return {user: max(one[user], other[user]) for user in one.keys() & other.keys()}


def slow_pair(graph: KnowledgeGraph, first: int, second: int) -> int:
    a, b = (slow_members(graph, asset, *POSITIONS) for asset in (first, second))
    told = min(slow_count(graph, both(a, b)), slow_count(graph, a) - TOLD, slow_count(graph, b) - TOLD)
    return told if told >= TOLD and first != second else 0


def slow_levels(graph: KnowledgeGraph, relation: Relation, asset: int) -> dict[int, int]:
    holders, told = slow_members(graph, asset, *POSITIONS), {}
    number = slow_count(graph, holders)
    for level in np.unique(graph.edges.tail[graph.edges_between(relation)]).tolist():
        members = slow_members(graph, level, relation)
        count = min(slow_count(graph, both(members, holders)), slow_count(graph, members) - TOLD)
        told[level] = count if count >= TOLD and number else 0
    if 0 < number - sum(told.values()) < TOLD and any(told.values()):
        told[min((level for level in told if told[level]), key=told.__getitem__)] = 0
    return told


def slow_daily(ages: list[int]) -> list[float]:
    closed: list[list[tuple[int, int]]] = []
    cells: list[tuple[int, int]] = []
    for start, end in pairwise((0, *CELLS)):
        cells.append((end - start, sum(start <= age < end for age in ages)))
        if sum(buyers for _, buyers in cells) >= TOLD:
            closed.append(cells)
            cells = []
    if not closed:
        return [0.0] * len(CELLS)
    closed[-1] += cells
    return [sum(n for _, n in part) / sum(days for days, _ in part) for part in closed for _ in part]


def slow_disclosed(graph: KnowledgeGraph, user: int) -> set[int]:
    members = {asset: slow_members(graph, asset, *POSITIONS) for asset in graph.assets.tolist()}
    assets = [asset for asset, of in members.items() if user in of]
    kept: list[int] = []
    for asset in sorted(assets, key=lambda row: (-slow_count(graph, members[row]), row)):
        ties = (both(members[asset], members[other]) for other in kept)
        told = all(user in slow_people(graph, people) for people in (members[asset], *ties))
        if told and all(slow_pair(graph, asset, other) for other in kept):
            kept.append(asset)
    return set(kept)
