"""How a portfolio has drifted since an earlier day, and what would bring it to a target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from pathfolio.kg.graph import FloatArray, KnowledgeGraph, to_date, to_days
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Position, Positions, Row, Rows
from pathfolio.recommender.portfolio.panel import ClosePanel

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
        then: on the earlier day; 0 where it was not held, None where nothing is known of that day.
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
        then_day: the earlier day; None where it is not known what the portfolio was then.
        stated_day: of the newest statement; None where nothing is held.
        lines: the widest gap first.
        by_prices: half the sum of how far the earlier weights moved by closes alone until today; None without them.
        drifted: half the sum of how far weights are from the earlier ones; None without them.
        turnover: half the sum of the gaps: what part of the portfolio is sold and bought to reach the target.
    """

    then_day: date | None
    stated_day: date | None
    lines: tuple[BalanceLine, ...]
    by_prices: float | None
    drifted: float | None
    turnover: float


@dataclass(frozen=True)
class Holdings:
    """Assets, each once, and their fractions of the portfolio."""

    at: Positions
    share: FloatArray

    def by_asset(self) -> dict[int, float]:
        """Position to fraction."""
        return dict(zip(self.at.tolist(), self.share.tolist(), strict=True))


def balance(
    graph: KnowledgeGraph,
    earlier: KnowledgeGraph | None,
    closes: ClosePanel | None,
    user: Row,
    held: Holdings,
    target: Holdings,
) -> Balance:
    """The portfolio of the investor at row `user` against a target.

    Args:
        earlier: the snapshot of the day to compare with.
        closes: of the snapshot; without them weights are as stated.
    """
    days = graph.edges.as_of[graph.outgoing(Relation.HOLDS).edges_of(user)]
    stated = int(days.max()) if len(days) else None
    now, wanted = Holdings(held.at, _carried(closes, held, stated)).by_asset(), target.by_asset()
    before = None if earlier is None or closes is None else held_then(graph, earlier, closes, user)
    then = None if before is None else before.by_asset()
    by_prices = drifted = None
    if before is not None and then is not None and earlier is not None:
        moved = _carried(closes, before, to_days(earlier.as_of))
        by_prices = float(np.abs(moved - before.share).sum() / 2)
        drifted = sum(abs(now.get(asset, 0.0) - then.get(asset, 0.0)) for asset in {*then, *now}) / 2
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
        None if then is None or earlier is None else earlier.as_of,
        None if stated is None else to_date(stated),
        tuple(lines),
        by_prices,
        drifted,
        sum(abs(line.gap) for line in lines) / 2,
    )


def held_then(graph: KnowledgeGraph, earlier: KnowledgeGraph, closes: ClosePanel, user: Row) -> Holdings | None:
    """What the investor held on an earlier day, by units and the closes of that day.

    Several currencies are added up at the exchange rates of the newest statement, which says what its positions are
    worth and what part of the whole they are: the data have no others. None where units, closes or rates are missing.
    """
    row = earlier.find(NodeKind.USER, str(graph.nodes.id[user]))
    begin = closes.row_of(np.datetime64(earlier.as_of, "D"))
    if row is None or begin < 0:
        return None
    holds = earlier.outgoing(Relation.HOLDS)
    units = earlier.edges.value[holds.edges_of(row)]
    ids = [str(earlier.nodes.id[asset]) for asset in holds.of(row)]
    rows = Rows(np.array([graph.asset_row(each) for each in ids], np.int64))
    at = graph.asset_span.position(rows)
    rates = _rates(graph, user)
    codes = list(map(str, graph.nodes.currency[rows]))
    if len(set(codes)) == 1:
        rates = {codes[0]: 1.0}
    worth = units * closes.closes[begin, at] * np.array([rates.get(code, np.nan) for code in codes])
    if not len(worth) or np.isnan(worth).any() or worth.sum() <= 0:
        return None
    return Holdings(at, worth / worth.sum())


def _rates(graph: KnowledgeGraph, user: Row) -> dict[str, float]:
    """Currency to what one of it is as a part of the portfolio, as the newest statement has it."""
    holds = graph.outgoing(Relation.HOLDS)
    edges = holds.edges_of(user)
    part = graph.edges.weight[edges] / graph.edges.amount[edges]
    found: dict[str, list[float]] = {}
    for code, rate in zip(graph.nodes.currency[holds.of(user)], part.tolist(), strict=True):
        if np.isfinite(rate) and rate > 0:
            found.setdefault(str(code), []).append(rate)
    return {code: float(np.median(rates)) for code, rates in found.items()}


def _carried(closes: ClosePanel | None, held: Holdings, day: int | None) -> FloatArray:
    """(h,) weights of a day as prices alone made them until the last close; what has no closes keeps its value."""
    weight = held.share
    if closes is None or day is None or not len(weight):
        return weight
    row = closes.row_of(np.datetime64(to_date(day), "D"))
    if row < 0:
        return weight
    factor = closes.closes[-1, held.at] / closes.closes[row, held.at]
    grown = weight * np.where(np.isnan(factor), 1.0, factor)
    carried: FloatArray = grown * (weight.sum() / grown.sum()) if grown.sum() > 0 else weight
    return carried
