"""What every meta-learner offers, and the one loop that trains them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap

from pathfolio.kg.graph import Mask
from pathfolio.recommender.baselines.meta.pair_model import (
    AssetTensors,
    PairTask,
    asset_tensors,
    query_loss,
    task_tensors,
    width_of,
)
from pathfolio.recommender.baselines.meta.tasks import Lesson, batches

MetaWeights = dict[str, Tensor]

_BATCH: Final = 32
_RATE: Final = 3e-3
_DECAY: Final = 1e-4
_LARGEST: Final = 5.0


class MetaLearner(Protocol):
    """A way to score with few positions, learned from many investors who had few."""

    def start(self, width: int, generator: torch.Generator) -> MetaWeights:
        """What is learned, before it is."""
        ...

    def loss(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> Tensor:
        """() of one investor: that of the query, by the scores."""
        return query_loss(self.scores(weights, assets, task), assets, task)

    def scores(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> Tensor:
        """(n,) of all assets for one investor."""
        ...


@dataclass(frozen=True)
class Lectures:
    """Lessons with their tensors.

    Attributes:
        made: the lessons.
        used: (p,) bool: columns of popularity that tell something in one of them.
        assets: of each.
    """

    made: list[Lesson]
    used: Mask
    assets: list[AssetTensors]

    @staticmethod
    def of(made: list[Lesson]) -> Lectures:
        """Of lessons, at least one."""
        used = np.any([lesson.assets.popular.any(axis=0) for lesson in made], axis=0)
        return Lectures(made, used, [asset_tensors(lesson.assets, used) for lesson in made])

    @property
    def width(self) -> int:
        """Of the features of a pair."""
        return width_of(self.assets[0])


def train(learner: MetaLearner, lectures: Lectures, seed: int, steps: int) -> MetaWeights:
    """Adam (Kingma and Ba 2015) on the mean loss of 32 investors a step, the rate falling to nothing (cosine)."""
    weights = learner.start(lectures.width, torch.Generator().manual_seed(seed))
    learned = {name: value.clone().requires_grad_() for name, value in weights.items()}
    adam = torch.optim.Adam(learned.values(), lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for number, arrays in batches(lectures.made, _BATCH, steps, seed):
        assets = lectures.assets[number]
        losses = vmap(lambda task, assets=assets: learner.loss(learned, assets, task))(task_tensors(arrays))
        adam.zero_grad()
        torch.autograd.backward([losses.mean()])
        torch.nn.utils.clip_grad_norm_(learned.values(), _LARGEST)
        adam.step()
        schedule.step()
    return {name: value.detach() for name, value in learned.items()}
