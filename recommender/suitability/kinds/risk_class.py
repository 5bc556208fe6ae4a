"""Rules about an asset's risk class: against the investor's risk level, and against the capacity for loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from pathfolio.kg.graph import FloatArray, to_days
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.investor import InvestorFacts
from pathfolio.recommender.suitability.judgement import Judgement
from pathfolio.recommender.suitability.kinds.derived import derived_facts, line_note
from pathfolio.recommender.suitability.kinds.levels import LEVEL_REASONS, LevelRule
from pathfolio.recommender.suitability.options import VIOLATIONS, Effect, WholeNumber
from pathfolio.recommender.suitability.used_facts import day_text, edge_fact, kept
from pathfolio.recommender.suitability.verdict import Outcome, UsedFact
from pathfolio.recommender.suitability.volatility import MODELLED, MODELLED_DAYS


@dataclass(frozen=True, kw_only=True)
class RiskClassRule(LevelRule):
    """The risk class, stated or derived, is at most what a level allows.

    Attributes:
        derived: what a violation counts as where the class is derived, since the source states none; as `fail` unless
            the file says otherwise.
        uncertain: what counts where the derived class is within the level, but the asset may have one that is not.
        tolerance: how many classes above the level only warn.
    """

    reasons = (*LEVEL_REASONS, "derived_above_level", "volatile_above_level", "kind_alone", "few_prices")
    fractions = frozenset({"VOLATILITY"})

    derived: Annotated[Outcome, Effect(like="fail", allowed=VIOLATIONS)]
    uncertain: Annotated[Outcome, Effect()] = Outcome.PASS
    tolerance: Annotated[int, WholeNumber()] = 0

    def need(self, assets: AssetFacts) -> FloatArray:
        """The risk class."""
        return assets.risk_class

    def judge(self, assets: AssetFacts, investor: InvestorFacts, at: Positions) -> Judgement:
        """A violation by a derived class counts as the file says, and says how it was derived.

        A derivation that is not certain never lets more through: what is within the level by it alone, and may be
        above, counts as the file says.
        """
        found = self.compared(assets.risk_class[at], assets, investor, self.tolerance)
        is_derived = assets.risk_edge[at] < 0
        is_measured = ~np.isnan(assets.volatility.value[at])
        above = found.says("above_level") & is_derived
        found = found.where(
            (above, self.derived, "derived_above_level"),
            (above & is_measured, self.derived, "volatile_above_level"),
        )
        if self.uncertain is Outcome.PASS:
            return found
        within = np.isin(found.outcome, [Outcome.PASS, Outcome.WARN]) & ~above
        doubtful = within & is_derived & (assets.risk_most[at] > found.limit + self.tolerance)
        is_priced = assets.volatility.returns[at] > 0
        return found.where(
            (doubtful & ~is_priced, self.uncertain, "kind_alone"),
            (doubtful & is_priced, self.uncertain, "few_prices"),
        )

    def need_facts(self, assets: AssetFacts, asset: Position) -> tuple[UsedFact, ...]:
        """The stated rating, or how the class was derived."""
        return risk_class_facts(assets, asset)


@dataclass(frozen=True, kw_only=True)
class RiskLevelRule(RiskClassRule):
    """The risk class against the investor's risk level."""

    kind = "risk_level"
    table = "risk"
    relation = Relation.HAS_RISK
    every_level = Outcome.WARN


@dataclass(frozen=True, kw_only=True)
class CapacityRule(RiskClassRule):
    """The risk class against the capacity for loss."""

    kind = "capacity"
    table = "capacity"
    relation = Relation.HAS_CAPACITY


def risk_class_facts(assets: AssetFacts, asset: Position) -> tuple[UsedFact, ...]:
    """The stated rating of the asset at position `asset`, or its class and how that was derived."""
    return kept(assets.kept, ("risk_class", asset), lambda: _class_facts(assets, asset))


def _class_facts(assets: AssetFacts, asset: Position) -> Iterator[UsedFact]:
    if assets.risk_edge[asset] >= 0:
        yield edge_fact(assets.graph, int(assets.risk_edge[asset]))
        return
    value = float(assets.risk_class[asset])
    derivation = int(assets.derivations["risk_class"][asset])
    modelled = _modelled_edge(assets, asset)
    prices = "derived from prices" if modelled is None else "derived from what a model says of prices"
    note = line_note(assets, asset, derivation) if derivation >= 0 else prices
    if assets.risk_most[asset] > value:
        note += f"; not certain: up to {assets.risk_most[asset]:g} is possible"
    yield from derived_facts(assets, asset, "RISK_CLASS", value, derivation, note)
    yield from _volatility_facts(assets, asset)
    if modelled is not None:
        yield edge_fact(assets.graph, modelled, "of so few prices a model tells")
    yield from _currency_facts(assets, asset)


def _modelled_edge(assets: AssetFacts, asset: Position) -> int | None:
    """The fact that a model states of the volatility, where prices are too few to be measured and the rules ask."""
    graph = assets.graph
    metric = graph.find(NodeKind.METRIC, MODELLED)
    if metric is None or assets.rules.volatility is None or not np.isnan(assets.volatility.value[asset]):
        return None
    edge = graph.edge(graph.asset_span.row(asset), Relation.HAS_FACT, metric)
    if edge is None or graph.edges.as_of[edge] < to_days(graph.as_of) - MODELLED_DAYS:
        return None
    return edge


def _volatility_facts(assets: AssetFacts, asset: Position) -> Iterator[UsedFact]:
    """The figure, how many returns of which days it is made of, and its class; of too few returns only how many."""
    varied = assets.volatility
    scale = assets.rules.volatility
    n = int(varied.returns[asset])
    if scale is None or not n:
        return
    last = day_text(int(varied.last[asset]))
    is_measured = not np.isnan(varied.value[asset])
    note = f"annualised, of {n} weekly returns from {day_text(int(varied.first[asset]))} to {last}"
    note += f" without {int(varied.splits[asset])} taken for splits" if varied.splits[asset] else ""
    if is_measured:
        note += f"; class {varied.risk_class(scale)[asset]:g}"
    else:
        note += f"; {scale.fewest} are needed" if n < scale.fewest else "; prices hardly move"
    value = float(varied.value[asset]) if is_measured else None
    yield UsedFact(assets.id_of(asset), "VOLATILITY", "", value, "prices", last, last, note)


def _currency_facts(assets: AssetFacts, asset: Position) -> Iterator[UsedFact]:
    if not assets.is_foreign[asset] or not assets.rules.foreign_class:
        return
    currency = str(assets.graph.nodes.currency[assets.graph.asset_span.row(asset)])
    note = f"not {assets.rules.base_currency}; class {assets.rules.foreign_class} at least"
    yield UsedFact(assets.id_of(asset), "CURRENCY", currency, source="assets", note=note)
