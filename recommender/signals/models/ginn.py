"""GINN: a recurrent network of variance that learns from what came and from what GARCH told, in a given part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.layers import Recurrent
from pathfolio.recommender.signals.losses import PERCENT
from pathfolio.recommender.signals.model import SignalLesson, option
from pathfolio.recommender.signals.trainer import held_out_cells
from pathfolio.recommender.signals.variance_networks import FiguredVariance, garch_of


@dataclass(frozen=True)
class Ginn(FiguredVariance):
    """Squared errors of two targets are, but for a constant, the squared error of their mean, which is what is learned.

    GARCH(1,1) stands for the paper's AR-GARCH of a window of 90 days, and one network for its one of each asset.
    """

    name: ClassVar[str] = "ginn"
    about: ClassVar[str] = "a recurrent network of variance, drawn towards GARCH's forecast; weight=0 is GINN-0"
    paper: ClassVar[str] = "Xu et al. 2024, ICAIF (arXiv 2410.00288)"
    equation: ClassVar[str] = (
        r"\mathcal{L} = \lambda\, (\sigma^2 - \hat\sigma^2)^2 + (1 - \lambda)\, (\sigma^2_{GARCH} - \hat\sigma^2)^2"
    )
    needs: ClassVar[str] = "arch"

    weight: float = option(0.1, "lambda: the part of what came in what is learned", least=0)
    mended: bool = option(True, "whether forecasts are multiplied by what makes them unbiased on the held-out days")

    def network(self, figures: int) -> torch.nn.Module:
        """(n, days, F) to (n, 1), above 0."""
        layer = nn.LSTM(figures, self.hidden, batch_first=True)
        return nn.Sequential(Recurrent(layer, self.dropout), nn.Softplus())

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): daily variance."""
        part = min(self.weight, 1.0)
        truth = lesson.labels * PERCENT
        if part < 1:
            garch = np.where(np.isfinite(truth), garch_of(lesson) * PERCENT, np.nan)
            truth = part * truth + (1 - part) * garch
        cells = self.cells(lesson, truth)
        told = self.trained(lesson, cells, "mse") / PERCENT
        return told * (_bias(lesson, cells.day, cells.asset, held_out_cells(cells), told) if self.mended else 1.0)


def _bias(lesson: SignalLesson, day: np.ndarray, asset: np.ndarray, held_out: np.ndarray, told: FloatArray) -> float:
    """The mean of what came over what was told, which makes QLIKE least; squared errors mind the largest days most."""
    at = day[held_out], asset[held_out]
    ratio = lesson.labels[at] / np.maximum(told[at], 1e-8)
    return float(np.nanmean(ratio)) if np.isfinite(ratio).any() else 1.0
