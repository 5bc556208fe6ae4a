"""The kinds of suitability rules, a class each.

Who adds one writes its class, adds it to `RULE_KINDS`, and its sentences to the texts of each language. The reader of
rule files, the gate, records and reports know kinds from here alone.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from pathfolio.recommender.suitability.kinds.complexity import ComplexityRule
from pathfolio.recommender.suitability.kinds.concentration import ConcentrationRule
from pathfolio.recommender.suitability.kinds.freshness import FreshnessRule
from pathfolio.recommender.suitability.kinds.horizon import HorizonRule
from pathfolio.recommender.suitability.kinds.levels import LevelRule
from pathfolio.recommender.suitability.kinds.restricted import RestrictedRule
from pathfolio.recommender.suitability.kinds.risk_class import CapacityRule, RiskLevelRule
from pathfolio.recommender.suitability.kinds.tradable import TradableRule
from pathfolio.recommender.suitability.rule import Rule

RULE_KINDS: Final[tuple[type[Rule], ...]] = (
    RiskLevelRule,
    CapacityRule,
    ComplexityRule,
    HorizonRule,
    ConcentrationRule,
    RestrictedRule,
    TradableRule,
    FreshnessRule,
)

KIND_OF: Final = MappingProxyType({name: kind for kind in RULE_KINDS for name in kind.full_kinds()})
"""From the kind as records name it to the class."""

FRACTIONS: Final = frozenset().union(*(kind.fractions for kind in RULE_KINDS))
"""Relations of facts that rules use whose value is a fraction."""

LEVEL_RELATIONS: Final = MappingProxyType(
    {kind.table: kind.relation for kind in RULE_KINDS if issubclass(kind, LevelRule)}
)
"""Tables of levels in a rule file, and the relation that leads to an investor's level."""
