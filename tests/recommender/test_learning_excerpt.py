"""What is learned of an excerpt of a large market: which it is, that it says so, and that small ones are left whole."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pathfolio.embeddings.train import VectorOptions, train_vectors
from pathfolio.embeddings.vectors import VectorManifest
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.progress import Progress
from pathfolio.kg.schema import NodeKind
from pathfolio.recommender import training
from pathfolio.recommender.build import Build
from pathfolio.recommender.demand import DemandOptions
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.learning_excerpt import learning_excerpt
from pathfolio.recommender.ranking import best_first
from pathfolio.recommender.score_inputs import ScoreOptions
from pathfolio.recommender.training import learn_options


@pytest.fixture(scope="module")
def graph(small_build: Build) -> KnowledgeGraph:
    return small_build.graph


def test_a_market_that_is_small_enough_is_learned_from_as_it_is(graph: KnowledgeGraph) -> None:
    assert learning_excerpt(graph) is graph


def test_an_excerpt_has_the_most_held_assets_and_investors_with_all_they_have_of_these(graph: KnowledgeGraph) -> None:
    excerpt = learning_excerpt(graph, most_positions=300, most_assets=20)
    then, now = Interactions(excerpt), Interactions(graph)
    assert len(excerpt.asset_span) == 20
    assert 200 < then.ever.nnz <= 300
    holders = dict(zip(graph.asset_ids, now.holders, strict=True))
    left_out = [count for asset, count in holders.items() if asset not in set(excerpt.asset_ids)]
    assert min(holders[asset] for asset in excerpt.asset_ids) >= max(left_out)
    for user in excerpt.user_ids[:20]:
        whole, part = _held(now, user), _held(then, user)
        assert part == whole & set(excerpt.asset_ids)
    assert learning_excerpt(graph, 300, 20).content_hash == excerpt.content_hash


def _held(interactions: Interactions, user: str) -> set[str]:
    row = interactions.graph.user_ids.tolist().index(user)
    return set(interactions.graph.asset_ids[interactions.ever[[row]].indices])


def test_powers_of_a_sample_say_so_and_those_of_all_do_not(
    graph: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = learn_options(graph, ScoreOptions(), Progress(None))
    assert "sampled" not in whole.to_json()["demand"]
    monkeypatch.setattr(training, "learning_excerpt", lambda graph: learning_excerpt(graph, 300, 20))
    learned = learn_options(graph, ScoreOptions(), Progress(None))
    assert 0 < learned.demand.sampled < len(graph.user_span)
    assert ScoreOptions.from_json(json.loads(json.dumps(learned.to_json()))) == learned
    assert replace(whole, demand=DemandOptions(sampled=3)).to_json()["demand"]["sampled"] == 3


def test_vectors_are_learned_of_as_many_triples_as_steps_see(graph: KnowledgeGraph) -> None:
    brief = VectorOptions(model="DistMult", dimension=4, max_epochs=1)
    whole, part = train_vectors(graph, brief), train_vectors(graph, replace(brief, most_triples=900))
    assert "drawn_from" not in whole.manifest.to_json()
    assert part.manifest.drawn_from == whole.manifest.triples
    assert part.manifest.triples < whole.manifest.triples / 2
    assert VectorManifest.from_json(json.loads(json.dumps(part.manifest.to_json()))) == part.manifest
    for kind in NodeKind:
        if kind is not NodeKind.USER:
            assert len(part.of_kind(kind)) == len(whole.of_kind(kind)), kind
    assert len(part.of_kind(NodeKind.USER)) < len(whole.of_kind(NodeKind.USER))


@pytest.mark.parametrize("shape", [(60, 30), (2, 20, 45), (30,)])
@pytest.mark.parametrize("digits", [0, 1, 9])
def test_the_best_are_those_with_which_a_stable_sort_begins(shape: tuple[int, ...], digits: int) -> None:
    """Ties, what may not be listed and what is no number stand where they stood."""
    rng = np.random.default_rng(0)
    scores = rng.random(shape).round(digits)
    scores[rng.random(shape) < 0.3] = -np.inf
    scores[rng.random(shape) < 0.01] = np.nan
    by_id = rng.permutation(shape[-1])
    whole = by_id[np.argsort(-scores[..., by_id], axis=-1, kind="stable")]
    for k in (1, 3, 10, shape[-1], 100):
        np.testing.assert_array_equal(best_first(scores, by_id, k), whole[..., :k])
