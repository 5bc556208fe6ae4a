"""Prototypical Networks: an asset scores by how near it lies to the mean of the support (Snell, Swersky, Zemel 2017).

    f(u, j) = E' hidden(x_uj)
    p+ = (p0 + sum over the support of f(u, i)) / (1 + |support|),   p- = mean over the contrasts of f(u, c)
    score(u, j) = |f(u, j) - p-|^2 - |f(u, j) - p+|^2

With squared Euclidean distances this is linear in f, and p+ is a sum over positions. The learned p0 stands for one
position that everybody has, which the paper needs not: its classes always have examples, an investor may have none.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from pathfolio.recommender.baselines.meta.learner import MetaLearner, MetaWeights
from pathfolio.recommender.baselines.meta.pair_model import (
    HIDDEN,
    AssetTensors,
    PairTask,
    hidden,
    query_features,
    start_theta,
    support_features,
)

EMBEDDED: Final = 16


def embedded(weights: MetaWeights, x: Tensor) -> Tensor:
    """(…, 16) of pairs by their features."""
    return hidden(weights["theta"], x) @ weights["embed"]


def start_embedding(width: int, generator: torch.Generator) -> MetaWeights:
    """theta, E, and p0, the position that everybody has."""
    return {
        "theta": start_theta(width, generator),
        "embed": torch.randn(HIDDEN, EMBEDDED, generator=generator) / HIDDEN**0.5,
        "prior": 0.1 * torch.randn(EMBEDDED, generator=generator),
    }


class Prototypical(MetaLearner):
    """See the module."""

    def start(self, width: int, generator: torch.Generator) -> MetaWeights:
        """Random weights."""
        return start_embedding(width, generator)

    def scores(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> Tensor:
        """(n,) by distances to both prototypes."""
        support = embedded(weights, support_features(assets, task))
        have = (support[:, 0] * task.given[:, None]).sum(0)
        near = (weights["prior"] + have) / (1.0 + task.given.sum())
        rest = embedded(weights, query_features(assets, task)[assets.contrasts]).mean(0)
        all_pairs = embedded(weights, query_features(assets, task))
        return (all_pairs - rest).pow(2).sum(1) - (all_pairs - near).pow(2).sum(1)
