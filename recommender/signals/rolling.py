"""Windows that end on each day, and ranks within it; every function reads rows up to its own alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.panel import Mask

_KNOWN: Any = 0.6
"""A window needs this part of its rows."""


def fewest(days: int) -> int:
    """Rows that a window of so many needs."""
    return max(1, int(np.ceil(_KNOWN * days)))


def _window(values: FloatArray, days: int) -> Any:
    frame: Any = pd.DataFrame(values)
    return frame.rolling(days, min_periods=fewest(days))


def mean(values: FloatArray, days: int) -> FloatArray:
    """(T, N)."""
    return np.asarray(_window(values, days).mean().to_numpy())


def total(values: FloatArray, days: int) -> FloatArray:
    """(T, N): the sum; what is missing counts as nothing."""
    return np.asarray(_window(values, days).sum().to_numpy())


def deviation(values: FloatArray, days: int) -> FloatArray:
    """(T, N): the standard deviation."""
    return np.asarray(_window(values, days).std().to_numpy())


def highest(values: FloatArray, days: int) -> FloatArray:
    """(T, N)."""
    return np.asarray(_window(values, days).max().to_numpy())


def lowest(values: FloatArray, days: int) -> FloatArray:
    """(T, N)."""
    return np.asarray(_window(values, days).min().to_numpy())


def skewness(values: FloatArray, days: int) -> FloatArray:
    """(T, N)."""
    return np.asarray(_window(values, days).skew().to_numpy())


def place(values: FloatArray, days: int) -> FloatArray:
    """(T, N): the rank of a row among its window, as a part of those known, 1 for the highest; ties share theirs."""
    return np.asarray(_window(values, days).rank(pct=True).to_numpy())


def before(values: FloatArray, days: int) -> FloatArray:
    """(T, N): the row of so many days earlier."""
    return np.vstack([np.full((min(days, len(values)), values.shape[1]), np.nan), values[: -days or None]])


def regression(values: FloatArray, on: FloatArray, days: int) -> tuple[FloatArray, FloatArray]:
    """Slope of (T, N) values on (T,) another series within each window, and the variance of what it leaves."""
    other = np.where(np.isfinite(values), np.broadcast_to(on[:, None], values.shape), np.nan)
    own = np.where(np.isfinite(other), values, np.nan)
    mean_x, mean_y = mean(other, days), mean(own, days)
    variance = mean(other * other, days) - mean_x**2
    covariance = mean(own * other, days) - mean_x * mean_y
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(variance > 1e-12, covariance / variance, np.nan)
    return slope, np.maximum(mean(own * own, days) - mean_y**2 - slope * covariance, 0.0)


def ranks(values: FloatArray, among: Mask) -> FloatArray:
    """(T, N): the place of each value on its day, evenly from -0.5 to 0.5; NaN where it is unknown or not `among`."""
    frame: Any = pd.DataFrame(np.where(among & np.isfinite(values), values, np.nan))
    place = frame.rank(axis=1).to_numpy()
    return np.asarray((place - 0.5) / np.maximum(frame.count(axis=1).to_numpy()[:, None], 1) - 0.5)
