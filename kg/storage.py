"""Save a `KnowledgeGraph` as two Parquet files and one JSON file, and load it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pathfolio.kg.errors import DataError, SchemaError
from pathfolio.kg.graph import Edges, KnowledgeGraph, Nodes
from pathfolio.kg.schema import NODE_KINDS, RELATION_KINDS, SCHEMA_VERSION

_COMPRESSION: Any = "zstd"


def save_graph(graph: KnowledgeGraph, folder: Path) -> None:
    """Write nodes.parquet, edges.parquet and graph.json into `folder`, which is made where it is absent."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(_to_arrow(graph.nodes), folder / "nodes.parquet", compression=_COMPRESSION)
    pq.write_table(_to_arrow(graph.edges), folder / "edges.parquet", compression=_COMPRESSION)
    about = {
        "schema_version": SCHEMA_VERSION,
        "name": graph.name,
        "is_sample": graph.is_sample,
        "as_of": graph.as_of.isoformat(),
        "content_hash": graph.content_hash,
        "node_kinds": [kind.value for kind in NODE_KINDS],
        "relation_kinds": [relation.value for relation in RELATION_KINDS],
    }
    (folder / "graph.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load_graph(folder: Path, *, verify: bool = False) -> KnowledgeGraph:
    """Read a graph that `save_graph` wrote.

    Args:
        verify: compute the content hash again and compare it with the one that was saved.

    Raises:
        DataError: the folder holds no graph, a file of it is damaged, or its content does not have the hash that was
            saved.
        SchemaError: another version of the schema wrote it.
    """
    for name in ("graph.json", "nodes.parquet", "edges.parquet"):
        if not (folder / name).is_file():
            raise DataError(f"{folder}: no {name} here: name the folder of a build or a graph")
    try:
        about = json.loads((folder / "graph.json").read_text(encoding="utf-8"))
        _check_schema(about, folder)
        nodes = Nodes(**_from_arrow(pq.read_table(folder / "nodes.parquet"), Nodes))
        edges = Edges(**_from_arrow(pq.read_table(folder / "edges.parquet"), Edges))
        graph = KnowledgeGraph(nodes, edges, date.fromisoformat(about["as_of"]), about["name"], about["is_sample"])
    except (ValueError, KeyError, pa.ArrowException) as error:
        what = " ".join(str(error).split())
        raise DataError(f"{folder}: the graph is damaged ({what}): restore it or build it again") from None
    if verify and graph.content_hash != about["content_hash"]:
        raise DataError(f"{folder}: content does not have the hash in graph.json: restore it or build it again")
    return graph


def _check_schema(about: dict[str, object], folder: Path) -> None:
    numbered_alike = _begin_with(about["node_kinds"], NODE_KINDS) and _begin_with(
        about["relation_kinds"], RELATION_KINDS
    )
    if about["schema_version"] != SCHEMA_VERSION or not numbered_alike:
        found = f"schema {about['schema_version']}"
        raise SchemaError(f"{folder}: written with other kinds or {found}, not {SCHEMA_VERSION}: build it again")


def _begin_with(written: object, kinds: Sequence[StrEnum]) -> bool:
    """Whether today's kinds are numbered as `written`; those that came since stand after them."""
    return isinstance(written, list) and [kind.value for kind in kinds[: len(written)]] == written


def _to_arrow(part: Nodes | Edges) -> pa.Table:
    columns = {}
    for f in fields(part):
        values = getattr(part, f.name)
        is_text = values.dtype == object
        array = pa.array(values, type=pa.string()) if is_text else pa.array(values)
        repeats = is_text and f.name in {"qualifier", "source", "currency", "income_band"}
        columns[f.name] = array.dictionary_encode() if repeats else array
    return pa.table(columns)


def _from_arrow(table: pa.Table, part: type[Nodes] | type[Edges]) -> dict[str, Any]:
    columns = {}
    for f in fields(part):
        if f.name == "amount" and f.name not in table.column_names:  # what was written before there were any
            columns[f.name] = np.full(len(table), np.nan)
            continue
        values = table.column(f.name).to_numpy()
        columns[f.name] = values if values.dtype == object else np.ascontiguousarray(values)
    return columns
