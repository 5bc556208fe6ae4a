"""Correlations of forecasts with what came, day by day, among the assets of a day."""

from __future__ import annotations

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.panel import FEWEST_ASSETS, Mask


def daily_ic(forecast: FloatArray, truth: FloatArray, among: Mask) -> FloatArray:
    """(T,): Pearson's correlation on each day; NaN where fewer than `FEWEST_ASSETS` have both, or all are equal."""
    both = among & np.isfinite(forecast) & np.isfinite(truth)
    n = both.sum(axis=1)
    x, y = _centred(forecast, both, n), _centred(truth, both, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    return np.asarray(np.where(n >= FEWEST_ASSETS, found, np.nan))


def daily_rank_ic(forecast: FloatArray, truth: FloatArray, among: Mask) -> FloatArray:
    """(T,): Spearman's, with ties at their mean rank."""
    both = among & np.isfinite(forecast) & np.isfinite(truth)
    return daily_ic(rolling.ranks(forecast, both), rolling.ranks(truth, both), both)


def _centred(values: FloatArray, both: Mask, n: FloatArray) -> FloatArray:
    kept = np.where(both, values, 0.0)
    return np.asarray(np.where(both, kept - kept.sum(axis=1, keepdims=True) / np.maximum(n, 1)[:, None], 0.0))
