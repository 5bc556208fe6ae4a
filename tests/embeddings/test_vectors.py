"""Entity vectors as a value: labels, alignment, saving; triples, splits and link-prediction ranks by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.embeddings.ranking import link_prediction_metrics
from pathfolio.embeddings.triples import Triples, candidates, excerpt, split, triples_of
from pathfolio.embeddings.vectors import Candidate, EntityVectors, VectorManifest
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import KIND_CODE, RELATION_CODE, NodeKind, Relation
from tests.recommender.eval_world import assets, make_tables, positions, trades, two_tastes


def make_vectors(*entities: tuple[NodeKind, str, Sequence[float]]) -> EntityVectors:
    kind, ids, rows = zip(*entities, strict=True)
    codes = np.array([KIND_CODE[k] for k in kind], np.int8)
    candidate = Candidate("TransE", 0.25, 3)
    manifest = VectorManifest(
        "TransE", len(rows[0]), 1, 3, {"mrr": 0.25}, (candidate,), "f" * 64, date(2020, 6, 30), 7, {"pykeen": "1.11.1"}
    )
    text = np.array(ids, dtype=object)
    return EntityVectors(codes, text, text + " 名", np.array(rows, np.float32), manifest)


STOCKS = make_vectors((NodeKind.STOCK, "A", [1, 2]), (NodeKind.STOCK, "NA", [3, 4]), (NodeKind.SECTOR, "A", [5, 6]))


def test_saved_and_loaded(tmp_path: Path) -> None:
    STOCKS.save(tmp_path)
    loaded = EntityVectors.load(tmp_path)
    assert loaded.manifest == STOCKS.manifest
    assert (loaded.id.tolist(), loaded.name.tolist()) == (["A", "NA", "A"], ["A 名", "NA 名", "A 名"])
    assert loaded.vectors.dtype == np.float32
    np.testing.assert_array_equal(loaded.vectors, STOCKS.vectors)
    np.testing.assert_array_equal(loaded.kind, STOCKS.kind)


def test_same_vectors_same_bytes(tmp_path: Path) -> None:
    STOCKS.save(tmp_path / "a")
    EntityVectors.load(tmp_path / "a").save(tmp_path / "b")
    for name in ("vectors.parquet", "vectors.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_nothing_to_load(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"vectors\.json: no vectors here: build again"):
        EntityVectors.load(tmp_path)


def test_labels_must_fit_the_vectors() -> None:
    with pytest.raises(ValueError, match="3 ids"):
        replace(STOCKS, vectors=STOCKS.vectors[:2])


def test_aligned_to_another_day() -> None:
    """B is listed later than the vectors were learned; the sector A and the stock A are two entities."""
    graph = assemble_graph(make_tables(assets=assets("A stock A 2019-01-01", "B stock A 2019-01-01")), date(2020, 7, 1))
    rows, known = STOCKS.align(graph)
    assert (rows.shape, rows.dtype) == ((len(graph), 2), np.float32)
    expected = {(NodeKind.STOCK, "A"): [1, 2], (NodeKind.STOCK, "B"): [0, 0], (NodeKind.SECTOR, "A"): [5, 6]}
    for (kind, key), vector in expected.items():
        assert rows[graph.row(kind, key)].tolist() == vector
        assert known[graph.row(kind, key)] == (key == "A")
    assert known.sum() == 2


# -- triples -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world() -> KnowledgeGraph:
    return assemble_graph(two_tastes(users=80), date(2020, 12, 31))


def test_held_counts_as_holds_and_facts_are_left_out() -> None:
    tables = make_tables(
        assets=[{**row, "expense_ratio": 0.01} for row in assets("A stock S 2019-01-01", "B stock S 2019-01-01")],
        positions=positions("2020-01-01", "ann:A", "ann:B"),
        transactions=trades("2020-02-01 ann sell A"),
    )
    graph = assemble_graph(tables, date(2020, 3, 1))
    assert graph.counts()["edges"][Relation.HELD] == 1
    assert graph.counts()["edges"][Relation.HAS_FACT] == 2
    triples = triples_of(graph)
    names = {
        (graph.nodes.id[triples.entities[h]], triples.relations[r], graph.nodes.id[triples.entities[t]])
        for h, r, t in triples.hrt
    }
    held = {("ann", RELATION_CODE[Relation.HOLDS], asset) for asset in "AB"}
    assert held < names
    assert {r for _, r, _ in names} == {
        RELATION_CODE[r] for r in (Relation.HOLDS, Relation.IN_SECTOR, Relation.IN_CLASS)
    }


@settings(deadline=None)
@given(share=st.floats(0.0, 0.4), seed=st.integers(0, 99))
def test_split_loses_nothing_and_covers_every_entity(world: KnowledgeGraph, share: float, seed: int) -> None:
    triples = triples_of(world)
    parts = split(triples, share, 20, np.random.default_rng(seed))
    rows = np.concatenate([part.hrt for part in (parts.train, parts.validation, parts.test)])
    assert sorted(map(tuple, rows.tolist())) == sorted(map(tuple, triples.hrt.tolist()))
    assert set(parts.train.hrt[:, [0, 2]].ravel()) == set(range(len(triples.entities)))
    assert len(parts.validation.hrt) <= 20
    assert len(parts.test.hrt) <= 20


def test_excerpt_keeps_the_assets_side(world: KnowledgeGraph) -> None:
    triples = triples_of(world)
    part = excerpt(world, triples, 300, np.random.default_rng(0))
    assert 150 < len(part.hrt) < 450 < len(triples.hrt)

    def by_asset(t: Triples) -> set[tuple[int, int, int]]:
        rows = {(int(t.entities[h]), int(t.relations[r]), int(t.entities[o])) for h, r, o in t.hrt}
        return {row for row in rows if row[0] not in set(world.users.tolist())}

    assert by_asset(part) == by_asset(triples)
    assert excerpt(world, triples, 10**6, np.random.default_rng(0)) is triples


def test_candidates_are_of_the_right_kinds(world: KnowledgeGraph) -> None:
    triples = triples_of(world)
    allowed = candidates(world, triples)
    holds = int(np.flatnonzero(triples.relations == RELATION_CODE[Relation.HOLDS])[0])
    np.testing.assert_array_equal(triples.entities[allowed[holds, 0]], world.users)
    np.testing.assert_array_equal(triples.entities[allowed[holds, 2]], world.assets)


# -- ranks ---------------------------------------------------------------------------------------------------


class ByTail:
    """Scores a triple by a table of its head and tail; the relation does not matter."""

    def __init__(self, table: Sequence[Sequence[float]]) -> None:
        self.table = np.array(table, float)

    def triples(self, hrt: np.ndarray) -> np.ndarray:
        return self.table[hrt[:, 0], hrt[:, 2]]

    def ends(self, hrt: np.ndarray, column: int, candidates: np.ndarray) -> np.ndarray:
        return self.table[hrt[:, 0]][:, candidates] if column == 2 else self.table[candidates][:, hrt[:, 2]].T


def test_ranks_by_hand() -> None:
    """Entities 0 and 1 are heads, 2, 3 and 4 tails. Known: (0, 2), (0, 3), (1, 4); held out: (0, 3).

    Tail: candidates 2 (0.9, but known), 4 (0.5, ties with the true 0.5): rank 1 + 1/2. Head: candidate 1 scores
    0.8 > 0.5: rank 2. So the reciprocal ranks are 2/3 and 1/2.
    """
    table = np.zeros((5, 5))
    table[0, [2, 3, 4]] = 0.9, 0.5, 0.5
    table[1, [2, 3, 4]] = 0.1, 0.8, 0.2
    entities, relation = np.arange(5), np.array([0])
    known = Triples(entities, relation, np.array([[0, 0, 2], [0, 0, 3], [1, 0, 4]]))
    held_out = known.take(np.array([1]))
    allowed = {(0, 0): np.array([0, 1]), (0, 2): np.array([2, 3, 4])}
    metrics = link_prediction_metrics(ByTail(table), held_out, known, allowed, np.random.default_rng(0))
    assert metrics["mrr_tail"] == pytest.approx(2 / 3)
    assert metrics["mrr_head"] == pytest.approx(1 / 2)
    assert metrics["mrr"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert (metrics["hits_at_1"], metrics["hits_at_3"]) == (0.0, 1.0)


def test_a_model_that_knows_all_ranks_first() -> None:
    rng = np.random.default_rng(1)
    pairs = np.unique(np.stack([rng.integers(0, 30, 200), rng.integers(30, 60, 200)], axis=1), axis=0)
    hrt = np.insert(pairs, 1, 0, axis=1)
    table = np.zeros((60, 60))
    table[pairs[:, 0], pairs[:, 1]] = 1
    known = Triples(np.arange(60), np.array([0]), hrt)
    allowed = {(0, 0): np.arange(30), (0, 2): np.arange(30, 60)}
    for limit in (1000, 10):
        metrics = link_prediction_metrics(ByTail(table), known, known, allowed, rng, limit)
        assert metrics["mrr"] == metrics["hits_at_1"] == 1.0
    blind = link_prediction_metrics(ByTail(np.zeros((60, 60))), known, known, allowed, rng)
    assert blind["mrr"] < 0.15
