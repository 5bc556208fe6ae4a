"""An answer to a Cypher query as a table, CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
import sys
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pathfolio.kg.bidi import isolated
from pathfolio.kg.outfile import write_private
from pathfolio.kg.spreadsheet import safe_cell
from pathfolio.kg.store.values import to_json

if TYPE_CHECKING:
    from pathfolio.kg.store.query import QueryResult

WIDEST_CELL: Final = 60


def as_table(result: QueryResult) -> bytes:
    """Columns side by side, for reading; long values are cut."""
    rows = [[_cell(value) for value in row] for row in result.rows]
    lines = [list(result.columns), *rows]
    widths = [max((_width(line[at]) for line in lines), default=0) for at in range(len(result.columns))]
    head, *body = ["  ".join(_padded(cell, width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    rule = "  ".join("-" * width for width in widths)
    return "".join(f"{line.rstrip()}\n" for line in (head, rule, *body)).encode()


def as_csv(result: QueryResult) -> bytes:
    """A header and a line per row; lists, maps, nodes and paths as JSON, null as nothing, texts as `safe_cell`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(safe_cell, result.columns))
    writer.writerows([safe_cell(_plain(value)) for value in row] for row in result.rows)
    return out.getvalue().encode()


def as_json(result: QueryResult) -> bytes:
    """One object: columns, rows, truncated, seconds."""
    return (json.dumps(result.to_json(), ensure_ascii=False, indent=1) + "\n").encode()


def as_parquet(result: QueryResult) -> bytes:
    """Numbers, texts, dates and booleans as such; everything else, and mixed columns, as JSON texts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = list(zip(*result.rows, strict=True)) if result.rows else [()] * len(result.columns)
    arrays = [_arrow(pa, list(values)) for values in columns]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(result.columns)), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


FORMATS: Final[Mapping[str, Callable[[QueryResult], bytes]]] = MappingProxyType(
    {"table": as_table, "csv": as_csv, "json": as_json, "parquet": as_parquet}
)


def write_result(result: QueryResult, form: str, out: Path | None) -> None:
    """Write an answer to a file that only its owner can read, or to standard output; say beside how long it is."""
    content = FORMATS[form](result)
    if out is not None:
        write_private(out, content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    rows = f"{len(result.rows):,} row{'' if len(result.rows) == 1 else 's'} in {result.seconds:.2f} s"
    cut = f"; cut at {result.cut}: ask for less, or raise --max-rows" if result.truncated else ""
    sys.stderr.write(f"{rows}{cut}\n")


def _arrow(pa: Any, values: list[Any]) -> Any:
    if not any(isinstance(value, list | dict) for value in values):
        try:
            return pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            pass
    return pa.array([None if value is None else json.dumps(to_json(value), ensure_ascii=False) for value in values])


def _plain(value: object) -> Any:
    found = to_json(value)
    if isinstance(found, bool):
        return str(found).lower()
    return json.dumps(found, ensure_ascii=False) if isinstance(found, list | dict) else found


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = ", ".join(map(_cell, value)) if isinstance(value, list) else str(value)
    text = " ".join(text.split())
    return isolated(text if len(text) <= WIDEST_CELL else text[: WIDEST_CELL - 1] + "…")


def _width(text: str) -> int:
    """Places on a terminal; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
