"""`Tables`: the validated content of a data folder, whatever its layout was."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

COLUMNS: Final = MappingProxyType(
    {
        "users": (
            "user_id", "name", "kind", "segment", "risk_level", "objective", "experience",
            "birth_year", "income_band", "capacity", "as_of", "answered",
        ),
        "assets": (
            "asset_id", "kind", "name", "name_local", "ticker", "isin", "market", "currency", "country",
            "sector", "industry", "category", "issuer", "risk_rating", "expense_ratio", "listed", "as_of",
        ),
        "positions": ("user_id", "asset_id", "as_of", "known_at", "units", "value", "weight"),
        "transactions": ("user_id", "asset_id", "date", "side", "units", "value", "channel"),
        "fund_holdings": ("fund_id", "asset_id", "as_of", "weight", "known_at"),
        "prices": ("asset_id", "date", "close", "open", "high", "low", "volume"),
        "facts": ("asset_id", "metric", "value", "unit", "as_of", "known_at", "source"),
        "relations": ("source_id", "relation", "target_id", "weight", "as_of", "known_at", "source"),
        "analyst_ratings": ("asset_id", "date", "analyst_firm", "rating", "target_price_usd"),
    }
)  # fmt: skip
"""Columns of each table in the contract's order (see `pathfolio.kg.contract` for their types)."""

DATE_COLUMNS: Final = frozenset({"as_of", "known_at", "date", "listed", "answered"})
NUMBER_COLUMNS: Final = frozenset(
    {
        "units", "value", "weight", "close", "open", "high", "low", "volume",
        "expense_ratio", "target_price_usd", "birth_year",
    }
)  # fmt: skip

REJECTED_COLUMNS: Final = ("file", "line", "column", "value", "problem", "remedy")
LABEL_COLUMNS: Final = ("kind", "id", "name", "name_local")


def empty_table(name: str) -> pd.DataFrame:
    """A table of the contract without rows, with the column types that `Tables` promises."""
    return typed_table(name, pd.DataFrame({column: [] for column in COLUMNS[name]}))


def typed_table(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with exactly the contract's columns and types; columns that it lacks are null.

    Dates become datetime64[s], numbers float64, all else pandas strings with <NA> for what is not known.
    The values must be valid already; `pathfolio.kg.contract` sees to that.
    """
    out: dict[str, pd.Series[Any]] = {}
    for column in COLUMNS[name]:
        values = frame[column] if column in frame else pd.Series(np.nan, index=frame.index)
        if column in DATE_COLUMNS:
            out[column] = pd.to_datetime(values).astype("datetime64[s]")
        elif column in NUMBER_COLUMNS:
            out[column] = pd.to_numeric(values).astype("float64")
        else:
            out[column] = _strings(values)
    return pd.DataFrame(out, copy=False).reset_index(drop=True)


def _strings(values: pd.Series[Any]) -> pd.Series[Any]:
    """As pandas strings; of a categorical only the distinct texts are converted."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return values.astype("string")
    texts: Any = pd.Series(values.cat.categories).astype("string").array
    return pd.Series(texts.take(values.cat.codes.to_numpy(), allow_fill=True), index=values.index)


@dataclass(frozen=True, repr=False)
class Tables:
    """The nine tables of the data contract, each row valid, each with all its columns (`COLUMNS`).

    Users may have several rows with different `as_of`, and so may assets; `as_of` of an asset's row is the date
    of its attributes and null where the source gives none. Treat the frames as read-only.

    Attributes:
        name: what the data set is called, for pages and reports.
        origin: the folder that was read, or where else the rows came from.
        is_sample: True for the generated sample market; everything that shows it must say so.
        sources: for each table, what stands as `source` on the edges made from it.
        rows_read: rows read per file, the ones set aside included.
        rejected: one row per record set aside, with `REJECTED_COLUMNS`.
        labels: names of nodes that are not investors or assets, with the columns kind (a NodeKind's value), id,
            name and name_local; a node without a row is called by its id.
        notes: sentences for the build's report: columns that nothing reads, values that look odd but break no rule.
    """

    users: pd.DataFrame
    assets: pd.DataFrame
    positions: pd.DataFrame
    transactions: pd.DataFrame
    fund_holdings: pd.DataFrame
    prices: pd.DataFrame
    facts: pd.DataFrame
    relations: pd.DataFrame
    analyst_ratings: pd.DataFrame
    name: str
    origin: Path | None = None
    is_sample: bool = False
    sources: dict[str, str] = field(default_factory=dict)
    rows_read: dict[str, int] = field(default_factory=dict)
    rejected: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(REJECTED_COLUMNS), dtype="string"))
    labels: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(LABEL_COLUMNS), dtype="string"))
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """What it is called and how many rows each table has."""
        counts = [f"{table} {len(getattr(self, table)):,}" for table in COLUMNS if len(getattr(self, table))]
        aside = [f"set aside {len(self.rejected):,}"] if len(self.rejected) else []
        return f"Tables({self.name}: {', '.join(counts + aside)})"

    def source_of(self, table: str) -> str:
        """What stands as `source` on edges made from `table`."""
        return self.sources.get(table, f"{self.name}: {table}")
