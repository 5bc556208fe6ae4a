"""The hash that two snapshots have in common when they hold the same, whichever way they came."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from pathfolio.kg.graph import KnowledgeGraph


def hash_of(graph: KnowledgeGraph) -> str:
    """SHA-256 over name, date and all nodes and versions in their sorted order, as 64 hex digits.

    A graph without amounts has the hash that it had before there were any.
    """
    digest = hashlib.sha256()
    digest.update(f"{graph.name}\0{int(graph.is_sample)}\0{graph.as_of.isoformat()}\0".encode())
    for part in (graph.nodes, graph.edges):
        for f in fields(part):
            column = getattr(part, f.name)
            if f.name == "amount" and np.isnan(column).all():
                continue
            digest.update(f"{f.name}:{len(part)}\0".encode())
            for chunk in _canonical_bytes(column):
                digest.update(chunk)
    return digest.hexdigest()


def _canonical_bytes(column: npt.NDArray[Any]) -> Iterator[bytes | pa.Buffer]:
    """The same bytes for the same values on every machine: little-endian numbers, length-prefixed UTF-8."""
    if column.dtype != object:
        values = np.where(np.isnan(column), np.nan, column + 0.0) if column.dtype.kind == "f" else column
        yield values.astype(column.dtype.newbyteorder("<")).tobytes()
        return
    for start in range(0, len(column), 65536):
        texts = pa.array(column[start : start + 65536], pa.string())  # lies in memory as it is to be hashed
        _, ends, content = texts.buffers()
        ends = np.frombuffer(ends, np.int32, len(texts) + 1)
        yield np.diff(ends).astype("<u4").tobytes()
        yield content[: int(ends[-1])] if content is not None else b""
