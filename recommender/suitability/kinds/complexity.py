"""The rule about an asset's complexity against the investor's knowledge and experience."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pathfolio.kg.graph import FloatArray
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.derivation import values_of
from pathfolio.recommender.suitability.investor import InvestorFacts
from pathfolio.recommender.suitability.judgement import Judgement
from pathfolio.recommender.suitability.kinds.derived import derived_facts, line_note
from pathfolio.recommender.suitability.kinds.levels import LEVEL_REASONS, LevelRule
from pathfolio.recommender.suitability.used_facts import kept
from pathfolio.recommender.suitability.verdict import Outcome, UsedFact


@dataclass(frozen=True, kw_only=True)
class ComplexityRule(LevelRule):
    """The complexity, from 0 for what everybody understands, against the investor's experience."""

    kind = "complexity"
    reasons = (*LEVEL_REASONS, "not_needed")
    table = "experience"
    relation = Relation.HAS_EXPERIENCE

    def need(self, assets: AssetFacts) -> FloatArray:
        """The complexity."""
        return assets.once(_complexity)

    def judge(self, assets: AssetFacts, investor: InvestorFacts, at: Positions) -> Judgement:
        """As `LevelRule.judge`; what is not complex needs no experience."""
        found = super().judge(assets, investor, at)
        return found.where((self.need(assets)[at] == 0, Outcome.PASS, "not_needed"))

    def need_facts(self, assets: AssetFacts, asset: Position) -> tuple[UsedFact, ...]:
        """How the complexity was derived."""
        return kept(assets.kept, ("complexity", asset), lambda: _complexity_facts(assets, asset))


def _complexity(assets: AssetFacts) -> FloatArray:
    """(assets,) NaN where no line of the rules fits."""
    return values_of(assets.derivations["complexity"], [each.value for each in assets.rules.derivations])


def _complexity_facts(assets: AssetFacts, asset: Position) -> Iterator[UsedFact]:
    value = float(assets.once(_complexity)[asset])
    derivation = int(assets.derivations["complexity"][asset])
    note = line_note(assets, asset, derivation) if derivation >= 0 else ""
    yield from derived_facts(assets, asset, "COMPLEXITY", value, derivation, note)
