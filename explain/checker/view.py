"""`Snapshot`: what the checker looks at, through the snapshot's arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.labels import local_label
from pathfolio.kg.languages import language
from pathfolio.kg.schema import ASSET_KINDS, NodeKind, Relation
from pathfolio.kg.span import Row
from pathfolio.recommender.suitability.rulefile import rules_for
from pathfolio.recommender.suitability.rules import RuleSet

SMALLEST_TOLD: Final = 10
"""Fewer investors are never told of; written down here once more, since the checker takes nobody's word."""


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

    def row(self, node: Mapping[str, Any]) -> Row:
        """The row of a printed node; raises UsageError where the snapshot lacks it."""
        return self.graph.row(NodeKind(node["kind"]), node["id"])

    def name(self, row: Row, lang: str) -> str:
        """What a node is called."""
        kind = self.graph.kind_of(row)
        name = self.graph.display_name(row, lang)
        return name if kind in (*ASSET_KINDS, NodeKind.USER) else local_label(kind.value, name, lang)

    def listed_names(self, rows: Sequence[Row], lang: str) -> str:
        """Several names as the language lists them."""
        names = [self.name(row, lang) for row in rows]
        written = language(lang)
        before, after = written.quote
        quoted = [f"{before}{name}{after}" for name in names]
        first = written.comma.join(quoted[:-1])
        return f"{first}{written.last_comma}{quoted[-1]}" if first else quoted[0]

    def has(self, head: Row, relation: str, tail: Row) -> bool:
        """Whether there is such an edge."""
        return self.graph.edge(head, Relation(relation), tail) is not None

    def edge_value(self, name: str, head: Row, relation: str, tail: Row) -> float:
        """An edge's weight or value; NaN where it has none."""
        at = self.graph.edge(head, Relation(relation), tail)
        return float("nan") if at is None else float(getattr(self.graph.edges, name)[at])

    def tails(self, head: Row, relation: str) -> list[Row]:
        """Where the node's edges of a relation lead."""
        neighbours: list[Row] = self.graph.outgoing(Relation(relation)).of(head).tolist()
        return neighbours

    def edges(self, head: Row, relation: str) -> list[int]:
        """Positions of the node's edges of a relation."""
        at: list[int] = self.graph.outgoing(Relation(relation)).edges_of(head).tolist()
        return at

    def others(self, first: str, left: Row, second: str, right: Row) -> int:
        """At least how many others have both `first` to `left` and `second` to `right`, as far as that may be told.

        More than ten of those who have either asset, or the profile's level, are left out of the count. A relation may
        be one of two, as in HOLDS|HELD.
        """
        sides = self._members(first, left), self._members(second, right)
        both = sides[0] & sides[1]
        margins = sides if self.graph.kind_of(left) in ASSET_KINDS else sides[:1]
        return min(len(both), *(len(side) - SMALLEST_TOLD - 1 for side in margins)) - (self.user in both)

    def _members(self, relation: str, row: Row) -> set[Row]:
        return {user for word in relation.split("|") for user in self.graph.incoming(Relation(word)).of(row).tolist()}
