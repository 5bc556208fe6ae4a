"""What a what-if question assumes of an investor, by names: it stands in the record, and replay asks it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pathfolio.explain.records.layout.asked import RecordedAssumption
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import RELATIONS, Relation
from pathfolio.kg.span import Row
from pathfolio.recommender.assumed import AssumedInvestor, interest_nodes
from pathfolio.recommender.scorer import Scorer
from pathfolio.recommender.told import ToldFact, told_named

WHAT_IF: Final = "what-if"
"""The kind under which what-if lists stand in the ledger, apart from recommendations."""


@dataclass(frozen=True)
class Assumed:
    """The investor of a what-if question.

    Attributes:
        levels: (relation, level) of all answers that count, stated or assumed, in the order of the relations.
        interests: industries, sectors and categories.
        follow, dismiss: asset ids.
        years: for how long the money can stay invested; None as the rules read it from the objective.
    """

    levels: tuple[tuple[str, str], ...] = ()
    interests: tuple[str, ...] = ()
    follow: tuple[str, ...] = ()
    dismiss: tuple[str, ...] = ()
    years: float | None = None

    @classmethod
    def of(cls, graph: KnowledgeGraph, investor: AssumedInvestor) -> Assumed:
        """What `investor` is, beside what the snapshot says of them."""
        ids = graph.nodes.id
        return cls(
            tuple(sorted((relation.value, str(ids[row])) for relation, row in investor.levels.items())),
            tuple(dict.fromkeys(str(ids[row]) for row in investor.interests)),
            tuple(str(graph.asset_ids[asset]) for asset in sorted(investor.followed)),
            tuple(str(graph.asset_ids[asset]) for asset in sorted(investor.dismissed)),
            investor.years,
        )

    def investors(
        self, scorer: Scorer, user_id: str, told: Sequence[ToldFact] = ()
    ) -> tuple[AssumedInvestor, AssumedInvestor]:
        """The investor as assumed, and as they are with what they told; a stranger where `user_id` is empty.

        Raises:
            UsageError: the scorer's snapshot has no such investor, asset or level.
        """
        graph = scorer.graph
        before = told_named(scorer, user_id, told)
        levels = {Relation(relation): _level(graph, Relation(relation), name) for relation, name in self.levels}
        interests = tuple(node for name in self.interests for node in interest_nodes(graph, name))
        asked = before.choosing(graph, self.follow, self.dismiss)
        return replace(asked, levels=levels, interests=interests, years=self.years), before

    def recorded(self) -> RecordedAssumption:
        """As it stands in a record."""
        return RecordedAssumption(dict(self.levels), self.years, self.interests, self.follow, self.dismiss)

    @classmethod
    def of_record(cls, found: RecordedAssumption) -> Assumed:
        """What a record says was assumed."""
        return cls(tuple(sorted(found.levels.items())), found.interests, found.follow, found.dismiss, found.years)


def _level(graph: KnowledgeGraph, relation: Relation, name: str) -> Row:
    found = (graph.find(kind, name) for kind in RELATIONS[relation].tails)
    row = next((row for row in found if row is not None), None)
    return graph.row(RELATIONS[relation].tails[0], name) if row is None else row
