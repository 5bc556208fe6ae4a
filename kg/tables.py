"""`Tables`: the validated content of a data folder, whatever its layout was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from pathfolio.kg.column import FRACTION, NOT_NEGATIVE, POSITIVE, YEAR, Bounds, CellType, Column
from pathfolio.kg.schema import ASSET_KIND_OF, Relation, Role, columns_of
from pathfolio.kg.terms import MarketTerms

_TEXT = CellType.TEXT
_ID = CellType.IDENTIFIER
_WORD = CellType.WORD
_DATE = CellType.DATE
_NUMBER = CellType.NUMBER
_ASSET_WORDS: Final = {word: word for word in ASSET_KIND_OF}
_USER_WORDS: Final = {"retail": "retail", "institution": "institution"}
_SIDES: Final = {"buy": "buy", "sell": "sell"}
_RELATION_WORDS: Final = {relation.value: relation.value for relation in Relation}


def _text(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, _TEXT) for name in names)


def _number(name: str, bounds: Bounds, *, required: bool = False) -> Column:
    return Column(name, _NUMBER, required, bounds=bounds)


LAYOUT: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType(
    {
        "users": (
            Column("user_id", _ID, required=True),
            *_text("name"),
            Column("kind", _WORD, words=_USER_WORDS),
            *_text(*columns_of(Role.PROFILE)),
            _number("birth_year", YEAR),
            *_text("income_band"),
            Column("as_of", _DATE),
            Column("answered", _DATE),
        ),
        "assets": (
            Column("asset_id", _ID, required=True),
            Column("kind", _WORD, required=True, words=_ASSET_WORDS),
            Column("name", _TEXT, required=True),
            *_text("name_local", "ticker", "isin", "currency", *columns_of(Role.ATTRIBUTE)),
            _number("expense_ratio", FRACTION),
            Column("listed", _DATE),
            Column("as_of", _DATE),
        ),
        "positions": (
            Column("user_id", _ID, required=True),
            Column("asset_id", _ID, required=True),
            Column("as_of", _DATE, required=True),
            Column("known_at", _DATE),
            _number("units", NOT_NEGATIVE),
            _number("value", NOT_NEGATIVE),
            _number("weight", FRACTION),
        ),
        "transactions": (
            Column("user_id", _ID, required=True),
            Column("asset_id", _ID, required=True),
            Column("date", _DATE, required=True),
            Column("side", _WORD, required=True, words=_SIDES),
            _number("units", NOT_NEGATIVE),
            _number("value", NOT_NEGATIVE),
            *_text("channel"),
        ),
        "fund_holdings": (
            Column("fund_id", _ID, required=True),
            Column("asset_id", _ID, required=True),
            Column("as_of", _DATE, required=True),
            _number("weight", FRACTION, required=True),
            Column("known_at", _DATE),
        ),
        "prices": (
            Column("asset_id", _ID, required=True),
            Column("date", _DATE, required=True),
            _number("close", POSITIVE, required=True),
            *(_number(name, POSITIVE) for name in ("open", "high", "low")),
            _number("volume", NOT_NEGATIVE),
        ),
        "facts": (
            Column("asset_id", _ID, required=True),
            Column("metric", _ID, required=True),
            Column("value", _NUMBER, required=True),
            *_text("unit"),
            Column("as_of", _DATE, required=True),
            Column("known_at", _DATE),
            *_text("source"),
        ),
        "relations": (
            Column("source_id", _ID, required=True),
            Column("relation", _WORD, required=True, words=_RELATION_WORDS),
            Column("target_id", _ID, required=True),
            _number("weight", FRACTION),
            Column("as_of", _DATE),
            Column("known_at", _DATE),
            *_text("source"),
        ),
        "analyst_ratings": (
            Column("asset_id", _ID, required=True),
            Column("date", _DATE, required=True),
            Column("analyst_firm", _ID, required=True),
            Column("rating", _TEXT, required=True),
            _number("target_price_usd", NOT_NEGATIVE),
        ),
    }
)
"""Columns of each table as a market folder has them, in the contract's order; a file may have them in any."""

COLUMNS: Final = MappingProxyType({table: tuple(c.name for c in columns) for table, columns in LAYOUT.items()})
"""Names of the columns of each table, in the contract's order."""

_EVERY: Final = tuple(column for columns in LAYOUT.values() for column in columns)
DATE_COLUMNS: Final = frozenset(column.name for column in _EVERY if column.type is CellType.DATE)
NUMBER_COLUMNS: Final = frozenset(column.name for column in _EVERY if column.type is CellType.NUMBER)

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
        terms: what the closes mean, and what money earns without risk.
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
    terms: MarketTerms = field(default_factory=MarketTerms)

    def __repr__(self) -> str:
        """What it is called and how many rows each table has."""
        counts = [f"{table} {len(getattr(self, table)):,}" for table in COLUMNS if len(getattr(self, table))]
        aside = [f"set aside {len(self.rejected):,}"] if len(self.rejected) else []
        return f"Tables({self.name}: {', '.join(counts + aside)})"

    def source_of(self, table: str) -> str:
        """What stands as `source` on edges made from `table`."""
        return self.sources.get(table, f"{self.name}: {table}")
