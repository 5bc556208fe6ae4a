"""Where nodes and edges of a path picture stand: columns from the investor to the asset, few crossings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pathfolio.explain.evidence import Path, PathEdge, PathNode

CARD_WIDTH: Final = 184
CARD_HEIGHT: Final = 60
COLUMN_GAP: Final = 128
ROW_GAP: Final = 34
MARGIN: Final = 18
THINNEST: Final = 1.5
THICKEST: Final = 9.0

_SWEEPS: Final = 4
_PORT_GAP: Final = 7.0

Key = tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """A node in the picture; x and y are its left upper corner, column 0 is the investor's."""

    node: PathNode
    column: int
    x: float
    y: float


@dataclass(frozen=True)
class PictureLine:
    """An edge in the picture, shared by all paths that walk it.

    Attributes:
        points: x, y from left to right; where the edge passes a column, a point between the cards.
        forward: whether it points from left to right in the graph.
        value: sum of the contributions of its paths.
        width: stroke width.
        learned: whether only learned channels walk it.
        edge: the edge itself, with its source and days.
    """

    points: tuple[tuple[float, float], ...]
    relation: str
    weight: float | None
    forward: bool
    value: float
    width: float
    learned: bool
    edge: PathEdge


@dataclass(frozen=True)
class Picture:
    """All that is to be drawn, in a coordinate system of `width` by `height`."""

    cards: tuple[Card, ...]
    lines: tuple[PictureLine, ...]
    width: float
    height: float


@dataclass(frozen=True)
class _Step:
    """An edge between two keys, before it has a place."""

    keys: tuple[Key, ...]
    relation: str
    weight: float | None
    forward: bool


def draw(paths: Iterable[Path], learned: frozenset[str]) -> Picture:
    """Lay out `paths`, which share their first and last node; nodes and edges in common are drawn once.

    Layers with barycentre ordering (Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical
    system structures", 1981); an edge that skips a column gets a place between the cards there.

    Args:
        learned: names of the channels whose paths are learned.
    """
    paths = list(paths)
    columns = max(len(path.nodes) for path in paths)
    layers: list[list[Key]] = [[] for _ in range(columns)]
    nodes: dict[Key, PathNode] = {}
    steps: dict[_Step, list[Path]] = {}
    edges: dict[_Step, PathEdge] = {}
    for path in paths:
        keys = _keys(path)
        nodes |= dict(zip(keys, path.nodes, strict=True))
        for number, step in enumerate(_steps(path, keys, columns)):
            for offset, key in enumerate(step.keys):
                column = number + offset
                if key not in layers[column]:
                    layers[column].append(key)
            steps.setdefault(step, []).append(path)
            edges.setdefault(step, path.edges[number])
    _untangle(layers, steps)
    return _place(layers, nodes, steps, edges, learned)


def _keys(path: Path) -> list[Key]:
    """What makes two nodes of paths one: also the column, and for other investors the nodes between which they are."""
    plain = [(node.kind, str(node.id), str(min(at, 9))) for at, node in enumerate(path.nodes)]
    plain[-1] = (*plain[-1][:2], "last")
    return [
        (*plain[i - 1], *plain[i + 1], str(path.count)) if node.id is None else plain[i]
        for i, node in enumerate(path.nodes)
    ]


def _steps(path: Path, keys: list[Key], columns: int) -> Iterable[_Step]:
    """The path's edges; the last one is drawn out to the last column."""
    for number, edge in enumerate(path.edges):
        start, end = keys[number], keys[number + 1]
        between: list[Key] = []
        if number == len(path.edges) - 1:
            between = [("pass", *start, edge.relation, str(at)) for at in range(number + 1, columns - 1)]
        yield _Step((start, *between, end), edge.relation, edge.weight, path.walks_forward(number))


def _untangle(layers: list[list[Key]], steps: Iterable[_Step]) -> None:
    """Order each layer by the mean place of its neighbours, from left to right and back."""
    pairs = [pair for step in steps for pair in zip(step.keys, step.keys[1:], strict=False)]
    right: dict[Key, list[Key]] = {}
    left: dict[Key, list[Key]] = {}
    for start, end in pairs:
        right.setdefault(start, []).append(end)
        left.setdefault(end, []).append(start)
    for sweep in range(_SWEEPS):
        order = range(1, len(layers)) if sweep % 2 == 0 else range(len(layers) - 2, -1, -1)
        beside, step = (left, -1) if sweep % 2 == 0 else (right, 1)
        for column in order:
            place = {key: _relative(at, layers[column + step]) for at, key in enumerate(layers[column + step])}
            own = {key: _relative(at, layers[column]) for at, key in enumerate(layers[column])}
            layers[column].sort(key=lambda key: _mean([place[k] for k in beside.get(key, []) if k in place], own[key]))


def _relative(at: int, layer: list[Key]) -> float:
    return (at + 0.5) / len(layer)


def _mean(values: list[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _place(
    layers: list[list[Key]],
    nodes: dict[Key, PathNode],
    steps: dict[_Step, list[Path]],
    edges: dict[_Step, PathEdge],
    learned: frozenset[str],
) -> Picture:
    height = max(sum(_height(key) + ROW_GAP for key in layer) - ROW_GAP for layer in layers) + 2 * MARGIN
    centre: dict[Key, tuple[float, float]] = {}
    for column, layer in enumerate(layers):
        x = MARGIN + column * (CARD_WIDTH + COLUMN_GAP)
        used = sum(_height(key) + ROW_GAP for key in layer) - ROW_GAP
        y = (height - used) / 2
        for key in layer:
            centre[key] = (x, y + _height(key) / 2)
            y += _height(key) + ROW_GAP
    column_of = {key: column for column, layer in enumerate(layers) for key in layer}
    cards = tuple(
        Card(node, column_of[key], centre[key][0], centre[key][1] - CARD_HEIGHT / 2) for key, node in nodes.items()
    )
    values = {step: sum(path.contribution for path in walked) for step, walked in steps.items()}
    largest = max((abs(value) for value in values.values()), default=0.0) or 1.0
    width = {step: THINNEST + (THICKEST - THINNEST) * abs(value) / largest for step, value in values.items()}
    ports = _ports(steps, centre, width)
    lines = tuple(
        PictureLine(
            points=_points(step, centre, ports[step, False], ports[step, True]),
            relation=step.relation,
            weight=step.weight,
            forward=step.forward,
            value=values[step],
            width=width[step],
            learned=all(path.channel in learned for path in walked),
            edge=edges[step],
        )
        for step, walked in steps.items()
    )
    return Picture(cards, lines, 2 * MARGIN + len(layers) * CARD_WIDTH + (len(layers) - 1) * COLUMN_GAP, height)


def _height(key: Key) -> float:
    return 14 if key[0] == "pass" else CARD_HEIGHT


def _points(
    step: _Step, centre: dict[Key, tuple[float, float]], leaving: float, arriving: float
) -> tuple[tuple[float, float], ...]:
    """From the right side of the first card to the left side of the last, through the places between."""
    x, y = centre[step.keys[0]]
    to_x, to_y = centre[step.keys[-1]]
    out = [(x + CARD_WIDTH, y + leaving)]
    for key in step.keys[1:-1]:
        x, y = centre[key]
        out += [(x, y), (x + CARD_WIDTH, y)]
    return (*out, (to_x, to_y + arriving))


def _ports(
    steps: Iterable[_Step], centre: dict[Key, tuple[float, float]], width: dict[_Step, float]
) -> dict[tuple[_Step, bool], float]:
    """How far from the middle of its cards each edge leaves (False) and arrives (True), so that none meet there."""
    sides: dict[tuple[Key, bool], list[_Step]] = {}
    for step in steps:
        sides.setdefault((step.keys[0], False), []).append(step)
        sides.setdefault((step.keys[-1], True), []).append(step)
    out: dict[tuple[_Step, bool], float] = {}
    for (_, arriving), beside in sides.items():
        beside.sort(key=lambda step: centre[step.keys[-2 if arriving else 1]][1])
        gap = min(_PORT_GAP, (CARD_HEIGHT - 16 - sum(width[s] for s in beside)) / max(len(beside) - 1, 1))
        total = sum(width[step] for step in beside) + gap * (len(beside) - 1)
        at = -total / 2
        for step in beside:
            out[step, arriving] = at + width[step] / 2
            at += width[step] + gap
    return out
