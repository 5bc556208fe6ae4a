"""A global LSTM of variance trained by QLIKE: one network for all assets, beside a line on the last day's figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.layers import Recurrent
from pathfolio.recommender.signals.losses import PERCENT
from pathfolio.recommender.signals.model import SignalLesson, option
from pathfolio.recommender.signals.variance_networks import FiguredVariance, variance_of


@dataclass(frozen=True)
class LstmQlike(FiguredVariance):
    """It tells the logarithm of variance; the line is what `har-qlike` fits, and the LSTM adds what that leaves."""

    name: ClassVar[str] = "lstm-qlike"
    about: ClassVar[str] = "one recurrent network of variance for all assets, trained by QLIKE"
    paper: ClassVar[str] = (
        "Hochreiter and Schmidhuber 1997, Neural Computation 9(8), Patton 2011, Journal of Econometrics 160(1), and "
        "with revin=true Kim et al. 2022, ICLR"
    )
    equation: ClassVar[str] = (
        r"\ln \hat\sigma^2_{t+1:t+h} = b + w^\top x_t + u^\top \mathrm{LSTM}(x_{t-L+1}, \dots, x_t)"
    )

    revin: bool = option(False, "whether a window's mean and deviation are taken out of it, and put back after it")

    def network(self, figures: int) -> torch.nn.Module:
        """(n, days, F) to (n, 1)."""
        return _LineAndLstm(figures, self)

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): daily variance."""
        return variance_of(self.trained(lesson, self.cells(lesson, lesson.labels * PERCENT), "qlike"))


class _LineAndLstm(nn.Module):
    """The LSTM and the line; or the LSTM between RevIN's two steps, whose second is by the first figure of a day."""

    def __init__(self, figures: int, options: LstmQlike) -> None:
        super().__init__()
        self.recurrent = Recurrent(nn.LSTM(figures, options.hidden, batch_first=True), options.dropout)
        self.line = nn.Linear(1 if options.revin else figures, 1)
        nn.init.constant_(self.line.weight, 1.0 if options.revin else 0.0)
        self.scale, self.shift = (nn.Parameter(torch.full((figures,), value)) for value in (1.0, 0.0))
        self.revin = options.revin

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        if not self.revin:
            found: torch.Tensor = self.line(window[:, -1]) + self.recurrent(window)
            return found
        level, spread = window.mean(dim=1, keepdim=True), window.std(dim=1, keepdim=True) + 1e-2
        inner = self.recurrent((window - level) / spread * self.scale + self.shift)
        put_back: torch.Tensor = self.line(inner * spread[:, 0, :1] + level[:, 0, :1])
        return put_back
