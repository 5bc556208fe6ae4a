"""From a graph store back to a `KnowledgeGraph`: the store feeds the models as files do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.compile import compile_graph
from pathfolio.kg.errors import DataError, StoreError, UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import ASSET_LABEL, NODE_KINDS, RELATIONS, NodeKind, Relation
from pathfolio.kg.store.layout import NODE_PROPERTIES, NODE_TEXTS, read_kind
from pathfolio.kg.store.meta import StoredGraph, stored_graph

if TYPE_CHECKING:
    from pathfolio.kg.store.bolt import Store

_EDGE_KEY: Final = ("relation", "tail_labels", "tail_id", "as_of", "known_at")
_CONTENT: Final = ("weight", "value", "amount", "qualifier", "source")
_DAYS: Final = frozenset({"as_of", "known_at", "listed", "current_from", "current_until"})
_NUMBERS: Final = frozenset({"weight", "value", "amount", "birth_year"})
_BLOCK: Final = 200_000
"""Versions that are held as Python lists before they become arrays."""


def read_graph(source: str | Store, as_of: date | None = None) -> KnowledgeGraph:
    """The snapshot of `as_of` that a store holds, the day that it was loaded with where none is given.

    Its content hash is that of the snapshot made from the files that were loaded, or of that snapshot's `at(as_of)`.
    Relations that somebody added in the store are read, too, where they have a `source`; as undated where they have no
    `as_of` and `known_at`.

    Args:
        source: a Bolt URI (user, password and database from the environment), or a store that is connected.

    Raises:
        StoreError: no server or no complete graph there.
        DataError: what was added there breaks the schema.
        UsageError: `as_of` is later than what the store knows.
    """
    if isinstance(source, str):
        from pathfolio.kg.store.address import address_from_environment
        from pathfolio.kg.store.bolt import Store

        with Store(address_from_environment(source)) as store:
            return read_graph(store, as_of)
    about = _usable(source)
    if as_of is not None and as_of > about.as_of:
        raise UsageError(
            f"{source.address.uri} knows the world up to {about.as_of}: load a later build, or ask for an earlier day"
        )
    nodes, edges = read_frames(source, as_of or about.as_of)
    if stored_graph(source) != about:
        raise StoreError(f"{source.address.uri}: the graph was loaded anew while it was read: read it again")
    return compile_graph(nodes, edges, as_of or about.as_of, name=about.name, is_sample=about.is_sample)


def _usable(store: Store) -> StoredGraph:
    about = stored_graph(store)
    if about is None:
        raise StoreError(f"{store.address.uri} holds no pathfolio graph: load one with `pathfolio graph load`")
    about.check_usable(store.address.uri)
    return about


def read_frames(store: Store, day: date, properties: tuple[str, ...] = _CONTENT) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Frames of all nodes and of the versions known on `day`, for `compile_graph`; `properties` are the versions'."""
    nodes = []
    edges = []
    for kind in NODE_KINDS:
        rows = store.stream(read_kind(kind, properties), day=day)
        for block in _blocks(rows):
            nodes.append(_node_frame(kind, block))
            edges.append(_edge_frame(kind, block, properties))
    return pd.concat(nodes, ignore_index=True), pd.concat(edges, ignore_index=True)


def _blocks(rows: Iterable[list[Any]]) -> Iterator[list[list[Any]]]:
    """The rows in blocks of about `_BLOCK` versions; one empty block where there are none."""
    block: list[list[Any]] = []
    size = 0
    for row in rows:
        block.append(row)
        size += 1 + len(row[-1])
        if size > _BLOCK:
            yield block
            block = []
            size = 0
    yield block


def _node_frame(kind: NodeKind, block: list[list[object]]) -> pd.DataFrame:
    columns = zip(*block, strict=True) if block else ((),) * (len(NODE_PROPERTIES) + 2)
    ids, *properties, _edges = (list(column) for column in columns)
    _check_ids(kind, ids)
    named = dict(zip(NODE_PROPERTIES, properties, strict=True))
    texts = {name: pd.Series(named[name], dtype="object") for name in NODE_TEXTS}
    days = {name: _days(named[name]) for name in ("listed", "known_at")}
    return pd.DataFrame(
        {"kind": kind.value, "id": pd.Series(ids, dtype="object"), **texts, "birth_year": _numbers(named["birth_year"])}
        | days
    )


def _check_ids(kind: NodeKind, ids: list[object]) -> None:
    wrong = next((found for found in ids if not isinstance(found, str)), "")
    if wrong != "":
        raise DataError(f"a {kind} in the store has the id {wrong!r}: ids are texts; give it one, or remove the node")


def _edge_frame(kind: NodeKind, block: list[list[Any]], properties: tuple[str, ...]) -> pd.DataFrame:
    names = (*_EDGE_KEY, *properties)
    versions = list(chain.from_iterable(row[-1] for row in block))
    columns = zip(*versions, strict=True) if versions else ((),) * len(names)
    named = {name: list(column) for name, column in zip(names, columns, strict=True)}
    head_ids = np.array([row[0] for row in block], dtype=object)
    heads = np.repeat(head_ids, [len(row[-1]) for row in block]) if block else head_ids
    frame = pd.DataFrame(
        {
            "relation": pd.Series(named["relation"], dtype="object"),
            "head_kind": kind.value,
            "head_id": pd.Series(heads, dtype="object"),
            "tail_kind": pd.Series(_kinds(named["tail_labels"]), dtype="object"),
            "tail_id": pd.Series(named["tail_id"], dtype="object"),
            **{name: _edge_column(name, named[name]) for name in ("as_of", "known_at", *properties)},
        }
    )
    frame = frame[frame["tail_kind"].notna()]
    _check_ends(kind, frame)
    return frame


def _edge_column(name: str, values: list[Any]) -> Any:
    if name in _DAYS:
        return _days(values)
    if name in _NUMBERS:
        return _numbers(values)
    return pd.Series(values, dtype="object").fillna("")


def _kinds(labels: list[list[str]]) -> list[str | None]:
    """The kind among a node's labels; None for a node that is not of the schema."""
    known = {kind.value for kind in NODE_KINDS}
    cache: dict[tuple[str, ...], str | None] = {}
    for found in set(map(tuple, labels)):
        kinds = [label for label in found if label in known and label != ASSET_LABEL]
        cache[found] = kinds[0] if len(kinds) == 1 else None
    return [cache[tuple(found)] for found in labels]


def _check_ends(kind: NodeKind, frame: pd.DataFrame) -> None:
    for relation, tail in frame[["relation", "tail_kind"]].drop_duplicates().itertuples(index=False):
        spec = RELATIONS[Relation(relation)]
        if kind not in spec.heads or NodeKind(tail) not in spec.tails:
            at = frame[(frame["relation"] == relation) & (frame["tail_kind"] == tail)].iloc[0]
            raise DataError(
                f"the store has {relation} from {kind} {at['head_id']!r} to {tail} {at['tail_id']!r}, which the "
                "schema does not know: remove it"
            )


def _days(values: list[str | None]) -> npt.NDArray[np.float64] | npt.NDArray[np.int32]:
    """Days since 1970: int32 where all are known, float64 with NaN where some are not."""
    if None not in values:
        return np.array(values, dtype="datetime64[D]").astype(np.int32)
    days = np.array([value or "NaT" for value in values], dtype="datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(np.float64))


def _numbers(values: list[object]) -> npt.NDArray[np.float64]:
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        wrong = next(value for value in values if not isinstance(value, int | float | None))
        raise DataError(f"the store has {wrong!r} where a number belongs: correct it there") from None
