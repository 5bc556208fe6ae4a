"""The evidence of an explanation as a Cypher query that a person can read: one pattern for paths of one shape.

A pattern finds every path of its shape that the graph has on a day. Where the explanation has fewer of them, a short
condition on the ids of inner nodes says which; that is found out on the snapshot, before anything is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import ASSET_KINDS, ASSET_LABEL, RELATION_KINDS, NodeKind, Relation
from pathfolio.kg.span import Row

FEWEST_OTHERS: Final = 10
"""So many other investors at least are told of."""

COLUMNS: Final = ("through", "relations", "weights", "sources", "as_of", "known_at", "count")


_Inner = tuple[Row, ...]
"""Rows of a path's nodes between both ends, other investors left out."""


@dataclass(frozen=True)
class EvidenceStep:
    """One relation of a path, whichever way the path walks over it.

    Attributes:
        relation: a relation of the schema; of other investors also two, as in HOLDS|HELD, of which they have either.
        forward: whether the path walks from its head to its tail.
    """

    relation: str
    forward: bool

    def __post_init__(self) -> None:
        for word in self.relation.split("|"):
            Relation(word)  # it becomes part of a query


@dataclass(frozen=True)
class EvidencePath:
    """A path of an explanation, from an investor to an asset.

    Attributes:
        nodes: kind and id of each node in path order; the id is None where other investors are summed up, which may
            be the last but one.
        steps: one fewer.
    """

    nodes: tuple[tuple[NodeKind, str | None], ...]
    steps: tuple[EvidenceStep, ...]

    def __post_init__(self) -> None:
        at = [place for place, (_, key) in enumerate(self.nodes) if key is None]
        if at not in ([], [2]) or (at and len(self.steps) != 3):
            raise ValueError(f"{self}: other investors are summed up between two things that they have")

    @property
    def through_others(self) -> bool:
        """Whether other investors are summed up in it."""
        return any(key is None for _, key in self.nodes)

    @property
    def inner(self) -> tuple[tuple[NodeKind, str], ...]:
        """Its nodes between both ends, other investors left out."""
        return tuple((kind, key) for kind, key in self.nodes[1:-1] if key is not None)


def evidence_query(graph: KnowledgeGraph, paths: Sequence[EvidencePath]) -> str:
    """A query that returns one row per path of an explanation; $investor, $asset and $as_of are its parameters.

    Its columns: through (names of the nodes), relations (their kinds in path order), weights, sources, as_of and
    known_at (of each relation), count. Where other investors are summed up, weight and source are null, the dates are
    the day asked about, and count says how many of them have both relations on that day; else count is 1.

    Args:
        graph: the snapshot that the paths are of.
        paths: of one investor to one asset.

    Raises:
        ValueError: the snapshot lacks a path.
    """
    if not paths:
        return f"UNWIND [] AS none\nRETURN {', '.join(f'null AS {name}' for name in COLUMNS)}"
    shapes: dict[tuple[bool, ...], list[EvidencePath]] = {}
    for path in paths:
        shapes.setdefault((path.through_others, *(step.forward for step in path.steps)), []).append(path)
    blocks = [_Pattern(graph, alike).text() for alike in shapes.values()]
    union = "\n  UNION ALL\n".join(blocks)
    return f"CALL {{\n{union}\n}}\nRETURN {', '.join(COLUMNS)}\nORDER BY count DESC, relations, through"


@dataclass(frozen=True)
class _Pattern:
    """The pattern of paths that point the same ways."""

    graph: KnowledgeGraph
    paths: list[EvidencePath]

    def text(self) -> str:
        return self._of_others() if self.paths[0].through_others else self._of_single()

    def _of_single(self) -> str:
        """From both ends to where they meet: a server that walks from one end alone passes all that is shared."""
        names = self._names()
        forward = [step.forward for step in self.paths[0].steps]
        inner = [f"({name})" for name in names]
        stops = [f"(:{NodeKind.USER} {{id: $investor}})", *inner, f"(:{ASSET_LABEL} {{id: $asset}})"]
        steps = [_arrow(self._relations(at), forward=way) for at, way in enumerate(forward)]
        back = [_arrow(self._relations(at), forward=not way) for at, way in enumerate(forward)]
        meeting = max(at for at, way in enumerate([True, *forward]) if way)  # behind it, every step is walked back
        match = f"MATCH p = {_joined(stops[: meeting + 1], steps[:meeting])}"
        nodes, relations = "nodes(p)", "relationships(p)"
        if meeting < len(steps):
            match = f"MATCH s = {_joined(stops[: meeting - 1 : -1], back[: meeting - 1 : -1])}\n  {match}"
            nodes, relations = f"{nodes} + tail(reverse(nodes(s)))", f"{relations} + reverse(relationships(s))"
        return (
            f"  {match}\n  WITH *, {nodes} AS stops, {relations} AS steps\n"
            f"  WHERE all(r IN steps WHERE {_current('r')}){self._only(names, _walks(self.graph, self.paths))}\n"
            "  RETURN [n IN stops | coalesce(n.name, n.id)] AS through, [r IN steps | type(r)] AS relations,\n"
            "    [r IN steps | r.weight] AS weights, [r IN steps | r.source] AS sources,\n"
            "    [r IN steps | r.as_of] AS as_of, [r IN steps | r.known_at] AS known_at, 1 AS count"
        )

    def _of_others(self) -> str:
        """From the asset's other investors on, who are counted before it is looked what the investor has of that."""
        names = self._names()
        common = names[0]
        own, theirs, last = (self._relations(at) for at in range(3))
        only = self._only(names, _through_others(self.graph, self.paths))
        return (
            f"  MATCH (a:{ASSET_LABEL} {{id: $asset}})<-[r3:{last}]-(o:{NodeKind.USER})\n"
            f"  WHERE o.id <> $investor AND {_current('r3')}\n"
            f"  MATCH (o)-[r2:{theirs}]->({common}) WHERE {_current('r2')}{only}\n"
            f"  WITH a, {common}, count(DISTINCT o) AS count WHERE count >= {FEWEST_OTHERS}\n"
            f"  MATCH (u:{NodeKind.USER} {{id: $investor}})-[r:{own}]->({common}) WHERE {_current('r')}\n"
            f"  RETURN [coalesce(u.name, u.id), coalesce({common}.name, {common}.id), 'other investors', "
            "coalesce(a.name, a.id)] AS through,\n"
            f"    [type(r), CASE WHEN {common}:{ASSET_LABEL} THEN '{last}' ELSE type(r) END, '{last}'] AS relations,\n"
            "    [r.weight, null, null] AS weights, [r.source, null, null] AS sources,\n"
            "    [r.as_of, $as_of, $as_of] AS as_of, [r.known_at, $as_of, $as_of] AS known_at, count"
        )

    def _relations(self, at: int) -> str:
        """Those that the paths take at a step, as Cypher writes any of them."""
        taken = {word for path in self.paths for word in path.steps[at].relation.split("|")}
        return "|".join(relation for relation in RELATION_KINDS if relation in taken)

    def _names(self) -> list[str]:
        """A variable for each inner node: what all that stand there are, or that it is shared."""
        found: list[str] = []
        for place in zip(*(path.inner for path in self.paths), strict=True):
            kinds = {kind for kind, _ in place}
            name = "held" if kinds <= set(ASSET_KINDS) else min(kinds).lower() if len(kinds) == 1 else "shared"
            found.append(name if name not in found else f"{name}{len(found) + 1}")
        return found

    def _only(self, names: Sequence[str], found: Collection[tuple[Row, ...]]) -> str:
        """A condition that leaves the paths alone of all that the pattern finds; empty where these are the same."""
        rows = [tuple(self.graph.row(kind, key) for kind, key in path.inner) for path in self.paths]
        unwanted = set(found).difference(rows)
        if not set(rows) <= set(found):
            raise ValueError("the snapshot lacks a path of the explanation: they are of different builds")
        if not unwanted:
            return ""
        all_places = tuple(range(len(names)))
        texts = [
            text
            for places in {*((place,) for place in all_places), all_places}
            for text in self._conditions([names[place] for place in places], places, rows, unwanted)
        ]
        return f"\n    AND {min(texts, key=lambda text: (len(text), text))}"

    def _conditions(
        self, names: Sequence[str], places: Sequence[int], wanted: Iterable[_Inner], unwanted: Iterable[_Inner]
    ) -> Iterator[str]:
        """Both ways to tell them apart by what stands at these places; none where that does not."""
        ids = self.graph.nodes.id
        keep, drop = ({tuple(str(ids[each[at]]) for at in places) for each in rows} for rows in (wanted, unwanted))
        if keep.isdisjoint(drop):
            subject = _listed([f"{name}.id" for name in names])
            yield f"{subject} IN {_literals(keep)}"
            yield f"NOT {subject} IN {_literals(drop)}"


def _current(relation: str) -> str:
    return f"{relation}.current_from <= $as_of < {relation}.current_until"


def _arrow(relations: str, *, forward: bool) -> str:
    return f"-[:{relations}]->" if forward else f"<-[:{relations}]-"


def _joined(stops: Sequence[str], steps: Sequence[str]) -> str:
    """Nodes with an arrow between each two."""
    return stops[0] + "".join(step + stop for step, stop in zip(steps, stops[1:], strict=True))


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"[{', '.join(items)}]"


def _literals(rows: Iterable[tuple[str, ...]]) -> str:
    return f"[{', '.join(_listed([literal(word) for word in row]) for row in sorted(rows))}]"


def literal(value: str) -> str:
    """A Cypher string literal.

    >>> literal('a"b\\\\n')
    '"a\\\\"b\\\\\\\\n"'
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


# -- what a pattern finds --------------------------------------------------------------------------------------


def _walks(graph: KnowledgeGraph, paths: Sequence[EvidencePath]) -> set[_Inner]:
    """Every path of the shape in the snapshot, by its inner nodes; also those that pass the asset on their way."""
    investor, asset = _ends(graph, paths[0])
    last = len(paths[0].steps) - 1
    walks: list[_Inner] = [()]
    for at in range(last):
        walks = [(*walk, row) for walk in walks for row in _beyond(graph, paths, at, walk[-1] if walk else investor)]
    before_asset = _beyond(graph, paths, last, asset, back=True)
    return {walk for walk in walks if (walk[-1] if walk else investor) in before_asset}


def _through_others(graph: KnowledgeGraph, paths: Sequence[EvidencePath]) -> set[_Inner]:
    """What the investor has that enough others have beside the asset."""
    investor, asset = _ends(graph, paths[0])
    holders = _beyond(graph, paths, 2, asset, back=True) - {investor}
    common = _beyond(graph, paths, 0, investor)
    return {(row,) for row in common if len(_beyond(graph, paths, 1, row) & holders) >= FEWEST_OTHERS}


def _ends(graph: KnowledgeGraph, path: EvidencePath) -> tuple[Row, Row]:
    (investor_kind, investor), (asset_kind, asset) = path.nodes[0], path.nodes[-1]
    return graph.row(investor_kind, str(investor)), graph.row(asset_kind, str(asset))


def _beyond(graph: KnowledgeGraph, paths: Sequence[EvidencePath], at: int, row: Row, *, back: bool = False) -> set[Row]:
    """Where step `at` of any of the paths leads from a node; with `back`, where it comes from."""
    found: set[Row] = set()
    for relation, forward in {(word, p.steps[at].forward) for p in paths for word in p.steps[at].relation.split("|")}:
        side = graph.outgoing if forward is not back else graph.incoming
        found.update(map(Row, side(Relation(relation)).of(row).tolist()))
    return found
