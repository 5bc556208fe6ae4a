"""Figures of portfolios held against closes and weights: in plain Python, without what made them."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from statistics import fmean, stdev
from types import MappingProxyType
from typing import Any, Final

_TOLERANCE: Final = 1e-7
_SOURCE: Final = re.compile(r"(\d+) days' returns from (\S+) to (\S+), by weight; [^;]+(?:; ([\d.e-]+)% a year .*)?")
_YEARS: Final = 3

OwnCloses = Mapping[str, Sequence[tuple[date, float]]]
"""Each asset's closes, the oldest first."""


def check_portfolio(
    weights: Mapping[str, float], facts: Sequence[Mapping[str, Any]], closes: OwnCloses, as_of: date
) -> list[str]:
    """What is wrong with figures that are said to follow from closes, one line each.

    Args:
        weights: each asset that is counted, and its fraction of the portfolio.
        facts: metric, value, as_of and source.
        as_of: the snapshot's day, after which nothing may be looked at.
    """
    problems = []
    for fact in facts:
        said = _SOURCE.fullmatch(str(fact["source"]))
        last = date.fromisoformat(str(fact["as_of"]))
        if said is None or said.group(3) != last.isoformat() or last > as_of:
            problems.append(f"{fact['metric']} does not say of which closes it is")
            continue
        returns = _returns(weights, closes, date.fromisoformat(said.group(2)), last, int(said.group(1)))
        true = None
        if returns is not None:
            true = _FORMULAS[str(fact["metric"])](returns, float(said.group(4)) / 100 if said.group(4) else 0.0)
        if true is None or not math.isclose(true, float(fact["value"]), rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            problems.append(f"{fact['metric']} is {fact['value']}, the closes say {true}")
    return problems


def _returns(
    weights: Mapping[str, float], closes: OwnCloses, first: date, last: date, count: int
) -> list[float] | None:
    """The returns of all days after `first` up to `last`; on days without a close of these assets nothing moved."""
    held = {asset: part for asset, part in weights.items() if part > 0}
    whole = sum(held.values())
    own = {asset: [(day, close) for day, close in closes.get(asset, ()) if day <= last] for asset in held}
    if not held or any(not rows or rows[0][0] > first for rows in own.values()):
        return None
    days = sorted({day for rows in own.values() for day, _ in rows if day > first})
    steps = [0.0] * len(days)
    for asset, rows in own.items():
        known = [day for day, _ in rows]
        line = [rows[bisect_right(known, day) - 1][1] for day in (first, *days)]
        for at, (before, after) in enumerate(pairwise(line)):
            steps[at] += held[asset] / whole * (after / before - 1)
    return None if len(days) > count else [*steps, *[0.0] * (count - len(days))]


def _annual(returns: Sequence[float], _: float) -> float:
    return float(math.prod(1 + each for each in returns) ** (1 / _YEARS)) - 1


def _volatility(returns: Sequence[float], _: float) -> float:
    return stdev(returns) * math.sqrt(len(returns) / _YEARS)


def _sharpe(returns: Sequence[float], rate: float) -> float:
    each = float((1 + rate) ** (_YEARS / len(returns))) - 1
    return (fmean(returns) - each) / stdev(returns) * math.sqrt(len(returns) / _YEARS)


def _drawdown(returns: Sequence[float], _: float) -> float:
    value = high = 1.0
    lowest = 0.0
    for each in returns:
        value *= 1 + each
        high = max(high, value)
        lowest = min(lowest, value / high - 1)
    return lowest


def _at_risk(returns: Sequence[float], _: float) -> float:
    ordered = sorted(returns)
    place = 0.05 * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


_FORMULAS: Final[Mapping[str, Callable[[Sequence[float], float], float]]] = MappingProxyType(
    {
        "portfolio_annual_return": _annual,
        "portfolio_volatility": _volatility,
        "portfolio_sharpe": _sharpe,
        "portfolio_max_drawdown": _drawdown,
        "portfolio_value_at_risk": _at_risk,
    }
)
