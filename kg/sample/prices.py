"""Daily prices of the sample market: a factor model for stocks, and what follows from it for funds and bonds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.sample.industries import INDUSTRIES
from pathfolio.kg.sample.size import Calendar, stream
from pathfolio.kg.sample.stocks import Floats, Stocks

_DAYS: Final = 252
_FAT_TAIL: Final = 5
"""Degrees of freedom of the own shocks (Student's t, scaled to variance 1)."""

_GLOBAL = 0.0075
_LOCAL = 0.0055
_INDUSTRY = 0.0060
"""Standard deviations of a day's factor returns."""

_DRIFT: Final = 0.0003
LEAST_PRICE: Final = 0.5


@dataclass(frozen=True)
class Prices:
    """Adjusted closes of m assets on d business days.

    Attributes:
        close: (d, m) float64, in the asset's currency, rounded to 2 decimals as published; also filled for days
            before an asset was listed, which are never written.
        volume: (d, m) float64, whole units traded.
        first: (m,) int64, position of the day on which each asset was listed, 0 for long ago.
    """

    close: Floats
    volume: Floats
    first: npt.NDArray[np.int64]

    def returns(self, at: int, days_back: int) -> Floats:
        """(m,) fraction: return up to day `at` from the day at `days_back`; NaN where not yet listed then."""
        out: Floats = self.close[at] / self.close[days_back] - 1
        return np.where(self.first <= days_back, out, np.nan)


def stock_log_returns(stocks: Stocks, calendar: Calendar, seed: int) -> Floats:
    """(days, s) float64: r = drift + beta * market + industry + own shock (Sharpe 1963; see `pathfolio.kg.sample`)."""
    rng = stream(seed, "stock prices")
    days = len(calendar.days)
    n = len(stocks.industry)
    world = rng.normal(0, _GLOBAL, (days, 1))
    market = world + rng.normal(0, _LOCAL, (days, 2))
    industry = rng.normal(0, _INDUSTRY, (days, len(INDUSTRIES)))
    own = rng.standard_t(_FAT_TAIL, (days, n)) * np.sqrt((_FAT_TAIL - 2) / _FAT_TAIL)
    alpha = rng.normal(0, 0.08, n) / _DAYS
    drift = _DRIFT * stocks.beta + alpha - stocks.volatility**2 / _DAYS / 4
    shocks = own * stocks.volatility / np.sqrt(_DAYS)
    moves: Floats = drift + stocks.beta * market[:, stocks.country] + industry[:, stocks.industry] + shocks
    return moves


def stock_levels(stocks: Stocks, seed: int) -> Floats:
    """(s,) float64: prices at the start of the history; about 80 TWD and 70 USD, larger companies higher."""
    rng = stream(seed, "price levels")
    size = np.log(stocks.cap / np.median(stocks.cap))
    return np.exp(np.where(stocks.country == 1, 4.25, 4.4) + 0.15 * size + rng.normal(0, 0.6, len(size)))


def to_prices(log_returns: Floats, level: Floats, base: int) -> Floats:
    """(days, m) float64: closes that pass through `level` on day `base`, rounded to 2 decimals."""
    path = np.cumsum(log_returns, axis=0)
    close: Floats = np.round(np.maximum(level * np.exp(path - path[base]), LEAST_PRICE), 2)
    return close


def volumes(close: Floats, typical: Floats, seed: int) -> Floats:
    """(days, m) float64: whole units traded a day; more on days when the price moves.

    Args:
        close: (days, m) prices.
        typical: (m,) units on a quiet day.
    """
    rng = stream(seed, "volumes")
    moved = np.abs(np.diff(np.log(close), axis=0, prepend=np.log(close[:1])))
    noise = rng.normal(0, 0.35, close.shape)
    units: Floats = np.maximum(np.rint(typical * np.exp(noise + 12 * np.minimum(moved, 0.1))), 1)
    return units
