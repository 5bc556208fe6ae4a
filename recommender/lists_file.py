"""Everybody's list in one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from kg.errors import UsageError
from recommender.model import Model
from recommender.retrieve import rank_assets


def write_lists(model: Model, out: Path, k: int, kind: str | None, *, include_held: bool) -> int:
    """Write user_id, rank, asset_id, score of every investor's list, in the snapshot's order; returns the rows.

    Raises:
        UsageError: `out` is neither .parquet nor .csv.
    """
    writers = {".parquet": pq.write_table, ".csv": pyarrow.csv.write_csv}
    if out.suffix not in writers:
        raise UsageError(f"{out}: name a .parquet or a .csv file")
    users, graph = np.arange(len(model.graph.users)), model.graph
    parts = []
    for chunk, best, scores in rank_assets(model, users, k, kind, include_held=include_held):
        row, rank = np.nonzero(best >= 0)
        parts.append(
            pa.table(
                {
                    "user_id": pa.array(graph.nodes.id[graph.users[chunk[row]]], pa.string()),
                    "rank": pa.array(rank + 1, pa.int32()),
                    "asset_id": pa.array(graph.nodes.id[graph.assets[best[row, rank]]], pa.string()),
                    "score": pa.array(scores[row, rank]),
                }
            )
        )
    table = pa.concat_tables(parts)
    writers[out.suffix](table, out)
    return int(table.num_rows)
