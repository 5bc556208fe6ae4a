"""The pieces of an explanation: nodes, dated edges, paths, facts, channel parts and reasons.

Those of which a list has hundreds are structs, as `Walk` is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec

from pathfolio.kg.bidi import isolated
from pathfolio.kg.languages import DEFAULT, languages
from pathfolio.kg.languages.names import Names
from pathfolio.kg.schema import NodeKind, Relation

USER: Final = NodeKind.USER.value
OTHERS_KEY: Final = f"{USER}:*"
"""Stands for other investors, summed up, in what the ids of paths are made of."""

FOLLOWS: Final = Relation.FOLLOWS.value
INTERESTED_IN: Final = Relation.INTERESTED_IN.value
"""Of what an investor chose; a what-if question may assume them."""

SEPARATOR: Final = "\x1f"


class PathNode(msgspec.Struct, frozen=True, gc=False):
    """A node of a path as a person reads it.

    Attributes:
        id: the node's id; None where it stands for other investors, summed up.
        kind: a `NodeKind`'s value.
        names: what it is called, by language.
        detail: what tells two nodes of one name apart (a ticker); empty where nothing does.
    """

    id: str | None
    kind: str
    names: Names
    detail: str = ""

    @property
    def name(self) -> str:
        """What it is called in the default language, or the only name there is."""
        return self.names[DEFAULT]

    def label(self, lang: str) -> str:
        """The name to show in `lang`."""
        return isolated(self.names[lang])

    def other_label(self, lang: str) -> str:
        """Another name of it, in the first language that has one; empty where there is none."""
        others = (self.names[other] for other in languages())
        return isolated(next((name for name in others if name != self.names[lang]), ""))

    def to_json(self, lang: str = DEFAULT) -> dict[str, Any]:
        """As in `explain --format json`."""
        return {"id": self.id, "kind": self.kind, "name": self.label(lang)}


class PathEdge(msgspec.Struct, frozen=True, gc=False):
    """An edge as the graph has it, whichever way the path walks over it.

    Attributes:
        head, tail: ids of its nodes; None where other investors are summed up.
        weight: a fraction, or None; never given for other investors.
        as_of: the day that the fact describes; of other investors' positions, the snapshot's own date.
        known_at: the day that it could first be known; likewise.
    """

    head: str | None
    relation: str
    tail: str | None
    weight: float | None
    source: str
    as_of: date
    known_at: date

    def to_json(self) -> dict[str, Any]:
        """As in `explain --format json`."""
        return {
            "head": self.head,
            "relation": self.relation,
            "tail": self.tail,
            "weight": self.weight,
            "source": self.source,
            "as_of": self.as_of.isoformat(),
            "known_at": self.known_at.isoformat(),
        }


class Path(msgspec.Struct, frozen=True, gc=False):
    """A path from the investor to the asset and what it adds to the score.

    Attributes:
        id: the same for the same channel, nodes and relations, in every build.
        count: how many concrete paths it stands for: 1, or at least so many other investors.
    """

    id: str
    channel: str
    contribution: float
    nodes: tuple[PathNode, ...]
    edges: tuple[PathEdge, ...]
    count: int = 1

    @property
    def through_others(self) -> bool:
        """True where other investors are summed up in it."""
        return any(node.id is None for node in self.nodes)

    @property
    def relations(self) -> tuple[str, ...]:
        """The edges' relations in path order."""
        return tuple(edge.relation for edge in self.edges)

    def walks_forward(self, step: int) -> bool:
        """Whether the path walks edge `step` from its head to its tail."""
        edge = self.edges[step]
        start = self.nodes[step]
        if edge.head != edge.tail:
            return edge.head == start.id
        return start.kind in {kind.value for kind in _heads(edge.relation)}

    def to_json(self, lang: str = DEFAULT) -> dict[str, Any]:
        """As in `explain --format json`."""
        return {
            "id": self.id,
            "channel": self.channel,
            "contribution": self.contribution,
            "nodes": [node.to_json(lang) for node in self.nodes],
            "edges": [edge.to_json() for edge in self.edges],
            "count": self.count,
        }


def _heads(relation: str) -> Sequence[NodeKind]:
    from pathfolio.kg.schema import RELATIONS

    return RELATIONS[Relation(relation)].heads


@dataclass(frozen=True, slots=True)
class ChannelPart:
    """A channel's part of the score: value = its paths' contributions + remainder.

    Attributes:
        remainder: what the channel learned and cannot lay on a path.
    """

    name: str
    value: float
    remainder: float

    def to_json(self) -> dict[str, Any]:
        """As in `explain --format json`."""
        return {"name": self.name, "value": self.value, "remainder": self.remainder}


class Fact(msgspec.Struct, frozen=True, gc=False):
    """A fact that a reason cites, in the form of the facts table.

    Attributes:
        id: the same for the same statement, in every build.
        asset_id: the asset it is about, or None for one about the investor (`user_id`).
        value: a number, or a text such as a risk level or a date.
        source: who said so; derived facts name the snapshot and what they were computed from.
    """

    id: str
    asset_id: str | None
    metric: str
    value: float | str
    unit: str
    as_of: date
    known_at: date
    source: str
    user_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As in `explain --format json`."""
        out = {"id": self.id, "asset_id": self.asset_id, "metric": self.metric, "value": self.value, "unit": self.unit}
        out |= {"as_of": self.as_of.isoformat(), "known_at": self.known_at.isoformat(), "source": self.source}
        return out if self.user_id is None else out | {"user_id": self.user_id}


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence and the ids of the paths and facts that prove it."""

    lang: str
    text: str
    evidence: tuple[str, ...]
    trigger: str = ""
    is_caution: bool = False

    def to_json(self) -> dict[str, Any]:
        """As in `explain --format json`."""
        return {"lang": self.lang, "text": self.text, "evidence": list(self.evidence)}


def stable_id(prefix: str, *parts: str) -> str:
    """`prefix` and 12 hex digits that depend on `parts` alone.

    >>> stable_id("p", "fund", "a", "b") == stable_id("p", "fund", "a", "b") != stable_id("p", "fund", "ab")
    True
    """
    return prefix + hashlib.blake2b(SEPARATOR.join(parts).encode(), digest_size=6).hexdigest()
