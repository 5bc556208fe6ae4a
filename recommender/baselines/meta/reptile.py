"""Reptile: the start moves towards where each investor's own descent ends (Nichol, Achiam, Schulman 2018).

    phi_u = theta after k gradient steps on L_support + L_query
    theta <- theta + epsilon * mean over investors u of (phi_u - theta)

The move goes through Adam as if theta - phi_u were a gradient, which the paper allows; nothing of second order. For
scores there is no query, and the descent is on the support alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad

from pathfolio.recommender.baselines.meta.learner import MetaWeights
from pathfolio.recommender.baselines.meta.pair_model import (
    AssetTensors,
    PairTask,
    output,
    query_features,
    query_loss,
    start_theta,
    support_loss,
)


@dataclass(frozen=True)
class Reptile:
    """Attributes:
    training_steps: k, and `rate` their length.
    inner_steps: on the support, when it scores.
    """

    training_steps: int = 5
    inner_steps: int = 2
    rate: float = 0.05

    def start(self, width: int, generator: torch.Generator) -> MetaWeights:
        """Random weights."""
        return {"theta": start_theta(width, generator)}

    def loss(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> Tensor:
        """() whose gradient by theta is theta - phi."""
        theta = weights["theta"]
        phi = theta.detach()
        for _ in range(self.training_steps):
            phi = phi - self.rate * grad(_whole)(phi, assets, task)
        return (theta * (theta - phi).detach()).sum()

    def scores(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> Tensor:
        """(n,) after the descent on the support."""
        theta = weights["theta"]
        for _ in range(self.inner_steps):
            theta = theta - self.rate * grad(support_loss)(theta, assets, task)
        return output(theta, query_features(assets, task))


def _whole(theta: Tensor, assets: AssetTensors, task: PairTask) -> Tensor:
    query = query_loss(output(theta, query_features(assets, task)), assets, task)
    return support_loss(theta, assets, task) + query
