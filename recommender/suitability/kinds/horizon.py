"""The rule about for how long an asset should be held against the investor's objective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Position
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.kinds.levels import LevelRule
from pathfolio.recommender.suitability.kinds.risk_class import risk_class_facts
from pathfolio.recommender.suitability.rule import Unit
from pathfolio.recommender.suitability.verdict import UsedFact


@dataclass(frozen=True, kw_only=True)
class HorizonRule(LevelRule):
    """The years for which an asset of its class should be held, against those that the objective allows."""

    kind = "horizon"
    unit = Unit.YEARS
    table = "horizon"
    relation = Relation.SEEKS

    def need(self, assets: AssetFacts) -> FloatArray:
        """The years for which it should be held at least."""
        return assets.once(_holding_years)

    def need_facts(self, assets: AssetFacts, asset: Position) -> tuple[UsedFact, ...]:
        """The risk class, by which the rules tell the years."""
        return risk_class_facts(assets, asset)


def _holding_years(assets: AssetFacts) -> FloatArray:
    """(assets,) NaN where the rules give its class none."""
    years = np.full(len(assets.risk_class), np.nan)
    for of_class, number in assets.rules.holding_years.items():
        years[assets.risk_class == of_class] = number
    return years
