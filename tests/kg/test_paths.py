"""Path finding finds what networkx finds, aggregated over other investors, and scores it as published."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.metapaths import Metapath, metapaths_of_schema
from pathfolio.kg.paths import OTHERS, PathFinder
from pathfolio.kg.schema import RELATION_KINDS, NodeKind, Relation
from tests.explain.explain_world import World
from tests.kg.random_market import random_market

DAMPING = 0.4
WEIGHTED = {"INVESTS_IN", "COMPETES_WITH", "SUPPLIES", "IN_CONCEPT", "AFFECTED_BY"}

Key = tuple[tuple[int, ...], str]


def as_networkx(graph: KnowledgeGraph) -> nx.MultiGraph[int]:
    """The current edges, undirected; the key of an edge is its position."""
    out: nx.MultiGraph[int] = nx.MultiGraph()
    out.add_nodes_from(range(len(graph)))
    for at in np.flatnonzero(graph.current).tolist():
        out.add_edge(int(graph.edges.head[at]), int(graph.edges.tail[at]), key=at)
    return out


def edge_scores(graph: KnowledgeGraph) -> dict[int, float]:
    """weight * d_out(head)^-0.4 * d_in(tail)^-0.4 with degrees of the relation, counted edge by edge."""
    out: dict[tuple[int, int], int] = defaultdict(int)
    into: dict[tuple[int, int], int] = defaultdict(int)
    edges, current = graph.edges, np.flatnonzero(graph.current).tolist()
    for at in current:
        out[edges.relation[at], edges.head[at]] += 1
        into[edges.relation[at], edges.tail[at]] += 1
    scores = {}
    for at in current:
        degrees = out[edges.relation[at], edges.head[at]] * into[edges.relation[at], edges.tail[at]]
        weighted = RELATION_KINDS[edges.relation[at]] in WEIGHTED and not np.isnan(edges.weight[at])
        scores[at] = degrees**-DAMPING * (float(edges.weight[at]) if weighted else 1.0)
    return scores


def all_paths(graph: KnowledgeGraph, user: int, asset: int, hops: int) -> dict[Key, tuple[float, int]]:
    """Every simple path by networkx, summed up over other investors: (score, count)."""
    scores, edges = edge_scores(graph), graph.edges
    users = set(graph.users.tolist())
    found: dict[Key, tuple[float, int]] = {}
    for walk in nx.all_simple_edge_paths(as_networkx(graph), user, asset, cutoff=hops):
        nodes, words, score = [user], [], 1.0
        for _, _, at in walk:
            head, tail = int(edges.head[at]), int(edges.tail[at])
            forward = nodes[-1] == head
            nodes.append(tail if forward else head)
            words.append(("" if forward else "^") + RELATION_KINDS[edges.relation[at]].value)
            score *= scores[at]
        key = (tuple(OTHERS if n in users and n != user else n for n in nodes), " ".join(words))
        before = found.get(key, (0.0, 0))
        found[key] = (before[0] + score, before[1] + 1)
    return found


def pairs_of(graph: KnowledgeGraph) -> Iterator[tuple[int, int]]:
    return ((int(user), int(asset)) for user in graph.users for asset in graph.assets)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_finds_what_networkx_finds(seed: int) -> None:
    graph = random_market(seed)
    users, assets = (np.array(ends) for ends in zip(*pairs_of(graph), strict=True))
    table = PathFinder(graph).find(users, assets)
    for number, (user, asset) in enumerate(zip(users.tolist(), assets.tolist(), strict=True)):
        found = {(path.nodes, str(path.metapath)): (path.score, path.count) for path in table.of(number)}
        expected = all_paths(graph, user, asset, 3)
        assert found.keys() == expected.keys()
        for key, (score, count) in expected.items():
            assert found[key][1] == count
            assert found[key][0] == pytest.approx(score, rel=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_longer_metapaths_find_what_networkx_finds(seed: int) -> None:
    graph = random_market(seed, users=3, assets=7, labels=2, edges=60)
    metapaths = [
        Metapath.parse("HOLDS INVESTS_IN IN_INDUSTRY ^IN_INDUSTRY"),
        Metapath.parse("HOLDS INVESTS_IN ^INVESTS_IN INVESTS_IN"),
        Metapath.parse("HOLDS ^HOLDS HOLDS INVESTS_IN"),
        Metapath.parse("HOLDS INVESTS_IN ^HOLDS HOLDS COMPETES_WITH"),
        Metapath.parse("HOLDS INVESTS_IN ISSUED_BY ^ISSUED_BY ^INVESTS_IN"),
    ]
    users, assets = (np.array(ends) for ends in zip(*pairs_of(graph), strict=True))
    table = PathFinder(graph, metapaths).find(users, assets)
    wanted = {str(metapath) for metapath in metapaths}
    for number, (user, asset) in enumerate(zip(users.tolist(), assets.tolist(), strict=True)):
        found = {(path.nodes, str(path.metapath)): path.count for path in table.of(number)}
        expected = {k: v[1] for k, v in all_paths(graph, user, asset, 5).items() if k[1] in wanted}
        assert found == expected


def test_counts_of_the_tiny_market() -> None:
    world = World()
    graph, ada, mediatek = world.graph, world.row("u1"), world.row("2454")
    paths = {(p.nodes, str(p.metapath)): p for p in PathFinder(graph).find(np.array([ada]), np.array([mediatek])).of(0)}
    tsmc, level = world.row("2330"), world.row("Balanced", NodeKind.RISK_LEVEL)
    assert paths[(ada, tsmc, OTHERS, mediatek), "HOLDS ^HOLDS HOLDS"].count == 12
    assert paths[(ada, level, OTHERS, mediatek), "HAS_RISK ^HAS_RISK HOLDS"].count == 12
    # Ada holds 2 assets, Alpha is held by 35 and invests in 2, MediaTek is in 1 fund; the weight is 12%.
    look_through = paths[(ada, world.row("AF"), mediatek), "HOLDS INVESTS_IN"]
    assert look_through.score == pytest.approx((2 * 35) ** -0.4 * 0.12 * (2 * 1) ** -0.4)


def test_the_best_few_are_not_of_one_kind() -> None:
    graph = random_market(5, users=12, assets=10, edges=400)
    finder = PathFinder(graph)
    users, assets = (np.array(ends) for ends in zip(*pairs_of(graph), strict=True))
    every, best = finder.find(users, assets), finder.find(users, assets, top=5)
    assert max(np.bincount(every.pair)) > 20
    for number in range(len(users)):
        paths = sorted(every.of(number), key=lambda p: -p.score)
        seen: dict[str, int] = defaultdict(int)
        worth = []
        for path in paths:
            worth.append(path.score * 0.5 ** seen[str(path.metapath)])
            seen[str(path.metapath)] += 1
        values = sorted(worth, reverse=True)[:5]
        kinds: dict[str, int] = defaultdict(int)
        got = []
        for path in best.of(number):
            got.append(path.score * 0.5 ** kinds[str(path.metapath)])
            kinds[str(path.metapath)] += 1
        assert got == pytest.approx(values)


def test_many_chunks_give_what_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_market(11)
    users, assets = (np.array(ends) for ends in zip(*pairs_of(graph), strict=True))
    whole = PathFinder(graph).find(users, assets, top=3)
    monkeypatch.setattr("pathfolio.kg.paths.PAIRS_PER_CHUNK", 7)
    parts = PathFinder(graph).find(users, assets, top=3)
    assert np.array_equal(whole.nodes, parts.nodes)
    assert np.array_equal(whole.pair, parts.pair)


def test_no_pairs_no_paths() -> None:
    none = np.zeros(0, np.int64)
    assert len(PathFinder(random_market(1)).find(none, none)) == 0


def test_metapaths_are_those_of_the_schema() -> None:
    short = {str(metapath) for metapath in metapaths_of_schema(2)}
    assert {"HOLDS", "HELD", "HOLDS INVESTS_IN", "HELD ^SUPPLIES"} <= short
    assert not any("IN_SECTOR" in words.split() for words in short)  # two assets meet in a sector in three hops
    assert all(len(metapath.steps) <= 3 for metapath in metapaths_of_schema(3))
    without = metapaths_of_schema(3, avoid=frozenset({Relation.HAS_FACT}))
    assert not any(Relation.HAS_FACT in metapath.relations for metapath in without)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("HOLDS LIKES", "no relation 'LIKES'"),
        ("INVESTS_IN", "does not follow"),
        ("HOLDS IN_INDUSTRY", "end it in an asset"),
        ("HOLDS ^HOLDS HOLDS ^HOLDS HOLDS", "at most once"),
    ],
)
def test_what_the_schema_does_not_allow_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        Metapath.parse(text)
