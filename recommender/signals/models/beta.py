"""Beta: the slope on the market's returns, drawn towards that of all assets by how uncertain it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option


@dataclass(frozen=True)
class ShrunkBeta(SignalModel):
    """Nothing is learned; all of it is of the window."""

    name: ClassVar[str] = "beta-vasicek"
    target: ClassVar[Target] = Target.BETA
    about: ClassVar[str] = "the slope on the market's returns, drawn towards the mean of all assets"
    paper: ClassVar[str] = "Vasicek 1973, Journal of Finance 28(5)"
    equation: ClassVar[str] = (
        r"\hat\beta_i = \frac{\tau^2}{\tau^2 + s_i^2} b_i + \frac{s_i^2}{\tau^2 + s_i^2} \bar b, \quad"
        r" s_i^2 = \frac{\mathrm{var}(e_i)}{d\,\mathrm{var}(m)}"
    )

    days: int = option(250, "within so many days")

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): the beta."""
        panel = lesson.panel
        slope, left = rolling.regression(panel["return"], panel.market_returns, self.days)
        market = panel.market_returns[:, None]
        spread = rolling.deviation(market, self.days) ** 2
        with np.errstate(invalid="ignore", divide="ignore"):
            error = left / (self.days * spread)
        among = panel.universe & np.isfinite(slope)
        n = np.maximum(among.sum(axis=1, keepdims=True), 1)
        mean = np.where(among, slope, 0).sum(axis=1, keepdims=True) / n
        wide = np.where(among, (slope - mean) ** 2, 0).sum(axis=1, keepdims=True) / n
        true = np.maximum(wide - np.where(among, error, 0).sum(axis=1, keepdims=True) / n, 1e-6)
        weight = true / (true + error)
        return np.where(among, weight * slope + (1 - weight) * mean, np.nan)
