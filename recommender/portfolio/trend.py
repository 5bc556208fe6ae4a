"""An asset's last months beside the mean of its peers and of its market, each 100 at their beginning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from pathfolio.kg.figures import LONGEST_GAP, NEAREST_DAYS
from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.schema import Relation, Use, used_for
from pathfolio.kg.span import Position, Positions, Row
from pathfolio.recommender.portfolio.panel import Calendar, ClosePanel

_MARKETS: Final = (Relation.LISTED_ON, Relation.IN_COUNTRY)
"""A fund that is listed nowhere is beside the assets of its country."""

FEWEST: Final = 3
"""A mean of fewer others says nothing."""


@dataclass(frozen=True)
class MeanLine:
    """The mean of others, the asset itself not among them.

    Attributes:
        level: (d,) float64, 100 on the first day.
        group: row of the node that they share with the asset.
        count: how many they are.
    """

    level: FloatArray
    group: Row
    count: int


@dataclass(frozen=True)
class Trend:
    """Lines over the same d days, each 100 on the first.

    Attributes:
        own: (d,) float64.
        peers: assets of the same kind and category, industry or sector; None where too few have closes.
        market: assets listed on the same market, or else of the same country, in the place of an index; as `peers`.
    """

    days: Calendar
    own: FloatArray
    peers: MeanLine | None
    market: MeanLine | None


def trend_of(graph: KnowledgeGraph, closes: ClosePanel, asset: Position, months: int) -> Trend | None:
    """The last `months` up to the asset's last close; None where its closes do not reach back so far."""
    last = int(np.flatnonzero(closes.age[:, asset] == 0)[-1]) if not np.isnan(closes.closes[-1, asset]) else -1
    if last < 0:
        return None
    first = closes.row_of(np.datetime64(pd.Timestamp(closes.days[last]) - pd.DateOffset(months=months), "D"))
    if first < 0 or not _whole(closes, np.array([asset]), first, last)[0]:
        return None
    own = closes.closes[first : last + 1, asset]
    return Trend(
        closes.days[first : last + 1],
        100 * (own / own[0]),
        _first_mean(graph, closes, asset, used_for(Use.PEERS), first, last, same_kind=True),
        _first_mean(graph, closes, asset, _MARKETS, first, last, same_kind=False),
    )


def _first_mean(
    graph: KnowledgeGraph,
    closes: ClosePanel,
    asset: Position,
    relations: tuple[Relation, ...],
    first: int,
    last: int,
    *,
    same_kind: bool,
) -> MeanLine | None:
    """The mean of those who share the first of the relations that enough others share."""
    row = graph.asset_span.row(asset)
    for relation in relations:
        for group in graph.outgoing(relation).of(row).tolist():
            rows = graph.incoming(relation).of(Row(group))
            rows = rows[graph.asset_span.has(rows)]
            rows = rows[graph.nodes.kind[rows] == graph.nodes.kind[row]] if same_kind else rows
            others = np.setdiff1d(graph.asset_span.position(rows), [asset])
            others = others[_whole(closes, others, first, last)]
            if len(others) >= FEWEST:
                part = closes.closes[first : last + 1, others]
                return MeanLine(100 * (part / part[0]).mean(axis=1), Row(group), len(others))
    return None


def _whole(closes: ClosePanel, assets: Positions | np.ndarray, first: int, last: int) -> np.ndarray:
    """(n,) bool: which have a close about the first day, and are not given up before the last."""
    begun = ~np.isnan(closes.closes[first, assets]) & (closes.age[first, assets] <= NEAREST_DAYS)
    return np.asarray(begun & (closes.age[last, assets] <= LONGEST_GAP), bool)
