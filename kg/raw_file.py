"""A file of a data folder, or a table in memory, as it was found: its cells, lines, and records of a wrong shape."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import IntArray

Cells = Any
"""A pyarrow.ChunkedArray: strings with nulls for empty cells (CSV), or whatever a Parquet file holds."""

_END: Final = "\x1eend of file"
_BLOCK: Final = 1 << 24
_NEWLINE: Final = r"\r\n|\r|\n"


@dataclass(frozen=True)
class Misshapen:
    """A record with too many or too few cells: the line that it starts on, its text and how many cells it has."""

    line: int
    text: str
    cells: int


@dataclass(frozen=True)
class RawFile:
    """One file or table, nothing interpreted yet.

    Attributes:
        file: its path within the data folder, with forward slashes; the name of a table in memory.
        columns: header to cells, all of one length n, in the file's order.
        line: (n,) int64, the line on which each record starts; the header is line 1. Parquet has no lines:
            there it is the record's number, from 1.
        misshapen: records that are in none of the columns.
        counted: what `line` counts: "line", or "row" for a table in memory.
    """

    file: str
    columns: dict[str, Cells]
    line: IntArray
    misshapen: tuple[Misshapen, ...] = ()
    counted: str = "line"

    def __len__(self) -> int:
        return len(self.line)

    @property
    def rows(self) -> int:
        """How many records the file has: misshapen ones count, blank lines do not."""
        return len(self.line) + len(self.misshapen)

    @property
    def header(self) -> str:
        """Where the names of its columns stand, for messages."""
        return f"{self.file}, line 1" if self.counted == "line" else self.file


def read_raw(folder: Path, path: Path) -> RawFile:
    """Read a CSV (UTF-8) or Parquet file of `folder`.

    Raises:
        DataError: it is empty, not UTF-8, not Parquet, or has no usable header.
    """
    file = path.relative_to(folder).as_posix()
    data = path.read_bytes()
    if not data.strip(b"\xef\xbb\xbf \t\r\n,"):
        raise DataError(f"{file}: the file is empty: write at least a header line, or remove the file")
    return _read_parquet(data, file) if path.suffix == ".parquet" else _read_csv(data, file)


def unread_files(folder: Path, read: Iterable[str]) -> list[str]:
    """A sentence about the tables in `folder` that nothing reads: a misspelt name must not go unnoticed."""
    tables = {path.name for path in folder.iterdir() if path.suffix in (".csv", ".parquet")}
    others = sorted(tables - set(read))
    return [f"not read, as no table is called so: {', '.join(others)}"] if others else []


def _read_parquet(data: bytes, file: str) -> RawFile:
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(f"{file}: not readable as Parquet ({_one_line(error)}): write the file again") from None
    header = checked_header(table.column_names, f"{file}, line 1")
    return RawFile(file, dict(zip(header, table.columns, strict=True)), np.arange(1, table.num_rows + 1))


def _read_csv(data: bytes, file: str) -> RawFile:
    _check_utf8(data, file)
    text = data.removeprefix(b"\xef\xbb\xbf")
    body = text.lstrip(b"\r\n")
    first_line = 1 + _newlines(text[: len(text) - len(body)])
    header = checked_header(_header_of(body, file), f"{file}, line 1")
    table, misshapen = _parse(body, len(header), file)
    good, bad = _record_lines(table, misshapen, first_line, has_quotes=b'"' in body)
    _check_end(table, misshapen, good, bad, file)
    cells = [column.slice(1, table.num_rows - (2 if len(header) == 1 else 1)) for column in table.columns]
    line = good[1 : 1 + len(cells[0])]
    filled = ~_all_null(cells, len(line))
    if not filled.all():
        cells = [column.filter(pa.array(filled)) for column in cells]
        line = line[filled]
    aside = (Misshapen(int(at), *record[1:]) for at, record in zip(bad, misshapen, strict=True))
    wrong = tuple(record for record in aside if record.text != _END and record.text.strip(' \t\r\n,"'))
    return RawFile(file, dict(zip(header, cells, strict=True)), line, wrong)


def _check_utf8(data: bytes, file: str) -> None:
    if data.isascii():
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
        where = f"line {1 + _newlines(before)}, column {1 + before.count(b',', start)}"
        found = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise DataError(f"{file}, {where}: {found}: save the file as UTF-8") from None


def _newlines(data: bytes) -> int:
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def _header_of(body: bytes, file: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(body[:_BLOCK].decode("utf-8", "ignore"), newline="")))
    except csv.Error as error:
        raise DataError(f"{file}, line 1: not a header ({_one_line(error)}): check its quotation marks") from None


def checked_header(names: Iterable[str], where: str) -> list[str]:
    """The names of the columns, trimmed; raises DataError, which says `where`, for one that is there twice."""
    header = [name.strip() for name in names]
    twice = [name for name, count in Counter(header).items() if count > 1 and name]
    if twice:
        raise DataError(f"{where}: column {twice[0]!r} is there twice: keep one of the two")
    return [name or f"(column {at})" for at, name in enumerate(header, start=1)]


def _parse(body: bytes, width: int, file: str) -> tuple[Any, list[tuple[int, str, int]]]:
    """All records as strings, the header first, and (number, text, cells) of those with a wrong shape.

    A last record of one cell is added: where it does not arrive, a quotation mark was never closed.
    """
    misshapen: list[tuple[int, str, int]] = []

    def set_aside(row: Any) -> str:
        misshapen.append((row.number, row.text, row.actual_columns))
        return "skip"

    try:
        table = pacsv.read_csv(
            pa.BufferReader(body + f"\n{_END}\n".encode()),
            read_options=pacsv.ReadOptions(use_threads=False, autogenerate_column_names=True, block_size=_BLOCK),
            parse_options=pacsv.ParseOptions(
                newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=set_aside
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={f"f{i}": pa.string() for i in range(width)}, strings_can_be_null=True, null_values=[""]
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(f"{file}: not readable as CSV ({_one_line(error)}): check its quotation marks") from None
    return table, misshapen


def _record_lines(
    table: Any, misshapen: list[tuple[int, str, int]], first_line: int, *, has_quotes: bool
) -> tuple[IntArray, IntArray]:
    """The line on which each row of `table` starts, and each misshapen record."""
    bad = np.array([number - 1 for number, _, _ in misshapen], np.int64)
    is_bad = np.zeros(table.num_rows + len(bad), bool)
    is_bad[bad] = True
    inside = np.zeros(len(is_bad), np.int64)
    if has_quotes:
        inside[bad] = [_newlines(text.encode()) for _, text, _ in misshapen]
        counts = [pc.count_substring_regex(column, _NEWLINE).fill_null(0).to_numpy() for column in table.columns]
        inside[~is_bad] = np.sum(counts, axis=0)
    line = first_line + np.arange(len(is_bad)) + np.cumsum(inside) - inside
    return line[~is_bad], line[is_bad]


def _check_end(table: Any, misshapen: list[tuple[int, str, int]], good: IntArray, bad: IntArray, file: str) -> None:
    if table.num_columns == 1:
        arrived = table.column(0)[-1].as_py() == _END
    else:
        arrived = bool(misshapen) and misshapen[-1][1] == _END
    if not arrived:
        line = max(int(lines[-1]) for lines in (good, bad) if len(lines))
        raise DataError(f"{file}, line {line}: a quotation mark that opens in this record is not closed: close it")


def _all_null(cells: list[Cells], rows: int) -> Any:
    """(n,) bool: records without any content, such as blank lines."""
    empty = np.ones(rows, bool)
    for column in cells:
        if column.null_count == 0:
            return np.zeros(rows, bool)
        empty &= column.is_null().to_numpy()
    return empty


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
