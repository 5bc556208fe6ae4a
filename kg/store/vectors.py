"""Embeddings as a property of the nodes they belong to, with a vector index where the server has one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.errors import DataError, StoreError
from pathfolio.kg.schema import ASSET_LABEL, NODE_KINDS, NodeKind
from pathfolio.kg.store.layout import VECTOR, WRITE_META
from pathfolio.kg.store.meta import stored_graph

if TYPE_CHECKING:
    from pathfolio.kg.store.bolt import Store

INDEX: Final = "pathfolio_asset_embedding"
PROPERTY: Final = VECTOR
BATCH: Final = 500
AWAIT_SECONDS: Final = 300

VectorArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class VectorNote:
    """What stands beside the vectors in the store, so that whoever uses them knows what they are.

    Attributes:
        build: hash of the build that made them.
        model: the embedding's name, as in the literature.
        as_of: the day of the snapshot that they were learned from.
        licence: of the data that they were learned from.
    """

    build: str
    model: str
    as_of: date
    licence: str


def write_vectors(
    store: Store, kinds: npt.NDArray[np.int8], ids: Sequence[str], vectors: VectorArray, note: VectorNote
) -> int:
    """Set the property `embedding` of the nodes that the store has, and index those of assets (cosine).

    A kind of which no vector is given has none afterwards, so that none of an earlier build stays.

    Args:
        kinds: (n,) int8, codes of `NODE_KINDS`.
        ids: (n,) of that kind.
        vectors: (n, d) float32.

    Returns:
        How many nodes have one now.

    Raises:
        StoreError: the store holds no complete graph, or none of these nodes; vectors that it has stay.
        DataError: a vector is not finite, there twice, or there are not as many as ids.
    """
    about = stored_graph(store)
    if about is None:
        raise StoreError(f"{store.address.uri} holds no pathfolio graph: load one with `pathfolio graph load`")
    about.check_usable(store.address.uri)
    _check(kinds, ids, vectors)
    names = np.array(ids, dtype=object)
    if not any(_found(store, kind, names[kinds == code].tolist()) for code, kind in enumerate(NODE_KINDS)):
        raise StoreError(
            f"{store.address.uri} holds a graph of {about.name}, with no node of these vectors: "
            "load the build that they are of with `pathfolio graph load`"
        )
    written = 0
    with store.writer() as write:
        for code, kind in enumerate(NODE_KINDS):
            at = np.flatnonzero(kinds == code)
            if not len(at):
                write(f"MATCH (n:{kind.value}) WHERE n.{PROPERTY} IS NOT NULL REMOVE n.{PROPERTY} RETURN count(*)")
            for start in range(0, len(at), BATCH):
                part = at[start : start + BATCH]
                rows = list(zip(names[part].tolist(), vectors[part].tolist(), strict=True))
                written += write(_set_statement(store.dialect, kind), rows=rows)[0][0]
    if store.dialect == "neo4j":
        _index(store, vectors.shape[1])
    marks = {"build": note.build, "model": note.model, "as_of": note.as_of, "licence": note.licence}
    marks |= {"dimension": vectors.shape[1], "metric": "cosine"}
    store.write(WRITE_META, properties={f"embedding_{name}": value for name, value in marks.items()})
    return written


def _check(kinds: npt.NDArray[np.int8], ids: Sequence[str], vectors: VectorArray) -> None:
    if vectors.ndim != 2 or not len(kinds) == len(ids) == len(vectors):
        raise DataError(f"vectors of shape {vectors.shape} for {len(ids)} ids of {len(kinds)} kinds: give one to each")
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise DataError(f"the vector of {ids[bad[0]]!r} has a value that is not finite: train the embedding again")
    seen: set[tuple[int, str]] = set()
    for key in zip(kinds.tolist(), ids, strict=True):
        if key in seen:
            raise DataError(f"{key[1]!r} has two vectors: keep one of them")
        seen.add(key)


def _found(store: Store, kind: NodeKind, ids: list[str]) -> int:
    """How many of these nodes the store has."""
    if not ids:
        return 0
    rows = store.read(f"UNWIND $ids AS id MATCH (n:{kind.value} {{id: id}}) RETURN count(n)", ids=ids)
    return int(rows[0][0])


def _set_statement(dialect: str, kind: NodeKind) -> str:
    """Neo4j keeps vectors as float32 where they are set by its procedure."""
    find = f"UNWIND $rows AS row MATCH (n:{kind.value} {{id: row[0]}})"
    if dialect == "neo4j":
        return f"{find} CALL db.create.setNodeVectorProperty(n, '{PROPERTY}', row[1]) RETURN count(*)"
    return f"{find} SET n.{PROPERTY} = row[1] RETURN count(*)"


def _index(store: Store, dimension: int) -> None:
    """One index of this dimension; an older one of another dimension goes."""
    options = f"{{`vector.dimensions`: {dimension:d}, `vector.similarity_function`: 'cosine'}}"
    store.define(f"DROP INDEX {INDEX} IF EXISTS")
    store.define(
        f"CREATE VECTOR INDEX {INDEX} FOR (n:{ASSET_LABEL}) ON (n.{PROPERTY}) OPTIONS {{indexConfig: {options}}}"
    )
    store.define(f"CALL db.awaitIndex('{INDEX}', {AWAIT_SECONDS})")


def read_vectors(store: Store, kind: NodeKind) -> tuple[list[str], list[str], VectorArray]:
    """Ids, names and (n, d) float32 vectors of the nodes of a kind that have one, by id."""
    text = f"MATCH (n:{kind.value}) WHERE n.{PROPERTY} IS NOT NULL RETURN n.id, n.name, n.{PROPERTY} ORDER BY n.id"
    rows = list(store.stream(text))
    vectors = np.array([row[2] for row in rows], dtype=np.float32)
    return [row[0] for row in rows], [row[1] or row[0] for row in rows], vectors
