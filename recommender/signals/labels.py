"""What is to be foretold: returns, variance and beta of the days that follow; the day itself is never in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.panel import Panel

TRADING_DAYS: Final = 252
"""In a year."""

_FEWEST_KNOWN: Final = 0.8
"""A label needs this part of its days' returns."""


class Target(StrEnum):
    """What a model tells."""

    RETURN = "return"
    VOLATILITY = "volatility"
    BETA = "beta"


@dataclass(frozen=True, eq=False)
class Labels:
    """What followed each day.

    Attributes:
        values: (T, N) of day t: a return as a fraction; a daily variance, the mean of squared returns; or a beta. NaN
            where it is not known, or not over.
        ends: so many days after t the last day of its label is; who learns before that day does not know it.
    """

    values: FloatArray
    ends: int


def labels_of(panel: Panel, target: Target, horizon: int) -> Labels:
    """The labels of each day for `horizon` trading days.

    A return is bought at the next close, since what is told after today's close cannot be bought at it: of day t it is
    close(t + 1 + h) / close(t + 1) - 1. Variance and beta are of the days t + 1 to t + h.
    """
    returns = panel["return"]
    if target is Target.RETURN:
        made = np.expm1(_following(np.log1p(returns), horizon, mean=False))
        return Labels(_moved(made, 1), horizon + 1)
    if target is Target.VOLATILITY:
        return Labels(_following(returns**2, horizon, mean=True), horizon)
    market = np.broadcast_to(panel.market_returns[:, None], returns.shape)
    both = np.where(np.isfinite(returns) & np.isfinite(market), 1.0, np.nan)
    r, m = returns * both, market * both
    mean_r, mean_m = _following(r, horizon, mean=True), _following(m, horizon, mean=True)
    covariance = _following(r * m, horizon, mean=True) - mean_r * mean_m
    variance = _following(m * m, horizon, mean=True) - mean_m**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return Labels(np.where(variance > 1e-12, covariance / variance, np.nan), horizon)


def _following(values: FloatArray, horizon: int, *, mean: bool) -> FloatArray:
    """(T, N): sum or mean over rows t + 1 to t + h; gaps count as nothing, too many of them make it NaN."""
    frame: Any = pd.DataFrame(values)
    window = frame.rolling(horizon, min_periods=max(1, int(np.ceil(_FEWEST_KNOWN * horizon))))
    return _moved((window.mean() if mean else window.sum()).to_numpy(), horizon)


def _moved(values: FloatArray, by: int) -> FloatArray:
    """Row t is row t + by."""
    return np.vstack([values[by:], np.full((min(by, len(values)), values.shape[1]), np.nan)])
