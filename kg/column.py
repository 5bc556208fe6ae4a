"""Columns of a table as a data layout defines them, and how their cells are read.

Only the empty cell is missing: `NA`, `NaN`, `None` and `null` are identifiers and names like any other.
Blanks around a cell do not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pathfolio.kg.errors import DataError
from pathfolio.kg.raw_file import Cells

Mask = npt.NDArray[np.bool_]

_DATE: Final = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?$"
)
_NUMBER: Final = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$"
_CONTROL: Final = r"[\x00-\x1f\x7f]"
LONGEST_TEXT: Final = 1_000
"""Characters of an identifier or a name; what is longer is no name, and would make every page that shows it long."""

_FIRST_DAY: Final = np.datetime64("1900-01-01")
_LAST_DAY: Final = np.datetime64("2199-12-31")


class CellType(Enum):
    """What the cells of a column are."""

    TEXT = "text"
    IDENTIFIER = "an identifier"
    WORD = "one of a few words"
    DATE = "a date"
    NUMBER = "a number"


@dataclass(frozen=True)
class Bounds:
    """The numbers that a column may hold: low <= x <= high, or low < x where `above` is set."""

    problem: str
    remedy: str
    low: float = -np.inf
    high: float = np.inf
    above: bool = False

    def broken(self, values: npt.NDArray[np.float64]) -> Mask:
        """(n,) bool: which values are outside; missing ones (NaN) are not."""
        below = values <= self.low if self.above else values < self.low
        return below | (values > self.high)


ANY_NUMBER: Final = Bounds("", "")
FRACTION: Final = Bounds("not a fraction between 0 and 1", "divide percents by 100; leave out short positions", 0, 1)
POSITIVE: Final = Bounds("not above 0", "leave the row out where there was no price", 0, above=True)
NOT_NEGATIVE: Final = Bounds("below 0", "give amounts without a sign", 0)
YEAR: Final = Bounds("not a year of birth", "write the year with four digits, or leave the cell empty", 1850, 2199)


@dataclass(frozen=True)
class Column:
    """One column of a layout.

    Attributes:
        name: what the contract calls it.
        type: what its cells are.
        required: the file must have it, and no cell may be empty.
        header: what the file calls it, where that differs from `name`.
        words: for a WORD, what may be written (in any case) and what the contract calls it.
        bounds: for a NUMBER, what it may be.
        unknown: texts by which the source says that it does not know.
    """

    name: str
    type: CellType
    required: bool = False
    header: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    bounds: Bounds = ANY_NUMBER
    unknown: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """The header of the column in its file."""
        return self.header or self.name


@dataclass(frozen=True)
class Fault:
    """Cells of one column that break its rule: a mask over the file's rows, the problem and its remedy."""

    rows: Mask
    problem: str
    remedy: str


def read_cells(cells: Cells, column: Column, file: str) -> tuple[pd.Series[Any], list[Fault]]:
    """The values of a column and the cells that break its rule, which are null among the values.

    Text comes as a categorical of strings (fast to compare, however many rows), dates as datetime64[s],
    numbers as float64.

    Raises:
        DataError: the cells are of a Parquet type that cannot be this.
    """
    if column.type is CellType.NUMBER:
        values, faults = _numbers(cells, column, file)
    elif column.type is CellType.DATE:
        values, faults = _dates(cells, column, file)
    else:
        values, faults = _texts(cells, column, file)
    if column.required:
        missing = values.isna().to_numpy(bool, copy=True)
        for fault in faults:
            missing &= ~fault.rows
        faults.append(Fault(missing, "empty", "fill it in, or leave the row out"))
    return values, [fault for fault in faults if fault.rows.any()]


def found_text(cells: Cells, rows: npt.NDArray[np.int64]) -> list[str]:
    """What stands in the cells at `rows`, as text; empty where nothing does."""
    taken = cells.take(pa.array(rows))
    return ["" if value is None else str(value) for value in taken.to_pylist()]


# -- texts ----------------------------------------------------------------------------------------------------


def _texts(cells: Cells, column: Column, file: str) -> tuple[pd.Series[Any], list[Fault]]:
    codes, texts = _encoded(cells, column, file)
    long = (texts.str.len() > LONGEST_TEXT).to_numpy(bool)
    faults = [Fault(_at(long, codes), f"longer than {LONGEST_TEXT:,} characters", "shorten it")]
    texts = texts.mask(long)
    if column.type is CellType.IDENTIFIER:
        broken = texts.str.contains(_CONTROL, regex=True, na=False).to_numpy(bool)
        faults.append(
            Fault(_at(broken, codes), "has a line break or a control character in it", "write it on one line")
        )
        texts = texts.mask(broken)
    if column.type is CellType.WORD:
        words = {word.casefold(): meaning for word, meaning in column.words.items()}
        meant = texts.str.casefold().map(words)
        allowed = ", ".join(dict.fromkeys(column.words))
        faults.append(
            Fault(_at(meant.isna().to_numpy(bool) & ~long, codes), "unknown word", f"write one of: {allowed}")
        )
        texts = meant
    return _categorical(codes, texts.mask(texts.isin(list(column.unknown)))), faults


def _encoded(cells: Cells, column: Column, file: str) -> tuple[npt.NDArray[np.int64], pd.Series[Any]]:
    """Codes of the cells and the texts that they stand for: trimmed, not empty; -1 where there is none."""
    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        if not pa.types.is_integer(kind) and not pa.types.is_null(kind):
            raise _wrong_type(cells, column, file)
        cells = pc.cast(cells, pa.string())
    if not pa.types.is_dictionary(cells.type):
        cells = pc.dictionary_encode(pc.cast(cells, pa.large_string()))
    merged = cells.unify_dictionaries().combine_chunks()
    if isinstance(merged, pa.ChunkedArray):  # no chunks at all
        return np.zeros(0, np.int64), pd.Series([], dtype="str")
    codes = pc.fill_null(pc.cast(merged.indices, pa.int64()), -1).to_numpy(zero_copy_only=False)
    texts = pd.Series(merged.dictionary.to_pylist(), dtype="str").str.strip()
    known = (texts.notna() & (texts != "")).to_numpy(bool)
    if not known.all():
        moved = np.where(known, np.cumsum(known) - 1, -1)
        codes = np.where(codes >= 0, moved[codes], -1)
        texts = texts[known].reset_index(drop=True)
    return codes, texts


def _at(per_text: Mask, codes: npt.NDArray[np.int64]) -> Mask:
    """From a mask over the distinct texts to one over the rows."""
    return np.append(per_text, False)[codes]


def _categorical(codes: npt.NDArray[np.int64], texts: pd.Series[Any]) -> pd.Series[Any]:
    """Rows of `texts`, null where the code is -1 or the text is; equal texts become one category."""
    unique_codes, unique = pd.factorize(texts)
    moved = np.append(unique_codes, -1)[codes]
    return pd.Series(pd.Categorical.from_codes(moved, categories=pd.Index(unique, dtype="str")))


# -- dates and numbers ----------------------------------------------------------------------------------------


def _dates(cells: Cells, column: Column, file: str) -> tuple[pd.Series[Any], list[Fault]]:
    if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
        local = pc.local_timestamp(cells) if getattr(cells.type, "tz", None) else cells
        days = pc.cast(local, pa.date32(), safe=False).cast(pa.int32())
        known = pc.is_valid(days).to_numpy()
        values = days.fill_null(0).to_numpy().astype("datetime64[D]")
        return _checked_dates(np.where(known, values, np.datetime64("NaT")), known)
    if pa.types.is_integer(cells.type):
        raise _wrong_type(cells, column, file)
    codes, texts = _encoded(cells, column, file)
    found = pd.to_datetime(texts.str.extract(_DATE)[0], format="%Y-%m-%d", errors="coerce")
    per_text = np.append(found.to_numpy().astype("datetime64[D]"), np.datetime64("NaT"))
    return _checked_dates(per_text[codes], codes >= 0)


def _checked_dates(days: npt.NDArray[np.datetime64], known: Mask) -> tuple[pd.Series[Any], list[Fault]]:
    wrong = known & np.isnat(days)
    far = known & ~wrong & ((days < _FIRST_DAY) | (days > _LAST_DAY))
    values = pd.Series(np.where(far, np.datetime64("NaT"), days).astype("datetime64[s]"))
    return values, [
        Fault(wrong, "not a date", "write a day of the calendar as YYYY-MM-DD"),
        Fault(far, "outside 1900 to 2199", "correct the year"),
    ]


def _numbers(cells: Cells, column: Column, file: str) -> tuple[pd.Series[Any], list[Fault]]:
    kind = cells.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        values, wrong = _parsed_numbers(cells)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        values = pc.cast(cells, pa.float64(), safe=False).to_numpy().astype(np.float64)
        wrong = np.isinf(values)
    else:
        raise _wrong_type(cells, column, file)
    values = np.where(wrong, np.nan, values)
    outside = column.bounds.broken(values)
    faults = [Fault(wrong, "not a number", "write digits with a decimal point, no thousands separators, no unit")]
    faults.append(Fault(outside, column.bounds.problem, column.bounds.remedy))
    return pd.Series(np.where(outside, np.nan, values)), faults


def _parsed_numbers(cells: Cells) -> tuple[npt.NDArray[np.float64], Mask]:
    """Numbers of string cells (NaN where empty) and which cells are neither empty nor a finite number."""
    try:
        values = pc.cast(cells, pa.float64())
    except pa.ArrowInvalid:
        trimmed = pc.utf8_trim_whitespace(cells)
        trimmed = pc.if_else(pc.equal(trimmed, ""), None, trimmed)
        well_formed = pc.fill_null(pc.match_substring_regex(trimmed, _NUMBER), True)
        values = pc.cast(pc.if_else(well_formed, trimmed, None), pa.float64())
        malformed = ~np.asarray(well_formed.to_numpy(), bool)
        numbers = values.to_numpy().astype(np.float64)
        return numbers, malformed | np.isinf(numbers)
    numbers = values.to_numpy().astype(np.float64)
    known = ~np.asarray(cells.is_null().to_numpy(), bool)
    return numbers, known & ~np.isfinite(numbers)


def _wrong_type(cells: Cells, column: Column, file: str) -> DataError:
    return DataError(
        f"{file}, column {column.title}: it is stored as {cells.type}, not as {column.type.value}: "
        f"store it as {'text' if column.type is not CellType.NUMBER else 'numbers'}"
        + (" or dates" if column.type is CellType.DATE else "")
    )
