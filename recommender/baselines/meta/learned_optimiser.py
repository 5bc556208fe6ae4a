"""Learning to learn by gradient descent by gradient descent: an LSTM that says each step (Andrychowicz et al. 2016).

    g_t = gradient of L_support at theta_{t-1}, taken as given
    h_t = LSTM(g_t; h_{t-1}), one for every weight, the same for all
    theta_t = theta_{t-1} + 0.1 * w . h_t
    min over the LSTM of the mean over investors and steps t of L_query(theta_t)

The paper's optimiser is judged by the loss that it descends; ours by the query, since what counts is the next
purchase. theta_0 is the jointly trained pair model and stays: only how to move from it is learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad

from pathfolio.recommender.baselines.meta.coordinates import CELLS, lstm_step, no_state, preprocessed, start_cells
from pathfolio.recommender.baselines.meta.learner import MetaWeights
from pathfolio.recommender.baselines.meta.pair_model import (
    AssetTensors,
    PairTask,
    output,
    query_features,
    query_loss,
    support_loss,
)

_SCALE = 0.1


@dataclass(frozen=True)
class LearnedOptimiser:
    """Attributes:
    theta: where it starts, the jointly trained pair model.
    inner_steps: on the support.
    """

    theta: Tensor
    inner_steps: int = 3

    def start(self, width: int, generator: torch.Generator) -> MetaWeights:
        """Random cells whose first steps are small."""
        return {**start_cells(2, generator), "step": 0.01 * torch.randn(CELLS, generator=generator)}

    def loss(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> Tensor:
        """() the mean of the query's over the steps."""
        x = query_features(assets, task)
        losses = [query_loss(output(theta, x), assets, task) for theta in self._steps(weights, assets, task)]
        return torch.stack(losses).mean()

    def scores(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> Tensor:
        """(n,) by the weights of the last step; the start's without support."""
        theta = torch.where(task.size > 0.5, self._steps(weights, assets, task)[-1], self._start(assets))
        return output(theta, query_features(assets, task))

    def _steps(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> list[Tensor]:
        theta = self._start(assets)
        state = no_state(theta)
        made = []
        for _ in range(self.inner_steps):
            found = grad(support_loss)(theta.detach(), assets, task).detach()
            state = lstm_step(weights, preprocessed(found), state)
            theta = theta + _SCALE * (state[0] @ weights["step"])
            made.append(theta)
        return made

    def _start(self, assets: AssetTensors) -> Tensor:
        return self.theta.to(assets.vectors.dtype)
