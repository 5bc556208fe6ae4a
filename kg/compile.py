"""From frames of nodes and dated relations, in any order, to the sorted arrays of a `KnowledgeGraph`.

Tables and the graph store both end here, which is why their snapshots have the same content hash.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.graph import NO_DAY, Edges, KnowledgeGraph, Nodes, to_days
from pathfolio.kg.schema import KIND_CODE, NODE_KINDS, POSITIONS, RELATION_CODE

NODE_TEXTS: Final = ("id", "name", "name_local", "ticker", "isin", "currency", "income_band")
EDGE_TEXTS: Final = ("qualifier", "source")

NODE_FRAME: Final = ("kind", *NODE_TEXTS, "birth_year", "listed", "known_at")
"""Columns of a node frame: `kind` is a NodeKind's value, dates are int days since 1970 or null.

A node without `known_at` is known from its first edge on, and left out where it has none."""

EDGE_FRAME: Final = (
    "relation", "head_kind", "head_id", "tail_kind", "tail_id",
    "weight", "value", "amount", "qualifier", "source", "as_of", "known_at",
)  # fmt: skip
"""Columns of an edge frame: kinds and relation as text, dates as int days since 1970, none of them null."""

_KEY_TYPES: Final = {"kind": "string", "id": "string"}
_KIND_CODES: Final = {kind.value: code for kind, code in KIND_CODE.items()}
_RELATION_CODES: Final = {relation.value: code for relation, code in RELATION_CODE.items()}


def compile_graph(
    nodes: pd.DataFrame, edges: pd.DataFrame, as_of: date, *, name: str, is_sample: bool = False
) -> KnowledgeGraph:
    """The snapshot of `as_of` from node and edge frames (`NODE_FRAME`, `EDGE_FRAME`; missing columns are null).

    What was known only later is left out here, and nowhere else. Nodes that are named by edges alone are made,
    known from their first edge on; of several node rows with one (kind, id) the last stands. Edges whose ends
    are not both known are left out; of several edges equal in relation, ends and dates the last one, by
    source, qualifier, value, weight and amount, stands, so that the order of the input does not matter.
    """
    limit = to_days(as_of)
    edges = edges.reindex(columns=list(EDGE_FRAME))
    is_known = (edges["known_at"] <= limit) & (edges["as_of"] <= limit)
    edges = edges if is_known.all() else edges[is_known]
    vocabulary = _vocabulary(nodes, edges, limit)
    return KnowledgeGraph(_node_arrays(vocabulary), _edge_arrays(edges, vocabulary), as_of, name, is_sample)


def _vocabulary(nodes: pd.DataFrame, edges: pd.DataFrame, limit: int) -> pd.DataFrame:
    """One row per node that is known by `limit`, sorted by (kind, id)."""
    visible = _visible_from(edges)
    ends = [
        pd.DataFrame({"kind": edges[f"{side}_kind"], "id": edges[f"{side}_id"], "first_seen": visible})
        for side in ("head", "tail")
    ]
    seen = pd.concat(ends).groupby(["kind", "id"], sort=False, observed=True)["first_seen"].min()
    given = nodes.reindex(columns=list(NODE_FRAME)).drop_duplicates(["kind", "id"], keep="last").astype(_KEY_TYPES)
    both = given.merge(seen.reset_index().astype(_KEY_TYPES), on=["kind", "id"], how="outer")
    both = both.merge(_first_positions(edges), on=["kind", "id"], how="left")
    both["known_at"] = np.fmin(both["known_at"].astype("float64"), both["held_from"])
    both["known_at"] = both["known_at"].fillna(both["first_seen"])
    both = both[both["known_at"] <= limit]
    both["kind_code"] = both["kind"].astype(str).map(_KIND_CODES)
    both["id"] = both["id"].astype(str)
    return both.sort_values(["kind_code", "id"], kind="stable").reset_index(drop=True)


def _visible_from(edges: pd.DataFrame) -> pd.Series[Any]:
    """The first day on which each edge is in a snapshot: neither before it is known nor before what it describes."""
    return edges["known_at"].where(edges["known_at"] > edges["as_of"], edges["as_of"])


def _first_positions(edges: pd.DataFrame) -> pd.DataFrame:
    """Who holds an asset knows it, whatever its listing date says: kind, id and the first day it was held."""
    held = edges[edges["relation"].isin([relation.value for relation in POSITIONS])]
    visible = _visible_from(held)
    first = []
    for side in ("head", "tail"):
        days = visible.groupby([held[f"{side}_kind"], held[f"{side}_id"]], observed=True).min()
        first.append(days.rename("held_from").rename_axis(["kind", "id"]).reset_index())
    return pd.concat(first).astype(_KEY_TYPES)


def _texts(column: pd.Series[Any]) -> npt.NDArray[np.object_]:
    return np.array(column.astype(object).where(column.notna(), "").tolist(), dtype=object)


def _days(column: pd.Series[Any], missing: int) -> npt.NDArray[np.int32]:
    return column.astype("float64").fillna(missing).to_numpy().astype(np.int32)


def _node_arrays(vocabulary: pd.DataFrame) -> Nodes:
    texts = {name: _texts(vocabulary[name]) for name in NODE_TEXTS}
    return Nodes(
        kind=vocabulary["kind_code"].to_numpy(np.int8),
        birth_year=vocabulary["birth_year"].to_numpy(np.float64),
        listed=_days(vocabulary["listed"], NO_DAY),
        known_at=_days(vocabulary["known_at"], NO_DAY),
        **texts,
    )


def _edge_arrays(edges: pd.DataFrame, vocabulary: pd.DataFrame) -> Edges:
    head, tail = _rows_of_ends(edges, vocabulary)
    known = (head >= 0) & (tail >= 0)
    if not known.all():
        edges, head, tail = edges[known], head[known], tail[known]
    columns: dict[str, npt.NDArray[Any]] = {
        "relation": edges["relation"].astype(str).map(_RELATION_CODES).to_numpy(np.int8),
        "head": head.astype(np.int32),
        "tail": tail.astype(np.int32),
        "weight": edges["weight"].to_numpy(np.float64),
        "value": edges["value"].to_numpy(np.float64),
        "amount": edges["amount"].to_numpy(np.float64),
        "as_of": edges["as_of"].to_numpy(np.int32),
        "known_at": edges["known_at"].to_numpy(np.int32),
    }
    columns |= {name: _texts(edges[name]) for name in EDGE_TEXTS}
    key = ("relation", "head", "tail", "as_of", "known_at")
    ranks = [pd.factorize(columns[name], sort=True)[0] for name in EDGE_TEXTS]
    numbers = (columns[name] for name in ("amount", "weight", "value"))
    order = np.lexsort((*numbers, *ranks, *(columns[name] for name in reversed(key))))
    last = np.ones(len(order), bool)
    if len(order):
        last[:-1] = np.any([columns[name][order][1:] != columns[name][order][:-1] for name in key], axis=0)
    return Edges(**{f.name: columns[f.name][order[last]] for f in fields(Edges)})


def _rows_of_ends(edges: pd.DataFrame, vocabulary: pd.DataFrame) -> list[npt.NDArray[np.int64]]:
    """Rows of the edges' heads and of their tails, -1 where the node is not known."""
    ids = pd.Index(vocabulary["id"].unique())
    kinds = pd.Index([kind.value for kind in NODE_KINDS])
    places = ids.get_indexer(pd.Index(vocabulary["id"]))
    keys = pd.Index(vocabulary["kind_code"].to_numpy(np.int64) * len(ids) + places)
    rows = []
    for side in ("head", "tail"):
        kind = kinds.get_indexer(pd.Index(edges[f"{side}_kind"]))
        place = ids.get_indexer(pd.Index(edges[f"{side}_id"]))
        rows.append(keys.get_indexer(np.where((kind < 0) | (place < 0), -1, kind * len(ids) + place)))
    return rows
