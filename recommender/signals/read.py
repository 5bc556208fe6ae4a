"""Panels from files: the prices of a market folder, long tables of bars, and wide tables of closes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from pathfolio.kg.contract import read_folder
from pathfolio.kg.errors import DataError
from pathfolio.recommender.signals.panel import FIELDS, Panel, panel_of

LARGEST_MOVE: Final = 0.6
"""A day's return beyond this is taken for a split, or a mistake of the source, where nothing tells which."""

LARGEST_LIMITED_MOVE: Final = 0.16
"""The same where the exchange limits a day's move (Taiwan: 7% until 2015, 10% since; new issues aside)."""

_MARKET_FUNDS: Final = ("0050", "SPY")

_NEEDS: Final = (
    "asset_id, date, close (and open, high, low, volume, value), or a column `date` and one of closes for each asset"
)


def read_panel(path: Path) -> Panel:
    """The panel of a market folder or of a Parquet or CSV file.

    Raises:
        DataError: no such file, not such a table, or without any price.
    """
    if path.is_dir():
        tables = read_folder(path)
        if tables.prices.empty:
            raise DataError(f"{path}: no prices in it: add a table prices with asset_id, date, close")
        return _checked(path, clean_panel(tables.name, tables.prices))
    if not path.is_file():
        raise DataError(f"{path}: no such file: name a market folder, or a Parquet or CSV file with {_NEEDS}")
    rows = _read(path)
    name = path.name.partition(".")[0]
    for columns, layout in _LAYOUTS.items():
        if columns <= set(rows.columns):
            return _checked(path, layout(name, rows))
    raise DataError(f"{path}: columns {', '.join(map(str, rows.columns[:6]))}: needs {_NEEDS}")


def _read(path: Path) -> pd.DataFrame:
    try:
        rows = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise DataError(f"{path}: not a table that can be read ({error}): write it as Parquet or CSV") from None
    rows = rows.rename(columns={"Date": "date", "ticker": "asset_id", "Adj Close": "close_adjusted"})
    rows = rows.rename(columns={name: name.lower() for name in ("Open", "High", "Low", "Close", "Volume")})
    if "date" in rows:
        days = pd.to_datetime(rows["date"], errors="coerce")
        bad = np.flatnonzero(days.isna().to_numpy())
        if len(bad):
            line = f"row {bad[0] + 1}, column date"
            raise DataError(f"{path}: {line}: {rows['date'].iloc[bad[0]]!r} is no date: write it as 2022-06-30")
        rows["date"] = days
    return rows


def clean_panel(name: str, prices: pd.DataFrame) -> Panel:
    """A panel of closes of which nothing tells splits: a move beyond `LARGEST_MOVE` is no return."""
    kept = prices[prices["close"] > 0]
    return _moves_within(panel_of(name, kept, _market_of(kept)), LARGEST_MOVE)


def _taiwan(name: str, rows: pd.DataFrame) -> Panel:
    """`change` gives the reference price; on days of a right or dividend the open stands for it."""
    close, change, opened = (rows[c].to_numpy(np.float64) for c in ("close", "change", "open"))
    with np.errstate(invalid="ignore", divide="ignore"):
        returns = np.where(rows["ex_date"].to_numpy(bool), close / opened, close / (close - change)) - 1
    found = panel_of(name, rows.assign(**{"return": returns}), _market_of(rows))
    return _moves_within(found, LARGEST_LIMITED_MOVE)


def _adjusted(name: str, rows: pd.DataFrame) -> Panel:
    """Returns are those of adjusted closes; value is of closes as they were."""
    back = rows.assign(close=rows["close_adjusted"])[["asset_id", "date", "close"]]
    own = panel_of(name, back)
    found = panel_of(name, rows.drop(columns="close_adjusted"), _market_of(rows))
    values = found.values.copy()
    values[:, :, 0] = own.values[:, :, 0]
    return replace(found, values=values)


def _wide(name: str, rows: pd.DataFrame) -> Panel:
    long = rows.melt("date", var_name="asset_id", value_name="close").dropna(subset=["close"])
    if not pd.api.types.is_numeric_dtype(long["close"]):
        raise DataError(f"{name}: closes that are no numbers: needs {_NEEDS}")
    return clean_panel(name, long)


_LAYOUTS: Final = MappingProxyType[frozenset[str], Callable[[str, pd.DataFrame], Panel]](
    {
        frozenset({"asset_id", "date", "close", "open", "change", "ex_date"}): _taiwan,
        frozenset({"asset_id", "date", "close", "close_adjusted"}): _adjusted,
        frozenset({"asset_id", "date", "close"}): clean_panel,
        frozenset({"date"}): _wide,
    }
)
"""The columns that a layout is known by, and who reads it; the first that fits is taken."""


def _market_of(rows: pd.DataFrame) -> str:
    ids = set(rows["asset_id"].astype(str).unique())
    return next((fund for fund in _MARKET_FUNDS if fund in ids), "")


def _moves_within(panel: Panel, largest: float) -> Panel:
    values = panel.values.copy()
    with np.errstate(invalid="ignore"):
        values[np.abs(values[:, :, 0]) > largest, 0] = np.nan
    return replace(panel, values=values)


def _checked(path: Path, panel: Panel) -> Panel:
    if not len(panel.days) or not np.isfinite(panel.values[:, :, FIELDS.index("close")]).any():
        raise DataError(f"{path}: no close in it: needs {_NEEDS}")
    return panel
