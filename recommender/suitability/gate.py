"""The gate: which of the candidates an investor may be shown, and why the others are not."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from math import isnan
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.graph import KnowledgeGraph, Mask
from pathfolio.kg.span import Position, Positions, Row, Rows
from pathfolio.recommender.suitability.assets import AssetFacts, asset_facts
from pathfolio.recommender.suitability.investor import InvestorFacts
from pathfolio.recommender.suitability.investor_profile import investor_facts
from pathfolio.recommender.suitability.judgement import Judgement
from pathfolio.recommender.suitability.kinds import LEVEL_RELATIONS
from pathfolio.recommender.suitability.kinds.levels import LevelRule
from pathfolio.recommender.suitability.rule import Rule
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.suitability.used_facts import edge_fact
from pathfolio.recommender.suitability.verdict import EXEMPT, STATES, Outcome, RuleResult, UsedFact, Verdict

_OUTCOMES: Final = tuple(Outcome)

Finding = tuple[Judgement, npt.NDArray[np.int8]]
"""What a rule finds about all assets, and what that counts as (assets,)."""


@dataclass(frozen=True)
class Screening:
    """All rules over n candidates of one investor, as columns; single verdicts are made on demand.

    Attributes:
        at: (n,) the candidates.
        judgements: one per rule of `assets.rules.rules`, about all assets of the graph.
        effects: (rules, n) int8 of `Outcome`: what each finding counts as.
    """

    assets: AssetFacts
    investor: InvestorFacts
    at: Positions
    judgements: tuple[Judgement, ...]
    effects: npt.NDArray[np.int8]

    @cached_property
    def outcome(self) -> npt.NDArray[np.int8]:
        """(n,) int8 of `Outcome`: the gravest effect."""
        gravest: npt.NDArray[np.int8] = self.effects.max(axis=0, initial=Outcome.PASS)
        return gravest

    @cached_property
    def undecided(self) -> Mask:
        """(rules, n) bool: where the facts do not decide a rule, whatever that counts as."""
        found = [judgement.outcome[self.at] == Outcome.UNKNOWN for judgement in self.judgements]
        return np.array(found, bool).reshape(len(found), len(self.at))

    @property
    def allowed(self) -> Mask:
        """(n,) bool: what may be shown, warnings included."""
        return self.outcome < Outcome.REJECT

    def number_of(self, asset: Position) -> int:
        """Which candidate the asset is; they must be in the order of the assets."""
        return int(np.searchsorted(self.at, asset))

    def verdict(self, number: int) -> Verdict:
        """The verdict on candidate `number`, with the facts that it rests on."""
        return self._verdict(number, range(len(self.judgements)), facts=True)

    def brief(self, number: int) -> Verdict:
        """The verdict with the results alone that speak against candidate `number`, and without facts."""
        return self._verdict(number, np.flatnonzero(self.effects[:, number] != Outcome.PASS).tolist(), facts=False)

    def _asset(self, number: int) -> Position:
        return Position(int(self.at[number]))

    def _verdict(self, number: int, rows: Sequence[int], *, facts: bool) -> Verdict:
        results = tuple(self._result(row, number, facts=facts) for row in rows)
        outcome = Outcome(int(self.outcome[number]))
        rules = self.assets.rules.rules
        unknown = tuple(rules[row].name for row in np.flatnonzero(self.undecided[:, number]))
        return Verdict(self.assets.id_of(self._asset(number)), outcome, results, unknown)

    def _result(self, row: int, number: int, *, facts: bool) -> RuleResult:
        rule = self.assets.rules.rules[row]
        found = self.judgements[row]
        at = self._asset(number)
        subject = int(found.subject[at])
        reason = found.reason_of(at)
        return RuleResult(
            rule=rule.name,
            kind=rule.full_kind,
            outcome=_OUTCOMES[found.outcome[at]],
            effect=_OUTCOMES[self.effects[row, number]],
            reason=reason,
            measured=_number(found.measured[at]),
            limit=_number(found.limit[at]),
            subject=str(found.names[subject]) if subject >= 0 else "",
            facts=self._facts(rule, at, found) if facts else (),
            warn_at=rule.warns_from(reason),
        )

    def _facts(self, rule: Rule, asset: Position, found: Judgement) -> tuple[UsedFact, ...]:
        """What the rule used to judge the asset at position `asset`, or why it does not apply."""
        segment = self.investor.segment
        if segment is not None and rule.is_exempt(self.investor):
            return (edge_fact(self.assets.graph, segment[1]),)
        return rule.facts(self.assets, self.investor, asset, found)

    def counted(self, effect: Outcome) -> dict[str, int]:
        """Rule id to how many candidates have this effect from it, each rule on its own."""
        return self._by_rule(self.effects == effect)

    def _by_rule(self, found: Mask) -> dict[str, int]:
        counts = found.sum(axis=1)
        return {rule.name: int(count) for rule, count in zip(self.assets.rules.rules, counts, strict=True)}

    def unknown(self) -> dict[str, int]:
        """Rule id to how many candidates it is not decided about."""
        return self._by_rule(self.undecided)

    def states(self) -> dict[str, int]:
        """How many candidates have each of `STATES`."""
        passes = self.outcome == Outcome.PASS
        left_open = self.undecided.any(axis=0)
        counts = (passes & ~left_open, passes & left_open, self.outcome == Outcome.WARN, ~self.allowed)
        return {state: int(count.sum()) for state, count in zip(STATES, counts, strict=True)}

    def rejected_by(self) -> dict[str, int]:
        """`counted` for rejections, with the total under `any`."""
        return self.counted(Outcome.REJECT) | {"any": int((~self.allowed).sum())}


@dataclass(frozen=True)
class Gate:
    """A market's rules over one snapshot; what depends on assets, or on an investor's level alone, is kept.

    Attributes:
        untold: what no investor of the snapshot has told, by the names of `LEVEL_RELATIONS`.
    """

    assets: AssetFacts
    untold: frozenset[str]
    _kept: dict[tuple[int, Hashable], Finding] = field(init=False, default_factory=dict, repr=False, compare=False)

    @classmethod
    def over(cls, graph: KnowledgeGraph, rules: RuleSet, prices: pd.DataFrame | None = None) -> Gate:
        """The gate of `rules` over `graph`; `prices` as in `asset_facts`."""
        told = {table for table, relation in LEVEL_RELATIONS.items() if len(graph.outgoing(relation).edge)}
        return cls(asset_facts(graph, rules, prices), frozenset(LEVEL_RELATIONS) - told)

    def on(self, today: date) -> Gate:
        """The same rules for those who ask on another day."""
        return replace(self, assets=self.assets.on(today))

    def screen(self, user_row: Row, asset_rows: Rows) -> Screening:
        """All rules about the assets at `asset_rows` for the investor at `user_row`."""
        return self.screen_facts(investor_facts(self.assets, user_row), asset_rows)

    def screen_facts(self, investor: InvestorFacts, asset_rows: Rows) -> Screening:
        """The same for an investor of whom these facts are known, or assumed."""
        rules = self.assets.rules.rules
        graph = self.assets.graph
        at = graph.asset_span.position(asset_rows)
        findings = [self._finding(number, rule, investor) for number, rule in enumerate(rules)]
        effects = [effect[at] for _, effect in findings] or [np.zeros(len(at), np.int8)]
        judgements = tuple(judgement for judgement, _ in findings)
        return Screening(self.assets, investor, at, judgements, np.stack(effects)[: len(rules)])

    @cached_property
    def untold_rules(self) -> tuple[str, ...]:
        """Ids of the rules about a level that no investor of the snapshot has told: their `absent` counts."""
        rules = self.assets.rules.rules
        return tuple(rule.name for rule in rules if isinstance(rule, LevelRule) and rule.table in self.untold)

    def _finding(self, number: int, rule: Rule, investor: InvestorFacts) -> Finding:
        key = EXEMPT if rule.is_exempt(investor) else rule.same_finding(investor)
        found = None if key is None else self._kept.get((number, key))
        if found is None:
            judgement = self._judgement(rule, investor)
            found = judgement, rule.effect(judgement, self.untold)
            if key is not None:
                self._kept[number, key] = found
        return found

    def _judgement(self, rule: Rule, investor: InvestorFacts) -> Judgement:
        n = len(self.assets.graph.assets)
        if rule.is_exempt(investor):
            return rule.finding(n, Outcome.PASS, EXEMPT)
        return rule.judge(self.assets, investor, self.assets.graph.asset_span.positions)


def check(
    graph: KnowledgeGraph,
    rules: RuleSet,
    user_row: Row,
    asset_rows: Rows,
    prices: pd.DataFrame | None = None,
) -> list[Verdict]:
    """The verdicts on the assets at `asset_rows` for one investor, in that order.

    For many investors make a `Gate` once and call its `screen`.
    """
    screening = Gate.over(graph, rules, prices).screen(user_row, asset_rows)
    return [screening.verdict(number) for number in range(len(asset_rows))]


def _number(value: float) -> float | None:
    return None if isnan(value) else float(value)
