"""The gate: which of the candidates an investor may be shown, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from kg.graph import IntArray, KnowledgeGraph, Mask
from recommender.suitability.assets import AssetFacts, asset_facts
from recommender.suitability.evidence import facts_used
from recommender.suitability.investor import InvestorFacts, investor_facts
from recommender.suitability.judges import judge
from recommender.suitability.rules import Rule, RuleSet
from recommender.suitability.verdict import REASONS, Judgement, Outcome, RuleResult, Verdict


@dataclass(frozen=True)
class Screening:
    """All rules over n candidates of one investor, as columns; single verdicts are made on demand.

    Attributes:
        at: (n,) positions of the candidates in `graph.assets`.
        judgements: one per rule of `assets.rules.rules`.
        effects: (rules, n) int8 of `Outcome`: what each finding counts as.
    """

    assets: AssetFacts
    investor: InvestorFacts
    at: IntArray
    judgements: tuple[Judgement, ...]
    effects: npt.NDArray[np.int8]

    @cached_property
    def outcome(self) -> npt.NDArray[np.int8]:
        """(n,) int8 of `Outcome`: the gravest effect."""
        gravest: npt.NDArray[np.int8] = self.effects.max(axis=0, initial=Outcome.PASS)
        return gravest

    @property
    def allowed(self) -> Mask:
        """(n,) bool: what may be shown, warnings included."""
        return self.outcome < Outcome.REJECT

    def verdict(self, number: int) -> Verdict:
        """The verdict on candidate `number`, with the facts that it rests on."""
        asset = int(self.assets.graph.assets[self.at[number]])
        results = tuple(self._result(rule, row, number) for row, rule in enumerate(self.assets.rules.rules))
        return Verdict(str(self.assets.graph.nodes.id[asset]), Outcome(int(self.outcome[number])), results)

    def _result(self, rule: Rule, row: int, number: int) -> RuleResult:
        found = self.judgements[row]
        subject = int(found.subject[number])
        return RuleResult(
            rule=rule.name,
            kind=f"{rule.kind}/{rule.group}" if rule.group else rule.kind,
            outcome=Outcome(int(found.outcome[number])),
            effect=Outcome(int(self.effects[row, number])),
            reason=REASONS[int(found.reason[number])],
            measured=_number(found.measured[number]),
            limit=_number(found.limit[number]),
            subject=str(found.names[subject]) if subject >= 0 else "",
            facts=facts_used(rule, self.assets, self.investor, int(self.at[number]), found, number),
        )

    def counted(self, effect: Outcome) -> dict[str, int]:
        """Rule id to how many candidates have this effect from it, each rule on its own."""
        counts = (self.effects == effect).sum(axis=1)
        return {rule.name: int(count) for rule, count in zip(self.assets.rules.rules, counts, strict=True)}

    def rejected_by(self) -> dict[str, int]:
        """`counted` for rejections, with the total under `any`."""
        return self.counted(Outcome.REJECT) | {"any": int((~self.allowed).sum())}


@dataclass(frozen=True)
class Gate:
    """A market's rules over one snapshot; what depends on assets alone is computed once."""

    assets: AssetFacts

    @classmethod
    def over(cls, graph: KnowledgeGraph, rules: RuleSet, prices: pd.DataFrame | None = None) -> Gate:
        """The gate of `rules` over `graph`; `prices` as in `asset_facts`."""
        return cls(asset_facts(graph, rules, prices))

    def screen(self, user_row: int, asset_rows: IntArray) -> Screening:
        """All rules about the assets at `asset_rows` for the investor at `user_row` (rows of the graph's nodes)."""
        rules, graph = self.assets.rules.rules, self.assets.graph
        investor = investor_facts(self.assets, user_row)
        at = np.asarray(asset_rows, np.int64) - (graph.assets[0] if len(graph.assets) else 0)
        judgements = tuple(judge(rule, self.assets, investor, at) for rule in rules)
        effects = [_effect(rule, found) for rule, found in zip(rules, judgements, strict=True)]
        return Screening(self.assets, investor, at, judgements, np.stack(effects).astype(np.int8))


def check(
    graph: KnowledgeGraph,
    rules: RuleSet,
    user_row: int,
    asset_rows: IntArray,
    prices: pd.DataFrame | None = None,
) -> list[Verdict]:
    """The verdicts on the assets at `asset_rows` for one investor, in that order.

    For many investors make a `Gate` once and call its `screen`.
    """
    screening = Gate.over(graph, rules, prices).screen(user_row, asset_rows)
    return [screening.verdict(number) for number in range(len(asset_rows))]


def _effect(rule: Rule, found: Judgement) -> npt.NDArray[np.int8]:
    return np.where(found.outcome == Outcome.UNKNOWN, np.int8(rule.unknown), found.outcome)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
