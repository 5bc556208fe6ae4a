"""`Excerpt`: the part of a snapshot that an algorithm sees, as a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import IntArray, KnowledgeGraph
from pathfolio.kg.schema import (
    KIND_CODE,
    NODE_KINDS,
    RELATION_CODE,
    RELATION_KINDS,
    NodeKind,
    Relation,
    Role,
    of_role,
)
from pathfolio.kg.span import Row

if TYPE_CHECKING:
    import networkx as nx

    Drawn = nx.Graph[int]

Kind = TypeVar("Kind", bound=StrEnum)

FIGURES = of_role(Role.FACT)
"""Relations that are left out unless they are named: their tail says nothing without the relation's value."""


@dataclass(frozen=True, eq=False)
class Excerpt:
    """The nodes that have relations among those chosen, and these relations.

    Attributes:
        graph: whose rows are meant.
        rows: (n,) int64, ascending.
        relations: (m,) int64, positions of the relations in the graph's edges, ascending.
        ties: (n, n) float64, from head to tail; of several relations between two nodes the sum of their weights.
    """

    graph: KnowledgeGraph
    rows: IntArray
    relations: IntArray
    ties: sp.csr_array[np.float64, tuple[int, int]]

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def both_ways(self) -> sp.csr_array[np.float64, tuple[int, int]]:
        """(n, n) float64: ties whichever way they point, without those of a node with itself."""
        whole = sp.csr_array(self.ties + self.ties.T)
        whole.setdiag(0)
        whole.eliminate_zeros()
        whole.sort_indices()
        return whole

    def drawn(self, *, directed: bool = False) -> Drawn:
        """In NetworkX: nodes are places in `rows`, ties have a `weight`."""
        import networkx as nx

        empty: Drawn = nx.DiGraph() if directed else nx.Graph()
        drawn: Drawn = nx.from_scipy_sparse_array(self.ties if directed else self.both_ways, create_using=empty)
        return drawn

    def named(self, place: int) -> tuple[str, str, str]:
        """Kind, id and name of a node, as they begin a row of every table."""
        row = Row(int(self.rows[place]))
        return self.graph.kind_of(row).value, str(self.graph.nodes.id[row]), self.graph.called(row)

    def place_of(self, word: str) -> int:
        """The place of a node: of an asset by its id, of any node by Kind:id.

        Raises:
            UsageError: there is none, or it has no relation among those chosen.
        """
        kind, colon, node_id = word.partition(":")
        found = self.graph.find(NodeKind(kind), node_id) if colon and kind in list(NodeKind) else None
        row = self.graph.asset_row(word) if found is None else found
        place = int(np.searchsorted(self.rows, row))
        if place == len(self.rows) or self.rows[place] != row:
            raise UsageError(f"{word} has no relation among those chosen: choose others with relations or kinds")
        return place


def excerpt_of(graph: KnowledgeGraph, relations: str, kinds: str, *, weighted: bool) -> Excerpt:
    """The current relations of some kinds between nodes of some kinds.

    Args:
        relations: names with commas between; all but figures and trades where empty.
        kinds: names with commas between; all where empty.
        weighted: whether a relation counts by its weight, or 1; one without a weight counts 1.

    Raises:
        UsageError: a name is none, or nothing is left.
    """
    chosen = _chosen(Relation, relations) or tuple(each for each in Relation if each not in FIGURES)
    among = _chosen(NodeKind, kinds) or tuple(NodeKind)
    edges, nodes = graph.edges, graph.nodes
    is_among = np.isin(nodes.kind, [KIND_CODE[kind] for kind in among])
    keep = graph.current & np.isin(edges.relation, [RELATION_CODE[each] for each in chosen])
    at = np.flatnonzero(keep & is_among[edges.head] & is_among[edges.tail])
    if not len(at):
        raise UsageError(f"no relation is left of {graph.name}: it has {_there(graph)}")
    rows, ends = np.unique(np.stack([edges.head[at], edges.tail[at]]), return_inverse=True)
    head, tail = ends.reshape(2, -1)
    weight = edges.weight[at] if weighted else np.ones(len(at))
    weight = np.where(np.isnan(weight), 1.0, weight)
    ties = sp.csr_array((weight, (head, tail)), shape=(len(rows), len(rows)))
    return Excerpt(graph, rows.astype(np.int64), at, ties)


def _chosen(kind: type[Kind], names: str) -> tuple[Kind, ...]:
    words = [name.strip() for name in names.split(",") if name.strip()]
    wrong = next((word for word in words if word not in list(kind)), None)
    if wrong is not None:
        raise UsageError(f"{wrong!r} is no kind of {_WORD[kind]}: choose among {', '.join(kind)}")
    return tuple(kind(word) for word in words)


_WORD: dict[type[StrEnum], str] = {Relation: "relation", NodeKind: "node"}


def _there(graph: KnowledgeGraph) -> str:
    """The kinds of relation and of node that there are."""
    relations = [RELATION_KINDS[code].value for code in np.unique(graph.edges.relation[graph.current])]
    kinds = [NODE_KINDS[code].value for code in np.unique(graph.nodes.kind)]
    return f"{', '.join(relations) or 'none'} between {', '.join(kinds)}"
