"""An explanation as Cypher, run on both servers: exactly the evidence shown, with its weights, sources and dates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explain.explainer import Explainer
from explain.explanation import Explanation
from explain.formats.cypher import as_cypher
from kg.store.bolt import Store
from kg.store.load import load_into
from kg.store.query import run_query
from recommender.build import Build
from recommender.retrieve import recommend
from tests.store_world import SERVERS, address_of, empty


def explanations(build: Build, investors: int) -> list[Explanation]:
    """Of the first two assets on the lists of those who hold the most."""
    scorer, explainer = build.scorer, Explainer(build.graph, build.build_hash)
    held = np.diff(scorer.interactions.ever.indptr)
    found = []
    for user in np.argsort(-held, kind="stable")[:investors].tolist():
        for rank, best in enumerate(recommend(scorer, str(build.graph.nodes.id[build.graph.users[user]]), 2), 1):
            asset = build.graph.asset_row(best.asset_id) - int(build.graph.assets[0])
            found.append(explainer.explain(scorer.account(user, asset), rank))
    return found


def shown(explanation: Explanation) -> dict[tuple[str, int], tuple[Any, ...]]:
    """What stands in the explanation, by path and step."""
    rows = {}
    for path in explanation.paths:
        for at, edge in enumerate(path.edges):
            others = None in (path.nodes[at].id, path.nodes[at + 1].id)
            count = path.count if others else 1
            source = None if others else edge.source
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
            expected = shown(explanation)
            assert {(row[0], row[1]): row[2:] for row in rows} == expected
            assert len(rows) == len(expected)
            for row in rows:
                compared[1 if row[9] == 1 else 2] += 1
    assert min(compared.values()) > 10  # single relations, and other investors summed up
