"""How two nodes are tied: the k shortest paths."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from pathfolio.kg.algorithms.excerpt import Excerpt
from pathfolio.kg.algorithms.protocol import NODE_COLUMNS, Algorithm, AlgorithmTable
from pathfolio.kg.errors import UsageError
from pathfolio.kg.schema import RELATION_KINDS


class Paths(Algorithm, frozen=True, kw_only=True):
    """Yen 1971, by NetworkX: paths without a node twice, those with the fewest relations first.

    Attributes:
        source, target: an asset's id, or Kind:id.
        k: how many paths.
    """

    name: ClassVar[str] = "paths"

    source: str
    target: str
    k: Annotated[int, Meta(ge=1, le=100)] = 3

    def run(self, excerpt: Excerpt) -> AlgorithmTable:
        """A row a node: path (from 1), step (from 0), relation (by which it was come to, <- where against its way),
        kind, id and name.

        Raises:
            UsageError: one of the two is not there, or they are the same.
        """
        import networkx as nx

        source, target = excerpt.place_of(self.source), excerpt.place_of(self.target)
        if source == target:
            raise UsageError(f"{self.source} and {self.target} are the same: name two nodes")
        graph = excerpt.drawn()
        found = (
            list(islice(nx.shortest_simple_paths(graph, source, target), self.k))
            if _tied(graph, source, target)
            else []
        )
        return AlgorithmTable(("path", "step", "relation", *NODE_COLUMNS), _rows(excerpt, found))


def _tied(graph: Any, source: int, target: int) -> bool:
    import networkx as nx

    return bool(nx.has_path(graph, source, target))


def _rows(excerpt: Excerpt, paths: list[list[int]]) -> Iterator[tuple[Any, ...]]:
    for number, path in enumerate(paths, start=1):
        yield (number, 0, None, *excerpt.named(path[0]))
        for step, (before, place) in enumerate(pairwise(path), start=1):
            yield (number, step, _relation(excerpt, before, place), *excerpt.named(place))


def _relation(excerpt: Excerpt, before: int, place: int) -> str:
    """The relation between two neighbours; of several the first in the schema's order."""
    edges, at = excerpt.graph.edges, excerpt.relations
    one, other = excerpt.rows[before], excerpt.rows[place]
    is_onwards = excerpt.ties[before, place] > 0
    head, tail = (one, other) if is_onwards else (other, one)
    there = at[(edges.head[at] == head) & (edges.tail[at] == tail)]
    name = RELATION_KINDS[edges.relation[there[0]]].value
    return name if is_onwards else f"<-{name}"
