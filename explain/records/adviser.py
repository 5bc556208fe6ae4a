"""`Adviser`: one investor's list with everything behind it, from a build and a market's rules.

Nothing here reads a clock or writes anything: the same build, rules and question give the same advice, bit for bit,
which is what a replay relies on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property
from itertools import islice
from threading import Lock
from typing import Final

import numpy as np

from pathfolio.explain.counterfactual import Counterfactual
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.reasons.reordered import tell_order
from pathfolio.explain.records.assumption import Assumed
from pathfolio.explain.records.changes import what_would_move
from pathfolio.explain.records.layout.asked import RecordedQuestion
from pathfolio.explain.records.telling import of_record, recorded
from pathfolio.explain.shortlist import Shortlist
from pathfolio.explain.what_if import ScorerWhatIf
from pathfolio.explain.what_if_list import AssumedList, WhatIfDesk
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray, Mask
from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.assumed import AssumedInvestor, AssumedScore
from pathfolio.recommender.build import Build
from pathfolio.recommender.model import Recommendation
from pathfolio.recommender.portfolio.rerank import HalfYear, RiskOrder, half_year
from pathfolio.recommender.ranking import id_order
from pathfolio.recommender.retrieve import asset_position, candidates, user_position
from pathfolio.recommender.suitability.gate import Gate, Screening
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.suitability.verdict import Verdict
from pathfolio.recommender.told import ToldFact, told_investor

MOST_REJECTED: Final = 20
"""Rejected assets of which a record holds the whole verdict; all others are in its columns."""

_SCORED_AT_ONCE: Final = 512
_PARTS: Final = ("assumed", "told")
"""What of a question a record writes in structs of their own."""


@dataclass(frozen=True)
class Question:
    """What was asked.

    Attributes:
        who: who asked: the account, or the user of the operating system.
        through: command line, api, site or Python.
        user_id: for whom.
        kind: stock, fund or bond; None for all.
        asset_id: the one asset that was asked about, instead of a list.
        lang: the language in which the answer is shown.
        explained: whether each line comes with its explanation and its whole verdict; False for the bare lists of
            everybody, whose reasons the sealed build gives again when somebody asks.
        counterfactual: whether it was also asked what would change the place of `asset_id`.
        assumed: what a what-if question assumes of the investor; None for a recommendation. `user_id` is empty for
            somebody whom the snapshot does not have.
        thrifty: whether the record holds what was shown, and of what lies behind it the digest alone; the sealed build
            gives it again.
        purpose: why staff looked at the investor; empty where nobody has to say so.
        today: the day of asking, from which the rules count ages; None in records of format 1, which knew only the
            snapshot's day.
        told: what the investor told here, the newest word on each thing; `with_told` adds it.
        rerank: another order of the list than by score, as `RiskOrder` has it; empty for none.
    """

    who: str
    through: str
    user_id: str
    k: int = 10
    kind: str | None = None
    include_held: bool = False
    lang: str = DEFAULT
    asset_id: str | None = None
    explained: bool = True
    counterfactual: bool = False
    assumed: Assumed | None = None
    thrifty: bool = False
    purpose: str = ""
    today: date | None = None
    told: tuple[ToldFact, ...] = ()
    rerank: str = ""

    def __post_init__(self) -> None:
        """Refuse an empty list with UsageError."""
        if self.k < 1:
            raise UsageError(f"a list of {self.k} assets: -k takes 1 or more")
        if self.rerank and (self.asset_id is not None or self.assumed is not None):
            raise UsageError("only the list of an investor of the build can be put into another order")

    def recorded(self) -> RecordedQuestion:
        """As it stands in a record."""
        plain = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _PARTS}
        assumed = None if self.assumed is None else self.assumed.recorded()
        return RecordedQuestion(**plain, assumed=assumed, told=recorded(self.told))

    @classmethod
    def asked(cls, found: RecordedQuestion) -> Question:
        """The question that a record says was asked."""
        plain = {each.name: getattr(found, each.name) for each in fields(cls) if each.name not in _PARTS}
        plain["explained"] = found.explained is not False
        assumed = None if found.assumed is None else Assumed.of_record(found.assumed)
        return cls(**plain, assumed=assumed, told=of_record(found.told))


@dataclass(frozen=True)
class Rejected:
    """An asset that the score alone would have put on the list, at `place`, and the gate did not let through."""

    asset_id: str
    place: int
    score: float
    verdict: Verdict


@dataclass(frozen=True)
class Advice:
    """The answer, and all that it rests on.

    Attributes:
        lines: the list, best first.
        explanations, verdicts: one per line; no explanations, and verdicts with what speaks against alone, where the
            question asks for no explanation.
        rejected: those that stood above the last line, the highest score first, `MOST_REJECTED` at most.
        screening: the gate's findings about all candidates.
        scores: (candidates,) float64, in the order of `screening.at`.
        change: what would take the asset off the list or bring it onto it, where that was asked.
        moves: the list as the desk for what-if questions gave it, where the question assumes something.
    """

    question: Question
    lines: tuple[Recommendation, ...]
    explanations: tuple[Explanation, ...]
    verdicts: tuple[Verdict, ...]
    rejected: tuple[Rejected, ...]
    screening: Screening
    scores: FloatArray
    change: Counterfactual | None = None
    moves: AssumedList | None = None


class Adviser:
    """Answers questions from one build under one set of rules; keep it, since it remembers what it looked up.

    Safe to be used by several threads.
    """

    def __init__(self, build: Build, rules: RuleSet, languages: Sequence[str] = LANGUAGES) -> None:
        """Look nothing up yet; explanations speak the given languages."""
        self.build, self.rules, self.languages = build, rules, languages
        self._lock = Lock()
        self._gate_of_day: Gate | None = None

    @cached_property
    def gate(self) -> Gate:
        """The rules over the build's snapshot, on its own day."""
        return Gate.over(self.build.graph, self.rules, self.build.prices)

    def gate_on(self, today: date | None) -> Gate:
        """The rules on the day of asking; the newest day's gate is kept, with what it found."""
        if today is None or today == self.gate.assets.today:
            return self.gate
        kept = self._gate_of_day
        if kept is None or kept.assets.today != today:
            kept = self._gate_of_day = self.gate.on(today)
        return kept

    @cached_property
    def explainer(self) -> Explainer:
        """The build's explainer; it speaks of risk classes as the rules have them, if they have any."""
        rules = self.rules if self.rules.ratings else None
        scorer = self.build.scorer
        momentum = scorer.options.demand.momentum
        return Explainer(self.build.graph, self.build.build_hash, rules, scorer.groups, momentum)

    @cached_property
    def _closes(self) -> HalfYear | None:
        return half_year(self.build.graph, self.build.prices)

    @cached_property
    def what_if(self) -> WhatIfDesk:
        """The build's desk for questions that assume something."""
        return WhatIfDesk(self.build, self.gate)

    def what_if_model(self, question: Question) -> ScorerWhatIf:
        """What answers what would move an asset, for the question's investor with what they told."""
        user = user_position(self.build.graph, question.user_id)
        investor = told_investor(self.build.scorer, user, question.told)
        return ScorerWhatIf(self.build.scorer, self.gate_on(question.today), investor)

    @cached_property
    def _by_id(self) -> Positions:
        return id_order(self.build.graph)

    def advise(self, question: Question) -> Advice:
        """The list for an investor, or the one asset that was asked about.

        Raises:
            UsageError: unknown investor, asset, kind or level.
        """
        if question.assumed is not None:
            return self._assumed(question, question.assumed)
        user = user_position(self.build.graph, question.user_id)
        investor = told_investor(self.build.scorer, user, question.told)
        if investor.has_chosen:
            return self._advise_chosen(question, user, investor)
        return self._advise(question, user, self.build.scorer.scores(Positions(np.array([user])))[0])

    def advise_all(self, questions: Iterable[Question]) -> Iterator[Advice]:
        """The same for many questions, scored many at a time."""
        rest = iter(questions)
        while group := list(islice(rest, _SCORED_AT_ONCE)):
            users = [user_position(self.build.graph, question.user_id) for question in group]
            scores = self.build.scorer.scores(Positions(np.array(users)))
            for question, user, row in zip(group, users, scores, strict=True):
                investor = told_investor(self.build.scorer, user, question.told)
                if investor.has_chosen:
                    yield self._advise_chosen(question, user, investor)
                else:
                    yield self._advise(question, user, row)

    def _advise(self, question: Question, user: Position, scores: FloatArray) -> Advice:
        graph = self.build.graph
        eligible = self._eligible(question, user)
        asked = None if question.asset_id is None else asset_position(graph, question.asset_id)
        at = Positions(np.flatnonzero(_with(eligible, asked)))
        screening = self.gate_on(question.today).screen(graph.user_span.row(user), graph.asset_span.row(at))
        found = self._ordered(question, Shortlist.of(scores, eligible, screening, self._by_id))
        shown = found.first(question.k) if asked is None else [(int(found.places[asked]), asked)]
        passed_over = found.passed_over(question.k) if asked is None else []
        explanations = [self._explained(user, *each) for each in shown] if question.explained else []
        advice = self._advice(question, found, shown, passed_over, explanations)
        if asked is None or not question.counterfactual:
            return advice
        gate = self.gate_on(question.today)
        return replace(advice, change=what_would_move(self.build, gate, user, asked, question.k, question.kind))

    def _advise_chosen(self, question: Question, user: Position, investor: AssumedInvestor) -> Advice:
        """As `_advise`, for an investor who told what the score counts beside positions and answers."""
        graph, gate = self.build.graph, self.gate_on(question.today)
        eligible = investor.eligible(graph, question.kind)
        if question.include_held:
            eligible = candidates(graph, question.kind).copy()
            eligible[sorted(investor.dismissed)] = False
        asked = None if question.asset_id is None else asset_position(graph, question.asset_id)
        at = Positions(np.flatnonzero(_with(eligible, asked)))
        screening = investor.screened(gate, graph.asset_span.row(at))
        scores = AssumedScore(self.build.scorer, investor).scores()
        found = self._ordered(question, Shortlist.of(scores, eligible, screening, self._by_id))
        shown = found.first(question.k) if asked is None else [(int(found.places[asked]), asked)]
        passed_over = found.passed_over(question.k) if asked is None else []
        explanations = []
        if question.explained:
            explanations = [self.what_if.explain(investor, a, rank, self.languages) for rank, a in shown]
        advice = self._advice(question, found, shown, passed_over, explanations)
        if asked is None or not question.counterfactual:
            return advice
        change = what_would_move(self.build, gate, user, asked, question.k, question.kind, investor)
        return replace(advice, change=change)

    def _assumed(self, question: Question, assumed: Assumed) -> Advice:
        """The list for the investor as they might be, with the place that each asset has as they are."""
        asked, before = assumed.investors(self.build.scorer, question.user_id, question.told)
        gate = self.gate_on(question.today)
        found = self.what_if.answer(asked, before, question.k, question.kind, self.languages, gate=gate)
        explanations, listed = [line.explanation for line in found.lines], found.shortlist
        shown, passed_over = listed.first(question.k), listed.passed_over(question.k)
        return replace(self._advice(question, listed, shown, passed_over, explanations), moves=found)

    def _advice(
        self,
        question: Question,
        found: Shortlist,
        shown: Sequence[tuple[int, Position]],
        passed_over: Sequence[tuple[int, Position]],
        explanations: Sequence[Explanation],
    ) -> Advice:
        graph = self.build.graph
        verdict = found.screening.verdict if question.explained else found.screening.brief
        explanations = self._with_order(question, shown, explanations)

        def verdict_on(asset: Position) -> Verdict:
            return verdict(found.screening.number_of(asset))

        return Advice(
            question,
            tuple(
                Recommendation.of(graph, question.user_id, asset, rank, found.scores[asset]) for rank, asset in shown
            ),
            tuple(explanations),
            tuple(verdict_on(asset) for _, asset in shown),
            tuple(
                Rejected(str(graph.asset_ids[asset]), place, float(found.scores[asset]), verdict_on(asset))
                for place, asset in passed_over[:MOST_REJECTED]
            ),
            found.screening,
            found.scores[found.screening.at],
        )

    def _ordered(self, question: Question, found: Shortlist) -> Shortlist:
        """In the order that was asked for; scores and places by score stay as they are."""
        if not question.rerank:
            return found
        order = RiskOrder.parse(question.rerank)
        if self._closes is None:
            raise UsageError("the build has no half year of closes to order by: build again with prices")
        return replace(found, order=order.of(found.scores, found.suitable, self._closes))

    def _with_order(
        self, question: Question, shown: Sequence[tuple[int, Position]], explanations: Sequence[Explanation]
    ) -> Sequence[Explanation]:
        """Each with a reason that tells of the order, where one was asked for."""
        if not question.rerank or self._closes is None:
            return explanations
        weight = RiskOrder.parse(question.rerank).weight
        listed = [asset for _, asset in shown]
        return [
            tell_order(found, self.build.graph, self._closes, listed[: number + 1], weight, self.languages)
            for number, found in enumerate(explanations)
        ]

    def _explained(self, user: Position, rank: int, asset: Position) -> Explanation:
        account = self.build.scorer.account(user, asset)
        with self._lock:
            return self.explainer.explain(account, rank, self.languages)

    def _eligible(self, question: Question, user: Position) -> Mask:
        """(assets,) bool: what the list could hold, before the rules."""
        eligible = candidates(self.build.graph, question.kind).copy()
        if not question.include_held:
            ever = self.build.scorer.interactions.ever
            eligible[ever.indices[ever.indptr[user] : ever.indptr[user + 1]]] = False
        return eligible


def _with(eligible: Mask, asked: int | None) -> Mask:
    """The candidates, and the asset that was asked about even where it is none."""
    if asked is None:
        return eligible
    out = eligible.copy()
    out[asked] = True
    return out
