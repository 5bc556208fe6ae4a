"""Modelled betas held against the closes that they are said to follow from: in plain Python, without what made them.

The market's return of a day is the mean of the assets that had 40 closes in the 60 days up to the day before, and were
traded in them where volumes are known. A slope on it over 250 days is drawn towards the mean of all slopes by how
uncertain it is (Vasicek 1973).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from statistics import fmean, variance
from typing import Any, Final

import pandas as pd

_WINDOW: Final = 250
_RECENT: Final = 60
_CLOSES: Final = 40
_FEWEST: Final = math.ceil(0.6 * _WINDOW)
_FEWEST_ASSETS: Final = 10
_LONGEST_GAP: Final = 31
_LARGEST_MOVE: Final = 0.6

Series = list[float]
"""One number for each day; NaN where there is none."""


def check_betas(facts: Iterable[Mapping[str, Any]], prices: pd.DataFrame) -> list[str]:
    """What is wrong with printed betas, one line each; those of other models are passed over.

    Args:
        prices: asset_id, date, close, and volume where it is known; those that were known.
    """
    problems = []
    found: dict[date, dict[str, float]] = {}
    for fact in facts:
        if fact["metric"] != "modelled_beta" or not str(fact["source"]).startswith("beta-vasicek ("):
            continue
        day, asset = date.fromisoformat(str(fact["as_of"])), str(fact["asset_id"])
        if day not in found:
            found[day] = _betas(prices[prices["date"] <= pd.Timestamp(day)])
        true = found[day].get(asset, math.nan)
        if not math.isclose(true, float(fact["value"]), rel_tol=1e-3, abs_tol=1e-4):
            problems.append(f"{asset}: modelled_beta is {fact['value']}, the closes say {true}")
    return problems


def _betas(prices: pd.DataFrame) -> dict[str, float]:
    """Of each asset on the last day of these prices."""
    days = sorted(set(prices["date"]))[-(_WINDOW + _RECENT + 1) :]
    recent = prices[prices["date"] >= days[0]]
    closes = _by_asset(recent, recent["close"], days)
    if "volume" in recent and recent["volume"].notna().any():
        money = _by_asset(recent, recent["close"] * recent["volume"], days)
    else:
        money = {asset: [1.0] * len(days) for asset in closes}
    returns = {asset: _returns(own, days) for asset, own in closes.items()}
    known = {asset: _in_market(own, money[asset]) for asset, own in closes.items()}
    market = [math.nan] + [
        _mean([r[at] for asset, r in returns.items() if known[asset][at - 1] and not math.isnan(r[at])])
        for at in range(1, len(days))
    ]
    told = [each for each in market[-_WINDOW:] if not math.isnan(each)]
    if len(told) < _FEWEST:
        return {}
    lines = {asset: _line(own[-_WINDOW:], market[-_WINDOW:]) for asset, own in returns.items() if known[asset][-1]}
    slopes = {asset: line for asset, line in lines.items() if line is not None}
    if not slopes:
        return {}
    errors = {asset: left / (_WINDOW * variance(told)) for asset, (_, left) in slopes.items()}
    mean = fmean(slope for slope, _ in slopes.values())
    spread = fmean((slope - mean) ** 2 for slope, _ in slopes.values())
    true = max(spread - fmean(errors.values()), 1e-6)
    return {
        asset: (true * slope + errors[asset] * mean) / (true + errors[asset]) for asset, (slope, _) in slopes.items()
    }


def _by_asset(rows: pd.DataFrame, values: pd.Series[float], days: Sequence[pd.Timestamp]) -> dict[str, Series]:
    place = {day: at for at, day in enumerate(days)}
    out: dict[str, Series] = {}
    for asset, day, value in zip(rows["asset_id"].astype(str), rows["date"], values, strict=True):
        out.setdefault(asset, [math.nan] * len(days))[place[day]] = float(value)
    return out


def _returns(closes: Series, days: Sequence[pd.Timestamp]) -> Series:
    out, before = [math.nan] * len(closes), -1
    for at, close in enumerate(closes):
        if math.isnan(close):
            continue
        if before >= 0 and (days[at] - days[before]).days <= _LONGEST_GAP:
            move = close / closes[before] - 1
            out[at] = move if abs(move) <= _LARGEST_MOVE else math.nan
        before = at
    return out


def _in_market(closes: Series, money: Series) -> list[bool]:
    """Whether the asset is one of the market's on each day."""
    out = []
    for at, close in enumerate(closes):
        window = slice(max(at - _RECENT + 1, 0), at + 1)
        seen = sum(not math.isnan(each) for each in closes[window])
        traded = any(each > 0 for each in money[window])
        out.append(not math.isnan(close) and seen >= _CLOSES and traded)
    return out


def _mean(values: Series) -> float:
    return fmean(values) if len(values) >= _FEWEST_ASSETS else math.nan


def _line(own: Series, market: Series) -> tuple[float, float] | None:
    """The slope on the market, and the variance of what it leaves; None for too few days."""
    pairs = [(x, y) for x, y in zip(market, own, strict=True) if not math.isnan(x + y)]
    if len(pairs) < _FEWEST:
        return None
    mean_x, mean_y = fmean(x for x, _ in pairs), fmean(y for _, y in pairs)
    spread = fmean((x - mean_x) ** 2 for x, _ in pairs)
    together = fmean((x - mean_x) * (y - mean_y) for x, y in pairs)
    left = fmean((y - mean_y) ** 2 for _, y in pairs)
    return (together / spread, max(left - together**2 / spread, 0.0)) if spread > 1e-12 else None
