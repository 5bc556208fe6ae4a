"""`Snapshot`: what the checker looks at, through the snapshot's arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np

from pathfolio.kg.graph import KnowledgeGraph, to_days
from pathfolio.kg.labels import local_label
from pathfolio.kg.languages import language
from pathfolio.kg.schema import ASSET_KINDS, RELATION_CODE, RELATIONS, NodeKind, Relation
from pathfolio.kg.span import Row
from pathfolio.recommender.suitability.rulefile import rules_for
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.told import ToldFact, newest

SMALLEST_TOLD: Final = 10
"""Fewer investors are never told of; written down here once more, since the checker takes nobody's word."""


class Snapshot:
    """A snapshot and the printed explanation that is held against it."""

    def __init__(
        self,
        graph: KnowledgeGraph,
        data: Mapping[str, Any],
        rules: RuleSet | None = None,
        told: Iterable[ToldFact] = (),
    ) -> None:
        """Find the investor and the asset; raises UsageError where the snapshot lacks them."""
        self.graph = graph
        self.told_here = {(fact.relation, fact.target): fact for fact in newest(told) if fact.stands}
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
        """Whether there is such an edge, or the investor told it."""
        if head == self.user and (relation, str(self.graph.nodes.id[tail])) in self.told_here:
            return True
        return self.graph.edge(head, Relation(relation), tail) is not None

    def edge_value(self, name: str, head: Row, relation: str, tail: Row) -> float:
        """An edge's weight or value; NaN where it has none."""
        at = self.graph.edge(head, Relation(relation), tail)
        return float("nan") if at is None else float(getattr(self.graph.edges, name)[at])

    def tails(self, head: Row, relation: str) -> list[Row]:
        """Where the node's edges of a relation lead; what the investor told comes before what the snapshot has."""
        levels = [target for word, target in self.told_here if word == relation and head == self.user]
        if levels:
            return [self.graph.row(kind, levels[0]) for kind in RELATIONS[Relation(relation)].tails[:1]]
        neighbours: list[Row] = self.graph.outgoing(Relation(relation)).of(head).tolist()
        return neighbours

    def edges(self, head: Row, relation: str) -> list[int]:
        """Positions of the node's edges of a relation."""
        at: list[int] = self.graph.outgoing(Relation(relation)).edges_of(head).tolist()
        return at

    def others(self, first: str, left: Row, second: str, right: Row) -> int:
        """At least how many others have or had both `first` to `left` and `second` to `right`, as far as that may be
        told: more than ten of those who have either asset, or the profile's level, are left out of the count. A
        relation may be one of two, as in HOLDS|HELD.
        """
        sides = self.members(first, left), self.members(second, right)
        both = {user: max(sides[0][user], sides[1][user]) for user in sides[0].keys() & sides[1].keys()}
        margins = sides if self.graph.kind_of(left) in ASSET_KINDS else sides[:1]
        left_out = (self.told(side.values()) - SMALLEST_TOLD - 1 for side in margins)
        return min(self.told(both.values()), *left_out) - (self.user in both)

    def members(self, relation: str, row: Row) -> dict[Row, int]:
        """Rows of the investors who have or had the relation to a node, and the day from which on it was known."""
        edges = self.graph.edges
        codes = [RELATION_CODE[Relation(word)] for word in relation.split("|")]
        at = np.flatnonzero((edges.tail == row) & np.isin(edges.relation, codes))
        found: dict[Row, int] = {}
        columns = (edges.head[at].tolist(), np.maximum(edges.as_of[at], edges.known_at[at]).tolist())
        for user, day in zip(*columns, strict=True):
            found[user] = min(day, found.get(user, day))
        return found

    def told(self, days: Iterable[int], after: int | None = None) -> int:
        """How many of the people who came on these days are told: more than ten together, when an interval of 1, 2, 4,
        8, … days has ended, or not yet; of intervals that began after a day alone, where it is given."""
        today = to_days(self.graph.as_of)
        waiting, told = list(days), 0
        for length in (2**step for step in range(17)):
            waiting = [day for day in waiting if (day // length + 1) * length <= today + 1]
            people = Counter(day // length for day in waiting)
            counted = (number for place, number in people.items() if after is None or place * length > after)
            told += sum(number for number in counted if number > SMALLEST_TOLD)
            waiting = [day for day in waiting if people[day // length] <= SMALLEST_TOLD]
        return told
