"""An investor of whom nothing is known: no profile, no positions. New customers whom the data names only later are
given this investor's list, so that no list needs to know that they will come."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import KnowledgeGraph, Nodes
from pathfolio.kg.schema import KIND_CODE, UNDATED, NodeKind

STRANGER_ID: Final = ""
"""Sorts before every other id, so the stranger is the first investor."""


def with_stranger(graph: KnowledgeGraph) -> KnowledgeGraph:
    """`graph` with one more investor without any relation, at position 0; all other rows move by one."""
    nodes = Nodes(**{f.name: _prepend(f.name, getattr(graph.nodes, f.name)) for f in fields(Nodes)})
    moved = {side: getattr(graph.edges, side) + np.int32(1) for side in ("head", "tail")}
    return KnowledgeGraph(nodes, replace(graph.edges, **moved), graph.as_of, graph.name, graph.is_sample)


def _prepend(column: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    first: Any = {
        "kind": KIND_CODE[NodeKind.USER],
        "birth_year": np.nan,
        "listed": np.iinfo(np.int32).min,
        "known_at": (UNDATED - UNDATED.fromordinal(719163)).days,
    }.get(column, STRANGER_ID)
    return np.concatenate([np.array([first], values.dtype), values])
