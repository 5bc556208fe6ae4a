"""The picture of an asset's last months beside its peers and its market; every line begins at 100."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal

import numpy as np
import pandas as pd
from msgspec import Meta

from pathfolio.explain.evidence import PathNode
from pathfolio.kg.graph import FloatArray
from pathfolio.kg.span import Row
from pathfolio.recommender.portfolio.trend import MeanLine, Trend, trend_of
from pathfolio.web.site.invest.axes import Tick, across, upwards
from pathfolio.web.site.served import ServedBuild

MONTHS: Final = (1, 3, 6, 12, 36)
USUAL_MONTHS: Final = 6
_MOST_POINTS: Final = 190

Months = Annotated[Literal[1, 3, 6, 12, 36], Meta(description="how many months back the trend begins")]


@dataclass(frozen=True)
class TrendLine:
    """One line: its SVG path, and how far it came, as a fraction.

    Attributes:
        name: own, peers or market.
        group: what the others share; None for the asset itself.
        count: of how many others it is the mean.
    """

    name: str
    path: str
    change: float
    group: PathNode | None
    count: int


@dataclass(frozen=True)
class TrendRow:
    """A day's levels, in the order of the lines."""

    day: date
    levels: tuple[float, ...]


@dataclass(frozen=True)
class DrawnTrend:
    """What is drawn.

    Attributes:
        months: how far back it goes.
        rows: the levels of some days, the first and the last among them.
        x_days: days to write below, with their places.
        points: what a pointer reads off: days as text, their places, and the levels of each line.
    """

    months: int
    lines: tuple[TrendLine, ...]
    rows: tuple[TrendRow, ...]
    first_day: date
    last_day: date
    y_ticks: tuple[Tick, ...]
    x_days: tuple[tuple[float, date], ...]
    points: dict[str, Any]


def drawn_trend(site: ServedBuild, row: Row, months: int) -> DrawnTrend | None:
    """The picture of the asset at `row`; None where its closes do not reach back so far."""
    closes = site.portfolios.closes
    found = None if closes is None else trend_of(site.graph, closes, site.graph.asset_span.position(row), months)
    return None if found is None else _drawn(site, found, months)


def _drawn(site: ServedBuild, found: Trend, months: int) -> DrawnTrend:
    named: list[tuple[str, FloatArray, MeanLine | None]] = [("own", found.own, None)]
    named += [(name, line.level, line) for name, line in (("peers", found.peers), ("market", found.market)) if line]
    keep = np.unique(np.linspace(0, len(found.days) - 1, min(_MOST_POINTS, len(found.days))).astype(np.int64))
    days = found.days[keep]
    numbers = days.astype(np.float64)
    x = across(float(numbers[0]), float(numbers[-1]))
    values = np.concatenate([level[keep] for _, level, _ in named])
    room = max(float(np.ptp(values)) * 0.06, 0.5)
    y = upwards(float(values.min()) - room, float(values.max()) + room)
    xs = [x.at(number) for number in numbers.tolist()]
    lines = tuple(
        TrendLine(
            name,
            "M" + "L".join(f"{a} {y.at(b)}" for a, b in zip(xs, level[keep].tolist(), strict=True)),
            float(level[-1] / level[0] - 1),
            None if line is None else site.names.node(line.group),
            0 if line is None else line.count,
        )
        for name, level, line in named
    )
    told = _some(len(keep), 7)
    return DrawnTrend(
        months=months,
        lines=lines,
        rows=tuple(TrendRow(_day(days[at]), tuple(float(level[keep[at]]) for _, level, _ in named)) for at in told),
        first_day=_day(days[0]),
        last_day=_day(days[-1]),
        y_ticks=y.ticks(),
        x_days=tuple((xs[at], _day(days[at])) for at in _some(len(keep), 4)),
        points={
            "days": np.datetime_as_string(days).tolist(),
            "x": xs,
            "levels": [np.round(level[keep], 1).tolist() for _, level, _ in named],
        },
    )


def _some(n: int, wanted: int) -> list[int]:
    """So many of n at even distances, the first and the last among them.

    >>> _some(9, 3)
    [0, 4, 8]
    """
    return sorted({round(part) for part in np.linspace(0, n - 1, min(n, wanted)).tolist()})


def _day(day: np.datetime64) -> date:
    return pd.Timestamp(day).date()
