"""LSTM: a recurrent network with a memory over the last days' features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from pathfolio.recommender.signals.layers import Recurrent
from pathfolio.recommender.signals.networks import SequenceNetwork


@dataclass(frozen=True)
class Lstm(SequenceNetwork):
    """The state after the window's last day tells."""

    name: ClassVar[str] = "lstm"
    about: ClassVar[str] = "a recurrent network with a memory on windows of 28 price and volume features"
    paper: ClassVar[str] = (
        "Hochreiter and Schmidhuber 1997, Neural Computation 9(8), on returns as in Fischer and Krauss 2018, "
        "European Journal of Operational Research 270(2)"
    )
    equation: ClassVar[str] = (
        r"c_t = f_t c_{t-1} + i_t \tanh(W x_t + U h_{t-1}),\; h_t = o_t \tanh(c_t),\;"
        r" (i_t, f_t, o_t) = \sigma(W' x_t + U' h_{t-1}),\; s_t = w^\top h_t"
    )

    def network(self, figures: int) -> torch.nn.Module:
        """(n, days, F) to (n, 1)."""
        return Recurrent(torch.nn.LSTM(figures, self.hidden, batch_first=True), self.dropout)
