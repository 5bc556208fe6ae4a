"""The rule about what may not be bought: the restricted list of the rule file."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pathfolio.kg.graph import IntArray, KnowledgeGraph, Mask
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.investor import InvestorFacts
from pathfolio.recommender.suitability.judgement import Judgement
from pathfolio.recommender.suitability.rule import Rule
from pathfolio.recommender.suitability.rules import RESTRICTABLE, Restriction
from pathfolio.recommender.suitability.used_facts import one_edge
from pathfolio.recommender.suitability.verdict import Outcome, UsedFact


@dataclass(frozen=True, kw_only=True)
class RestrictedRule(Rule):
    """Nothing on the restricted list that is in force on the day of asking."""

    kind = "restricted"
    reasons = ("restricted", "not_restricted")

    def judge(self, assets: AssetFacts, investor: InvestorFacts, at: Positions) -> Judgement:
        """The subject is the restriction's reason."""
        restriction = restriction_of(assets)[at]
        found = self.finding(len(at), Outcome.PASS, "not_restricted")
        found = found.where((restriction >= 0, self.fail, "restricted"))
        return replace(found, subject=restriction, names=[each.reason for each in assets.rules.restrictions])

    def facts(
        self, assets: AssetFacts, investor: InvestorFacts, asset: Position, found: Judgement
    ) -> tuple[UsedFact, ...]:
        """The restriction that was found."""
        number = int(found.subject[asset])
        return () if number < 0 else (_fact(assets, asset, assets.rules.restrictions[number]),)


def restriction_of(assets: AssetFacts) -> IntArray:
    """(assets,) positions in `rules.restrictions`: the first in force for each asset, -1 where there is none."""
    out = np.full(len(assets.graph.assets), -1, np.int64)
    covered = assets.once(_covered)
    for number, restriction in enumerate(assets.rules.restrictions):
        if restriction.holds_on(assets.today):
            out[(out < 0) & covered[number]] = number
    return out


def _covered(assets: AssetFacts) -> list[Mask]:
    """Of each restriction: (assets,) bool, what it covers while it is in force."""
    return [_covers(assets.graph, each) for each in assets.rules.restrictions]


def _covers(graph: KnowledgeGraph, restriction: Restriction) -> Mask:
    nodes = graph.nodes
    rows = graph.assets
    value = restriction.value
    through = RESTRICTABLE[restriction.kind]
    if through is None:
        return np.asarray((nodes.id[rows] == value) | (nodes.isin[rows] == value) | (nodes.ticker[rows] == value), bool)
    kind, relation = through
    target = graph.find(kind, value)
    edge = one_edge(graph, relation, rows)
    if target is None:
        return np.zeros(len(rows), bool)
    found: Mask = (edge >= 0) & (graph.edges.tail[np.maximum(edge, 0)] == target)
    return found


def _fact(assets: AssetFacts, asset: Position, restriction: Restriction) -> UsedFact:
    since = restriction.starts.isoformat() if restriction.starts else ""
    note = f"{restriction.kind} {restriction.value}: {restriction.reason} (line {restriction.line})"
    return UsedFact(
        assets.id_of(asset),
        "RESTRICTED",
        restriction.value,
        source=assets.rules.source,
        as_of=since,
        known_at=since,
        note=note,
    )
