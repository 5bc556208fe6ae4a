"""Temporal folds: what a model may know at the cut, and what investors newly bought after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.tables import Tables
from pathfolio.recommender.interactions import Interactions

_PAIR: Final = ["user_id", "asset_id"]


@dataclass(frozen=True)
class Fold:
    """Train on what was known on `train_end`; test on new purchases after it, up to and including `test_end`.

    Raises:
        UsageError: the test ends before it starts.
    """

    train_end: date
    test_end: date

    def __post_init__(self) -> None:
        if self.test_end <= self.train_end:
            raise UsageError(f"{self.name!r} ends before it starts: write the earlier date first")

    @classmethod
    def parse(cls, text: str) -> Fold:
        """The fold written TRAIN_END:TEST_END.

        Raises:
            UsageError: not two ISO dates, or the second is not after the first.

        >>> Fold.parse("2020-07-01:2020-12-31").name
        '2020-07-01:2020-12-31'
        """
        try:
            start, end = (date.fromisoformat(part) for part in text.split(":"))
        except ValueError:
            raise UsageError(f"{text!r} is not a window: write two dates as 2020-07-01:2020-12-31") from None
        return cls(start, end)

    @property
    def days(self) -> int:
        """Length of the window."""
        return (self.test_end - self.train_end).days

    @property
    def name(self) -> str:
        """As written on the command line."""
        return f"{self.train_end}:{self.test_end}"


def pairs_before(tables: Tables, cut: date) -> pd.DataFrame:
    """Every (user_id, asset_id) held or traded on or before `cut`, once each."""
    stated = tables.positions.loc[tables.positions["as_of"] <= pd.Timestamp(cut), _PAIR]
    traded = tables.transactions.loc[tables.transactions["date"] <= pd.Timestamp(cut), _PAIR]
    return pd.concat([stated, traded]).drop_duplicates()


def new_purchases(tables: Tables, fold: Fold) -> pd.DataFrame:
    """What investors bought in the window of `fold` and had never had before: user_id, asset_id, once each.

    Transactions tell it where the source has them. A statement of positions tells it for the time since the
    statement before (or the cut) if no transaction is dated in between; then the date that it describes counts,
    not the later one on which it was published.
    """
    start, end = pd.Timestamp(fold.train_end), pd.Timestamp(fold.test_end)
    traded = tables.transactions[(tables.transactions["date"] > start) & (tables.transactions["date"] <= end)]
    bought = [traded.loc[traded["side"] == "buy", _PAIR]]
    stated = tables.positions[(tables.positions["as_of"] > start) & (tables.positions["as_of"] <= end)]
    before = start
    for day, rows in stated.groupby("as_of"):
        stamp = pd.Timestamp(str(day))
        if not ((traded["date"] > before) & (traded["date"] <= stamp)).any():
            bought.append(rows[_PAIR])
        before = stamp
    pairs = pd.concat(bought).drop_duplicates()
    return without(pairs, pairs_before(tables, fold.train_end)).sort_values(_PAIR).reset_index(drop=True)


def without(pairs: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The rows of `pairs` that are not in `known`."""
    merged = pairs.merge(known.assign(known=True), on=_PAIR, how="left")
    return merged.loc[merged["known"].isna(), _PAIR]


@dataclass(frozen=True)
class FoldData:
    """One fold, ready to evaluate.

    Attributes:
        fold: the two dates.
        graph: the snapshot of `fold.train_end`; all that a model sees.
        purchases: user_id, asset_id newly bought in the window.
        prices: prices of the whole period, for the backtest; models never see them.
    """

    fold: Fold
    graph: KnowledgeGraph
    purchases: pd.DataFrame
    prices: pd.DataFrame

    @cached_property
    def interactions(self) -> Interactions:
        """The positions of the snapshot."""
        return Interactions(self.graph)

    @cached_property
    def warm_users(self) -> npt.NDArray[np.bool_]:
        """(investors,) True for those with a position, held or closed, by the cut."""
        return np.diff(self.interactions.ever.indptr) > 0

    @cached_property
    def warm_assets(self) -> npt.NDArray[np.bool_]:
        """(assets,) True for those that somebody has a position in by the cut."""
        return np.asarray(self.interactions.ever.sum(axis=0)).ravel() > 0


def prepare_fold(tables: Tables, fold: Fold) -> FoldData:
    """The snapshot at the cut and the truth of the window.

    Raises:
        DataError: nothing was newly bought in the window, or nothing is known at the cut.
    """
    graph = assemble_graph(tables, fold.train_end)
    purchases = new_purchases(tables, fold)
    if purchases.empty:
        raise DataError(f"{tables.name}: nobody newly bought anything in {fold.name}: choose a window with purchases")
    data = FoldData(fold, graph, purchases, tables.prices)
    if not data.warm_assets.any():
        raise DataError(f"{tables.name}: no position is known on {fold.train_end}: choose a later TRAIN_END")
    return data
