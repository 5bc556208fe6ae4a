"""GRU: a recurrent network with two gates over the last days' features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from pathfolio.recommender.signals.layers import Recurrent
from pathfolio.recommender.signals.networks import SequenceNetwork


@dataclass(frozen=True)
class Gru(SequenceNetwork):
    """The state after the window's last day tells."""

    name: ClassVar[str] = "gru"
    about: ClassVar[str] = "a recurrent network with two gates on windows of 28 price and volume features"
    paper: ClassVar[str] = "Cho et al. 2014, EMNLP (arXiv 1406.1078)"
    equation: ClassVar[str] = (
        r"z_t = \sigma(W_z x_t + U_z h_{t-1}),\; r_t = \sigma(W_r x_t + U_r h_{t-1}),\;"
        r" h_t = z_t h_{t-1} + (1 - z_t) \tanh(W x_t + U (r_t h_{t-1})),\; s_t = w^\top h_t"
    )

    def network(self, figures: int) -> torch.nn.Module:
        """(n, days, F) to (n, 1)."""
        return Recurrent(torch.nn.GRU(figures, self.hidden, batch_first=True), self.dropout)
