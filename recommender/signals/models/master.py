"""MASTER: each stock's days attend to each other, then each day's stocks do; the market's state says what counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import torch
from torch import nn

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.cells import Cells, return_cells
from pathfolio.recommender.signals.layers import Transformed
from pathfolio.recommender.signals.model import SignalLesson, option
from pathfolio.recommender.signals.networks import SequenceNetwork
from pathfolio.recommender.signals.panel import Panel

_SPANS: Final = (5, 10, 20, 30, 60)
_MARKET: Final = 1 + 4 * len(_SPANS)
_YEAR: Final = 250
_FARTHEST: Final = 3.0


@dataclass(frozen=True)
class Master(SequenceNetwork):
    """As published but for the norm, which stands before each part of a layer, and for its smaller width.

    Each cross-section has as many stocks as the day has; no industry or other relation is given.
    """

    name: ClassVar[str] = "master"
    about: ClassVar[str] = "attention between days, then between stocks, of features weighed by the market's state"
    paper: ClassVar[str] = "Li et al. 2024, AAAI (arXiv 2312.15235)"
    equation: ClassVar[str] = (
        r"\tilde x_{u,\tau} = F \,\mathrm{softmax}((W_\alpha m_t + b_\alpha) / \beta) \circ x_{u,\tau},\;"
        r" h_u = \mathrm{Attn}_\tau(\tilde x_u),\; z_\tau = \mathrm{Attn}_u(h_\tau),\;"
        r" s_u = w^\top \textstyle\sum_\tau \mathrm{softmax}_\tau(z_{u,\tau}^\top W z_{u,t})\, z_{u,\tau}"
    )

    days: int = option(8, "of the window")
    heads: int = option(4, "of the attention between days; half as many between stocks")
    gated: bool = option(True, "whether the market's state weighs the features; false: all count alike")
    temperature: float = option(5.0, "beta, of the gate: the higher, the more alike the features count")

    def cells(self, lesson: SignalLesson) -> Cells:
        """Windows with the market's state beside each day's features."""
        return return_cells(lesson, max(self.days, 2), market_state(lesson.panel), self.inputs)

    def network(self, figures: int) -> torch.nn.Module:
        """(n, days, F + M) to (n, 1)."""
        return _Attending(figures - _MARKET, self)


class _Attending(nn.Module):
    def __init__(self, figures: int, options: Master) -> None:
        super().__init__()
        width = max(options.hidden // options.heads, 1) * options.heads
        self.figures, self.temperature = figures, options.temperature
        self.gate = nn.Linear(_MARKET, figures) if options.gated else None
        self.enter = nn.Linear(figures, width)
        self.places = nn.Parameter(torch.randn(max(options.days, 2), width) * 0.02)
        self.between_days = Transformed(width, options.heads, options.dropout)
        self.between_stocks = Transformed(width, max(options.heads // 2, 1), options.dropout)
        self.query = nn.Linear(width, width, bias=False)
        self.leave = nn.Linear(width, 1)

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        features, market = window[..., : self.figures], window[:, -1, self.figures :]
        if self.gate is not None:
            weight = self.figures * torch.softmax(self.gate(market) / self.temperature, dim=-1)
            features = features * weight[:, None]
        state = self.between_days(self.enter(features) + self.places)
        state = self.between_stocks(state.transpose(0, 1)).transpose(0, 1)
        alike = torch.softmax(state @ self.query(state[:, -1])[:, :, None], dim=1)
        found: torch.Tensor = self.leave((alike * state).sum(dim=1))
        return found


def market_state(panel: Panel) -> FloatArray:
    """(T, 21): the market's return, and mean and deviation of it and of the money traded within some spans.

    Each in standard deviations from its mean of the year up to the day, so that none needs a later day to be scaled.
    """
    returns = panel.market_returns[:, None]
    money = np.where(panel.universe, np.nan_to_num(panel["value"]), 0.0).sum(axis=1, keepdims=True)
    traded = np.log(np.maximum(money, 1.0))
    found = [returns]
    for days in _SPANS:
        for series in (returns, traded):
            found += [rolling.mean(series, days), rolling.deviation(series, days)]
    figures = np.hstack(found)
    spread = np.maximum(rolling.deviation(figures, _YEAR), 1e-9)
    return np.nan_to_num(np.clip((figures - rolling.mean(figures, _YEAR)) / spread, -_FARTHEST, _FARTHEST))
