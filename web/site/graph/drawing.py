"""A drawing of the nodes and relations in an answer: where they stand, for a template to draw as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.store.query import QueryResult
from pathfolio.kg.store.values import NodeValue, RelationValue

if TYPE_CHECKING:
    import networkx as nx

WIDTH: Final = 900
HEIGHT: Final = 560
MOST_NODES: Final = 80
_MARGIN_X = 76.0
_MARGIN_Y = 34.0
_RADIUS: Final = 9.0
_WIDE: Final = 1.6
"""Names are written across, so a box may be so much wider than high."""


@dataclass(frozen=True)
class _Box:
    left: float
    top: float
    width: float
    height: float


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
    """A relation from head to tail; the text stands in the middle.

    Attributes:
        head, tail: names of the nodes.
        source, as_of, known_at, weight: what the relation says; empty or None where it does not.
    """

    x1: float
    y1: float
    x2: float
    y2: float
    relation: str
    text_x: float
    text_y: float
    head: str
    tail: str
    source: str
    as_of: date | None
    known_at: date | None
    weight: float | None


@dataclass(frozen=True)
class Drawing:
    """All that is drawn; `left_out` nodes were too many."""

    dots: tuple[Dot, ...]
    arrows: tuple[Arrow, ...]
    kinds: tuple[str, ...]
    left_out: int


def drawing_of(result: QueryResult) -> Drawing | None:
    """The nodes of an answer, each connected part by Kamada and Kawai's layout (1989); None without nodes."""
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
    names = {node.key: node.name for node in nodes}
    arrows = tuple(
        _arrow(r, (names[r.head], names[r.tail]), place[r.head], place[r.tail]) for r in relations if r.head != r.tail
    )
    dots = tuple(_dot(node, place[node.key]) for node in nodes)
    return Drawing(dots, arrows, tuple(dict.fromkeys(dot.kind for dot in dots)), len(result.nodes) - len(nodes))


def _place(parts: Sequence[nx.Graph[str]]) -> dict[str, tuple[float, float]]:
    """Each connected part in a box of its own, as large as it has nodes, the largest first."""
    import networkx as nx

    ordered = sorted(parts, key=len, reverse=True)
    boxes = _divided([len(part) + 1 for part in ordered], _Box(0.0, 0.0, WIDTH, HEIGHT))
    out: dict[str, tuple[float, float]] = {}
    for part, box in zip(ordered, boxes, strict=True):
        out |= _fitted(nx.kamada_kawai_layout(part), box)
    return out


def _divided(sizes: Sequence[int], box: _Box) -> list[_Box]:
    """The box cut along its longer side into two of about half the sizes each, and these again."""
    if len(sizes) == 1:
        return [box]
    total = np.cumsum(sizes)
    at = int(np.argmin(np.abs(total[:-1] - total[-1] / 2))) + 1
    share = float(total[at - 1] / total[-1])
    if box.width > _WIDE * box.height:
        first = _Box(box.left, box.top, box.width * share, box.height)
        second = _Box(box.left + first.width, box.top, box.width - first.width, box.height)
    else:
        first = _Box(box.left, box.top, box.width, box.height * share)
        second = _Box(box.left, box.top + first.height, box.width, box.height - first.height)
    return [*_divided(sizes[:at], first), *_divided(sizes[at:], second)]


def _fitted(
    layout: Mapping[str, Sequence[float] | npt.NDArray[np.float64]], box: _Box
) -> dict[str, tuple[float, float]]:
    """Stretched to the box, whatever its proportions, with room for names."""
    points = np.array([layout[key] for key in layout], dtype=np.float64)
    if len(points) == 2:  # one below the other, else their names meet
        points = np.array([[0.0, 0.0], [0.4, 1.0]])
    span = np.ptp(points, axis=0)
    relative = (points - points.min(axis=0)) / np.where(span > 1e-9, span, 1.0) - np.where(span > 1e-9, 0.5, 0.0)
    inner = np.maximum(np.array([box.width - 2 * _MARGIN_X, box.height - 2 * _MARGIN_Y]), 30.0)
    placed = np.array([box.left + box.width / 2, box.top + box.height / 2]) + relative * inner
    return {key: (float(x), float(y)) for key, (x, y) in zip(layout, placed, strict=True)}


def _dot(node: NodeValue, at: tuple[float, float]) -> Dot:
    return Dot(round(at[0], 1), round(at[1], 1), node.kind, node.name, node.id)


def _arrow(
    relation: RelationValue, names: tuple[str, str], head: tuple[float, float], tail: tuple[float, float]
) -> Arrow:
    """From the rim of one dot to the rim of the other."""
    across, down = tail[0] - head[0], tail[1] - head[1]
    length = math.hypot(across, down) or 1.0
    step = (across / length * (_RADIUS + 2), down / length * (_RADIUS + 2))
    return Arrow(
        round(head[0] + step[0], 1),
        round(head[1] + step[1], 1),
        round(tail[0] - step[0], 1),
        round(tail[1] - step[1], 1),
        relation.kind,
        round((head[0] + tail[0]) / 2, 1),
        round((head[1] + tail[1]) / 2, 1),
        *names,
        str(relation.properties.get("source") or ""),
        _day(relation.properties.get("as_of")),
        _day(relation.properties.get("known_at")),
        _number(relation.properties.get("weight")),
    )


def _day(value: object) -> date | None:
    """The day as the driver has it, or as a text."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
