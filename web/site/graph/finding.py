"""Finding nodes of every kind by what a person types: names, id, ticker, ISIN; case and accents do not count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import KIND_CODE, NODE_KINDS, NodeKind
from pathfolio.kg.span import Row, Rows
from pathfolio.kg.store.neighbourhood import NodeRef
from pathfolio.web.site.directory import Directory, folded

MOST_FOUND = 20


@dataclass(frozen=True)
class FoundNode:
    """A node that fits.

    Attributes:
        detail: its ticker or ISIN; empty where it has none.
    """

    ref: NodeRef
    name: str
    detail: str


@dataclass(frozen=True)
class FoundNodes:
    """Nodes that fit, the best first; `more` are how many are not listed."""

    nodes: tuple[FoundNode, ...]
    more: int


class NodeFinder:
    """Finds nodes of a graph; without investors it knows none of them.

    Args:
        investors: whether it may find them.
    """

    def __init__(self, graph: KnowledgeGraph, *, investors: bool) -> None:
        """Fold all that nodes are called, once."""
        self._graph = graph
        kind = graph.nodes.kind
        told = np.ones(len(kind), bool) if investors else kind != KIND_CODE[NodeKind.USER]
        self._rows = Rows(np.flatnonzero(told))
        nodes = graph.nodes
        columns = [column[self._rows] for column in (nodes.id, nodes.name, nodes.name_local, nodes.ticker, nodes.isin)]
        texts = (dict.fromkeys(folded(str(each)) for each in called if each) for called in zip(*columns, strict=True))
        self._directory = Directory(self._rows, tuple("\n" + "\n".join(each) + "\n" for each in texts))

    def find(self, query: str, kind: NodeKind | None = None, most: int = MOST_FOUND) -> FoundNodes:
        """The nodes that `query` fits, of `kind` alone where one is named."""
        rows, count = self._directory.find(query, most if kind is None else len(self._rows))
        if kind is not None:
            rows = [row for row in rows if self._graph.kind_of(row) is kind]
            rows, count = rows[:most], len(rows)
        return FoundNodes(tuple(map(self._found, rows)), count - len(rows))

    def _found(self, row: Row) -> FoundNode:
        nodes = self._graph.nodes
        name = str(nodes.name[row] or nodes.name_local[row] or nodes.id[row])
        ref = NodeRef(NODE_KINDS[nodes.kind[row]], str(nodes.id[row]))
        return FoundNode(ref, name, str(nodes.ticker[row] or nodes.isin[row] or ""))
