"""`Panel`: days × assets × fields of a market, with what is missing as NaN; assets come and go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.figures import LONGEST_GAP
from pathfolio.kg.graph import FloatArray

Days = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]

FIELDS: Final = ("return", "open", "high", "low", "close", "volume", "value", "vwap")
"""What a panel has of each asset and day. `return`: from the close before, adjusted for what the source tells of
dividends and splits; all else as it was paid on the day; `value`: money traded."""

LIQUID_SHARE: Final = 0.98
"""The universe of a day: the largest stocks that together make up this share of what was traded."""

LIQUID_DAYS: Final = 60
"""Traded value is averaged over so many days up to the day itself."""

_FEWEST_DAYS: Final = 40
"""An asset is in the universe after so many closes within the last `LIQUID_DAYS`."""

FEWEST_ASSETS: Final = 10
"""A day with fewer assets has no ranks to speak of."""


@dataclass(frozen=True, eq=False)
class Panel:
    """The prices of a market, aligned by day; read-only.

    Attributes:
        name: what the data set is called.
        days: (T,) ascending, each once.
        assets: (N,) ids, ascending.
        values: (T, N, F) float32, NaN where nothing is known, F as in `FIELDS`.
        market_id: of a fund that holds the whole market, and so is not in the universe; empty for none.
        liquid_share: of what is traded, that the universe has; 1 for all that is.
    """

    name: str
    days: Days
    assets: npt.NDArray[np.str_]
    values: npt.NDArray[np.float32]
    market_id: str = ""
    liquid_share: float = LIQUID_SHARE

    def __post_init__(self) -> None:
        """Nobody changes what another reads."""
        self.values.setflags(write=False)

    def __getitem__(self, field: str) -> FloatArray:
        """(T, N) float64: a copy of one field."""
        return self.values[:, :, FIELDS.index(field)].astype(np.float64)

    def has(self, field: str) -> bool:
        """Whether anything is known of a field."""
        return bool(np.isfinite(self.values[:, :, FIELDS.index(field)]).any())

    @cached_property
    def universe(self) -> Mask:
        """(T, N): the assets that a day's figures are about, told from that day and before.

        Where traded value is known: the largest that make up `liquid_share` of the last `LIQUID_DAYS`; else all that
        had closes. A fund that holds the market is no stock.
        """
        close = self["close"]
        seen = _rolling_sum(np.isfinite(close).astype(np.float64), LIQUID_DAYS)
        known = np.isfinite(close) & (seen >= _FEWEST_DAYS)
        if self.has("value"):
            traded = np.where(known, _rolling_sum(np.nan_to_num(self["value"]), LIQUID_DAYS), 0.0)
            order = np.argsort(-traded, axis=1, kind="stable")
            sorted_ = np.take_along_axis(traded, order, axis=1)
            before = np.cumsum(sorted_, axis=1) - sorted_
            kept = np.zeros_like(known)
            np.put_along_axis(kept, order, before < self.liquid_share * sorted_.sum(axis=1, keepdims=True), axis=1)
            known &= kept & (traded > 0)
        if self.market_id:
            known[:, np.flatnonzero(self.assets == self.market_id)] = False
        return known

    @cached_property
    def market_returns(self) -> FloatArray:
        """(T,): the mean return of the universe of the day before; NaN where that is of fewer than `FEWEST_ASSETS`."""
        returns = self["return"]
        before = np.vstack([np.zeros((1, len(self.assets)), bool), self.universe[:-1]])
        counted = before & np.isfinite(returns)
        n = counted.sum(axis=1)
        mean = np.where(counted, returns, 0.0).sum(axis=1) / np.maximum(n, 1)
        mean[n < FEWEST_ASSETS] = np.nan
        return np.asarray(mean)

    def index(self, day: date) -> int:
        """Of the last day that is not after `day`.

        Raises:
            DataError: all are.
        """
        at = int(np.searchsorted(self.days, np.datetime64(day, "D"), side="right")) - 1
        if at < 0:
            raise DataError(f"{self.name}: its first day is {self.days[0]}, after {day}: name a later one")
        return at

    def only(self, assets: Sequence[str]) -> Panel:
        """These assets alone, all of which are its universe.

        Raises:
            UsageError: one is not there.
        """
        missing = sorted(set(assets) - set(self.assets.tolist()))
        if missing:
            raise UsageError(f"{self.name} has no asset {missing[0]!r}: it has {', '.join(self.assets[:5])}, …")
        kept = np.isin(self.assets, list(assets))
        return replace(self, assets=self.assets[kept], values=self.values[:, kept].copy(), liquid_share=1.0)

    def until(self, day: date) -> Panel:
        """What was known at the end of a day."""
        stop = self.index(day) + 1
        return replace(self, days=self.days[:stop], values=self.values[:stop].copy())


def _fill_returns(values: npt.NDArray[np.float32], days: Days) -> None:
    """Write the returns of closes into (T, N, F) values."""
    close = values[:, :, FIELDS.index("close")].astype(np.float64).T
    asset, day = np.nonzero(np.isfinite(close))
    known, when = close[asset, day], days[day]
    follows = np.flatnonzero((asset[1:] == asset[:-1]) & ((when[1:] - when[:-1]).astype(int) <= LONGEST_GAP)) + 1
    values[day[follows], asset[follows], FIELDS.index("return")] = known[follows] / known[follows - 1] - 1


def _rolling_sum(values: FloatArray, window: int) -> FloatArray:
    """(T, N): over the last `window` rows, fewer at the beginning."""
    total = np.cumsum(values, axis=0)
    total[window:] = total[window:] - total[:-window]
    return total


def panel_of(name: str, rows: pd.DataFrame, market_id: str = "") -> Panel:
    """A panel from long rows.

    Args:
        rows: asset_id, date, and any of `FIELDS`, of which `return` or `close` has to be there; returns that are not
            given are made of closes, from an asset's close before, `LONGEST_GAP` days ago at most.
    """
    days = np.unique(rows["date"].to_numpy("datetime64[D]"))
    assets, column = np.unique(rows["asset_id"].astype(str).to_numpy(dtype=str), return_inverse=True)
    at = np.searchsorted(days, rows["date"].to_numpy("datetime64[D]"))
    values = np.full((len(days), len(assets), len(FIELDS)), np.nan, np.float32)
    for place, field in enumerate(FIELDS):
        if field in rows:
            cells = rows[field].to_numpy(np.float64, na_value=np.nan)
            values[at, column, place] = cells
    if "return" not in rows:
        _fill_returns(values, days)
    if "value" not in rows and "volume" in rows:
        money = values[:, :, FIELDS.index("close")] * values[:, :, FIELDS.index("volume")]
        values[:, :, FIELDS.index("value")] = money
    return Panel(name, days, assets, values, market_id)
