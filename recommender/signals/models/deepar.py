"""DeepAR: a recurrent network that gives the next return's distribution, and draws paths of those that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.cells import Cells
from pathfolio.recommender.signals.model import SignalLesson, option
from pathfolio.recommender.signals.variance_networks import VarianceNetwork, variance_of

_FEWEST: Final = 0.6
"""A window needs this part of its returns."""

_LEAST: Final = 0.05
"""Percent: a window whose returns are smaller in the mean does not move."""


@dataclass(frozen=True)
class DeepAr(VarianceNetwork):
    """Reads an asset's own returns over their root mean square, and gives a Student-t around zero.

    Each day is the end of a window once in an epoch, where the paper has each window tell all of its days. Over more
    than a day the variance is the mean of those along drawn paths, each of which is fed what it drew.
    """

    name: ClassVar[str] = "deepar"
    about: ClassVar[str] = "a recurrent network that gives the distribution of the next return, and draws paths"
    paper: ClassVar[str] = "Salinas et al. 2020, International Journal of Forecasting 36(3) (arXiv 1704.04110)"
    equation: ClassVar[str] = (
        r"h_t = \mathrm{LSTM}(h_{t-1}, r_t / \nu),\; r_{t+1} \sim t_{\eta(h_t)}(0, \nu^2 \sigma^2(h_t)),\;"
        r" \nu^2 = \tfrac{1}{L} \textstyle\sum_{\tau=t-L+1}^{t} r_\tau^2"
    )

    days: int = option(60, "of the window")
    paths: int = option(50, "that are drawn where more than a day is foretold")

    def network(self, figures: int) -> torch.nn.Module:
        """(n, days, 1) of returns to (n, 2)."""
        return _Distribution(self)

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): daily variance, the mean over the horizon."""

        def tell(network: Any, window: torch.Tensor) -> torch.Tensor:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.seed)
                found: torch.Tensor = network.mean_variance(window, lesson.horizon, self.paths).log()
            return found

        return variance_of(self.trained(lesson, self._cells(lesson), "student", tell))

    def _cells(self, lesson: SignalLesson) -> Cells:
        returns = 100 * lesson.panel["return"]
        following = np.vstack([returns[1:], np.full((1, returns.shape[1]), np.nan)])
        truth = np.where(lesson.panel.universe & np.isfinite(lesson.labels), following**2, np.nan)
        recent = np.isfinite(returns).astype(float).cumsum(axis=0)
        recent[self.days :] -= recent[: -self.days].copy()
        day, asset = np.nonzero(np.isfinite(returns) & (recent >= _FEWEST * self.days))
        rows = np.append(returns[day, asset], 0.0)[:, None].astype(np.float32)
        nothing = np.zeros(len(day), np.float32)
        own = (truth[day, asset].astype(np.float32), nothing, nothing, nothing)
        return Cells(day, asset, rows, *own, max(self.days, 2), np.zeros((len(returns), 0), np.float32))


class _Distribution(nn.Module):
    """The logarithm of a variance in squared percent, and of how far the degrees of freedom are above 2."""

    def __init__(self, options: DeepAr) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(2, options.hidden, batch_first=True)
        self.leave = nn.Sequential(nn.Dropout(min(options.dropout, 0.9)), nn.Linear(options.hidden, 2))

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        scale = _scale(window)
        found: torch.Tensor = self._told(self.recurrent(_seen(window / scale))[0][:, -1], scale[:, 0])
        return found

    def _told(self, state: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        level, tails = self.leave(state).split(1, dim=-1)
        return torch.cat([level.clamp(-4, 4) + 2 * scale.log(), functional.softplus(tails + 1) + 0.1], dim=-1)

    def mean_variance(self, window: torch.Tensor, horizon: int, paths: int) -> torch.Tensor:
        """(n, 1): the mean over the horizon of the variance of each day, in squared percent."""
        scale = _scale(window)
        states, memory = self.recurrent(_seen(window / scale))
        told = self._told(states[:, -1], scale[:, 0])
        total = told[:, :1].exp()
        if horizon > 1:
            scale = scale[:, 0].repeat(paths, 1)
            told, memory = told.repeat(paths, 1), tuple(part.repeat(1, paths, 1) for part in memory)
            for _ in range(horizon - 1):
                freedom = told[:, 1:] + 2
                unit = (told[:, :1].exp() * (freedom - 2) / freedom).sqrt()
                drawn = unit * torch.distributions.StudentT(freedom).sample()
                states, memory = self.recurrent(_seen((drawn / scale)[:, None]), memory)
                told = self._told(states[:, -1], scale)
                total = total + told[:, :1].exp().view(paths, -1, 1).mean(dim=0)
        return total / horizon


def _scale(window: torch.Tensor) -> torch.Tensor:
    """(n, 1, 1): the root mean square of a window's returns."""
    return window.square().mean(dim=1, keepdim=True).sqrt().clamp_min(_LEAST)


def _seen(returns: torch.Tensor) -> torch.Tensor:
    """A return, and the logarithm of how large it is."""
    return torch.cat([returns.clamp(-5, 5), (returns.abs() + 0.1).log()], dim=-1)
