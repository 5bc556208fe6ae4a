"""Figures of assets held against the closes that they are said to follow from: in plain Python, without what made them.

What the closes are adjusted for, and what money earns without risk, is read from the figure's own source.
"""

from __future__ import annotations

import json
import math
import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from statistics import fmean, stdev
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from pathfolio.explain.checker.betas import check_betas

_TOLERANCE: Final = 1e-8
_DECAY: Final = 0.97
_TOGETHER: Final = ("half_year_volatility", "list_volatility")
_PARTS: Final = re.compile(r"computed from closes of (\[.+\]) in equal parts from (\S+) to (\S+)")
_RATE: Final = re.compile(r"([\d.]+)% a year without risk in \w+")

Close = tuple[date, float]


def check_figures(facts: Sequence[Mapping[str, Any]], prices: pd.DataFrame, as_of: date) -> list[str]:
    """What is wrong with printed facts that follow from closes, one line each; others are passed over.

    Args:
        facts: as `explain --format json` prints them.
        prices: asset_id, date, close of any period.
        as_of: the snapshot's day, after which nothing may be looked at.
    """
    problems = []
    known = prices[(prices["date"] <= pd.Timestamp(as_of)) & (prices["close"] > 0)]
    for asset in sorted({str(fact["asset_id"]) for fact in facts if fact["metric"] in _FORMULAS}):
        rows = known[known["asset_id"] == asset].sort_values("date")
        closes = [(day.date(), float(close)) for day, close in zip(rows["date"], rows["close"], strict=True)]
        for fact in facts:
            if fact["asset_id"] == asset and fact["metric"] in _FORMULAS and "; closes " in str(fact["source"]):
                problems += [f"{asset}: {problem}" for problem in _check(fact, closes, as_of)]
    problems += [problem for fact in facts if fact["metric"] == "modelled_volatility" for problem in _ewma(fact, known)]
    problems += check_betas(facts, known)
    return problems + [problem for fact in facts if fact["metric"] in _TOGETHER for problem in _together(fact, known)]


def _ewma(fact: Mapping[str, Any], prices: pd.DataFrame) -> list[str]:
    """The modelled volatility, where EWMA tells it: squared returns weighed by powers of `_DECAY`, the last one most.

    Returns over more than 31 days, and of more than 60%, are none. The closes that it was made of have seven digits.
    """
    if not str(fact["source"]).startswith("ewma ("):
        return []
    asset, day = str(fact["asset_id"]), date.fromisoformat(str(fact["as_of"]))
    steps = [
        after / before - 1
        for (first, before), (second, after) in pairwise(_closes_of(prices, asset, day))
        if (second - first).days <= 31 and abs(after / before - 1) <= 0.6
    ]
    weights = [_DECAY**age for age in range(len(steps))]
    total = sum(w * r * r for w, r in zip(weights, reversed(steps), strict=True))
    true = math.sqrt(252 * total / sum(weights)) if steps else math.nan
    same = math.isclose(true, float(fact["value"]), rel_tol=1e-3)
    return [] if same else [f"{asset}: modelled_volatility is {fact['value']}, the closes say {true}"]


def _together(fact: Mapping[str, Any], prices: pd.DataFrame) -> list[str]:
    """The volatility of assets in equal parts, which the figure's source names, over the days that it names."""
    found = _PARTS.fullmatch(str(fact["source"]))
    assets = json.loads(found.group(1)) if found else []
    if found is None or fact["asset_id"] not in assets or found.group(3) != fact["as_of"]:
        return [f"{fact['asset_id']}: {fact['metric']} does not say of which closes it is"]
    first, last = (date.fromisoformat(found.group(group)) for group in (2, 3))
    closes = {asset: _closes_of(prices, asset, last) for asset in assets}
    days = sorted({day for own in closes.values() for day, _ in own if first <= day})
    if not days or days[-1] != last or not all(own and own[0][0] <= first for own in closes.values()):
        return [f"{fact['asset_id']}: {fact['metric']} is of other days than the closes"]
    filled = {asset: _filled(own, days) for asset, own in closes.items()}
    returns = [fmean(steps) for steps in zip(*(_returns(own) for own in filled.values()), strict=True)]
    true = stdev(returns) * math.sqrt(len(returns) * 365 / (last - first).days)
    same = math.isclose(true, float(fact["value"]), rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    return [] if same else [f"{fact['asset_id']}: {fact['metric']} is {fact['value']}, the closes say {true}"]


def _closes_of(prices: pd.DataFrame, asset: str, last: date) -> list[Close]:
    rows = prices[(prices["asset_id"] == asset) & (prices["date"] <= pd.Timestamp(last))].sort_values("date")
    return [(day.date(), float(close)) for day, close in zip(rows["date"], rows["close"], strict=True)]


def _filled(closes: Sequence[Close], days: Sequence[date]) -> list[float]:
    """The last close up to each day."""
    rest, now, out = list(reversed(closes)), math.nan, []
    for day in days:
        while rest and rest[-1][0] <= day:
            now = rest.pop()[1]
        out.append(now)
    return out


def _check(fact: Mapping[str, Any], closes: Sequence[Close], as_of: date) -> list[str]:
    metric, day = str(fact["metric"]), date.fromisoformat(str(fact["as_of"]))
    if not closes or closes[-1][0] != day:
        return [f"{metric} is of {day}, the last close is of {closes[-1][0] if closes else 'no day'}"]
    if date.fromisoformat(str(fact["known_at"])) > as_of:
        return [f"{metric} was known only after {as_of}"]
    found = _RATE.search(str(fact["source"]))
    true = _FORMULAS[metric](closes, float(found.group(1)) / 100 if found else None)
    same = true is not None and math.isclose(true, float(fact["value"]), rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    return [] if same else [f"{metric} is {fact['value']}, the closes say {true}"]


def _since(closes: Sequence[Close], years: int) -> list[float] | None:
    """The closes from so many years before the last one on; None where there is none of that week."""
    last, year = closes[-1][0], closes[-1][0].year - years
    first = date(year, last.month, min(last.day, monthrange(year, last.month)[1]))
    before = [day for day, _ in closes if first - timedelta(days=7) <= day <= first]
    return [close for day, close in closes if day >= before[-1]] if before else None


def _returns(closes: Sequence[float]) -> list[float]:
    return [after / before - 1 for before, after in pairwise(closes)]


def _over(years: int) -> Callable[[Sequence[Close], float | None], float | None]:
    def total(closes: Sequence[Close], _: float | None) -> float | None:
        part = _since(closes, years)
        return None if part is None else part[-1] / part[0] - 1

    return total


def _annual(closes: Sequence[Close], _: float | None) -> float | None:
    part = _since(closes, 3)
    return None if part is None else float((part[-1] / part[0]) ** (1 / 3) - 1)


def _volatility(closes: Sequence[Close], _: float | None) -> float | None:
    returns = _returns(_since(closes, 3) or [])
    return stdev(returns) * math.sqrt(len(returns) / 3) if len(returns) > 1 else None


def _sharpe(closes: Sequence[Close], rate: float | None) -> float | None:
    returns = _returns(_since(closes, 3) or [])
    if rate is None or len(returns) < 2:
        return None
    each = float((1 + rate) ** (3 / len(returns)) - 1)
    return (fmean(returns) - each) / stdev(returns) * math.sqrt(len(returns) / 3)


def _drawdown(closes: Sequence[Close], _: float | None) -> float | None:
    part = _since(closes, 3)
    high, lowest = 0.0, 0.0
    for close in part or []:
        high = max(high, close)
        lowest = min(lowest, close / high - 1)
    return None if part is None else lowest


_FORMULAS: Final[Mapping[str, Callable[[Sequence[Close], float | None], float | None]]] = MappingProxyType(
    {
        "last_close": lambda closes, _: closes[-1][1],
        "return_1d": lambda closes, _: closes[-1][1] / closes[-2][1] - 1 if len(closes) > 1 else None,
        "return_1y": _over(1),
        "return_3y": _over(3),
        "annual_return_3y": _annual,
        "volatility_3y": _volatility,
        "sharpe_3y": _sharpe,
        "max_drawdown_3y": _drawdown,
    }
)
