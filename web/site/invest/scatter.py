"""The picture of return against risk: the list, what is held and the market, and what the investor's level allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import hypot
from typing import Final

import numpy as np

from pathfolio.explain.evidence import PathNode
from pathfolio.kg.graph import IntArray
from pathfolio.kg.span import Position
from pathfolio.recommender.portfolio.figures import PortfolioFigures
from pathfolio.recommender.portfolio.points import RiskAndReturn
from pathfolio.web.site.invest.axes import Axis, Tick, across, upwards

MOST_DRAWN: Final = 400
"""Of a larger market, so many are drawn, evenly by volatility."""

_EDGE: Final = 0.98
"""The part of the market that the axes must hold; the list and what is held are always within."""

_ROOM: Final = 1.06
_LEAST_ROOM: Final = 0.0025
_TOUCHING: Final = 18.0
"""Marks of the list that are nearer to each other lie on each other."""


@dataclass(frozen=True)
class AssetDot:
    """An asset, or the whole portfolio, with its place in the picture; `number` is its place on the list, or 0."""

    asset: PathNode | None
    number: int
    volatility: float
    annual_return: float
    x: float
    y: float
    is_allowed: bool | None


@dataclass(frozen=True)
class Scatter:
    """What is drawn.

    Attributes:
        market: SVG path of the market's points.
        market_count, market_drawn: how many assets have both figures, and how many of them are drawn.
        listed, held: with figures; `without` are those of both that have none.
        now, then: the whole portfolio, where its figures are known.
        limit: the volatility below which assets are within the investor's level; None where there is no such limit.
        limit_x: where it lies; the right edge where the limit is beyond the picture.
        median_volatility, median_return: of the market.
    """

    market: str
    market_count: int
    market_drawn: int
    listed: tuple[AssetDot, ...]
    held: tuple[AssetDot, ...]
    without: tuple[PathNode, ...]
    now: AssetDot | None
    then: AssetDot | None
    limit: float | None
    limit_x: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    zero_y: float | None
    median_volatility: float
    median_return: float


@dataclass(frozen=True)
class Placed:
    """An asset to be drawn."""

    at: Position
    asset: PathNode


@dataclass(frozen=True)
class Scattered:
    """What there is to draw.

    Attributes:
        wholes: the portfolio now, and with the list.
        limit: as in `Scatter`.
    """

    points: RiskAndReturn
    listed: Sequence[Placed]
    held: Sequence[Placed]
    wholes: tuple[PortfolioFigures | None, PortfolioFigures | None]
    limit: float | None

    @cached_property
    def whole(self) -> Scatter | None:
        """All of it; None where no asset of the list or of the portfolio has both figures."""
        there = set(self._known.tolist())
        own = [each.at for each in (*self.listed, *self.held) if each.at in there]
        return self._within(*_axes(self.points, self._known, own, self.wholes)) if own else None

    @property
    def near(self) -> Scatter | None:
        """The part in which the list is, larger; None where its marks do not lie on each other anyway."""
        dots = () if self.whole is None else self.whole.listed
        touch = any(hypot(a.x - b.x, a.y - b.y) < _TOUCHING for a, b in combinations(dots, 2))
        return self._within(*_axes_around(dots)) if touch else None

    @cached_property
    def _known(self) -> IntArray:
        unknown = np.isnan(self.points.volatility) | np.isnan(self.points.annual_return)
        return np.flatnonzero(~unknown).astype(np.int64)

    def _within(self, x: Axis, y: Axis) -> Scatter:
        points, known, limit = self.points, self._known, self.limit

        def is_within(volatility: float, annual: float) -> bool:
            return bool(x.low <= volatility <= x.high and y.low <= annual <= y.high)

        def dot(asset: PathNode | None, number: int, volatility: float, annual: float) -> tuple[AssetDot, ...]:
            if not is_within(volatility, annual):
                return ()
            allowed = None if limit is None else volatility < limit
            return (AssetDot(asset, number, volatility, annual, x.at(volatility), y.at(annual), allowed),)

        def dots(placed: Sequence[Placed], *, numbered: bool) -> tuple[AssetDot, ...]:
            found = (
                dot(each.asset, n * numbered, float(points.volatility[each.at]), float(points.annual_return[each.at]))
                for n, each in enumerate(placed, 1)
            )
            return tuple(each for part in found for each in part)

        drawn = _thinned(known[np.argsort(points.volatility[known], kind="stable")])
        inside = [at for at in drawn.tolist() if is_within(points.volatility[at], points.annual_return[at])]
        path = "".join(f"M{x.at(points.volatility[at])} {y.at(points.annual_return[at])}h0" for at in inside)
        wholes = (() if each is None else dot(None, 0, each.volatility, each.annual_return) for each in self.wholes)
        now, then = (each[0] if each else None for each in wholes)
        there = set(known.tolist())
        return Scatter(
            market=path,
            market_count=len(known),
            market_drawn=len(inside),
            listed=dots(self.listed, numbered=True),
            held=dots(self.held, numbered=False),
            without=tuple(each.asset for each in (*self.listed, *self.held) if each.at not in there),
            now=now,
            then=then,
            limit=limit,
            limit_x=min(max(x.at(limit), x.start), x.end) if limit is not None else x.end,
            x_ticks=x.ticks(),
            y_ticks=y.ticks(),
            zero_y=y.at(0) if y.low < 0 < y.high else None,
            median_volatility=float(np.median(points.volatility[known])),
            median_return=float(np.median(points.annual_return[known])),
        )


def _axes_around(dots: Sequence[AssetDot]) -> tuple[Axis, Axis]:
    """What some dots need, and room at every side."""
    ranges = []
    for values in ([dot.volatility for dot in dots], [dot.annual_return for dot in dots]):
        room = max((max(values) - min(values)) * 2 * (_ROOM - 1), _LEAST_ROOM)
        ranges.append((min(values) - room, max(values) + room))
    (left, right), (low, high) = ranges
    return across(max(left, 0.0), right), upwards(low, high)


def _axes(
    points: RiskAndReturn, known: IntArray, own: Sequence[int], wholes: Sequence[PortfolioFigures | None]
) -> tuple[Axis, Axis]:
    """From no risk to nearly the market's highest; returns of nearly all of the market, and 0."""
    volatility = [*points.volatility[own], *(each.volatility for each in wholes if each)]
    annual = [*points.annual_return[own], *(each.annual_return for each in wholes if each), 0.0]
    most = max(*volatility, float(np.quantile(points.volatility[known], _EDGE)))
    low = min(*annual, float(np.quantile(points.annual_return[known], 1 - _EDGE)))
    high = max(*annual, float(np.quantile(points.annual_return[known], _EDGE)))
    room = (high - low) * (_ROOM - 1)
    return across(0.0, most * _ROOM), upwards(low - room, high + room)


def _thinned(at: IntArray) -> IntArray:
    if len(at) <= MOST_DRAWN:
        return at
    return at[np.unique(np.linspace(0, len(at) - 1, MOST_DRAWN).astype(np.int64))]
