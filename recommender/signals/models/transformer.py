"""Transformer: attention of each day of a window to the others, and of the last day to all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from pathfolio.recommender.signals.layers import Transformed
from pathfolio.recommender.signals.model import option
from pathfolio.recommender.signals.networks import SequenceNetwork


@dataclass(frozen=True)
class Transformer(SequenceNetwork):
    """Encoder layers with the norm before each part; the last day's state tells."""

    name: ClassVar[str] = "transformer"
    about: ClassVar[str] = "attention between the days of a window of 28 price and volume features"
    paper: ClassVar[str] = "Vaswani et al. 2017, NeurIPS (arXiv 1706.03762)"
    equation: ClassVar[str] = (
        r"\mathrm{Attention}(Q, K, V) = \mathrm{softmax}(Q K^\top / \sqrt{d})\, V,\; s_t = w^\top z_{t,L}"
    )

    heads: int = option(4, "of attention; the units of a layer are a multiple of it")
    layers: int = option(1, "one upon another")

    def network(self, figures: int) -> torch.nn.Module:
        """(n, days, F) to (n, 1)."""
        return _Encoder(figures, self)


class _Encoder(nn.Module):
    def __init__(self, figures: int, options: Transformer) -> None:
        super().__init__()
        width = max(options.hidden // options.heads, 1) * options.heads
        self.enter = nn.Linear(figures, width)
        self.places = nn.Parameter(torch.randn(max(options.days, 2), width) * 0.02)
        self.layers = nn.ModuleList([Transformed(width, options.heads, options.dropout) for _ in range(options.layers)])
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 1))

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        state = self.enter(window) + self.places
        for layer in self.layers:
            state = layer(state)
        found: torch.Tensor = self.leave(state[:, -1])
        return found
