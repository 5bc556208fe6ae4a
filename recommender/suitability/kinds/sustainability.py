"""The rule about an asset's ESG rating against the investor's sustainability preference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pathfolio.kg.graph import FloatArray, IntArray
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.suitability.assets import AssetFacts, rated_by
from pathfolio.recommender.suitability.investor import InvestorFacts
from pathfolio.recommender.suitability.judgement import Judgement
from pathfolio.recommender.suitability.kinds.levels import LEVEL_REASONS, LevelRule
from pathfolio.recommender.suitability.used_facts import edge_fact, kept
from pathfolio.recommender.suitability.verdict import Outcome, UsedFact

_RATINGS = "esg_ratings"


@dataclass(frozen=True, kw_only=True)
class SustainabilityRule(LevelRule):
    """The class of the ESG rating, from 1 for the leaders, is at most what the investor's preference allows."""

    kind = "sustainability"
    reasons = (*LEVEL_REASONS, "not_needed")
    tables = MappingProxyType({_RATINGS: Relation.HAS_ESG_RATING})
    table = "sustainability"
    relation = Relation.PREFERS

    def need(self, assets: AssetFacts) -> FloatArray:
        """The class of the rating."""
        return assets.once(_rated)[0]

    def judge(self, assets: AssetFacts, investor: InvestorFacts, at: Positions) -> Judgement:
        """As `LevelRule.judge`; who has no preference, so that every class is allowed, asks for no rating."""
        found = super().judge(assets, investor, at)
        level, worst = investor.levels.get(self.table), max(assets.rules.tables[_RATINGS].values())
        asks_nothing = level is not None and level.limit is not None and level.limit >= worst
        return found.where((np.isnan(found.measured) & asks_nothing, Outcome.PASS, "not_needed"))

    def need_facts(self, assets: AssetFacts, asset: Position) -> tuple[UsedFact, ...]:
        """The rating, where there is one that the rules list."""
        return kept(assets.kept, ("esg_rating", asset), lambda: _rating_fact(assets, asset))


def _rated(assets: AssetFacts) -> tuple[FloatArray, IntArray]:
    return rated_by(assets.graph, Relation.HAS_ESG_RATING, assets.rules.tables[_RATINGS])


def _rating_fact(assets: AssetFacts, asset: Position) -> Iterator[UsedFact]:
    edge = int(assets.once(_rated)[1][asset])
    if edge >= 0:
        yield edge_fact(assets.graph, edge)
