"""`Sieve`: sets the rows of one file aside that break the contract, each once, with what was found and a remedy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from pathfolio.kg.column import Column, Mask, found_text, read_cells
from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import IntArray
from pathfolio.kg.raw_file import RawFile
from pathfolio.kg.tables import REJECTED_COLUMNS

_LONGEST: Final = 200
"""Characters of a value that are kept in the record of a row set aside."""


class Sieve:
    """One file on its way into a table.

    Attributes:
        raw: the file as it was found, without its cells.
        frame: one row per record of the file and one column per column of the layout; a cell that could not be
            read is null, and its row is set aside.
        keep: (n,) bool, the rows that nothing is wrong with so far.
        titles: from the contract's name of each column to the file's.
        unused: headers of the file that the layout does not know.
    """

    def __init__(self, raw: RawFile, columns: Sequence[Column]) -> None:
        """Read every column and set aside the rows whose cells break their rule.

        Raises:
            DataError: a required column is absent, or stored as another type.
        """
        self.raw = raw
        self.keep: Mask = np.ones(len(raw), bool)
        self._aside: list[pd.DataFrame] = []
        self._kept: pd.DataFrame | None = None
        _check_header(raw, columns)
        known = {column.title for column in columns}
        self.unused = tuple(header for header in raw.columns if header not in known)
        self.titles = {column.name: column.title for column in columns}
        self._set_misshapen_aside()
        cells = {column.name: self._read(column) for column in columns}
        self.frame = pd.DataFrame(cells, index=range(len(raw)), copy=False)
        self.raw = replace(raw, columns={})  # its cells are read, and large

    def _read(self, column: Column) -> pd.Series[Any]:
        cells = self.raw.columns.get(column.title)
        if cells is None:
            cells = pa.chunked_array([pa.nulls(len(self.raw))])
        values, faults = read_cells(cells, column, self.raw.file)
        for fault in faults:
            at = np.flatnonzero(fault.rows & self.keep)
            self._record(at, column.title, found_text(cells, at), fault.problem, fault.remedy)
        return values

    def _set_misshapen_aside(self) -> None:
        wrong = self.raw.misshapen
        if wrong:
            problem = f"the row does not have {len(self.raw.columns)} cells, as the header does"
            found = [f"{record.cells} cells: {record.text}" for record in wrong]
            remedy = "put cells that hold a comma or a line break in quotation marks"
            self._add([record.line for record in wrong], "", found, problem, remedy)

    def reject(self, rows: Mask, column: str, found: pd.Series[Any] | str, problem: str, remedy: str) -> None:
        """Set aside those of `rows` that are still kept; `found` is what stands there, per row or for all."""
        at = np.flatnonzero(rows & self.keep)
        if len(at):
            texts = [found] * len(at) if isinstance(found, str) else found.iloc[at].astype("str").tolist()
            self._record(at, column, texts, problem, remedy)

    def _record(self, at: IntArray, column: str, found: list[str], problem: str, remedy: str) -> None:
        if len(at):
            self.keep[at] = False
            self._kept = None
            self._add(self.raw.line[at].tolist(), column, found, problem, remedy)

    def _add(self, lines: list[int], column: str, found: list[str], problem: str, remedy: str) -> None:
        values = [text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…" for text in found]
        row = {"file": self.raw.file, "line": lines, "column": column, "value": values}
        self._aside.append(pd.DataFrame({**row, "problem": problem, "remedy": remedy}, columns=list(REJECTED_COLUMNS)))

    @property
    def kept(self) -> pd.DataFrame:
        """The rows that are kept, with the index of `frame`."""
        if self._kept is None:
            self._kept = self.frame if self.keep.all() else self.frame[self.keep]
        return self._kept

    def rejected(self) -> pd.DataFrame:
        """The rows set aside so far, with `REJECTED_COLUMNS`, by line."""
        if not self._aside:
            return pd.DataFrame(columns=list(REJECTED_COLUMNS))
        return pd.concat(self._aside).sort_values("line", kind="stable", ignore_index=True)

    def check_half(self) -> None:
        """Refuse the file where more than half of its rows were set aside: the layout must be another one.

        Raises:
            DataError: it names the first problem.
        """
        rejected = self.rejected()
        if 2 * len(rejected) > self.raw.rows:
            first = first_problem(rejected, self.raw.counted)
            raise DataError(f"{first} ({len(rejected):,} of {self.raw.rows:,} rows are like this)")


def all_rejected(sieves: Iterable[Sieve]) -> pd.DataFrame:
    """The rows set aside in several files, with `REJECTED_COLUMNS` and the types that `Tables` promises."""
    rejected = pd.concat([sieve.rejected() for sieve in sieves], ignore_index=True)
    texts = {column: "string" for column in REJECTED_COLUMNS if column != "line"}
    return rejected.astype({**texts, "line": "int64"})


def unused_columns(sieves: Iterable[Sieve]) -> list[str]:
    """A sentence for the files that have the same columns which nothing reads."""
    files: dict[tuple[str, ...], list[str]] = {}
    for sieve in sieves:
        if sieve.unused:
            files.setdefault(sieve.unused, []).append(sieve.raw.file)
    return [
        f"{names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}: not read: {', '.join(unused)}"
        for unused, names in files.items()
    ]


def _check_header(raw: RawFile, columns: Sequence[Column]) -> None:
    absent = [column.title for column in columns if column.required and column.title not in raw.columns]
    if not absent:
        return
    there = ", ".join(raw.columns)
    remedy = "add it to the header line" if raw.counted == "line" else "add it"
    if len(raw.columns) == 1 and any(mark in there for mark in ";\t|"):
        remedy = "separate the columns with commas"
    raise DataError(f"{raw.header}: no column {absent[0]!r} among {there!r}: {remedy}")


def first_problem(rejected: pd.DataFrame, counted: str = "line") -> str:
    """The first of the rows set aside in one line: file, line (or row), column, value, problem and remedy."""
    first = rejected.iloc[0]
    column = f", column {first['column']}" if first["column"] else ""
    value = " ".join(str(first["value"]).split())
    found = f" {value!r}" if value else ""
    return f"{first['file']}, {counted} {first['line']}{column}:{found} {first['problem']}: {first['remedy']}"
