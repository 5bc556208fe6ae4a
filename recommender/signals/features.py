"""28 figures of prices and volume, which the learned models of returns read as ranks among a day's universe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.panel import Panel

_RETURN_DAYS: Final = (1, 2, 3, 5, 10, 20, 60, 120, 240)


@dataclass(frozen=True, eq=False)
class Features:
    """The cells of the universe, day by day, and what is told of each.

    Attributes:
        day, asset: (n,) of each cell, sorted.
        values: (n, F) float32, ranks from -0.5 to 0.5; 0 where a figure is not known.
        names: F of them.
    """

    day: npt.NDArray[np.int64]
    asset: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    names: tuple[str, ...]


@lru_cache(maxsize=1)
def features_of(panel: Panel) -> Features:
    """The figures of a panel; of each day from that day and before."""
    day, asset = np.nonzero(panel.universe)
    columns, names = [], []
    for name, values in _figures(panel):
        ranked = rolling.ranks(values, panel.universe)[day, asset]
        columns.append(np.nan_to_num(ranked).astype(np.float32))
        names.append(name)
    return Features(day, asset, np.column_stack(columns), tuple(names))


def _figures(panel: Panel) -> Iterator[tuple[str, FloatArray]]:
    with np.errstate(invalid="ignore", divide="ignore"):
        yield from _of_returns(panel)
        yield from _of_bars(panel)
        yield from _of_volume(panel)


def _of_returns(panel: Panel) -> Iterator[tuple[str, FloatArray]]:
    returns = panel["return"]
    logs = np.log1p(returns)
    for days in _RETURN_DAYS:
        yield f"return_{days}", rolling.total(logs, days)
    yield "momentum_240_20", rolling.before(rolling.total(logs, 220), 20)
    for days in (5, 20, 60):
        yield f"volatility_{days}", rolling.deviation(returns, days)
    yield "skewness_60", rolling.skewness(returns, 60)
    yield "largest_20", rolling.highest(returns, 20)
    beta, left = rolling.regression(returns, panel.market_returns, 60)
    yield "beta_60", beta
    yield "own_volatility_60", left
    level = np.nancumsum(logs, axis=0)
    level[~np.isfinite(returns)] = np.nan
    for days in (20, 240):
        yield f"below_high_{days}", level - rolling.highest(level, days)
    yield "above_low_20", level - rolling.lowest(level, 20)


def _of_bars(panel: Panel) -> Iterator[tuple[str, FloatArray]]:
    opened, high, low, close = (panel[name] for name in ("open", "high", "low", "close"))
    yield "intraday", close / opened - 1
    yield "range_20", rolling.mean(np.log(high / low), 20)
    yield "place_in_range", np.where(high > low, (close - low) / (high - low), 0.5)


def _of_volume(panel: Panel) -> Iterator[tuple[str, FloatArray]]:
    volume, value, returns = panel["volume"], panel["value"], panel["return"]
    yield "volume_1_20", volume / rolling.mean(volume, 20)
    yield "volume_5_60", rolling.mean(volume, 5) / rolling.mean(volume, 60)
    yield "value_20", rolling.mean(value, 20)
    yield "illiquidity_20", rolling.mean(np.where(value > 0, np.abs(returns) / value, np.nan), 20)
    yield "vwap_1", panel["close"] / panel["vwap"] - 1
