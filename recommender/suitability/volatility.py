"""How far prices varied: the annualised volatility of weekly returns, as CESR/10-673 computes it for funds.

    volatility = sqrt(52 / (T - 1) * sum((r - mean(r))^2)),  r = close / close of the week before - 1,  T returns

Weeks without a close on either side give no return. A close of less than half or more than twice the week before's
is taken for a split where it happens twice at most, since not all sources adjust their prices, and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.graph import NO_DAY, FloatArray, IntArray, KnowledgeGraph
from pathfolio.recommender.suitability.rules import VolatilityScale

WEEKS_A_YEAR: Final = 52
_SPLIT: Final = 2.0
_MOST_SPLITS: Final = 2
MODELLED: Final = "modelled_volatility"
"""The metric of what a model says of a year's volatility; it counts where prices are too few to be measured."""

MODELLED_DAYS: Final = 93
"""What a model said longer ago is no longer told: it was of a quarter."""

_MOVING: Final = 0.5
"""Where fewer of the returns than this part differ from zero, nobody trades, and nothing is measured."""


@dataclass(frozen=True)
class Volatility:
    """Of all n assets of a snapshot, in the order of `graph.assets`.

    Attributes:
        value: (n,) float64, a fraction a year; NaN where there are too few returns, or prices do not move.
        returns, splits: (n,) weekly returns that count, and those that are left out as splits.
        first, last: (n,) int32 days since 1970 of the closes that the returns span, `NO_DAY` where there are none.
    """

    value: FloatArray
    returns: IntArray
    splits: IntArray
    first: npt.NDArray[np.int32]
    last: npt.NDArray[np.int32]

    def risk_class(self, scale: VolatilityScale | None) -> FloatArray:
        """(n,) float64: the class that a scale gives each value; NaN where nothing is measured."""
        return classes_of(self.value, scale)


def classes_of(value: FloatArray, scale: VolatilityScale | None) -> FloatArray:
    """(n,) float64: the class that a scale gives each yearly volatility; NaN where there is none."""
    if scale is None:
        return np.full(len(value), np.nan)
    found = np.searchsorted(scale.limits, value, side="right") + 1.0
    return np.where(np.isnan(value), np.nan, found)


def volatility(graph: KnowledgeGraph, prices: pd.DataFrame | None, scale: VolatilityScale | None) -> Volatility:
    """What the closes in `prices` (asset_id, date, close) up to the snapshot's day say, by the scale's window."""
    n = len(graph.assets)
    if scale is None or prices is None or prices.empty:
        return _measured(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), n, 0)
    known = prices[pd.to_datetime(prices["date"]) <= pd.Timestamp(graph.as_of)].dropna(subset=["close"])
    asset = pd.Index(graph.asset_ids).get_indexer(pd.Index(known["asset_id"]))
    day = ((pd.to_datetime(known["date"]) - pd.Timestamp(0)) // pd.Timedelta(days=1)).to_numpy(np.int64)
    close = known["close"].to_numpy(np.float64)
    counts = (asset >= 0) & (close > 0) & (day > day.max(initial=0) - scale.window_days)
    return _measured(asset[counts].astype(np.int64), day[counts], close[counts], n, scale.fewest)


def _measured(asset: IntArray, day: IntArray, close: FloatArray, n: int, fewest: int) -> Volatility:
    asset, day, close = _weekly(asset, day, close)
    follows = np.flatnonzero((asset[1:] == asset[:-1]) & (day[1:] // 7 == day[:-1] // 7 + 1)) + 1
    ratio = close[follows] / close[follows - 1]
    of = asset[follows]
    jumps = np.maximum(ratio, 1 / ratio) > _SPLIT
    splits = np.bincount(of, jumps, minlength=n).astype(np.int64)
    splits[splits > _MOST_SPLITS] = 0
    kept = ~(jumps & (splits[of] > 0))
    change = ratio[kept] - 1
    of = of[kept]
    follows = follows[kept]
    returns = np.bincount(of, minlength=n)
    moving = np.bincount(of, change != 0, minlength=n)
    mean = np.bincount(of, change, minlength=n) / np.maximum(returns, 1)
    variance = np.bincount(of, (change - mean[of]) ** 2, minlength=n) / np.maximum(returns - 1, 1)
    measured = (returns >= max(fewest, 2)) & (moving >= _MOVING * returns)
    first, last = np.full(n, NO_DAY, np.int32), np.full(n, NO_DAY, np.int32)
    first[of[::-1]] = day[follows - 1][::-1]
    last[of] = day[follows]
    value = np.where(measured, np.sqrt(WEEKS_A_YEAR * variance), np.nan)
    return Volatility(value, returns.astype(np.int64), splits, first, last)


def _weekly(asset: IntArray, day: IntArray, close: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """The last close of each week, by asset and day."""
    order = np.lexsort((day, asset))
    asset = asset[order]
    day = day[order]
    close = close[order]
    ends = np.ones(len(asset), bool)
    ends[:-1] = (asset[1:] != asset[:-1]) | (day[1:] // 7 != day[:-1] // 7)
    return asset[ends], day[ends], close[ends]
