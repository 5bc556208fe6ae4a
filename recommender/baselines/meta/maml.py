"""MAML: a start from which one or two gradient steps on the support fit an investor (Finn, Abbeel, Levine 2017).

    theta_u = theta - alpha * grad of L_support(theta), twice
    min over theta, alpha of the mean over investors u of L_query(theta_u)

The outer gradient goes through the inner steps (second order). The step alpha is learned beside theta, one for each
weight, as in Meta-SGD (Li et al. 2017); with a fixed one every investor's positions move every weight alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad

from pathfolio.recommender.baselines.meta.learner import MetaLearner, MetaWeights
from pathfolio.recommender.baselines.meta.pair_model import (
    AssetTensors,
    PairTask,
    output,
    query_features,
    start_theta,
    support_loss,
)


@dataclass(frozen=True)
class Maml(MetaLearner):
    """Attributes:
    inner_steps: on the support.
    rate: alpha's start.
    """

    inner_steps: int = 2
    rate: float = 0.05

    def start(self, width: int, generator: torch.Generator) -> MetaWeights:
        """Random weights, and the same step for all."""
        theta = start_theta(width, generator)
        return {"theta": theta, "alpha": torch.full_like(theta, self.rate)}

    def scores(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> Tensor:
        """(n,) by the adapted weights."""
        return output(self.adapted(weights, assets, task), query_features(assets, task))

    def adapted(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> Tensor:
        """theta of one investor; the start itself without support, where the gradient is zero."""
        theta = weights["theta"]
        for _ in range(self.inner_steps):
            theta = theta - weights["alpha"] * grad(support_loss)(theta, assets, task)
        return theta
