"""What the checker looks at: the snapshot through its arrays, and a sentence that was parsed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.labels import local_label
from pathfolio.kg.schema import ASSET_KINDS, NodeKind, Relation
from pathfolio.recommender.suitability.rulefile import rules_for
from pathfolio.recommender.suitability.rules import RuleSet


@dataclass(frozen=True)
class Figure:
    """A number in a sentence, right if the true one is at most `slack` away."""

    value: float
    slack: float

    def is_of(self, true: float) -> bool:
        """Whether `true`, rounded as the sentence rounds, is this."""
        return abs(self.value - true) <= self.slack * (1 + 1e-9) + 1e-12


@dataclass(frozen=True)
class Parsed:
    """The claims of one sentence.

    Attributes:
        words: group to value: ints, `Figure`s, dates, names, words of the schema.
        evidence: the paths and facts that it cites, as printed.
    """

    trigger: str
    lang: str
    words: Mapping[str, Any]
    evidence: tuple[Mapping[str, Any], ...]

    @property
    def paths(self) -> list[Mapping[str, Any]]:
        """The paths among the evidence."""
        return [piece for piece in self.evidence if "nodes" in piece]


SMALLEST_GROUP: Final = 10


class Snapshot:
    """A snapshot and the printed explanation that is held against it."""

    def __init__(self, graph: KnowledgeGraph, data: Mapping[str, Any], rules: RuleSet | None = None) -> None:
        """Find the investor and the asset; raises UsageError where the snapshot lacks them."""
        self.graph = graph
        self.data = data
        self._rules = rules
        self.user = graph.row(NodeKind.USER, data["user_id"])
        self.asset = graph.asset_row(data["asset_id"])
        self.kind = graph.kind_of(self.asset).value

    @cached_property
    def rules(self) -> RuleSet:
        """The suitability rules whose risk classes count."""
        return self._rules or rules_for(self.graph)

    @cached_property
    def evidence(self) -> dict[str, Mapping[str, Any]]:
        """The explanation's paths and facts by id."""
        return {piece["id"]: piece for piece in [*self.data["paths"], *self.data["facts"]]}

    def row(self, node: Mapping[str, Any]) -> int:
        """The row of a printed node; raises UsageError where the snapshot lacks it."""
        return self.graph.row(NodeKind(node["kind"]), node["id"])

    def name(self, row: int, lang: str) -> str:
        """What a node is called."""
        kind, name = self.graph.kind_of(row), self.graph.display_name(row, lang)
        return name if kind in (*ASSET_KINDS, NodeKind.USER) else local_label(kind.value, name, lang)

    def listed_names(self, rows: Sequence[int], lang: str) -> str:
        """Several names as the language lists them."""
        names = [self.name(row, lang) for row in rows]
        if lang == "en":
            return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        quoted = [f"「{name}」" for name in names]
        return quoted[0] if len(quoted) == 1 else f"{'、'.join(quoted[:-1])}及{quoted[-1]}"

    def has(self, head: int, relation: str, tail: int) -> bool:
        """Whether there is such an edge."""
        return self.graph.edge(head, Relation(relation), tail) is not None

    def edge_value(self, name: str, head: int, relation: str, tail: int) -> float:
        """An edge's weight or value; NaN where it has none."""
        at = self.graph.edge(head, Relation(relation), tail)
        return float("nan") if at is None else float(getattr(self.graph.edges, name)[at])

    def tails(self, head: int, relation: str) -> list[int]:
        """Where the node's edges of a relation lead."""
        neighbours: list[int] = self.graph.outgoing(Relation(relation)).of(head).tolist()
        return neighbours

    def edges(self, head: int, relation: str) -> list[int]:
        """Positions of the node's edges of a relation."""
        at: list[int] = self.graph.outgoing(Relation(relation)).edges_of(head).tolist()
        return at

    def others(self, first: str, left: int, second: str, right: int) -> int:
        """At least how many others have both `first` to `left` and `second` to `right`, as far as that may be told.

        More than ten of those who have either asset, or the profile's level, are left out of the count. A relation may
        be one of two, as in HOLDS|HELD.
        """
        sides = self._members(first, left), self._members(second, right)
        both = sides[0] & sides[1]
        margins = sides if self.graph.kind_of(left) in ASSET_KINDS else sides[:1]
        return min(len(both), *(len(side) - SMALLEST_GROUP - 1 for side in margins)) - (self.user in both)

    def _members(self, relation: str, row: int) -> set[int]:
        return {user for word in relation.split("|") for user in self.graph.incoming(Relation(word)).of(row).tolist()}
