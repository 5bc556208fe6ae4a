"""A perceptron of three layers on ranks of price and volume features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from pathfolio.recommender.signals.networks import ReturnNetwork


@dataclass(frozen=True)
class Mlp(ReturnNetwork):
    """Reads a single day; the second layer has half the units of the first."""

    name: ClassVar[str] = "mlp"
    about: ClassVar[str] = "a perceptron of three layers on 28 price and volume features"
    paper: ClassVar[str] = "Gu, Kelly and Xiu 2020, Review of Financial Studies 33(5)"
    equation: ClassVar[str] = r"s_t = W_3\, g(W_2\, g(W_1 x_t + b_1) + b_2) + b_3, \quad g = \mathrm{GELU}"

    def network(self, figures: int) -> torch.nn.Module:
        """(n, F) to (n, 1)."""
        half = max(self.hidden // 2, 1)
        first = (nn.Linear(figures, self.hidden), nn.GELU(), nn.Dropout(min(self.dropout, 0.9)))
        return nn.Sequential(*first, nn.Linear(self.hidden, half), nn.GELU(), nn.Linear(half, 1))
