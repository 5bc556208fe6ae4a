"""The 52-week high: what stands close to it rises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option


@dataclass(frozen=True)
class YearHigh(SignalModel):
    """Nothing is learned; prices are chained from returns, so that dividends and splits are no fall."""

    name: ClassVar[str] = "high-52w"
    target: ClassVar[Target] = Target.RETURN
    about: ClassVar[str] = "how close the price is to its highest of a year"
    paper: ClassVar[str] = "George and Hwang 2004, Journal of Finance 59(5)"
    equation: ClassVar[str] = r"s_t = P_t / \max(P_{t-d+1}, \dots, P_t)"

    days: int = option(250, "within so many days")

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): at most 1."""
        returns = lesson.panel["return"]
        level = np.nancumsum(np.log1p(returns), axis=0)
        level[~np.isfinite(returns)] = np.nan
        return np.asarray(np.exp(level - rolling.highest(level, self.days)))
