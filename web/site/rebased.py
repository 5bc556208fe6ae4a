"""`RebasedChart`: the closes of several assets from one day on, each 100 on that day, as lines to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from pathfolio.explain.evidence import PathNode
from pathfolio.web.site.prices import PriceHistory

WIDTH: Final = 640
HEIGHT: Final = 260
_TOP: Final = 10
_POINTS: Final = 160
_TICKS: Final = 4


@dataclass(frozen=True)
class RebasedLine:
    """One asset's line: `last` is its close on the last day, where the first is 100."""

    asset: PathNode
    path: str
    last: float
    end_y: float


@dataclass(frozen=True)
class ChartTick:
    """A level of the axis, and how far from the top it stands."""

    level: float
    y: float


@dataclass(frozen=True)
class RebasedChart:
    """Lines from the first day on which all have a close to the last."""

    first_day: date
    last_day: date
    lines: tuple[RebasedLine, ...]
    ticks: tuple[ChartTick, ...]


def rebased(prices: Sequence[tuple[PathNode, PriceHistory]]) -> RebasedChart | None:
    """The chart of assets with closes; None where they have too few days in common."""
    if not prices:
        return None
    start = max(price.dates[0] for _, price in prices)
    end = min(price.dates[-1] for _, price in prices)
    cut = [(node, *_between(price, start, end)) for node, price in prices]
    if any(len(days) < 2 for _, days, _ in cut):
        return None
    values = [(node, days, closes / closes[0] * 100) for node, days, closes in cut]
    low, high = min(v.min() for *_, v in values), max(v.max() for *_, v in values)
    span = float(high - low) or 1.0

    def y_of(level: float) -> float:
        return round(_TOP + (float(high) - level) / span * (HEIGHT - 2 * _TOP), 1)

    lines = []
    for node, days, level in values:
        keep = np.unique(np.linspace(0, len(days) - 1, min(_POINTS, len(days))).astype(np.int64))
        x = (days[keep] - start) / max(end - start, np.timedelta64(1, "D")) * WIDTH
        points = (f"{a:.1f} {y_of(float(b))}" for a, b in zip(x, level[keep], strict=True))
        lines.append(RebasedLine(node, "M" + " L".join(points), float(level[-1]), y_of(float(level[-1]))))
    ticks = tuple(ChartTick(level, y_of(level)) for level in _round_levels(float(low), float(high)))
    return RebasedChart(pd.Timestamp(start).date(), pd.Timestamp(end).date(), tuple(lines), ticks)


def _between(price: PriceHistory, start: np.datetime64, end: np.datetime64) -> tuple[np.ndarray, np.ndarray]:
    keep = (price.dates >= start) & (price.dates <= end)
    return price.dates[keep], price.closes[keep]


def _round_levels(low: float, high: float) -> list[float]:
    """A few round levels between the lowest and the highest.

    >>> _round_levels(92.0, 131.0)
    [100.0, 110.0, 120.0, 130.0]
    """
    rough = (high - low) / _TICKS or 1.0
    size = 10 ** np.floor(np.log10(rough))
    step = next(float(m * size) for m in (1, 2, 5, 10) if m * size >= rough)
    return [float(x) for x in np.arange(np.ceil(low / step) * step, high + 1e-9, step)]
