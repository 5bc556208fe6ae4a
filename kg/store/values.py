"""Nodes, relations and paths as an answer holds them, apart from any driver."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pathfolio.kg.bidi import isolated


@dataclass(frozen=True)
class NodeValue:
    """A node in an answer.

    Attributes:
        key: the server's own name of the node; joins relations to their ends within one answer.
        kind: its label; of stocks, funds and bonds not the second label, Asset.
    """

    key: str
    kind: str
    properties: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The id in the graph; the server's own where the node has none."""
        return str(self.properties.get("id", self.key))

    @property
    def name(self) -> str:
        """What to call it."""
        return isolated(str(self.properties.get("name") or self.properties.get("name_local") or self.id))

    def to_json(self) -> dict[str, Any]:
        """kind, then the properties."""
        return {"kind": self.kind} | {key: to_json(value) for key, value in self.properties.items()}

    def __str__(self) -> str:
        return f"({self.kind} {self.id})"


@dataclass(frozen=True)
class RelationValue:
    """A relation in an answer; `head` and `tail` are keys of nodes."""

    kind: str
    head: str
    tail: str
    properties: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """relation, then the properties."""
        return {"relation": self.kind} | {key: to_json(value) for key, value in self.properties.items()}

    def __str__(self) -> str:
        shown = [f"{key} {self.properties[key]}" for key in ("weight", "as_of") if self.properties.get(key)]
        return f"[{' '.join([self.kind, *shown])}]"


@dataclass(frozen=True)
class PathValue:
    """A path in an answer: n nodes and the n - 1 relations between them."""

    nodes: tuple[NodeValue, ...]
    relations: tuple[RelationValue, ...]

    def to_json(self) -> dict[str, Any]:
        """Nodes and relations, each in path order."""
        return {"nodes": [n.to_json() for n in self.nodes], "relations": [r.to_json() for r in self.relations]}

    def __str__(self) -> str:
        parts = [str(self.nodes[0])] if self.nodes else []
        for start, step, end in zip(self.nodes, self.relations, self.nodes[1:], strict=False):
            parts.append(f"-{step}->{end}" if step.head == start.key else f"<-{step}-{end}")
        return "".join(parts)


def to_json(value: object) -> Any:
    """A value of an answer in JSON's types; dates as ISO 8601, numbers that JSON lacks as null.

    >>> to_json([date(2022, 6, 30), float("nan"), {"a": (1, "b")}])
    ['2022-06-30', None, {'a': [1, 'b']}]
    """
    if isinstance(value, NodeValue | RelationValue | PathValue):
        return value.to_json()
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def parts(value: object) -> Iterator[NodeValue | RelationValue]:
    """The nodes and relations within a value, those of paths and lists included."""
    if isinstance(value, NodeValue | RelationValue):
        yield value
    elif isinstance(value, PathValue):
        yield from value.nodes
        yield from value.relations
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from parts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from parts(item)
