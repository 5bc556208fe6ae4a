"""Alpha101: its formulas are read as trees, whose operators work on whole panels (T, N), from each day's past alone.

`rank` and `scale` are of a day, all others of an asset's own days. A window needs 60% of its days, as elsewhere in the
lab. Prices are chained from returns, so that dividends and splits are no fall, and begin at an asset's first close;
volume is of shares in the same measure. The paper's `adv` is of money, but its formulas compare it with volume, so here
it is of volume.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.alpha_table import ALPHAS
from pathfolio.recommender.signals.features import Features, features_of
from pathfolio.recommender.signals.panel import Panel

_FLAT: Final = 1e-12
"""A window whose variance is below this part of its mean square does not vary."""

_DIGITS: Final = 8
"""Of a covariance or correlation: what differs further on is rounding, and would decide ranks."""


@lru_cache(maxsize=1)
def alphas_of(panel: Panel) -> Features:
    """The alphas of a panel's universe, as ranks among it; 0 where one cannot be told."""
    day, asset = np.nonzero(panel.universe)
    fields = fields_of(panel)
    columns = []
    for text in ALPHAS.values():
        ranked = rolling.ranks(alpha(text, fields), panel.universe)[day, asset]
        columns.append(np.nan_to_num(ranked).astype(np.float32))
    return Features(day, asset, np.column_stack(columns), tuple(f"alpha_{number}" for number in ALPHAS))


@lru_cache(maxsize=1)
def figures_of(panel: Panel, inputs: str) -> Features:
    """`features`, `alphas`, or `both` beside each other.

    Raises:
        UsageError: none of these.
    """
    if inputs == "features":
        return features_of(panel)
    if inputs == "alphas":
        return alphas_of(panel)
    if inputs != "both":
        raise UsageError(f"inputs={inputs}: name features, alphas or both")
    own, more = features_of(panel), alphas_of(panel)
    return Features(own.day, own.asset, np.hstack([own.values, more.values]), own.names + more.names)


def fields_of(panel: Panel) -> dict[str, FloatArray]:
    """What formulas name: open, high, low, close and vwap, chained; volume in the same measure; ret.

    The mean of high, low and close stands for `vwap` where the market has none.
    """
    returns, close = panel["return"], panel["close"]
    close[close <= 0] = np.nan  # a day without a trade, as some sources write it
    growth = np.cumprod(1 + np.nan_to_num(returns), axis=0)
    first = np.argmax(np.isfinite(close), axis=0)
    column = np.arange(close.shape[1])
    chained = growth * (close[first, column] / growth[first, column])
    ratio = chained / close
    ratio[~(ratio > 0)] = np.nan
    out = {name: panel[name] * ratio for name in ("open", "high", "low", "close", "vwap")}
    if not panel.has("vwap"):
        out["vwap"] = (out["high"] + out["low"] + out["close"]) / 3
    return out | {"volume": panel["volume"] / ratio, "ret": returns}


def alpha(text: str, fields: dict[str, FloatArray]) -> FloatArray:
    """(T, N): the value of a formula; NaN where it cannot be told."""
    known: dict[str, Any] = dict(fields)

    def value(node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        said = ast.unparse(node)
        if said not in known:
            with np.errstate(all="ignore"):
                found = np.asarray(made(node), np.float64)
            known[said] = np.where(np.isfinite(found), found, np.nan)
        return known[said]

    def made(node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name):  # fields are known already, so this is adv and its days
                return rolling.mean(fields["volume"], int(name.removeprefix("adv")))
            case ast.UnaryOp(operand=operand):
                return -value(operand)
            case ast.BinOp(left=left, op=op, right=right):
                return _BINARY[type(op)](value(left), value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return _compared(value(left), value(right), or_equal=isinstance(op, ast.LtE))
            case ast.Call(func=ast.Name(id=name), args=args):
                return OPERATORS[name](*[value(each) for each in args])
        raise ValueError(ast.unparse(node))

    return np.broadcast_to(value(ast.parse(text, mode="eval").body), fields["close"].shape)


def _compared(left: FloatArray, right: FloatArray, *, or_equal: bool) -> FloatArray:
    found = (left <= right if or_equal else left < right).astype(np.float64)
    return np.where(np.isfinite(left) & np.isfinite(right), found, np.nan)


def _where(condition: FloatArray, then: FloatArray, other: FloatArray) -> FloatArray:
    return np.where(np.isfinite(condition), np.where(condition > 0, then, other), np.nan)


def _rank(values: FloatArray) -> FloatArray:
    frame: Any = pd.DataFrame(values)
    return np.asarray(frame.rank(axis=1, pct=True).to_numpy())


def _scale(values: FloatArray) -> FloatArray:
    return np.asarray(values / np.nansum(np.abs(values), axis=1, keepdims=True))


def _delta(values: FloatArray, days: int) -> FloatArray:
    return values - rolling.before(values, days)


def _covariance(x: FloatArray, y: FloatArray, days: int) -> FloatArray:
    both = np.where(np.isfinite(x) & np.isfinite(y), 1.0, np.nan)
    return np.asarray(rolling.mean(x * y, days) - rolling.mean(x * both, days) * rolling.mean(y * both, days))


def _correlation(x: FloatArray, y: FloatArray, days: int) -> FloatArray:
    both = np.where(np.isfinite(x) & np.isfinite(y), 1.0, np.nan)
    spread: Any = 1.0
    for each in (x * both, y * both):
        square = rolling.mean(each * each, days)
        variance = square - rolling.mean(each, days) ** 2
        spread = spread * np.sqrt(np.where(variance > _FLAT * square, variance, np.nan))
    return np.asarray(np.round(np.clip(_covariance(x, y, days) / spread, -1, 1), _DIGITS))


def _decay(values: FloatArray, days: int) -> FloatArray:
    """A mean whose weights fall evenly to 1 for the oldest day."""
    total, weight, count = (np.zeros(values.shape) for _ in range(3))
    for back in range(days):
        past = rolling.before(values, back)
        known = np.isfinite(past)
        total += np.where(known, (days - back) * past, 0.0)
        weight += np.where(known, days - back, 0.0)
        count += known
    return np.where(count >= rolling.fewest(days), total / weight, np.nan)


def _extreme_at(values: FloatArray, days: int) -> FloatArray:
    """The place, from 1 for the oldest, of the highest in the window; of equals the older."""
    best, place, count = np.full(values.shape, -np.inf), np.zeros(values.shape), np.zeros(values.shape)
    for back in range(days - 1, -1, -1):
        past = rolling.before(values, back)
        higher = past > best
        best, place = np.where(higher, past, best), np.where(higher, days - back, place)
        count += np.isfinite(past)
    return np.where(count >= rolling.fewest(days), place, np.nan)


def _product(values: FloatArray, days: int) -> FloatArray:
    """Of what is above 0, as ranks are."""
    return np.exp(rolling.total(np.log(values), days))


_BINARY: Final = MappingProxyType[type[ast.operator], Callable[..., Any]](
    {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.Pow: np.power}
)

OPERATORS: Final = MappingProxyType[str, Callable[..., Any]](
    {
        "abs": np.abs,
        "argmax": _extreme_at,
        "argmin": lambda values, days: _extreme_at(-values, days),
        "corr": _correlation,
        "cov": lambda x, y, days: np.round(_covariance(x, y, days), _DIGITS),
        "decay": _decay,
        "delay": rolling.before,
        "delta": _delta,
        "log": np.log,
        "maximum": np.maximum,
        "mean": rolling.mean,
        "minimum": np.minimum,
        "mix": lambda x, y, weight: x * weight + y * (1 - weight),
        "product": _product,
        "rank": _rank,
        "scale": _scale,
        "sign": np.sign,
        "std": rolling.deviation,
        "sum": rolling.total,
        "ts_max": rolling.highest,
        "ts_min": rolling.lowest,
        "ts_rank": rolling.place,
        "where": _where,
    }
)
"""What formulas call; a number of days comes last."""
