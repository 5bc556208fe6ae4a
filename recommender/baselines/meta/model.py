"""`MetaModel`: a fitted meta-learner as a recommender, and how each is fitted. torch loads when one is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from pathfolio.embeddings.threads import one_thread
from pathfolio.kg.graph import FloatArray, KnowledgeGraph, Mask
from pathfolio.kg.span import Positions
from pathfolio.recommender.baselines.meta.assets import AssetTable
from pathfolio.recommender.baselines.meta.tasks import Lesson, first_positions, lessons
from pathfolio.recommender.interactions import Interactions

if TYPE_CHECKING:
    from pathfolio.recommender.baselines.meta.learner import Lectures, MetaLearner, MetaWeights

STEPS: Final = 400
"""Updates, each of 32 investors."""

_BATCH: Final = 64


@dataclass(frozen=True)
class MetaModel:
    """Scores of a meta-learner that adapts to what each investor has.

    Attributes:
        graph: the snapshot that it scores.
        basis: the assets of the snapshot of the fit, on whose axes vectors stand.
        used: (p,) bool: columns of popularity that it has learned from.
        learner: how it adapts, and `weights` what it has learned.
    """

    graph: KnowledgeGraph
    basis: AssetTable
    used: Mask
    learner: MetaLearner
    weights: MetaWeights

    @cached_property
    def _lesson(self) -> Lesson:
        positions = Interactions(self.graph)
        table = self.basis if self.graph.asset_ids is self.basis.ids else AssetTable.of(self.graph, self.basis)
        return Lesson(table, first_positions(positions), positions.ever, positions.ever)

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64."""
        import torch
        from torch.func import vmap

        from pathfolio.recommender.baselines.meta.pair_model import asset_tensors, task_tensors

        exact = torch.float64
        weights = {name: value.to(exact) for name, value in self.weights.items()}
        assets = asset_tensors(self._lesson.assets, self.used, exact)
        parts = [np.zeros((0, len(self.graph.assets)))]
        with one_thread(), torch.no_grad():
            adapt = vmap(lambda task: self.learner.scores(weights, assets, task))
            for start in range(0, len(users), _BATCH):
                task = task_tensors(self._lesson.of(Positions(users[start : start + _BATCH])), exact)
                parts.append(adapt(task).numpy())
        return np.concatenate(parts)

    def refresh(self, graph: KnowledgeGraph) -> MetaModel:
        """The same weights over another day's positions and popularity."""
        return replace(self, graph=graph)


def fit_joint(graph: KnowledgeGraph, seed: int = 0, *, steps: int = STEPS) -> MetaModel:
    """The pair model without adaptation."""
    from pathfolio.recommender.baselines.meta.joint import Joint

    return _fitted(graph, seed, steps, lambda lectures: Joint())


def fit_maml(graph: KnowledgeGraph, seed: int = 0, *, steps: int = STEPS) -> MetaModel:
    """MAML (Finn et al. 2017)."""
    from pathfolio.recommender.baselines.meta.maml import Maml

    return _fitted(graph, seed, steps, lambda lectures: Maml())


def fit_reptile(graph: KnowledgeGraph, seed: int = 0, *, steps: int = STEPS) -> MetaModel:
    """Reptile (Nichol et al. 2018)."""
    from pathfolio.recommender.baselines.meta.reptile import Reptile

    return _fitted(graph, seed, steps, lambda lectures: Reptile())


def fit_matching(graph: KnowledgeGraph, seed: int = 0, *, steps: int = STEPS) -> MetaModel:
    """Matching Networks (Vinyals et al. 2016)."""
    from pathfolio.recommender.baselines.meta.matching import Matching

    return _fitted(graph, seed, steps, lambda lectures: Matching())


def fit_prototypical(graph: KnowledgeGraph, seed: int = 0, *, steps: int = STEPS) -> MetaModel:
    """Prototypical Networks (Snell et al. 2017)."""
    from pathfolio.recommender.baselines.meta.prototypical import Prototypical

    return _fitted(graph, seed, steps, lambda lectures: Prototypical())


def fit_lstm_learner(graph: KnowledgeGraph, seed: int = 0, *, steps: int = STEPS) -> MetaModel:
    """The LSTM meta-learner (Ravi and Larochelle 2017)."""
    from pathfolio.recommender.baselines.meta.lstm_learner import LstmLearner

    return _fitted(graph, seed, steps, lambda lectures: LstmLearner())


def fit_learned_optimiser(graph: KnowledgeGraph, seed: int = 0, *, steps: int = STEPS) -> MetaModel:
    """A learned optimiser (Andrychowicz et al. 2016) that starts from the jointly trained pair model."""
    from pathfolio.recommender.baselines.meta.joint import Joint
    from pathfolio.recommender.baselines.meta.learned_optimiser import LearnedOptimiser
    from pathfolio.recommender.baselines.meta.learner import train

    return _fitted(
        graph, seed, steps, lambda lectures: LearnedOptimiser(train(Joint(), lectures, seed, steps)["theta"])
    )


def _fitted(graph: KnowledgeGraph, seed: int, steps: int, make: Callable[[Lectures], MetaLearner]) -> MetaModel:
    from pathfolio.recommender.baselines.meta.learner import Lectures, train

    basis = AssetTable.of(graph)
    with one_thread():
        lectures = Lectures.of(lessons(graph, basis))
        learner = make(lectures)
        return MetaModel(graph, basis, lectures.used, learner, train(learner, lectures, seed, steps))
