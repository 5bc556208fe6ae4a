"""`GraphScene` to `GraphPicture`: chosen nodes, and neighbours that they were expanded by, as the graph stood on a day.

Every text is made of labels and types of the schema, every value is a parameter, and each is asked as an analyst's
query is: checked, read-only, within limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

from pathfolio.kg.errors import UsageError
from pathfolio.kg.schema import RELATIONS, UNDATED, NodeKind, Relation
from pathfolio.kg.store.query import QueryResult
from pathfolio.kg.store.values import NodeValue, RelationValue

MOST_NODES: Final = 150
"""Nodes of a picture: more cannot be told apart."""

MOST_RELATIONS: Final = 1_000
MOST_EXPANSIONS: Final = 40
MOST_AT_ONCE: Final = 50
"""Neighbours that one expansion brings."""

MOST_DAYS: Final = 2_000
_UNTOLD: Final = frozenset({"embedding"})
"""Properties of nodes that say nothing to a person."""

_CURRENT: Final = "r.current_from <= $day < r.current_until"


class Asks(Protocol):
    """Asks a store as an analyst, as `GraphService.run` does."""

    def __call__(self, text: str, parameters: dict[str, object]) -> QueryResult:
        """The answer to a query."""
        ...


@dataclass(frozen=True, order=True)
class NodeRef:
    """A node by its kind and id."""

    kind: NodeKind
    id: str


@dataclass(frozen=True)
class Expansion:
    """The neighbours of a node along a relation: those that it leads to, or that lead to it; the weightiest first."""

    node: NodeRef
    relation: Relation
    outgoing: bool
    most: int = 20


@dataclass(frozen=True)
class GraphScene:
    """What to draw: nodes, and expansions of them or of each other's neighbours, in their order."""

    nodes: tuple[NodeRef, ...]
    expansions: tuple[Expansion, ...] = ()


@dataclass(frozen=True)
class PictureNode:
    """A node of a picture.

    Attributes:
        properties: its own, vectors left out.
    """

    ref: NodeRef
    name: str
    properties: dict[str, Any]


@dataclass(frozen=True)
class PictureRelation:
    """A dated version of a relation, from head to tail."""

    relation: Relation
    head: NodeRef
    tail: NodeRef
    properties: dict[str, Any]


@dataclass(frozen=True)
class GraphPicture:
    """The scene on a day.

    Attributes:
        relations: all between its nodes that were current on that day.
        more: for each expansion, how many neighbours it left out.
        days: on which a relation of the expansions, or between the nodes, came or went; in order.
        cut: whether there are more nodes or relations than a picture has.
    """

    day: date
    nodes: tuple[PictureNode, ...]
    relations: tuple[PictureRelation, ...]
    more: tuple[int, ...]
    days: tuple[date, ...]
    cut: bool


@dataclass(frozen=True)
class Tie:
    """How many neighbours a node has along a relation on a day."""

    relation: Relation
    outgoing: bool
    count: int


def picture_of(ask: Asks, scene: GraphScene, day: date, last: date) -> GraphPicture:
    """Draw a scene as the graph stood on `day`.

    Args:
        ask: asks the store.
        last: the graph's own day; `days` go no further.

    Raises:
        UsageError: the scene is larger than a picture may be.
        QueryError, StoreError: as the store raises them.
    """
    _check(scene)
    nodes = {node.ref: node for node in _nodes(ask, scene.nodes)}
    more, cut = [], False
    for expansion in scene.expansions:
        found, count = _neighbours(ask, expansion, day) if expansion.node in nodes else ([], 0)
        room = MOST_NODES - len(nodes)
        new = [node for node in found if node.ref not in nodes]
        cut = cut or len(new) > room
        nodes |= {node.ref: node for node in new[:room]}
        more.append(max(count - len(found), 0))
    relations = _between(ask, list(nodes), day)
    days = _days(ask, scene, list(nodes), last)
    return GraphPicture(
        day,
        tuple(nodes.values()),
        tuple(relations[:MOST_RELATIONS]),
        tuple(more),
        days,
        cut or len(relations) > MOST_RELATIONS,
    )


def ties_of(ask: Asks, node: NodeRef, day: date) -> tuple[Tie, ...]:
    """The kinds of relation that a node has on a day, in the order of the schema: first those that it leads along."""
    out = []
    for outgoing in (True, False):
        text = f"MATCH (n:{node.kind.value} {{id: $id}}){_arrow('', outgoing)}(m) WHERE {_CURRENT} "
        rows = ask(f"{text}RETURN type(r) AS relation, count(r) AS count", {"id": node.id, "day": day}).rows
        counts = dict(rows)
        out += [Tie(each, outgoing, counts[each.value]) for each in Relation if each.value in counts]
    return tuple(out)


def _check(scene: GraphScene) -> None:
    if len(scene.nodes) > MOST_NODES:
        raise UsageError(f"{len(scene.nodes)} nodes: a picture has {MOST_NODES} at most")
    if len(scene.expansions) > MOST_EXPANSIONS:
        raise UsageError(f"{len(scene.expansions)} expansions: a picture has {MOST_EXPANSIONS} at most")


def _arrow(relation: str, outgoing: bool) -> str:
    middle = f"-[r{relation and ':' + relation}]-"
    return f"{middle}>" if outgoing else f"<{middle}"


def _nodes(ask: Asks, refs: Sequence[NodeRef]) -> list[PictureNode]:
    """Those of the nodes that are there, in the order given."""
    found: dict[NodeRef, PictureNode] = {}
    for kind, ids in _by_kind(refs):
        text = f"UNWIND $ids AS id MATCH (n:{kind.value} {{id: id}}) RETURN n"
        for (value,) in ask(text, {"ids": ids}).rows:
            node = _node(value)
            if node is not None:
                found[node.ref] = node
    return [found[ref] for ref in dict.fromkeys(refs) if ref in found]


def _neighbours(ask: Asks, expansion: Expansion, day: date) -> tuple[list[PictureNode], int]:
    """The first of the neighbours, and how many there are."""
    node, arrow = expansion.node, _arrow(expansion.relation.value, expansion.outgoing)
    start = f"MATCH (n:{node.kind.value} {{id: $id}}){arrow}(m) WHERE {_CURRENT}"
    given: dict[str, object] = {"id": node.id, "day": day}
    most = min(expansion.most, MOST_AT_ONCE)
    text = f"{start} WITH m, max(coalesce(r.weight, 0.0)) AS weight RETURN m ORDER BY weight DESC, m.id LIMIT $most"
    found = [_node(value) for (value,) in ask(text, {**given, "most": most}).rows]
    count = ask(f"{start} RETURN count(DISTINCT m) AS count", given).rows[0][0]
    return [node for node in found if node is not None], int(count)


def _between(ask: Asks, refs: Sequence[NodeRef], day: date) -> list[PictureRelation]:
    out, there = [], set(refs)
    for match, given in _pairs(refs):
        text = f"{match} AND {_CURRENT} RETURN a, r, b LIMIT {MOST_RELATIONS + 1}"
        for head, tie, tail in ask(text, {**given, "day": day}).rows:
            relation = _relation(head, tie, tail)
            if relation is not None and {relation.head, relation.tail} <= there:
                out.append(relation)
    order = list(Relation)
    return sorted(out, key=lambda each: (order.index(each.relation), each.head, each.tail))


def _pairs(refs: Sequence[NodeRef]) -> Iterator[tuple[str, dict[str, object]]]:
    """For each kind of head the relations to others of the nodes, by types that can stand between their kinds alone:
    a stock has thousands of opinions, which need not be looked at where there is no analyst."""
    kinds = {ref.kind for ref in refs}
    for kind, ids in _by_kind(refs):
        types = [
            each.value for each, spec in RELATIONS.items() if kind in spec.heads and kinds.intersection(spec.tails)
        ]
        if types:
            match = f"UNWIND $ids AS id MATCH (a:{kind.value} {{id: id}})-[r:{'|'.join(types)}]->(b) WHERE b.id IN $all"
            yield match, {"ids": ids, "all": [ref.id for ref in refs]}


def _days(ask: Asks, scene: GraphScene, refs: Sequence[NodeRef], last: date) -> tuple[date, ...]:
    """The days on which the picture changes."""
    days: set[date] = set()
    for each in scene.expansions:
        arrow = _arrow(each.relation.value, each.outgoing)
        text = f"MATCH (n:{each.node.kind.value} {{id: $id}}){arrow}(m) WHERE {_COMES_AND_GOES}"
        days.update(_all_days(ask(text, {"id": each.node.id})))
    for match, given in _pairs(refs):
        days.update(_all_days(ask(f"{match} AND {_COMES_AND_GOES}", given)))
    return tuple(sorted(day for day in days if UNDATED < day <= last))[-MOST_DAYS:]


_COMES_AND_GOES: Final = (
    "r.current_from < r.current_until "
    f"RETURN DISTINCT r.current_from AS start, r.current_until AS end LIMIT {MOST_DAYS}"
)
"""What came to be known after its successor was never current, so nothing changed with it."""


def _all_days(result: QueryResult) -> Iterator[date]:
    return (day for row in result.rows for day in row if isinstance(day, date))


def _by_kind(refs: Iterable[NodeRef]) -> list[tuple[NodeKind, list[str]]]:
    """Ids of each kind, in the order of the schema."""
    out: dict[NodeKind, list[str]] = {}
    for ref in dict.fromkeys(refs):
        out.setdefault(ref.kind, []).append(ref.id)
    return [(kind, out[kind]) for kind in NodeKind if kind in out]


def ref_of(node: NodeValue) -> NodeRef | None:
    """The node of an answer by its kind and id; None for what is none of the graph's, as the node beside it."""
    return NodeRef(NodeKind(node.kind), node.id) if node.kind in set(NodeKind) else None


def _node(value: NodeValue) -> PictureNode | None:
    ref = ref_of(value)
    told = {name: each for name, each in value.properties.items() if name not in _UNTOLD}
    return None if ref is None else PictureNode(ref, value.name, told)


def _relation(head: NodeValue, tie: RelationValue, tail: NodeValue) -> PictureRelation | None:
    start, end = ref_of(head), ref_of(tail)
    if start is None or end is None or tie.kind not in set(Relation):
        return None
    return PictureRelation(Relation(tie.kind), start, end, dict(tie.properties))
