"""`KnowledgeGraph`: what was known on one day, as sorted arrays.

The graph keeps every dated version of a relation that was known on its `as_of` date; `current` marks the ones
that no newer version replaces. Models, paths and explanations see current edges only; `at` steps back in time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.bidi import isolated
from pathfolio.kg.content_hash import hash_of
from pathfolio.kg.errors import UsageError
from pathfolio.kg.languages import DEFAULT, language
from pathfolio.kg.resolve import current_versions
from pathfolio.kg.schema import ASSET_KINDS, KIND_CODE, NODE_KINDS, RELATION_CODE, RELATION_KINDS, NodeKind, Relation
from pathfolio.kg.span import Row, Rows, Span

if TYPE_CHECKING:
    import networkx

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Days = npt.NDArray[np.int32]
Text = npt.NDArray[np.object_]
Mask = npt.NDArray[np.bool_]

EPOCH: Final = date(1970, 1, 1)


def to_days(day: date) -> int:
    """Days since 1970-01-01, the unit of every date in the graph's arrays."""
    return (day - EPOCH).days


def to_date(days: int) -> date:
    """The date that is `days` after 1970-01-01."""
    return date.fromordinal(int(days) + EPOCH.toordinal())


def _lock(part: Nodes | Edges) -> None:
    """Make the arrays read-only: a snapshot is never changed, and whoever needs another array copies it."""
    for f in fields(part):
        getattr(part, f.name).flags.writeable = False


@dataclass(frozen=True, eq=False)
class Nodes:
    """The vocabulary: n nodes sorted by (kind, id); a node's row is its number everywhere.

    Attributes:
        kind: (n,) int8, codes of `pathfolio.kg.schema.NODE_KINDS`.
        id: (n,) str, unique within a kind; asset ids are unique across the three asset kinds.
        name, name_local, ticker, isin, currency, income_band: (n,) str, empty where unknown.
        birth_year: (n,) float64, NaN where unknown.
        listed: (n,) int32, days since 1970; the day an asset was listed, `NO_DAY` where unknown.
        known_at: (n,) int32, days since 1970; the first day the node could be known.
    """

    kind: npt.NDArray[np.int8]
    id: Text
    name: Text
    name_local: Text
    ticker: Text
    isin: Text
    currency: Text
    income_band: Text
    birth_year: FloatArray
    listed: Days
    known_at: Days

    def __post_init__(self) -> None:
        _lock(self)

    def __len__(self) -> int:
        return len(self.id)

    def take(self, rows: Rows | Mask) -> Nodes:
        """The nodes at `rows`, in that order."""
        return Nodes(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


NO_DAY: Final = -(2**31)


@dataclass(frozen=True, eq=False)
class Edges:
    """m dated relations, sorted by (relation, head, tail, as_of, known_at).

    Attributes:
        relation: (m,) int8, codes of `pathfolio.kg.schema.RELATION_KINDS`.
        head, tail: (m,) int32, rows of `Nodes`.
        weight: (m,) float64, a fraction; NaN where the relation has none.
        value: (m,) float64, NaN where the relation has none; see `RelationSpec.value` for the unit.
        amount: (m,) float64, money, NaN where the relation has none; see `RelationSpec.amount`.
        qualifier: (m,) str; see `RelationSpec.qualifier`.
        source: (m,) str, who said so.
        as_of: (m,) int32, days since 1970: the day that the fact describes.
        known_at: (m,) int32, days since 1970: the day that it could first be known.
    """

    relation: npt.NDArray[np.int8]
    head: npt.NDArray[np.int32]
    tail: npt.NDArray[np.int32]
    weight: FloatArray
    value: FloatArray
    amount: FloatArray
    qualifier: Text
    source: Text
    as_of: Days
    known_at: Days

    def __post_init__(self) -> None:
        _lock(self)

    def __len__(self) -> int:
        return len(self.head)

    def take(self, rows: IntArray | Mask) -> Edges:
        """The edges at `rows`, in that order."""
        return Edges(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


@dataclass(frozen=True, eq=False)
class Adjacency:
    """One relation's current edges in compressed rows, seen from one side.

    Attributes:
        indptr: (n + 1,) int64; node i's neighbours stand at indptr[i]:indptr[i + 1].
        neighbour: (e,) int32, rows of nodes, ascending within a row.
        edge: (e,) int64, positions in `KnowledgeGraph.edges`.
    """

    indptr: IntArray
    neighbour: npt.NDArray[np.int32]
    edge: IntArray

    def of(self, row: Row) -> npt.NDArray[np.int32]:
        """The neighbours of node `row`."""
        return self.neighbour[self.indptr[row] : self.indptr[row + 1]]

    def edges_of(self, row: Row) -> IntArray:
        """The edges of node `row`, in the order of `of`."""
        return self.edge[self.indptr[row] : self.indptr[row + 1]]

    def degree(self) -> IntArray:
        """(n,) int64: how many neighbours each node has."""
        return np.diff(self.indptr)


@dataclass(frozen=True, eq=False)
class KnowledgeGraph:
    """What was known on `as_of`: nodes, every version of every relation, and which versions are current.

    Build one with `pathfolio.kg.assemble.assemble_graph`, `pathfolio.kg.storage.load_graph` or from the graph store;
    equal content has equal `content_hash` whichever way it came.
    """

    nodes: Nodes
    edges: Edges
    as_of: date
    name: str
    is_sample: bool = False

    @cached_property
    def current(self) -> Mask:
        """(m,) bool: the edges that no newer version replaces."""
        return current_versions(self.edges)

    def __len__(self) -> int:
        return len(self.nodes)

    # -- vocabulary ------------------------------------------------------------------------------------------

    def rows(self, *kinds: NodeKind) -> Rows:
        """Rows of the nodes of these kinds, ascending."""
        spans = sorted((self._span[kind] for kind in kinds), key=lambda span: span.first)
        return Rows(np.concatenate([np.zeros(0, np.int64), *(span.rows for span in spans)]))

    @cached_property
    def _span(self) -> dict[NodeKind, Span]:
        bounds = np.searchsorted(self.nodes.kind, np.arange(len(NODE_KINDS) + 1)).tolist()
        return {kind: Span(bounds[code], bounds[code + 1] - bounds[code]) for kind, code in KIND_CODE.items()}

    @cached_property
    def user_span(self) -> Span:
        """All investors: turns rows into positions among them, and back."""
        return self._span[NodeKind.USER]

    @cached_property
    def asset_span(self) -> Span:
        """All stocks, funds and bonds, which are consecutive: turns rows into positions among them, and back."""
        spans = [self._span[kind] for kind in ASSET_KINDS]
        return Span(min(span.first for span in spans), sum(map(len, spans)))

    @cached_property
    def users(self) -> Rows:
        """Rows of all investors."""
        return self.user_span.rows

    @cached_property
    def assets(self) -> Rows:
        """Rows of all stocks, funds and bonds."""
        return self.asset_span.rows

    @cached_property
    def user_ids(self) -> Text:
        """(investors,) their ids, in the order of `users`."""
        return self.nodes.id[self.users]

    @cached_property
    def asset_ids(self) -> Text:
        """(assets,) their ids, in the order of `assets`."""
        return self.nodes.id[self.assets]

    @cached_property
    def _row_of(self) -> dict[tuple[int, str], Row]:
        return {
            key: Row(row) for row, key in enumerate(zip(self.nodes.kind.tolist(), self.nodes.id.tolist(), strict=True))
        }

    def row(self, kind: NodeKind, node_id: str) -> Row:
        """The row of a node.

        Raises:
            UsageError: there is no such node in the snapshot.
        """
        try:
            return self._row_of[KIND_CODE[kind], node_id]
        except KeyError:
            raise UsageError(
                f"no {kind.lower()} {node_id!r} in the snapshot of {self.as_of}: check the id, or take a later date"
            ) from None

    def find(self, kind: NodeKind, node_id: str) -> Row | None:
        """The row of a node, or None."""
        return self._row_of.get((KIND_CODE[kind], node_id))

    def asset_row(self, asset_id: str) -> Row:
        """The row of the stock, fund or bond with this id; raises UsageError where there is none."""
        for kind in ASSET_KINDS:
            row = self.find(kind, asset_id)
            if row is not None:
                return row
        raise UsageError(f"no asset {asset_id!r} in the snapshot of {self.as_of}: check the id, or take a later date")

    def kind_of(self, row: Row) -> NodeKind:
        """The kind of the node at `row`."""
        return NODE_KINDS[int(self.nodes.kind[row])]

    def display_name(self, row: Row, lang: str = DEFAULT) -> str:
        """As `called`, so that it turns the direction of nothing beside it."""
        return isolated(self.called(row, lang))

    def called(self, row: Row, lang: str = DEFAULT) -> str:
        """The name as the data have it, the local one first where `lang` has it so; the id where there is no name."""
        nodes = self.nodes
        local = nodes.name_local[row]
        name = nodes.name[row]
        chosen = (local or name) if language(lang).local_names else (name or local)
        return str(chosen or nodes.ticker[row] or nodes.id[row])

    # -- relations -------------------------------------------------------------------------------------------

    def outgoing(self, relation: Relation) -> Adjacency:
        """The current edges of `relation` from head to tail."""
        return self._adjacency(relation, reverse=False)

    def incoming(self, relation: Relation) -> Adjacency:
        """The current edges of `relation` from tail to head."""
        return self._adjacency(relation, reverse=True)

    @cached_property
    def _adjacencies(self) -> dict[tuple[Relation, bool], Adjacency]:
        return {}

    def _adjacency(self, relation: Relation, *, reverse: bool) -> Adjacency:
        key = (relation, reverse)
        if key not in self._adjacencies:
            self._adjacencies[key] = _compress(self, relation, reverse=reverse)
        return self._adjacencies[key]

    def edges_between(self, relation: Relation) -> IntArray:
        """Positions of the current edges of `relation`, ascending."""
        low, high = np.searchsorted(self.edges.relation, [RELATION_CODE[relation], RELATION_CODE[relation] + 1])
        return np.arange(low, high, dtype=np.int64)[self.current[low:high]]

    def edge(self, head: Row, relation: Relation, tail: Row) -> int | None:
        """Position of the current edge between two nodes, or None."""
        out = self.outgoing(relation)
        low, high = out.indptr[head], out.indptr[head + 1]
        at = low + int(np.searchsorted(out.neighbour[low:high], tail))
        return int(out.edge[at]) if at < high and out.neighbour[at] == tail else None

    def triples(self) -> IntArray:
        """(k, 3) int64: head row, relation code, tail row of every current edge, in the edges' order."""
        at = np.flatnonzero(self.current)
        columns = (self.edges.head[at], self.edges.relation[at], self.edges.tail[at])
        return np.stack(columns, axis=1).astype(np.int64)

    # -- time ------------------------------------------------------------------------------------------------

    def at(self, day: date) -> KnowledgeGraph:
        """The snapshot of an earlier day: only the nodes and versions that were known then.

        Names and identifiers of nodes stay as they are known now; relations are as they were.

        Raises:
            UsageError: `day` is later than this snapshot's own date.
        """
        if day > self.as_of:
            raise UsageError(f"this snapshot knows the world up to {self.as_of}: build one at {day} to look further")
        limit = to_days(day)
        keep_node = self.nodes.known_at <= limit
        keep_edge = (self.edges.known_at <= limit) & (self.edges.as_of <= limit)
        return self.part(keep_node, keep_edge, day, self.name)

    def part(self, keep_node: Mask, keep_edge: Mask, day: date, name: str) -> KnowledgeGraph:
        """The kept nodes and edges as a snapshot of their own; no edge is kept without both its ends."""
        keep_edge = keep_edge & keep_node[self.edges.head] & keep_node[self.edges.tail]
        new_row = np.cumsum(keep_node, dtype=np.int32) - 1
        edges = self.edges.take(keep_edge)
        edges = replace(edges, head=new_row[edges.head], tail=new_row[edges.tail])
        return KnowledgeGraph(self.nodes.take(keep_node), edges, day, name, self.is_sample)

    # -- identity and exchange -------------------------------------------------------------------------------

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over all that it holds, as 64 hex digits (`pathfolio.kg.content_hash`)."""
        return hash_of(self)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many nodes and current edges there are of each kind that occurs."""
        kinds = np.bincount(self.nodes.kind, minlength=len(NODE_KINDS))
        relations = np.bincount(self.edges.relation[self.current], minlength=len(RELATION_KINDS))
        return {
            "nodes": {k.value: int(c) for k, c in zip(NODE_KINDS, kinds, strict=True) if c},
            "edges": {r.value: int(c) for r, c in zip(RELATION_KINDS, relations, strict=True) if c},
        }

    def to_networkx(self) -> networkx.MultiDiGraph[tuple[str, str]]:
        """The current graph in networkx, for those who explore; nodes are (kind, id) pairs."""
        import networkx as nx

        graph: networkx.MultiDiGraph[tuple[str, str]] = nx.MultiDiGraph(name=self.name, as_of=self.as_of)
        keys = [(NODE_KINDS[code].value, key) for code, key in zip(self.nodes.kind, self.nodes.id, strict=True)]
        graph.add_nodes_from((key, {"name": name}) for key, name in zip(keys, self.nodes.name, strict=True))
        for head, tail, relation, data in self._networkx_edges(keys):
            graph.add_edge(head, tail, relation, **data)
        return graph

    def _networkx_edges(
        self, keys: list[tuple[str, str]]
    ) -> Iterator[tuple[tuple[str, str], tuple[str, str], str, dict[str, Any]]]:
        edges = self.edges
        for at in np.flatnonzero(self.current):
            data = {
                "source": edges.source[at],
                "as_of": to_date(edges.as_of[at]),
                "known_at": to_date(edges.known_at[at]),
            }
            numbers = {name: float(getattr(edges, name)[at]) for name in ("weight", "value", "amount")}
            data |= {name: number for name, number in numbers.items() if not np.isnan(number)}
            yield keys[edges.head[at]], keys[edges.tail[at]], RELATION_KINDS[edges.relation[at]].value, data


def _compress(graph: KnowledgeGraph, relation: Relation, *, reverse: bool) -> Adjacency:
    at = graph.edges_between(relation)
    from_side = (graph.edges.tail if reverse else graph.edges.head)[at]
    to_side = (graph.edges.head if reverse else graph.edges.tail)[at]
    order = np.lexsort((to_side, from_side))
    indptr = np.zeros(len(graph.nodes) + 1, np.int64)
    np.cumsum(np.bincount(from_side, minlength=len(graph.nodes)), out=indptr[1:])
    return Adjacency(indptr, to_side[order], at[order])
