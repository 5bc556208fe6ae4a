"""A market whose tables are in memory, of pandas or Arrow: the contract's, checked as those of a folder are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import IntArray
from pathfolio.kg.market_folder import checked_tables
from pathfolio.kg.raw_file import Cells, RawFile, checked_header
from pathfolio.kg.tables import COLUMNS, Tables
from pathfolio.kg.terms import MarketTerms

Frame: TypeAlias = pd.DataFrame | pa.Table

_REMEDY: Final = "give each table as a pandas.DataFrame or a pyarrow.Table"


def read_market_frames(
    frames: Mapping[str, Frame],
    *,
    name: str,
    is_sample: bool = False,
    terms: MarketTerms = MarketTerms(),  # noqa: B008 - a frozen value
) -> Tables:
    """Check the tables of a market; rows that break the contract are set aside in `Tables.rejected`.

    A row is called by its label where the index of its frame has whole numbers, each once, and else by its position
    from 0.

    Args:
        frames: by the contract's name of the table; assets is required.
        name: what the market is called.
        is_sample: the data are made up.
        terms: what the closes mean.

    Raises:
        DataError: there is no such table, or one is refused: without a required column, or most of its rows are bad.
        UsageError: something is no table.
    """
    unknown = [table for table in frames if table not in COLUMNS]
    if unknown:
        raise DataError(f"no table is called {unknown[0]!r}: call it one of {', '.join(COLUMNS)}")
    if "assets" not in frames:
        raise DataError(f"no table assets among {', '.join(frames) or 'none'}: add it; all others may be left out")
    found = {table: _raw(table, frames[table]) for table in COLUMNS if table in frames}
    return checked_tables(found, name=name, is_sample=is_sample, terms=terms)


def _raw(table: str, frame: Frame) -> RawFile:
    if isinstance(frame, pd.DataFrame):
        cells = [_cells(frame.iloc[:, at]) for at in range(frame.shape[1])]
        names = [str(name) for name in frame.columns]
        rows = _row_numbers(frame.index)
    elif isinstance(frame, pa.Table):
        cells = frame.columns
        names = frame.column_names
        rows = np.arange(frame.num_rows)
    else:
        raise UsageError(f"table {table} is a {type(frame).__name__}: {_REMEDY}")
    header = checked_header(names, table)
    return RawFile(table, dict(zip(header, cells, strict=True)), rows, counted="row")


def _row_numbers(index: pd.Index[Any]) -> IntArray:
    """(rows,) the labels of the rows where these are numbers, each once; else their positions."""
    if pd.api.types.is_integer_dtype(index.dtype) and index.is_unique:
        return index.to_numpy(np.int64)
    return np.arange(len(index))


def _cells(column: pd.Series[Any]) -> Cells:
    """The column in Arrow; where its values are of several types, all of them as text, which is checked as a file's."""
    try:
        array = pa.Array.from_pandas(column)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        array = pa.array(
            [None if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)]
        )
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
