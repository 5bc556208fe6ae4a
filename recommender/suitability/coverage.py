"""What a snapshot and a rule file do not know of each other: names that stand in only one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import Relation
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.kinds import LEVEL_RELATIONS, RULE_KINDS
from pathfolio.recommender.suitability.kinds.restricted import restriction_of
from pathfolio.recommender.suitability.rules import Restriction


@dataclass(frozen=True)
class Unlisted:
    """A name of the snapshot that the rule file does not list, so that rules find it unknown.

    Attributes:
        table: the table of the rule file: `levels.risk`, …, `ratings`, or one of `Rule.tables`.
        name: as the snapshot has it.
        count: how many investors or assets have it.
    """

    table: str
    name: str
    count: int


def unlisted(facts: AssetFacts) -> list[Unlisted]:
    """Levels of investors and ratings of assets that the rules say nothing of, those of most first."""
    rules = facts.rules
    graph = facts.graph
    found = _missing(graph, "ratings", Relation.HAS_RISK_RATING, rules.ratings)
    for name, relation in LEVEL_RELATIONS.items():
        found += _missing(graph, f"levels.{name}", relation, rules.levels[name])
    for kind in RULE_KINDS:
        for name, relation in kind.tables.items():
            found += _missing(graph, name, relation, rules.tables[name])
    return sorted(found, key=lambda each: -each.count)


def idle_restrictions(facts: AssetFacts) -> list[Restriction]:
    """Restrictions in force that cover no asset which an earlier one does not: a name may be misspelt."""
    used = set(np.unique(restriction_of(facts)).tolist())
    restrictions = enumerate(facts.rules.restrictions)
    return [each for number, each in restrictions if number not in used and each.holds_on(facts.today)]


def _missing(graph: KnowledgeGraph, table: str, relation: Relation, known: Iterable[str]) -> list[Unlisted]:
    tails = graph.edges.tail[graph.outgoing(relation).edge]
    counts = Counter(str(name) for name in graph.nodes.id[tails])
    names = set(known)
    return [Unlisted(table, name, n) for name, n in counts.items() if name.casefold() not in names]
