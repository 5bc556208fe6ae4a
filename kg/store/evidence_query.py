"""The evidence of an explanation as a Cypher query that returns exactly those relations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pathfolio.kg.schema import ASSET_KINDS, ASSET_LABEL, NodeKind, Relation

_Words = tuple[str, ...]


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
        id: a word without spaces and colons.
        nodes: kind and id of each node in path order; the id is None where other investors are summed up.
        steps: one fewer.
    """

    id: str
    nodes: tuple[tuple[NodeKind, str | None], ...]
    steps: tuple[EvidenceStep, ...]

    def __post_init__(self) -> None:
        if not self.id or any(sign in self.id for sign in " :"):
            raise ValueError(f"{self.id!r}: the id of a path is a word without spaces and colons")


def evidence_query(paths: Sequence[EvidencePath], as_of: date) -> str:
    """A query that stands by itself and returns one row per relation of each path.

    Its columns: path, step (from 1), head, relation, tail, weight, source, as_of, known_at, count. Where other
    investors are summed up, head, weight and source are null, the dates are the snapshot's, and count says how many
    of them have both relations on that day; else count is 1.

    Args:
        as_of: the snapshot's day.
    """
    edges = _gathered(edge for path in paths for step in range(len(path.steps)) for edge in _single(path, step))
    groups = _gathered(group for path in paths for group in _groups(path))
    blocks = [_edges(key[0], rows) for key, rows in edges.items()]
    blocks += [_counts(key, rows, paths[0].nodes[0][1] or "", _date(as_of)) for key, rows in groups.items()]
    columns = "path, step, head, relation, tail, weight, source, as_of, known_at, count"
    if not blocks:
        nulls = ", ".join(f"null AS {name}" for name in columns.split(", "))
        return f"UNWIND [] AS none\nRETURN {nulls}"
    union = "\nUNION ALL\n".join(blocks)
    return f"CALL {{\n{union}\n}}\nRETURN {columns}\nORDER BY path, step"


def _gathered(items: Iterable[tuple[_Words, _Words, str]]) -> dict[_Words, dict[_Words, str]]:
    """By pattern what to look for, each thing once, with the places in the paths where it stands.

    A place is path:step. Servers take seconds to plan a query of many parts or literals, hence so few of both.
    """
    found: dict[_Words, dict[_Words, str]] = {}
    for key, row, place in items:
        rows = found.setdefault(key, {})
        rows[row] = f"{rows[row]} {place}" if row in rows else place
    return found


# -- relations -----------------------------------------------------------------------------------------------


def _single(path: EvidencePath, step: int) -> Iterator[tuple[_Words, _Words, str]]:
    """The head's label; ids, relation and dates; nothing next to other investors."""
    edge = path.steps[step]
    start = path.nodes[step]
    end = path.nodes[step + 1]
    if start[1] is None or end[1] is None:
        return
    head, tail = (start, end) if edge.forward else (end, start)
    dates = (edge.as_of.isoformat(), edge.known_at.isoformat())
    yield (_label(head[0]),), (head[1] or "", edge.relation, tail[1] or "", *dates), f"{path.id}:{step + 1}"


def _edges(head: str, rows: Mapping[_Words, str]) -> str:
    """A relation and its tail's id say which node the tail is: ids are unique among what a relation leads to."""
    relations = "|".join(dict.fromkeys(row[1] for row in rows))
    listed = [_row((*row, places)) for row, places in rows.items()]
    return (
        f"UNWIND {_list(listed)} AS row\n"
        f"MATCH (h:{head} {{id: row[0]}})-[r:{relations}]->(t)\n"
        "WHERE type(r) = row[1] AND t.id = row[2] AND r.as_of = date(row[3]) AND r.known_at = date(row[4])\n"
        'UNWIND split(row[5], " ") AS place\n'
        'RETURN split(place, ":")[0] AS path, toInteger(split(place, ":")[1]) AS step, '
        "h.id AS head, type(r) AS relation, t.id AS tail, "
        "r.weight AS weight, r.source AS source, r.as_of AS as_of, r.known_at AS known_at, 1 AS count"
    )


# -- other investors -----------------------------------------------------------------------------------------


def _groups(path: EvidencePath) -> Iterator[tuple[_Words, _Words, str]]:
    """For each node that stands for other investors: its two relations and where they lead."""
    for at, (kind, key) in enumerate(path.nodes):
        if key is not None or not 0 < at < len(path.nodes) - 1:
            continue
        _, first = path.nodes[at - 1]
        label, second = path.nodes[at + 1]
        before, after = path.steps[at - 1].relation, path.steps[at].relation
        either = before if "|" in before else ""
        yield (kind, after, _label(label), either), (second or "", first or "", before), f"{path.id}:{at}"


def _counts(key: _Words, rows: Mapping[_Words, str], investor: str, day: str) -> str:
    """Two rows for each node that stands for others: how many of them have both relations.

    From the side of the asset, so that its other investors are looked up once for all that they have in common.
    """
    kind, after, label, either = key
    before = "|".join(dict.fromkeys(row[2] for row in rows))
    parts = []
    for second in dict.fromkeys(row[0] for row in rows):
        listed = [_row((*row[1:], places)) for row, places in rows.items() if row[0] == second]
        parts.append(f"[{_text(second)}, {_list(listed)}]")
    return (
        f"UNWIND {_list(parts)} AS part\n"
        f"MATCH (o:{kind})-[r2:{after}]->(:{label} {{id: part[0]}})\n"
        f"WHERE o.id <> {_text(investor)} AND r2.current_from <= {day} < r2.current_until\n"
        "WITH DISTINCT part, o\n"
        f"MATCH (o)-[r1:{before}]->(x)\n"
        f"WHERE r1.current_from <= {day} < r1.current_until\n"
        f"WITH part, {_text(either) if either else 'type(r1)'} AS relation, x.id AS first, "
        "count(DISTINCT o.id) AS count\n"
        "UNWIND part[1] AS row\n"
        "WITH part, relation, first, count, row WHERE row[0] = first AND row[1] = relation\n"
        'UNWIND split(row[2], " ") AS place\n'
        f"UNWIND [[0, relation, first], [1, {_text(after)}, part[0]]] AS half\n"
        'RETURN split(place, ":")[0] AS path, toInteger(split(place, ":")[1]) + half[0] AS step, null AS head, '
        f"half[1] AS relation, half[2] AS tail, null AS weight, null AS source, {day} AS as_of, {day} AS known_at, "
        "count"
    )


def _label(kind: NodeKind) -> str:
    """One label for stocks, funds and bonds, so that a query has fewer parts."""
    return ASSET_LABEL if kind in ASSET_KINDS else kind.value


def _row(words: _Words) -> str:
    return f"[{', '.join(map(_text, words))}]"


def _list(rows: Sequence[str]) -> str:
    return "[" + ",\n  ".join(rows) + "]"


def _text(value: str) -> str:
    """A Cypher string literal.

    >>> _text('a"b\\\\n')
    '"a\\\\"b\\\\\\\\n"'
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _date(day: date) -> str:
    return f"date({json.dumps(day.isoformat())})"
