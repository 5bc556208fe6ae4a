"""`ReturnPanel`: three years of daily returns of all assets that have them, on one calendar.

A day on which an asset has no close counts as one on which its price did not move, so that markets with holidays of
their own stand side by side. What an asset's returns say alone and as a portfolio of one is therefore the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.figures import LONGEST_GAP, NEAREST_DAYS
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, to_days
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Positions

YEARS: Final = 3
MEASURED_BY: Final = "volatility_3y"
"""An asset whose closes say how much it varied in three years is in the panel: no gap, no split, enough of them."""


@dataclass(frozen=True)
class ReturnPanel:
    """Returns of n assets on d days, each from close to close in the asset's own currency.

    Attributes:
        days: (d + 1,) datetime64[D]; the first is the one from which the first return is counted.
        returns: (d, n) float64 fractions.
        at: (n,) positions of the assets among all of the snapshot, ascending.
        column: (assets,) int64 which column is theirs, -1 for none.
    """

    days: npt.NDArray[np.datetime64]
    returns: FloatArray
    at: Positions
    column: IntArray = field(repr=False)

    @property
    def first_day(self) -> date:
        """The day from which the returns count."""
        return pd.Timestamp(self.days[0]).date()

    @property
    def last_day(self) -> date:
        """The day of the last return."""
        return pd.Timestamp(self.days[-1]).date()

    @property
    def a_year(self) -> float:
        """Returns in a year."""
        return len(self.returns) / YEARS

    def has(self, assets: Positions) -> npt.NDArray[np.bool_]:
        """(len(assets),) bool: which of the assets it has."""
        return np.asarray(self.column[assets] >= 0, bool)

    def of(self, assets: Positions) -> FloatArray:
        """(d, len(assets)) the returns of assets that it has."""
        return self.returns[:, self.column[assets]]


def return_panel(graph: KnowledgeGraph, prices: pd.DataFrame | None) -> ReturnPanel | None:
    """The panel of a snapshot; None where no asset has three years of closes.

    Args:
        prices: asset_id, date, close; what is after the snapshot's day is left out.
    """
    measured = _measured(graph)
    if prices is None or not len(measured):
        return None
    known = prices[(prices["date"] <= pd.Timestamp(graph.as_of)) & (prices["close"] > 0)]
    if known.empty:
        return None
    first = pd.Timestamp(known["date"].max()) - pd.DateOffset(years=YEARS)
    known = known[known["date"] >= first - pd.Timedelta(days=NEAREST_DAYS)]
    column = pd.Index(graph.asset_ids[measured]).get_indexer(pd.Index(known["asset_id"]))
    own = column >= 0
    days, row = np.unique(known["date"].to_numpy("datetime64[D]")[own], return_inverse=True)
    closes = np.full((len(days), len(measured)), np.nan)
    closes[row, column[own]] = known["close"].to_numpy(np.float64)[own]
    closes, age = _filled(closes, days)
    begin = int(np.searchsorted(days, np.datetime64(first, "D"), side="right")) - 1
    if begin < 0 or len(days) - begin < 2:
        return None
    kept = ~np.isnan(closes[begin]) & (age[-1] <= LONGEST_GAP)
    closes, at = closes[begin:, kept], Positions(measured[kept])
    columns = np.full(len(graph.assets), -1, np.int64)
    columns[at] = np.arange(len(at))
    return ReturnPanel(days[begin:], closes[1:] / closes[:-1] - 1, at, columns) if len(at) else None


def _measured(graph: KnowledgeGraph) -> Positions:
    """Positions of the assets that have the figure `MEASURED_BY` of about the snapshot's day."""
    metric = graph.find(NodeKind.METRIC, MEASURED_BY)
    if metric is None:
        return Positions(np.zeros(0, np.int64))
    edges = graph.edges_between(Relation.HAS_FACT)
    fresh = graph.edges.as_of[edges] >= to_days(graph.as_of) - LONGEST_GAP
    heads = graph.edges.head[edges[(graph.edges.tail[edges] == metric) & fresh]]
    return Positions(np.unique(graph.asset_span.position(heads)).astype(np.int64))


def _filled(closes: FloatArray, days: npt.NDArray[np.datetime64]) -> tuple[FloatArray, IntArray]:
    """(d, n) the last close up to each day, and how many days old it is."""
    at = np.where(np.isnan(closes), -1, np.arange(len(days))[:, None])
    at = np.maximum.accumulate(at, axis=0)
    filled = np.take_along_axis(closes, np.maximum(at, 0), axis=0)
    age = (days[:, None] - days[np.maximum(at, 0)]).astype("timedelta64[D]").astype(np.int64)
    return np.where(at < 0, np.nan, filled), age
