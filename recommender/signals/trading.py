"""What lists of stocks by forecast would have earned: the top decile, and a budget that has to find room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.labels import TRADING_DAYS
from pathfolio.recommender.signals.panel import LIQUID_DAYS, Mask, Panel

DECILE = 0.1


@dataclass(frozen=True)
class TradingTerms:
    """What trading costs, and how much can be traded.

    Attributes:
        round_trip: cost of a purchase and its sale, as a fraction (Taiwan: .585% with half the commission).
        budget: in the market's currency.
        share: of a stock's mean daily value that may be bought at most.
    """

    round_trip: float = 0.00585
    budget: float = 150e6
    share: float = 0.05


@dataclass(frozen=True, eq=False)
class Earned:
    """Daily excess returns over the mean of the universe, and what came of them.

    Attributes:
        gross, net: (T,) of the top decile, before and after costs; NaN outside of the test.
        spread: (T,) of the top decile less the bottom one, before costs.
        turnover: the part of the portfolio that is exchanged in a day.
    """

    gross: FloatArray
    net: FloatArray
    spread: FloatArray
    turnover: float


def earned(panel: Panel, forecast: FloatArray, among: Mask, horizon: int, terms: TradingTerms) -> Earned:
    """Equal weights in a decile; each day's list is bought at the next close and held for `horizon` days.

    So on each day the portfolio is the mean of the last `horizon` lists (Jegadeesh and Titman 1993).
    """
    known = among & np.isfinite(forecast)
    place = rolling.ranks(forecast, known) + 0.5
    with np.errstate(invalid="ignore"):
        top = _held(place > 1 - DECILE, horizon)
        bottom = _held(place <= DECILE, horizon)
    everything = _held(known, horizon)
    returns = np.nan_to_num(panel["return"])
    mean = (everything * returns).sum(axis=1)
    gross = (top * returns).sum(axis=1) - mean
    exchanged = 0.5 * np.abs(np.diff(top, axis=0, prepend=top[:1])).sum(axis=1)
    full = top.sum(axis=1) > 0.999
    full[1:] &= full[:-1].copy()
    gross = np.where(full, gross, np.nan)
    net = gross - exchanged * terms.round_trip
    spread = np.where(full, ((top - bottom) * returns).sum(axis=1), np.nan)
    return Earned(gross, net, spread, float(exchanged[full].mean()) if full.any() else np.nan)


def _held(chosen: Mask, horizon: int) -> FloatArray:
    """(T, N): weights on day t of what was chosen on days t - 1 - h to t - 2, and bought a day later."""
    chosen_f = chosen.astype(np.float64)
    each = chosen_f / np.maximum(chosen_f.sum(axis=1, keepdims=True), 1)
    frame: Any = pd.DataFrame(each)
    mean = frame.rolling(horizon, min_periods=horizon).mean().to_numpy()
    return np.nan_to_num(rolling.before(mean, 2))


def yearly(daily: FloatArray) -> float:
    """The mean of a day's returns, a year; NaN where there are none."""
    known = daily[np.isfinite(daily)]
    return float(known.mean() * TRADING_DAYS) if len(known) else float("nan")


def sharpe(daily: FloatArray) -> float:
    """Mean over standard deviation, a year; of excess returns it is the information ratio."""
    known = daily[np.isfinite(daily)]
    if len(known) < 2 or known.std() == 0:
        return float("nan")
    return float(known.mean() / known.std(ddof=1) * np.sqrt(TRADING_DAYS))


def drawdown(daily: FloatArray) -> float:
    """From a high to the low after it, at most 0.

    >>> round(drawdown(np.array([0.1, -0.5, 0.2])), 3)
    -0.5
    """
    level = np.cumprod(1 + daily[np.isfinite(daily)])
    if not len(level):
        return float("nan")
    return float((level / np.maximum.accumulate(np.maximum(level, 1.0)) - 1).min())


def liquid_return(
    panel: Panel, forecast: FloatArray, returns: FloatArray, among: Mask, terms: TradingTerms
) -> FloatArray:
    """(T,): what a budget earns that is filled from the best forecast down, over the universe's mean; over the horizon.

    Args:
        returns: (T, N) labels of the horizon.
    """
    if not panel.has("value"):
        return np.full(len(panel.days), np.nan)
    known = among & np.isfinite(forecast) & np.isfinite(returns)
    room = terms.share * np.nan_to_num(rolling.mean(panel["value"], LIQUID_DAYS))
    room = np.where(known, room, 0.0)
    order = np.argsort(np.where(known, -forecast, np.inf), axis=1, kind="stable")
    sorted_ = np.take_along_axis(room, order, axis=1)
    spent = np.clip(terms.budget - (np.cumsum(sorted_, axis=1) - sorted_), 0.0, sorted_)
    gained = (spent * np.take_along_axis(np.where(known, returns, 0.0), order, axis=1)).sum(axis=1)
    n = known.sum(axis=1)
    mean = np.where(known, returns, 0.0).sum(axis=1) / np.maximum(n, 1)
    total = spent.sum(axis=1)
    return np.where(total > 0, gained / np.maximum(total, 1e-9) - mean, np.nan)
