"""The evidence of an explanation as a Cypher query that returns exactly those relations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from kg.schema import NodeKind, Relation


@dataclass(frozen=True)
class EvidenceStep:
    """One relation of a path, whichever way the path walks over it.

    Attributes:
        relation: a relation of the schema; of other investors also two, as in HOLDS|HELD, of which they have either.
        forward: whether the path walks from its head to its tail.
        as_of, known_at: which version of it; not looked at where other investors are summed up.
    """

    relation: str
    forward: bool
    as_of: date
    known_at: date

    def __post_init__(self) -> None:
        for word in self.relation.split("|"):
            Relation(word)  # it becomes part of a query


@dataclass(frozen=True)
class EvidencePath:
    """A path of an explanation.

    Attributes:
        nodes: kind and id of each node in path order; the id is None where other investors are summed up.
        steps: one fewer.
    """

    id: str
    nodes: tuple[tuple[NodeKind, str | None], ...]
    steps: tuple[EvidenceStep, ...]


def evidence_query(paths: Sequence[EvidencePath], as_of: date) -> str:
    """A query that stands by itself and returns one row per relation of each path.

    Its columns: path, step (from 1), head, relation, tail, weight, source, as_of, known_at, count. Where other
    investors are summed up, head, weight and source are null, the dates are the snapshot's, and count says how many
    of them have both relations on that day; else count is 1.

    Args:
        as_of: the snapshot's day.
    """
    blocks = [_single(path, step) for path in paths for step in range(len(path.steps)) if not _summed(path, step)]
    blocks += [block for path in paths for block in _groups(path, as_of)]
    order = "ORDER BY path, step"
    columns = "path, step, head, relation, tail, weight, source, as_of, known_at, count"
    if not blocks:
        nulls = ", ".join(f"null AS {name}" for name in columns.split(", "))
        return f"UNWIND [] AS none\nRETURN {nulls}"
    union = "\nUNION ALL\n".join(blocks)
    return f"CALL {{\n{union}\n}}\nRETURN {columns}\n{order}"


def _summed(path: EvidencePath, step: int) -> bool:
    return path.nodes[step][1] is None or path.nodes[step + 1][1] is None


def _single(path: EvidencePath, step: int) -> str:
    edge = path.steps[step]
    start, end = path.nodes[step], path.nodes[step + 1]
    head, tail = (start, end) if edge.forward else (end, start)
    dates = f"{{as_of: {_date(edge.as_of)}, known_at: {_date(edge.known_at)}}}"
    match = f"MATCH (h:{_node(head)})-[r:{edge.relation} {dates}]->(t:{_node(tail)})"
    return (
        f"{match}\nRETURN {_text(path.id)} AS path, {step + 1} AS step, "
        "h.id AS head, type(r) AS relation, t.id AS tail, "
        "r.weight AS weight, r.source AS source, r.as_of AS as_of, r.known_at AS known_at, 1 AS count"
    )


def _groups(path: EvidencePath, as_of: date) -> Iterator[str]:
    """Two rows for each node of the path that stands for other investors."""
    investor = path.nodes[0][1]
    for at, (kind, key) in enumerate(path.nodes):
        if key is not None or not 0 < at < len(path.nodes) - 1:
            continue
        before, after = path.steps[at - 1].relation, path.steps[at].relation
        day = _date(as_of)
        match = (
            f"MATCH (o:{kind.value})-[r1:{before}]->(x:{_node(path.nodes[at - 1])})\n"
            f"MATCH (o)-[r2:{after}]->(y:{_node(path.nodes[at + 1])})\n"
            f"WHERE o.id <> {_text(investor or '')} AND r1.current_from <= {day} < r1.current_until "
            f"AND r2.current_from <= {day} < r2.current_until\n"
            "WITH count(DISTINCT o.id) AS count, x.id AS first, y.id AS second\n"
        )
        for step, relation, tail in ((at, before, "first"), (at + 1, after, "second")):
            yield (
                f"{match}RETURN {_text(path.id)} AS path, {step} AS step, null AS head, {_text(relation)} AS relation, "
                f"{tail} AS tail, null AS weight, null AS source, {day} AS as_of, {day} AS known_at, count"
            )


def _node(node: tuple[NodeKind, str | None]) -> str:
    return f"{node[0].value} {{id: {_text(node[1] or '')}}}"


def _text(value: str) -> str:
    """A Cypher string literal.

    >>> _text('a"b\\\\n')
    '"a\\\\"b\\\\\\\\n"'
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _date(day: date) -> str:
    return f"date({json.dumps(day.isoformat())})"
