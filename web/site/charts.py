"""Geometry of the small charts; templates draw them as SVG without any style of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pathfolio.web.site.families import Share
from pathfolio.web.site.prices import PriceHistory

SPARK_WIDTH: Final = 600
SPARK_HEIGHT: Final = 120
_SPARK_POINTS: Final = 260


@dataclass(frozen=True)
class Sparkline:
    """A price line in a box.

    Attributes:
        line: SVG path of the line.
        area: SVG path of what lies below it.
        low, high: the extremes of the closes.
    """

    line: str
    area: str
    low: float
    high: float


def sparkline(
    price: PriceHistory, width: int = SPARK_WIDTH, height: int = SPARK_HEIGHT, points: int = _SPARK_POINTS
) -> Sparkline:
    """The line of a price history in a box, time on the x axis; at most `points` of it."""
    keep = np.unique(np.linspace(0, len(price.closes) - 1, min(points, len(price.closes))).astype(np.int64))
    days = price.dates[keep].astype(np.int64).astype(np.float64)
    closes = price.closes[keep]
    low, high = float(closes.min()), float(closes.max())
    x = (days - days[0]) / max(days[-1] - days[0], 1.0) * width
    y = height - 4 - (closes - low) / ((high - low) or 1.0) * (height - 8)
    line = "M" + " L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
    return Sparkline(line, f"{line} V{height} H0 Z", low, high)


@dataclass(frozen=True)
class Segment:
    """A part of a stacked bar, in percent of its width."""

    family: str
    start: float
    size: float


def stacked(shares: Sequence[Share], longest: float) -> list[Segment]:
    """The parts that speak for the asset, one after the other; `longest` is the sum that fills the bar.

    >>> stacked([Share("shared", 1.0), Share("profile", -1.0), Share("base", 3.0)], 8.0)
    [Segment(family='shared', start=0.0, size=12.5), Segment(family='base', start=12.5, size=37.5)]
    """
    out = []
    start = 0.0
    for share in shares:
        if share.value > 0 and longest > 0:
            size = 100 * share.value / longest
            out.append(Segment(share.family, round(start, 2), round(size, 2)))
            start += size
    return out
