"""EWMA: yesterday's variance and today's squared return, weighed by powers of one number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option


@dataclass(frozen=True)
class Ewma(SignalModel):
    """Nothing is learned; the same for all horizons."""

    name: ClassVar[str] = "ewma"
    target: ClassVar[Target] = Target.VOLATILITY
    about: ClassVar[str] = "an exponentially weighted mean of squared returns"
    paper: ClassVar[str] = "J.P. Morgan 1996, RiskMetrics technical document"
    equation: ClassVar[str] = r"\sigma^2_{t+1} = \lambda\,\sigma^2_t + (1 - \lambda)\, r_t^2"

    decay: float = option(0.94, "lambda for a day; the weight of the past")
    long_decay: float = option(0.97, "lambda for a month and more")
    fewest: int = option(20, "returns before anything is told")

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): daily variance."""
        decay = self.decay if lesson.horizon < 20 else self.long_decay
        returns, close = lesson.panel["return"], lesson.panel["close"]
        frame: Any = pd.DataFrame(returns**2)
        smooth = frame.ewm(alpha=1 - min(decay, 0.9999), min_periods=self.fewest, ignore_na=True).mean().to_numpy()
        return np.where(np.isfinite(close), smooth, np.nan)
