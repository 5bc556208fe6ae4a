"""What has to change in a store so that it holds a given graph."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.compile import NODE_TEXTS
from pathfolio.kg.graph import NO_DAY, Days, KnowledgeGraph, Nodes, to_date
from pathfolio.kg.schema import KIND_CODE, RELATION_CODE, NodeKind, Relation
from pathfolio.kg.store.layout import EDGE_PROPERTIES
from pathfolio.kg.store.lifetimes import STILL_CURRENT
from pathfolio.kg.store.read import read_frames

if TYPE_CHECKING:
    from pathfolio.kg.store.bolt import Store

_Rows = npt.NDArray[np.int64]
_KEY: Final = ["relation", "head", "tail", "as_of", "known_at"]


@dataclass(frozen=True)
class GraphDelta:
    """From what a store holds to a graph.

    Attributes:
        nodes: rows of the graph's nodes that are missing or different in the store.
        edges: positions of the graph's edges that are.
        gone_nodes: ids, by kind, of nodes that the graph has not.
        gone_edges: [head id, tail id, as_of, known_at], by head kind, relation and tail kind, of versions that it has
            not, or has otherwise.
        rewritten: how many of those it has otherwise.
    """

    nodes: _Rows
    edges: _Rows
    gone_nodes: dict[NodeKind, list[str]]
    gone_edges: dict[tuple[NodeKind, Relation, NodeKind], list[list[Any]]]
    rewritten: int = 0

    @classmethod
    def everything(cls, graph: KnowledgeGraph) -> GraphDelta:
        """From an empty store."""
        return cls(np.arange(len(graph.nodes)), np.arange(len(graph.edges)), {}, {})

    @property
    def deleted(self) -> int:
        """How many nodes and versions go for good."""
        return sum(map(len, self.gone_nodes.values())) + sum(map(len, self.gone_edges.values())) - self.rewritten

    def summary(self) -> str:
        """In a line."""
        return f"{len(self.nodes):,} nodes and {len(self.edges):,} relations to write, {self.deleted:,} to delete"


def compare(store: Store, graph: KnowledgeGraph, lifetimes: tuple[Days, Days], *, anew: bool = False) -> GraphDelta:
    """Read the store and compare it with `graph`, whose edges are current from the first days until the second ones.

    Args:
        anew: everything is to be written again, whatever is there.
    """
    nodes, edges = read_frames(store, to_date(STILL_CURRENT), EDGE_PROPERTIES)
    rows = _rows_in(graph, nodes["kind"], nodes["id"])
    gone = nodes[rows < 0]
    gone_nodes = {NodeKind(str(kind)): part["id"].tolist() for kind, part in gone.groupby("kind")}
    different = np.arange(len(graph.nodes)) if anew else _different_nodes(graph, nodes, rows)
    missing, gone_edges, rewritten = _compare_edges(graph, edges, lifetimes, anew)
    return GraphDelta(different, missing, gone_nodes, gone_edges, rewritten)


def _rows_in(graph: KnowledgeGraph, kinds: pd.Series[Any], ids: pd.Series[Any]) -> _Rows:
    """The row in the graph of each (kind, id), -1 for none."""
    index = pd.MultiIndex.from_arrays([graph.nodes.kind.astype(np.int64), graph.nodes.id])
    codes = kinds.map({kind.value: code for kind, code in KIND_CODE.items()})
    found: _Rows = index.get_indexer(pd.MultiIndex.from_arrays([codes, ids]))
    return found


def _different_nodes(graph: KnowledgeGraph, stored: pd.DataFrame, rows: _Rows) -> _Rows:
    """Rows of the graph's nodes whose properties are not those that are stored, missing ones included."""
    known = rows >= 0
    same = np.zeros(len(graph.nodes), bool)
    stored = stored[known]
    at = rows[known]
    equal = np.ones(len(at), bool)
    for f in fields(Nodes):
        if f.name in ("kind", "id"):
            continue
        mine = getattr(graph.nodes, f.name)[at]
        theirs = stored[f.name]
        if f.name in NODE_TEXTS:
            equal &= mine == theirs.where(theirs.notna(), "").to_numpy(object)
        elif f.name == "birth_year":
            equal &= (mine == theirs.to_numpy()) | (np.isnan(mine) & theirs.isna().to_numpy())
        else:
            equal &= mine == theirs.fillna(NO_DAY).to_numpy(np.int64)
    same[at[equal]] = True
    return np.flatnonzero(~same)


def _compare_edges(
    graph: KnowledgeGraph, stored: pd.DataFrame, days: tuple[Days, Days], anew: bool
) -> tuple[_Rows, dict[tuple[NodeKind, Relation, NodeKind], list[list[Any]]], int]:
    stored = stored.assign(
        head=_rows_in(graph, stored["head_kind"], stored["head_id"]),
        tail=_rows_in(graph, stored["tail_kind"], stored["tail_id"]),
    )
    stored = stored[(stored["head"] >= 0) & (stored["tail"] >= 0)]  # the others go with their nodes
    keys = stored.assign(relation=stored["relation"].map({r.value: c for r, c in RELATION_CODE.items()}))
    mine = _edge_frame(graph, days)
    twice = keys.duplicated(_KEY, keep=False).to_numpy()
    both = mine.merge(keys[~twice], on=_KEY, how="left", suffixes=("", "_stored"), indicator=True)
    equal = (both["_merge"] == "both").to_numpy(bool, copy=True) & (not anew)
    for name in EDGE_PROPERTIES:
        one, other = both[name], both[f"{name}_stored"]
        equal &= ((one == other) | (one.isna() & other.isna())).to_numpy(bool)
    theirs = pd.MultiIndex.from_frame(keys[_KEY])
    stays = theirs.isin(pd.MultiIndex.from_frame(mine.loc[equal, _KEY]))
    otherwise = theirs.isin(pd.MultiIndex.from_frame(mine.loc[~equal, _KEY])) & ~twice
    return np.flatnonzero(~equal), _grouped(stored[~stays | twice]), int(otherwise.sum())


def _edge_frame(graph: KnowledgeGraph, days: tuple[Days, Days]) -> pd.DataFrame:
    edges = graph.edges
    frame = pd.DataFrame({f.name: getattr(edges, f.name) for f in fields(edges)})
    frame = frame.astype(dict.fromkeys(_KEY, "int64"))
    return frame.assign(current_from=days[0], current_until=days[1])


def _grouped(gone: pd.DataFrame) -> dict[tuple[NodeKind, Relation, NodeKind], list[list[Any]]]:
    out = {}
    for (head, relation, tail), part in gone.groupby(["head_kind", "relation", "tail_kind"]):
        days = [[to_date(day) for day in part[name]] for name in ("as_of", "known_at")]
        key = (NodeKind(str(head)), Relation(str(relation)), NodeKind(str(tail)))
        out[key] = [list(row) for row in zip(part["head_id"], part["tail_id"], *days, strict=True)]
    return out
