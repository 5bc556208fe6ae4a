"""Everybody's list in one file."""

from __future__ import annotations

import os
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import ArrayLike

from pathfolio.kg.outfile import check_out, write_private
from pathfolio.kg.spreadsheet import safe_cell
from pathfolio.recommender.model import Model
from pathfolio.recommender.retrieve import ranked_lines


def _write_csv(table: pa.Table, out: Path) -> None:
    """Ids as `safe_cell` writes them."""
    texts = [name for name in table.column_names if pa.types.is_string(table.schema.field(name).type)]
    for name in texts:
        cells = pa.array([safe_cell(cell) for cell in table[name].to_pylist()], pa.string())
        table = table.set_column(table.column_names.index(name), name, cells)
    pyarrow.csv.write_csv(table, out)


_WRITERS: Final = MappingProxyType({".parquet": pq.write_table, ".csv": _write_csv})


def check_name(out: Path) -> None:
    """Raise UsageError where `out` is neither .parquet nor .csv, or cannot be written."""
    check_out(out, tuple(_WRITERS))


def lists_table(users: ArrayLike, ranks: ArrayLike, assets: ArrayLike, scores: ArrayLike) -> pa.Table:
    """The columns user_id, rank, asset_id, score."""
    columns = (
        pa.array(users, pa.string()),
        pa.array(ranks, pa.int32()),
        pa.array(assets, pa.string()),
        pa.array(scores),
    )
    return pa.table(dict(zip(("user_id", "rank", "asset_id", "score"), columns, strict=True)))


def save_table(table: pa.Table, out: Path) -> None:
    """Write the table, as the ending of `out` says; a file that is there stays until the new one is whole."""
    check_name(out)
    aside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        write_private(aside, "")
        _WRITERS[out.suffix](table, aside)
        aside.replace(out)
    finally:
        aside.unlink(missing_ok=True)


def write_lists(model: Model, out: Path, k: int, kind: str | None, *, include_held: bool) -> int:
    """Write every investor's list as the score alone ranks it, in the snapshot's order; returns the rows.

    Raises:
        UsageError: `out` is neither .parquet nor .csv.
    """
    check_name(out)
    graph = model.graph
    lines = ranked_lines(model, graph.user_span.positions, k, kind, include_held=include_held)
    ids = graph.user_ids[lines.user], graph.asset_ids[lines.asset]
    table = lists_table(ids[0], lines.rank, ids[1], lines.score)
    save_table(table, out)
    return int(table.num_rows)
