"""HAR with leverage and volume, fitted by QLIKE itself: a regression of variance with a logarithmic link."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option
from pathfolio.recommender.signals.models.har import FLOOR, daily_variance
from pathfolio.recommender.signals.panel import Panel

_BOUNDS: Final = (-16.0, -3.0)
"""Of the logarithm of a daily variance: moves of 0.03% and 22%."""

_LARGEST_STEP: Final = 20.0
"""What one squared return counts at most in a step, over its forecast."""


@dataclass(frozen=True)
class HarQlike(SignalModel):
    """QLIKE is the deviance of a gamma regression, so its minimum is found by that model's scoring steps."""

    name: ClassVar[str] = "har-qlike"
    target: ClassVar[Target] = Target.VOLATILITY
    about: ClassVar[str] = "ranges and squared returns of a day to half a year, falls and volume, fitted by QLIKE"
    paper: ClassVar[str] = "Corsi and Reno 2012, Journal of Business and Economic Statistics 30(3) and Patton 2011"
    equation: ClassVar[str] = r"\hat w = \arg\min_w \sum_{i,t} \left(x_{it}^\top w + y_{it}\, e^{-x_{it}^\top w}\right)"
    learns: ClassVar[bool] = True

    steps: int = option(12, "of Fisher scoring")
    penalty: float = option(1e-4, "of squared weights of standardised inputs")

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): daily variance, the mean over the horizon."""
        x = variance_inputs(lesson.panel)
        told = np.isfinite(x).all(axis=-1) & lesson.panel.universe
        known = told & np.isfinite(lesson.labels)
        out = np.full(told.shape, np.nan)
        if known.sum() < 10 * x.shape[-1] or not (lesson.labels[known] > 0).any():
            return out
        inputs, truth = x[known], lesson.labels[known]
        middle, spread = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-9)
        inputs = np.column_stack([np.ones(len(inputs)), (inputs - middle) / spread])
        ridge = self.penalty * len(inputs) * np.diag([0.0] + [1.0] * x.shape[-1])
        curvature = np.linalg.inv(inputs.T @ inputs + ridge)
        weights = np.zeros(inputs.shape[1])
        weights[0] = np.log(truth.mean())
        for _ in range(self.steps):
            left = np.clip(truth / np.exp(np.clip(inputs @ weights, *_BOUNDS)) - 1, -1, _LARGEST_STEP)
            weights = weights + curvature @ (inputs.T @ left - ridge @ weights)
        asked = told & lesson.asked[:, None]
        level = weights[0] + (x[asked] - middle) / spread @ weights[1:]
        out[asked] = np.exp(np.clip(level, *_BOUNDS))
        return out


@lru_cache(maxsize=1)
def variance_inputs(panel: Panel) -> FloatArray:
    """(T, N, K): of each asset and day; what a market has nothing of is left out."""
    returns, ranges = panel["return"], daily_variance(panel)
    market = np.broadcast_to(panel.market_returns[:, None], returns.shape)
    logs = np.log(np.maximum(ranges, FLOOR))
    among = panel.universe & np.isfinite(logs)
    mean = np.where(among, logs, 0).sum(axis=1, keepdims=True) / np.maximum(among.sum(axis=1, keepdims=True), 1)
    found = [
        *(rolling.mean(logs, days) for days in (1, 5, 22, 120)),
        *(np.broadcast_to(rolling.mean(mean, days), logs.shape) for days in (1, 5, 22)),
        *(_smooth(returns**2, decay) for decay in (0.94, 0.98)),
        *(_smooth(ranges, decay) for decay in (0.9, 0.97)),
        *(100 * np.minimum(each, 0) for each in (returns, market, rolling.total(returns, 5))),
        100 * np.maximum(returns, 0),
    ]
    if panel.has("volume"):
        volume = panel["volume"]
        relative = np.log(np.maximum(volume, 1) / np.maximum(rolling.mean(volume, 60), 1))
        found += [relative, rolling.mean(relative, 5)]
    return np.stack(found, axis=-1)


def _smooth(values: FloatArray, decay: float) -> FloatArray:
    """The logarithm of an exponentially weighted mean."""
    frame: Any = pd.DataFrame(values)
    found = frame.ewm(alpha=1 - decay, min_periods=20, ignore_na=True).mean().to_numpy()
    return np.asarray(np.log(np.maximum(found, FLOOR)))
