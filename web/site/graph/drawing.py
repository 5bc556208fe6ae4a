"""A drawing of the nodes and relations in an answer: where they stand, for a template to draw as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from kg.store.query import QueryResult
from kg.store.values import NodeValue

if TYPE_CHECKING:
    import networkx as nx

WIDTH: Final = 900
HEIGHT: Final = 560
MOST_NODES: Final = 80
_MARGIN: Final = 70
_RADIUS: Final = 11.0
_SEED: Final = 7


@dataclass(frozen=True)
class Dot:
    """A node; `kind` chooses its colour."""

    x: float
    y: float
    kind: str
    name: str
    id: str


@dataclass(frozen=True)
class Arrow:
    """A relation from head to tail; the text stands in the middle."""

    x1: float
    y1: float
    x2: float
    y2: float
    relation: str
    text_x: float
    text_y: float


@dataclass(frozen=True)
class Drawing:
    """All that is drawn; `left_out` nodes were too many."""

    dots: tuple[Dot, ...]
    arrows: tuple[Arrow, ...]
    kinds: tuple[str, ...]
    left_out: int


def drawing_of(result: QueryResult) -> Drawing | None:
    """The nodes of an answer, each connected part by Fruchterman and Reingold's layout (1991); None without nodes."""
    import networkx as nx

    nodes = result.nodes[:MOST_NODES]
    if not nodes:
        return None
    keys = {node.key for node in nodes}
    relations = [r for r in result.relations if r.head in keys and r.tail in keys]
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(node.key for node in nodes)
    graph.add_edges_from((r.head, r.tail) for r in relations)
    place = _place([graph.subgraph(part) for part in nx.connected_components(graph)])
    arrows = tuple(_arrow(r.kind, place[r.head], place[r.tail]) for r in relations if r.head != r.tail)
    dots = tuple(_dot(node, place[node.key]) for node in nodes)
    return Drawing(dots, arrows, tuple(dict.fromkeys(dot.kind for dot in dots)), len(result.nodes) - len(nodes))


def _place(parts: Sequence[nx.Graph[str]]) -> dict[str, tuple[float, float]]:
    """Each connected part in a cell of its own, the largest first."""
    import networkx as nx

    columns = math.ceil(math.sqrt(len(parts)))
    rows = math.ceil(len(parts) / columns)
    cell = ((WIDTH - _MARGIN) / columns, (HEIGHT - _MARGIN) / rows)
    out: dict[str, tuple[float, float]] = {}
    for number, part in enumerate(sorted(parts, key=len, reverse=True)):
        middle = (_MARGIN / 2 + (number % columns + 0.5) * cell[0], _MARGIN / 2 + (number // columns + 0.5) * cell[1])
        layout = nx.spring_layout(part, seed=_SEED, k=2.2 / math.sqrt(len(part)))
        out |= _fitted(layout, middle, (cell[0] - _MARGIN, cell[1] - _MARGIN))
    return out


def _fitted(
    layout: Mapping[str, Sequence[float] | npt.NDArray[np.float64]],
    middle: tuple[float, float],
    box: tuple[float, float],
) -> dict[str, tuple[float, float]]:
    """Stretched to a box around `middle`, whatever its proportions."""
    points = np.array([layout[key] for key in layout], dtype=np.float64)
    span = np.ptp(points, axis=0)
    relative = (points - points.min(axis=0)) / np.where(span > 0, span, 1.0) - np.where(span > 0, 0.5, 0.0)
    placed = np.asarray(middle) + relative * np.maximum(box, 40.0)
    return {key: (float(x), float(y)) for key, (x, y) in zip(layout, placed, strict=True)}


def _dot(node: NodeValue, at: tuple[float, float]) -> Dot:
    return Dot(round(at[0], 1), round(at[1], 1), node.kind, node.name, node.id)


def _arrow(relation: str, head: tuple[float, float], tail: tuple[float, float]) -> Arrow:
    """From the rim of one dot to the rim of the other."""
    across, down = tail[0] - head[0], tail[1] - head[1]
    length = math.hypot(across, down) or 1.0
    step = (across / length * (_RADIUS + 2), down / length * (_RADIUS + 2))
    return Arrow(
        round(head[0] + step[0], 1),
        round(head[1] + step[1], 1),
        round(tail[0] - step[0], 1),
        round(tail[1] - step[1], 1),
        relation,
        round((head[0] + tail[0]) / 2, 1),
        round((head[1] + tail[1]) / 2, 1),
    )
