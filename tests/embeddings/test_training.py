"""Training of the embeddings: what it learns, that it is the same again, and what it leaves alone."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from pathfolio.embeddings.models import BILINEAR, MODELS, new_model, score_ends, train_by_pykeen
from pathfolio.embeddings.scoring import score
from pathfolio.embeddings.train import TRIED, VectorOptions, fit_best, train_vectors
from pathfolio.embeddings.triples import triples_of
from pathfolio.embeddings.vectors import EntityVectors
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.progress import Progress
from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.propagation import LinearPropagation, kg_propagation
from tests import ROOT
from tests.recommender.eval_world import assets, make_tables, positions, two_tastes

DAY = date(2020, 12, 31)
FAST = VectorOptions(dimension=16, max_epochs=6, batch=32, candidates=16, seed=5)


@pytest.fixture(scope="module")
def world() -> KnowledgeGraph:
    return assemble_graph(two_tastes(users=80), DAY)


@pytest.fixture(scope="module")
def automatic(world: KnowledgeGraph) -> EntityVectors:
    return train_vectors(world, FAST)


def test_every_entity_has_a_vector(world: KnowledgeGraph, automatic: EntityVectors) -> None:
    rows, known = automatic.align(world)
    assert known.all()
    assert np.isfinite(rows).all()
    assert len(np.unique(rows, axis=0)) == len(world)
    assert automatic.name[automatic.id == "A01"].tolist() == ["A01 Corp"]


def test_the_best_model_is_chosen_and_recorded(world: KnowledgeGraph, automatic: EntityVectors) -> None:
    manifest = automatic.manifest
    assert {candidate.model for candidate in manifest.candidates} == set(TRIED)
    reached = [candidate.mrr for candidate in manifest.candidates]
    assert reached == sorted(reached, reverse=True)
    assert manifest.model == manifest.candidates[0].model
    assert (manifest.graph_hash, manifest.as_of) == (world.content_hash, DAY)
    assert (manifest.seed, manifest.dimension) == (5, 16)
    assert 0 < manifest.metrics["mrr"] <= 1
    assert manifest.metrics["hits_at_1"] <= manifest.metrics["hits_at_3"] <= manifest.metrics["hits_at_10"]


@pytest.mark.parametrize("model", MODELS)
def test_every_model_learns(model: str, world: KnowledgeGraph) -> None:
    """Better than the mean reciprocal rank of chance, which is 0.17 on this world, and near kinds of taste."""
    options = VectorOptions(model=model, dimension=16, max_epochs=25, batch=32, candidates=16, seed=5, patience=25)
    vectors = train_vectors(world, options)
    assert vectors.manifest.model == model
    assert vectors.vectors.shape == (len(vectors), 16)
    assert vectors.manifest.metrics["mrr"] > 0.22
    stocks, ids = vectors.of_kind(NodeKind.STOCK), vectors.id[vectors.kind == 1]
    unit = stocks - stocks.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    taste = np.array([key[0] for key in ids])
    same = (unit @ unit.T)[(taste[:, None] == taste) & ~np.eye(len(ids), dtype=bool)].mean()
    other = (unit @ unit.T)[taste[:, None] != taste].mean()
    assert same > other + 0.1


def test_same_seed_same_vectors(world: KnowledgeGraph, automatic: EntityVectors) -> None:
    np.random.seed(99)  # whatever state the program is in
    again = train_vectors(world, FAST)
    np.testing.assert_array_equal(again.vectors, automatic.vectors)
    assert again.manifest == automatic.manifest
    other = train_vectors(world, VectorOptions(**{**vars(FAST), "seed": 6, "model": automatic.manifest.model}))
    assert np.abs(other.vectors - automatic.vectors).max() > 0.01


@pytest.mark.parametrize("model", MODELS)
def test_numpy_reproduces_the_models_scores(model: str, world: KnowledgeGraph) -> None:
    """From what is exported: vectors of entities and relations, and the scoring function of the manifest's model."""
    triples = triples_of(world)
    options = VectorOptions(model=model, dimension=16, max_epochs=1, batch=32, seed=5)
    *_, fitted = fit_best(world, triples, options, Progress(out=None))
    h, r, t = triples.hrt.T
    ours = score(model, fitted.vectors[h], fitted.relations[r], fitted.vectors[t])
    np.testing.assert_allclose(ours, fitted.scorer.triples(triples.hrt), rtol=1e-3, atol=1e-3)
    assert np.ptp(ours) > 0.1


@pytest.mark.parametrize("model", BILINEAR)
@pytest.mark.parametrize("column", [0, 2])
def test_one_product_of_matrices_is_pykeens_score(model: str, column: int, world: KnowledgeGraph) -> None:
    import torch

    triples = triples_of(world)
    fresh, hrt = new_model(model, triples, 8, 3), torch.as_tensor(triples.hrt[:20])
    every = torch.arange(len(triples.entities))
    with torch.no_grad():
        theirs = fresh.score_t(hrt[:, :2]) if column == 2 else fresh.score_h(hrt[:, 1:])
        torch.testing.assert_close(score_ends(fresh, hrt, column, every), theirs, rtol=1e-4, atol=1e-5)


def test_pykeens_own_training_moves_a_model(world: KnowledgeGraph) -> None:
    triples = triples_of(world)
    before, after = (train_by_pykeen("RotatE", triples, 8, 3, epochs) for epochs in (1, 3))
    weights = [next(iter(model.parameters())).detach().numpy() for model in (before, after)]
    assert np.abs(weights[0] - weights[1]).max() > 0.01


SCRIPT = """
import sys
from datetime import date
from pathlib import Path
from pathfolio.embeddings.train import VectorOptions, train_vectors
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.progress import Progress
from tests.recommender.eval_world import two_tastes
graph = assemble_graph(two_tastes(users=80), date(2020, 12, 31))
options = VectorOptions(dimension=16, max_epochs=6, batch=32, candidates=16, seed=5)
train_vectors(graph, options, Progress()).save(Path(sys.argv[1]))
"""


def test_another_process_makes_the_same_bytes_in_silence(automatic: EntityVectors, tmp_path: Path) -> None:
    """Nothing is written into the home folder, and nothing is printed but progress, of which there is none here."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYSTOW", "PYKEEN", "XDG"))}
    environment |= {"HOME": str(home), "PYTHONHASHSEED": "7"}
    call = [sys.executable, "-c", SCRIPT, str(tmp_path / "out")]
    done = subprocess.run(call, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in home.rglob("*")] == []
    automatic.save(tmp_path / "here")
    for name in ("vectors.parquet", "vectors.json"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"model": "TransX"}, "unknown embedding model 'TransX'"), ({"dimension": 7}, "dimension 7: choose an even")],
)
def test_wrong_options(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        VectorOptions(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_nothing_to_learn_from() -> None:
    empty = assemble_graph(make_tables(), DAY)
    with pytest.raises(DataError, match="no relations on 2020-12-31 to learn from"):
        train_vectors(empty, FAST)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_small_worlds_train(n: int) -> None:
    """A handful of triples: nothing can be held out, and training still ends."""
    tables = make_tables(
        assets=assets(*(f"A{i} stock S 2019-01-01" for i in range(n))),
        positions=positions("2020-01-01", *(f"ann:A{i}" for i in range(n))),
    )
    vectors = train_vectors(assemble_graph(tables, DAY), VectorOptions(dimension=4, max_epochs=2))
    assert np.isfinite(vectors.vectors).all()


# -- closeness by the embedding --------------------------------------------------------------------------------


def closeness(propagation: LinearPropagation) -> np.ndarray:
    return propagation.factors() @ propagation.factors().T


def test_closeness_is_a_sum_over_pairs_of_walks(world: KnowledgeGraph, automatic: EntityVectors) -> None:
    """<factors, factors> = sum over n, m of walks[h, n] walks[a, m] <base[n], base[m]>; closed: the n = m."""
    propagation = kg_propagation(world, automatic)
    walks, base = propagation.walks.toarray(), propagation.base.astype(float)
    inner = base @ base.T
    np.testing.assert_allclose(closeness(propagation), walks @ inner @ walks.T, atol=1e-9)
    closed = walks @ np.diag(np.diag(inner)) @ walks.T
    np.testing.assert_allclose(propagation.closed().toarray(), closed, atol=1e-9)


def test_walks_are_edges_of_the_graph(world: KnowledgeGraph, automatic: EntityVectors) -> None:
    pairs = {(int(h), int(t)) for h, t in world.triples()[:, [0, 2]]}
    walks = kg_propagation(world, automatic).walks
    for asset, node in zip(*walks.nonzero(), strict=True):
        row = int(world.assets[asset])
        assert node == row or (row, int(node)) in pairs


def test_a_later_listed_asset_is_close_to_its_kind(world: KnowledgeGraph) -> None:
    """Vectors of May know neither A90 nor B90, which are listed in July and have nobody's positions in this test."""
    vectors = train_vectors(world.at(date(2020, 5, 31)), FAST)
    assert "A90" not in vectors.id.tolist()
    near = closeness(kg_propagation(world, vectors))
    position = {key: i for i, key in enumerate(world.nodes.id[world.assets].tolist())}
    for new, same, other in (("A90", "A", "B"), ("B90", "B", "A")):
        by_taste = {t: np.mean([near[position[new], position[f"{t}0{i}"]] for i in range(1, 9)]) for t in "AB"}
        assert by_taste[same] > by_taste[other] + 0.1
