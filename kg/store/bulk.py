"""Files for `neo4j-admin database import full`, the fast way to load tens of millions of relations at first."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from pathfolio.kg.graph import NO_DAY, Days, KnowledgeGraph, to_days
from pathfolio.kg.schema import NODE_KINDS, SCHEMA_VERSION, UNDATED, NodeKind, Relation
from pathfolio.kg.store.layout import LAYOUT, META_LABEL, NODE_TEXTS, OWN_NAMES, labels
from pathfolio.kg.store.lifetimes import lifetimes
from pathfolio.kg.store.load import edge_groups
from pathfolio.kg.store.meta import COMPLETE

ARGUMENTS_FILE: Final = "neo4j-admin.arguments"
_UNDATED: Final = to_days(UNDATED)
_Rows = npt.NDArray[np.int64]


def write_bulk_files(graph: KnowledgeGraph, folder: Path) -> Path:
    """Write one CSV file per kind of node and of relation, and the arguments for the tool, into `folder`.

    Run there: neo4j-admin database import full neo4j @neo4j-admin.arguments. Start the server afterwards and run
    `pathfolio graph load`, which finds everything there and adds the constraints.

    Returns:
        The file of arguments.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["--id-type=string", "--multiline-fields=true"]
    _write(folder / "graph.csv", _meta_columns(graph))
    arguments.append(f"--nodes={META_LABEL}=graph.csv")
    for code, kind in enumerate(NODE_KINDS):
        at = np.flatnonzero(graph.nodes.kind == code)
        if len(at):
            _write(folder / f"{kind.value}.csv", _node_columns(graph, kind, at))
            arguments.append(f"--nodes={labels(kind)}={kind.value}.csv")
    days = lifetimes(graph)
    for (head, relation, tail), at in edge_groups(graph, np.arange(len(graph.edges))):
        name = f"{head.value}_{relation.value}_{tail.value}.csv"
        _write(folder / name, _edge_columns(graph, (head, relation, tail), at, days))
        arguments.append(f"--relationships={relation.value}={name}")
    path = folder / ARGUMENTS_FILE
    path.write_text("\n".join(arguments) + "\n", encoding="utf-8")
    return path


def _write(path: Path, columns: dict[str, pa.Array]) -> None:
    csv.write_csv(pa.table(columns), path)


def _meta_columns(graph: KnowledgeGraph) -> dict[str, pa.Array]:
    return {
        f"id:ID({META_LABEL})": pa.array(["graph"]),
        "name:string": pa.array([graph.name]),
        "is_sample:boolean": pa.array([graph.is_sample]),
        "as_of:date": pa.array([graph.as_of]),
        "schema_version:int": pa.array([SCHEMA_VERSION]),
        "content_hash:string": pa.array([graph.content_hash]),
        "state:string": pa.array([COMPLETE]),
        "nodes:long": pa.array([len(graph.nodes)]),
        "relations:long": pa.array([len(graph.edges)]),
        "layout:long": pa.array([LAYOUT]),
    }


def _node_columns(graph: KnowledgeGraph, kind: NodeKind, at: _Rows) -> dict[str, pa.Array]:
    nodes = graph.nodes
    return {
        f"id:ID({kind.value})": pa.array(nodes.id[at], pa.string()),
        **{f"{name}:string": _texts(getattr(nodes, name)[at]) for name in NODE_TEXTS},
        "name:string": pa.array(np.where(nodes.name[at] == "", nodes.id[at], nodes.name[at]), pa.string()),
        "name_is_id:boolean": pa.array(nodes.name[at] == "", mask=nodes.name[at] != ""),
        "birth_year:double": _numbers(nodes.birth_year[at]),
        "listed:date": _dates(nodes.listed[at]),
        "known_at:date": _dates(nodes.known_at[at], _UNDATED),
        "is_undated:boolean": pa.array(nodes.known_at[at] == _UNDATED, mask=nodes.known_at[at] != _UNDATED),
    }


def _edge_columns(
    graph: KnowledgeGraph, kinds: tuple[NodeKind, Relation, NodeKind], at: _Rows, days: tuple[Days, Days]
) -> dict[str, pa.Array]:
    nodes = graph.nodes
    edges = graph.edges
    columns = {
        f":START_ID({kinds[0].value})": pa.array(nodes.id[edges.head[at]], pa.string()),
        f":END_ID({kinds[2].value})": pa.array(nodes.id[edges.tail[at]], pa.string()),
        "as_of:date": _dates(edges.as_of[at], _UNDATED),
        "known_at:date": _dates(edges.known_at[at], _UNDATED),
        "weight:double": _numbers(edges.weight[at]),
        "value:double": _numbers(edges.value[at]),
        "amount:double": _numbers(edges.amount[at]),
        "qualifier:string": _texts(edges.qualifier[at]),
        "source:string": pa.array(edges.source[at], pa.string()),
        "current_from:date": _dates(days[0][at]),
        "current_until:date": _dates(days[1][at]),
    }
    types = {"value": "double", "qualifier": "string"}
    own = {f"{new}:{types[old]}": columns[f"{old}:{types[old]}"] for old, new in OWN_NAMES.get(kinds[1], {}).items()}
    return columns | own


def _texts(values: npt.NDArray[np.object_]) -> pa.Array:
    """Empty texts are absent."""
    return pa.array([text or None for text in values.tolist()], pa.string())


def _numbers(values: npt.NDArray[np.float64]) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _dates(days: npt.NDArray[Any], missing: int = NO_DAY) -> pa.Array:
    return pa.array(days.astype(np.int32), mask=days == missing).cast(pa.date32())
