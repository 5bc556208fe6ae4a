"""An explanation as Cypher, run on both servers: the evidence shown, with its weights, sources and dates.

Other investors are told of as "at least" so many; a store, which only its operator asks, counts them all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pathfolio.explain.evidence import Path, PathNode
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.formats.cypher import as_cypher
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.store.bolt import Store
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


def shown(graph: KnowledgeGraph, explanation: Explanation) -> dict[tuple[str, int], tuple[Any, ...]]:
    """What stands in the explanation, by path and step, and how many other investors the graph has there."""
    rows = {}
    for path in explanation.paths:
        for at, edge in enumerate(path.edges):
            summed = None in (path.nodes[at].id, path.nodes[at + 1].id)
            count = others(graph, path) if summed else 1
            assert 10 <= path.count <= count or not summed
            source = None if summed else edge.source
            rows[path.id, at + 1] = (
                edge.head, edge.relation, edge.tail, edge.weight, source, edge.as_of, edge.known_at, count
            )  # fmt: skip
    return rows


@pytest.mark.parametrize("server", SERVERS)
def test_a_store_returns_exactly_the_evidence(server: str, sample_build: Build) -> None:
    with Store(address_of(server)) as store:
        empty(store)
        load_into(store, sample_build.graph)
    with Store(address_of(server, reader=True)) as store:
        compared = {1: 0, 2: 0}
        for explanation in explanations(sample_build, 1):
            rows = run_query(store, as_cypher(explanation)).rows
            expected = shown(sample_build.graph, explanation)
            assert {(row[0], row[1]): row[2:] for row in rows} == expected
            assert len(rows) == len(expected)
            for row in rows:
                compared[1 if row[9] == 1 else 2] += 1
    assert min(compared.values()) > 10  # single relations, and other investors summed up
