"""An explanation as Cypher, run on both servers: the evidence shown, with its weights, sources and dates, in 4 kB.

Other investors are told of as "at least" so many; a store, which only its operator asks, counts them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from pathfolio.explain.evidence import Path, PathNode
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.formats.cypher import as_cypher, comment, evidence_path
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.languages.names import Names
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.evidence_query import evidence_query
from pathfolio.kg.store.load import load_into
from pathfolio.kg.store.query import run_query
from pathfolio.recommender.build import Build
from pathfolio.recommender.retrieve import rank_for
from tests.kg.store_world import SERVERS, address_of, empty


def explanations(build: Build, investors: int) -> list[Explanation]:
    """Of the first two assets on the lists of those who hold the most."""
    scorer, explainer = build.scorer, Explainer(build.graph, build.build_hash)
    held = np.diff(scorer.interactions.ever.indptr)
    found = []
    for user in np.argsort(-held, kind="stable")[:investors].tolist():
        for rank, best in enumerate(rank_for(scorer, str(build.graph.nodes.id[build.graph.users[user]]), 2), 1):
            asset = build.graph.asset_row(best.asset_id) - int(build.graph.assets[0])
            found.append(explainer.explain(scorer.account(user, asset), rank))
    return found


def members(graph: KnowledgeGraph, relation: str, node: PathNode) -> set[int]:
    """Rows of the investors who have the relation, or either of two, to the node."""
    row = graph.row(NodeKind(node.kind), str(node.id))
    return {user for word in relation.split("|") for user in graph.incoming(Relation(word)).of(row).tolist()}


def others(graph: KnowledgeGraph, path: Path) -> int:
    """How many other investors have what stands on both sides of them, counted one by one."""
    _, left, _, right = path.nodes
    user = graph.row(NodeKind.USER, str(path.nodes[0].id))
    _, first, second = path.relations
    return len((members(graph, first, left) & members(graph, second, right)) - {user})


def shown(graph: KnowledgeGraph, paths: Sequence[Path]) -> Counter[tuple[Any, ...]]:
    """What stands in paths, one that several channels take told once, and how many other investors the graph has."""
    rows = {}
    for path in paths:
        count = others(graph, path) if path.through_others else 1
        assert 10 <= path.count <= count or not path.through_others
        names = tuple("other investors" if node.id is None else name_in(graph, node) for node in path.nodes)
        edges = [
            (edge.relation, edge.weight, None if edge.head is None else edge.source, edge.as_of, edge.known_at)
            for edge in path.edges
        ]
        rows[path.nodes, path.relations] = (names, *zip(*edges, strict=True), count)
    return Counter(rows.values())


def name_in(graph: KnowledgeGraph, node: PathNode) -> str:
    """As the store has it; the id where it has none."""
    row = graph.row(NodeKind(node.kind), str(node.id))
    return str(graph.nodes.name[row]) or str(node.id)


def asked(store: Store, text: str, explanation: Explanation) -> Counter[tuple[Any, ...]]:
    """The rows that a query finds."""
    values = {"investor": explanation.user.id, "asset": explanation.asset.id, "as_of": explanation.as_of}
    rows = run_query(store, text, values).rows
    return Counter(tuple(tuple(value) if isinstance(value, list) else value for value in row) for row in rows)


@pytest.mark.parametrize("server", SERVERS)
def test_a_store_returns_exactly_the_evidence(server: str, sample_build: Build) -> None:
    graph = sample_build.graph
    with Store(address_of(server)) as store:
        empty(store)
        load_into(store, graph)
    with Store(address_of(server, reader=True)) as store:
        found: Counter[tuple[Any, ...]] = Counter()
        for explanation in explanations(sample_build, 2):
            text = as_cypher(explanation, graph)
            rows = asked(store, text, explanation)
            assert len(text) <= 4_000
            assert rows == shown(graph, explanation.paths)
            found += rows
        some = explanation.paths[::3]  # the patterns have to leave out the others
        rows = asked(store, evidence_query(graph, [evidence_path(path) for path in some]), explanation)
        assert rows == shown(graph, some) < shown(graph, explanation.paths)
    counts = [row[-1] for row in found.elements()]
    assert counts.count(1) > 10  # single ones
    assert sum(count >= 10 for count in counts) > 10  # other investors summed up


def test_a_path_that_the_snapshot_lacks_is_refused(sample_build: Build) -> None:
    explanation = explanations(sample_build, 1)[0]
    path = evidence_path(explanation.paths[0])
    elsewhere = replace(path, nodes=(path.nodes[0], (NodeKind.STOCK, "no such asset"), *path.nodes[2:]))
    with pytest.raises(UsageError, match="no such asset"):
        evidence_query(sample_build.graph, [elsewhere])
    early = sample_build.graph.at(sample_build.graph.as_of - timedelta(days=400))
    with pytest.raises(ValueError, match="of different builds"):
        evidence_query(early, [evidence_path(each) for each in explanation.paths])


def test_a_comment_ends_with_its_line() -> None:
    """What stands behind a line's end would be part of the query."""
    user = PathNode("u'\n} DETACH DELETE n", NodeKind.USER, Names.everywhere("A\nDETACH\u2028DELETE n"))
    asset = PathNode("B", NodeKind.STOCK, Names.everywhere("B\r"))
    lines = comment(user, asset, date(2026, 6, 30), 7).splitlines()
    assert [line[:3] for line in lines] == ["// ", "// "]
