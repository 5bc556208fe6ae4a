"""`ClosePanel` and `ReturnPanel`: three years of closes and returns of all assets, on one calendar.

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

from pathfolio.kg.figures import LONGEST_GAP, NEAREST_DAYS, figure_column
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.span import Positions

YEARS: Final = 3
MEASURED_BY: Final = "volatility_3y"
"""An asset whose closes say how much it varied in three years has returns: no gap, no split, enough of them."""

Calendar = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class ClosePanel:
    """Closes of all n assets of a snapshot on d days.

    Attributes:
        days: (d,) datetime64[D], ascending; the last is at most the snapshot's.
        closes: (d, n) float64 in the asset's currency: the last one up to each day, NaN before the first.
        age: (d, n) int32 how many days old that close is.
    """

    days: Calendar
    closes: FloatArray
    age: npt.NDArray[np.int32]

    def row_of(self, day: np.datetime64) -> int:
        """The row of a day, or of the last one before it; -1 where there is none."""
        return int(np.searchsorted(self.days, day, side="right")) - 1


@dataclass(frozen=True)
class ReturnPanel:
    """Returns of n assets on d days, each from close to close in the asset's own currency.

    Attributes:
        days: (d + 1,) datetime64[D]; the first is the one from which the first return is counted.
        returns: (d, n) float64 fractions.
        at: (n,) positions of the assets among all of the snapshot, ascending.
        column: (assets,) int64 which column is theirs, -1 for none.
    """

    days: Calendar
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


def close_panel(graph: KnowledgeGraph, prices: pd.DataFrame | None) -> ClosePanel | None:
    """The closes of a snapshot's last three years; None where there are none.

    Args:
        prices: asset_id, date, close; what is after the snapshot's day is left out.
    """
    if prices is None:
        return None
    known = prices[(prices["date"] <= pd.Timestamp(graph.as_of)) & (prices["close"] > 0)]
    if known.empty:
        return None
    first = pd.Timestamp(known["date"].max()) - pd.DateOffset(years=YEARS)
    known = known[known["date"] >= first - pd.Timedelta(days=NEAREST_DAYS)]
    column = pd.Index(graph.asset_ids).get_indexer(pd.Index(known["asset_id"]))
    own = column >= 0
    days, row = np.unique(known["date"].to_numpy("datetime64[D]")[own], return_inverse=True)
    closes = np.full((len(days), len(graph.assets)), np.nan)
    closes[row, column[own]] = known["close"].to_numpy(np.float64)[own]
    return _filled(closes, days) if len(days) else None


def return_panel(graph: KnowledgeGraph, closes: ClosePanel | None) -> ReturnPanel | None:
    """The returns of the assets with three years of closes; None where no asset has them."""
    measured = _measured(graph)
    if closes is None or not len(measured):
        return None
    begin = closes.row_of(np.datetime64(pd.Timestamp(closes.days[-1]) - pd.DateOffset(years=YEARS), "D"))
    if begin < 0 or len(closes.days) - begin < 2:
        return None
    own = closes.closes[begin:, measured]
    kept = ~np.isnan(own[0]) & (closes.age[-1, measured] <= LONGEST_GAP)
    own, at = own[:, kept], Positions(measured[kept])
    columns = np.full(len(graph.assets), -1, np.int64)
    columns[at] = np.arange(len(at))
    return ReturnPanel(closes.days[begin:], own[1:] / own[:-1] - 1, at, columns) if len(at) else None


def _measured(graph: KnowledgeGraph) -> Positions:
    """Positions of the assets that have the figure `MEASURED_BY` of about the snapshot's day."""
    return Positions(np.flatnonzero(np.isfinite(figure_column(graph, MEASURED_BY, LONGEST_GAP))).astype(np.int64))


def _filled(closes: FloatArray, days: Calendar) -> ClosePanel:
    """Each day with the last close up to it."""
    at = np.where(np.isnan(closes), -1, np.arange(len(days))[:, None])
    at = np.maximum.accumulate(at, axis=0)
    filled = np.take_along_axis(closes, np.maximum(at, 0), axis=0)
    age = (days[:, None] - days[np.maximum(at, 0)]).astype("timedelta64[D]").astype(np.int32)
    return ClosePanel(days, np.where(at < 0, np.nan, filled), age)
