"""An LSTM whose cell is the pair model's weights: it learns the start and the rule of update (Ravi, Larochelle 2017).

    g_t = gradient of L_support at theta_{t-1}, taken as given (first order, as in the paper)
    h_t = LSTM(g_t, L_support; h_{t-1}), one for every weight, the same for all
    i_t = sigmoid(w_i . [h_t, theta_{t-1}, i_{t-1}] + b_i),   f_t = sigmoid(w_f . [h_t, theta_{t-1}, f_{t-1}] + b_f)
    theta_t = f_t * theta_{t-1} - i_t * g_t

theta_0 is learned; b_f = 6 and b_i = -3 at the start, so that it begins as plain gradient descent.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad_and_value

from pathfolio.recommender.baselines.meta.coordinates import CELLS, lstm_step, no_state, preprocessed, start_cells
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
class LstmLearner(MetaLearner):
    """Attributes:
    inner_steps: on the support.
    """

    inner_steps: int = 2

    def start(self, width: int, generator: torch.Generator) -> MetaWeights:
        """Random weights; gates nearly those of gradient descent."""
        gates = {f"gate_{name}": 0.01 * torch.randn(CELLS + 2, generator=generator) for name in "if"}
        biases = {"bias_i": torch.tensor(-3.0), "bias_f": torch.tensor(6.0)}
        return {"theta": start_theta(width, generator), **start_cells(4, generator), **gates, **biases}

    def scores(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> Tensor:
        """(n,) by the adapted weights."""
        return output(self.adapted(weights, assets, task), query_features(assets, task))

    def adapted(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> Tensor:
        """theta of one investor; the start itself without support, where nothing is to be kept or forgotten."""
        theta = weights["theta"]
        state = no_state(theta)
        into = torch.sigmoid(weights["bias_i"]).expand(len(theta))
        keep = torch.sigmoid(weights["bias_f"]).expand(len(theta))
        for _ in range(self.inner_steps):
            found, loss = grad_and_value(support_loss)(theta.detach(), assets, task)
            found, loss = found.detach(), loss.detach()
            x = torch.cat([preprocessed(found), preprocessed(loss).expand(len(theta), 2)], dim=1)
            state = lstm_step(weights, x, state)
            into = _gate(weights, "i", state[0], theta, into)
            keep = _gate(weights, "f", state[0], theta, keep)
            theta = keep * theta - into * found
        return torch.where(task.size > 0.5, theta, weights["theta"])


def _gate(weights: MetaWeights, name: str, h: Tensor, theta: Tensor, before: Tensor) -> Tensor:
    x = torch.cat([h, theta[:, None], before[:, None]], dim=1)
    return torch.sigmoid(x @ weights[f"gate_{name}"] + weights[f"bias_{name}"])
