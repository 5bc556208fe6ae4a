"""Alpha101: whole panels at once against a slow plain reading of each formula, cell by cell."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pathfolio.recommender.signals.alpha_table import ALPHAS
from pathfolio.recommender.signals.alphas import OPERATORS, alpha, fields_of
from pathfolio.recommender.signals.panel import FIELDS
from tests.recommender.signals.worlds import panel

LAST = 479
NAN = math.nan


class Plain:
    """A formula of one day and asset at a time, by the paper's words; a window needs 60% of its days."""

    def __init__(self, fields: dict[str, np.ndarray]) -> None:
        self.fields, self.seen = fields, {}
        self.assets = range(fields["close"].shape[1])

    def at(self, node: ast.expr, day: int, asset: int) -> float:
        key = (ast.unparse(node), day, asset)
        if key not in self.seen:
            try:
                found = float(self.made(node, day, asset)) if day >= 0 else NAN
            except (ZeroDivisionError, ValueError, OverflowError, TypeError):
                found = NAN
            self.seen[key] = found if math.isfinite(found) else NAN
        return self.seen[key]

    def made(self, node: ast.expr, day: int, asset: int) -> float:
        match node:
            case ast.Constant() | ast.Name():
                return self.leaf(node, day, asset)
            case ast.UnaryOp(operand=operand):
                return -self.at(operand, day, asset)
            case ast.BinOp(left=left, op=op, right=right):
                x, y = self.at(left, day, asset), self.at(right, day, asset)
                return {"Add": x + y, "Sub": x - y, "Mult": x * y}.get(
                    type(op).__name__, x**y if isinstance(op, ast.Pow) else x / y if y else NAN
                )
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                x, y = self.at(left, day, asset), self.at(right, day, asset)
                return NAN if math.isnan(x + y) else x < y or (isinstance(op, ast.LtE) and x == y)
            case ast.Call(func=ast.Name(id=name), args=args):
                return self.call(name, args, day, asset)
        raise AssertionError(ast.unparse(node))

    def leaf(self, node: ast.Constant | ast.Name, day: int, asset: int) -> float:
        if isinstance(node, ast.Constant):
            return node.value
        if node.id in self.fields:
            return self.fields[node.id][day, asset]
        return mean(known(self.window(ast.Name("volume"), day, asset, int(node.id.removeprefix("adv")))))

    def window(self, node: ast.expr, day: int, asset: int, days: int) -> list[float]:
        """The oldest first."""
        found = [self.at(node, each, asset) for each in range(day - days + 1, day + 1)]
        return found if len(known(found)) >= math.ceil(0.6 * days) else [NAN] * days

    def call(self, name: str, args: list[ast.expr], day: int, asset: int) -> float:
        if name in ("rank", "scale"):
            own, others = self.at(args[0], day, asset), known([self.at(args[0], day, each) for each in self.assets])
            return placed(own, others) if name == "rank" else own / sum(abs(each) for each in others)
        if name in EACH:
            return EACH[name](*[self.at(each, day, asset) for each in args])
        days = args[-1].value
        if name in ("delay", "delta"):
            past = self.at(args[0], day - days, asset)
            return past if name == "delay" else self.at(args[0], day, asset) - past
        if name in ("corr", "cov"):
            x, y = ([self.at(each, d, asset) for d in range(day - days + 1, day + 1)] for each in args[:2])
            pairs = [(a, b) for a, b in zip(x, y, strict=True) if not math.isnan(a + b)]
            return of_pairs(name, pairs) if len(pairs) >= math.ceil(0.6 * days) else NAN
        return OVER_DAYS[name](self.window(args[0], day, asset, days))


def known(values: list[float]) -> list[float]:
    return [each for each in values if not math.isnan(each)]


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else NAN


def placed(own: float, others: list[float]) -> float:
    below, equal = sum(each < own for each in others), sum(each == own for each in others)
    return NAN if math.isnan(own) else (below + (equal + 1) / 2) / len(others)


def of_pairs(name: str, pairs: list[tuple[float, float]]) -> float:
    x, y = ([float(each) for each in part] for part in zip(*pairs, strict=True))
    if name == "cov":
        return round(mean([a * b for a, b in pairs]) - mean(x) * mean(y), 8)
    if np.std(x) < 1e-6 * abs(mean(x)) or np.std(y) < 1e-6 * abs(mean(y)):
        return NAN
    return round(float(np.corrcoef(x, y)[0, 1]), 8)


def where(condition: float, then: float, other: float) -> float:
    return NAN if math.isnan(condition) else then if condition else other


EACH: dict[str, Callable[..., float]] = {
    "abs": abs,
    "log": math.log,
    "sign": lambda x: NAN if math.isnan(x) else (x > 0) - (x < 0),
    "where": where,
    "mix": lambda x, y, w: x * w + y * (1 - w),
    "maximum": lambda x, y: NAN if math.isnan(x + y) else max(x, y),
    "minimum": lambda x, y: NAN if math.isnan(x + y) else min(x, y),
}
OVER_DAYS: dict[str, Callable[[list[float]], float]] = {
    "sum": lambda x: sum(known(x)) if known(x) else NAN,
    "mean": lambda x: mean(known(x)),
    "std": lambda x: float(np.std(known(x), ddof=1)) if known(x) else NAN,
    "product": lambda x: math.prod(known(x)) if known(x) else NAN,
    "ts_min": lambda x: min(known(x)),
    "ts_max": lambda x: max(known(x)),
    "argmax": lambda x: x.index(max(known(x))) + 1,
    "argmin": lambda x: x.index(min(known(x))) + 1,
    "ts_rank": lambda x: placed(x[-1], known(x)),
    "decay": lambda x: (
        sum((at + 1) * each for at, each in enumerate(x) if not math.isnan(each))
        / sum(at + 1 for at, each in enumerate(x) if not math.isnan(each))
    ),
}


@pytest.fixture(scope="module")
def fields() -> dict[str, np.ndarray]:
    """Of seven assets, one of which begins late; some cells are missing."""
    market = panel(seed=5)
    values = market.values[: LAST + 1, 10:17].copy()
    values[np.random.default_rng(0).random(values.shape[:2]) < 0.01] = np.nan
    values[:470, 6] = np.nan
    return fields_of(replace(market, days=market.days[: LAST + 1], assets=market.assets[10:17], values=values))


def test_whole_panels_are_the_slow_plain_reading(fields: dict[str, np.ndarray]) -> None:
    plain = Plain(fields)
    for number, text in ALPHAS.items():
        tree = ast.parse(text, mode="eval").body
        expected = [plain.at(tree, LAST, asset) for asset in plain.assets]
        found = alpha(text, fields)[LAST]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9, err_msg=f"alpha {number}: {text}")


def test_the_table_has_what_needs_no_industry() -> None:
    left = {48, 56, 58, 59, 63, 67, 69, 70, 76, 79, 80, 82, 87, 89, 90, 91, 93, 97, 100}
    assert set(ALPHAS) == set(range(1, 102)) - left
    called = {
        node.func.id
        for text in ALPHAS.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert called == set(OPERATORS)


def test_formulas_by_hand(fields: dict[str, np.ndarray]) -> None:
    """Of the paper's own words, without the table's notation."""
    f = {name: values[LAST, :6] for name, values in fields.items()}
    before = {name: values[LAST - 1, :6] for name, values in fields.items()}
    whole = np.isfinite(f["close"]) & np.isfinite(before["close"])
    expected = (f["close"] - f["open"]) / ((f["high"] - f["low"]) + 0.001)
    np.testing.assert_allclose(alpha(ALPHAS[101], fields)[LAST, :6], expected)
    moved = np.sign(f["volume"] - before["volume"]) * (-1 * (f["close"] - before["close"]))
    np.testing.assert_allclose(alpha(ALPHAS[12], fields)[LAST, :6][whole], moved[whole])
    np.testing.assert_allclose(alpha(ALPHAS[41], fields)[LAST, :6], np.sqrt(f["high"] * f["low"]) - f["vwap"])


def test_prices_are_chained_and_volume_is_in_the_same_measure() -> None:
    """A share that is split in two is worth half, and twice as many are traded."""
    market = panel()
    values = market.values.copy()
    prices = [FIELDS.index(name) for name in ("open", "high", "low", "close")]
    values[300:, 5, prices] *= 0.5
    values[300:, 5, FIELDS.index("volume")] *= 2
    values[:50, 6, FIELDS.index("close")] = 0  # nothing was traded yet
    split = fields_of(replace(market, values=values))
    whole = fields_of(market)
    for name, expected in whole.items():
        np.testing.assert_allclose(split[name][:, :6], expected[:, :6], rtol=1e-5)
    assert np.isnan(split["close"][:50, 6]).all()
    assert np.isfinite(split["close"][50:, 6]).all()
