"""How a portfolio has drifted since an earlier statement, and what would bring it to a target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, to_date, to_days
from pathfolio.kg.schema import RELATION_CODE, Relation
from pathfolio.kg.span import Position, Positions, Row
from pathfolio.recommender.portfolio.panel import ClosePanel

LOOK_BACK: Final = timedelta(days=90)
"""The statement to compare with is the newest that is older by so much than the present one, or the oldest."""

BAND: Final = 0.05
"""A weight further than this from its target is beyond the band."""

BAND_PART: Final = 0.25
"""So is one further than this part of its target: of a target of 4%, a weight below 3% or above 5%."""

LEAST_TRADE: Final = 0.01
"""Less than this part of the portfolio is not worth a trade."""


@dataclass(frozen=True)
class BalanceLine:
    """One asset; fractions of the portfolio.

    Attributes:
        then: at the earlier statement; 0 where it was not held, None where its weight is not known.
        now: today: as last stated, carried on by closes.
        target: what it should be.
    """

    asset: Position
    then: float | None
    now: float
    target: float

    @property
    def gap(self) -> float:
        """What to buy, or to sell where it is below 0."""
        return self.target - self.now

    @property
    def is_beyond(self) -> bool:
        """Whether it is beyond the band, and worth a trade."""
        wide = abs(self.gap) > BAND or abs(self.gap) > BAND_PART * self.target
        return wide and abs(self.gap) >= LEAST_TRADE


@dataclass(frozen=True)
class Balance:
    """A portfolio against its target.

    Attributes:
        then_day: of the earlier statement; None where there is none with weights.
        stated_day, now_day: of the newest statement, and of the closes that carry it on.
        lines: the widest gap first.
        by_prices: half the sum of how far the earlier weights moved by closes alone until today; None without them.
        drifted: half the sum of how far weights are from the earlier ones; None without them.
        turnover: half the sum of the gaps: what part of the portfolio is sold and bought to reach the target.
    """

    then_day: date | None
    stated_day: date | None
    now_day: date | None
    lines: tuple[BalanceLine, ...]
    by_prices: float | None
    drifted: float | None
    turnover: float


def balance(
    graph: KnowledgeGraph,
    closes: ClosePanel | None,
    user: Row,
    held: tuple[Positions, FloatArray],
    target: tuple[Positions, FloatArray],
) -> Balance:
    """The portfolio of the investor at row `user` against a target.

    Args:
        closes: of the snapshot; without them weights are as stated.
        held, target: assets and their fractions, each asset once.
    """
    edges = _statements(graph, user)
    days = np.unique(graph.edges.as_of[edges]).astype(np.int64)
    stated = int(days[-1]) if len(days) else None
    now = dict(zip(held[0].tolist(), _carried(closes, held[0], held[1], stated).tolist(), strict=True))
    wanted = dict(zip(target[0].tolist(), target[1].tolist(), strict=True))
    earlier = _earlier(days)
    then: dict[int, float] | None = None
    by_prices = drifted = None
    if earlier is not None:
        own = edges[graph.edges.as_of[edges] == earlier]
        weight = graph.edges.weight[own]
        if not np.isnan(weight).any() and weight.sum() > 0:
            at = graph.asset_span.position(graph.edges.tail[own])
            weight = weight / weight.sum()
            then = dict(zip(at.tolist(), weight.tolist(), strict=True))
            by_prices = float(np.abs(_carried(closes, at, weight, earlier) - weight).sum() / 2)
            everything = set(then) | set(now)
            drifted = sum(abs(now.get(asset, 0.0) - then.get(asset, 0.0)) for asset in everything) / 2
    lines = [
        BalanceLine(
            Position(asset),
            None if then is None else then.get(asset, 0.0),
            now.get(asset, 0.0),
            wanted.get(asset, 0.0),
        )
        for asset in dict.fromkeys([*now, *wanted])
    ]
    lines.sort(key=lambda line: (-abs(line.gap), line.asset))
    return Balance(
        None if then is None or earlier is None else to_date(earlier),
        None if stated is None else to_date(stated),
        None if closes is None else to_date(to_days(closes.days[-1].astype(object))),
        tuple(lines),
        by_prices,
        drifted,
        sum(abs(line.gap) for line in lines) / 2,
    )


def _statements(graph: KnowledgeGraph, user: Row) -> IntArray:
    """All versions of what the investor held, the present one among them."""
    code = RELATION_CODE[Relation.HOLDS]
    low, high = np.searchsorted(graph.edges.relation, [code, code + 1])
    own: IntArray = (low + np.flatnonzero(graph.edges.head[low:high] == user)).astype(np.int64)
    return own


def _earlier(days: IntArray) -> int | None:
    """The day of the statement to compare with; None where there is but one."""
    if len(days) < 2:
        return None
    old = days[days <= days[-1] - LOOK_BACK.days]
    return int(old[-1]) if len(old) else int(days[0])


def _carried(closes: ClosePanel | None, at: Positions, weight: FloatArray, day: int | None) -> FloatArray:
    """(h,) weights of a day as prices alone made them until the last close; what has no closes keeps its value."""
    if closes is None or day is None or not len(at):
        return weight
    row = closes.row_of(np.datetime64(to_date(day), "D"))
    if row < 0:
        return weight
    factor = closes.closes[-1, at] / closes.closes[row, at]
    grown = weight * np.where(np.isnan(factor), 1.0, factor)
    carried: FloatArray = grown * (weight.sum() / grown.sum()) if grown.sum() > 0 else weight
    return carried
