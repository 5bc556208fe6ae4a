"""`Adviser`: one investor's list with everything behind it, from a build and a market's rules.

Nothing here reads a clock or writes anything: the same build, rules and question give the same advice, bit for bit,
which is what a replay relies on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from explain.explainer import Explainer
from explain.explanation import Explanation
from explain.wording import LANGUAGES
from kg.errors import UsageError
from kg.graph import FloatArray, IntArray, Mask
from kg.schema import ASSET_KIND_OF
from recommender.build import Build
from recommender.interactions import Interactions
from recommender.model import Recommendation
from recommender.ranking import id_order, top_lists
from recommender.retrieve import candidates, user_position
from recommender.suitability.gate import Gate, Screening
from recommender.suitability.rules import RuleSet
from recommender.suitability.verdict import Verdict

MOST_REJECTED: Final = 20
"""Rejected assets of which a record holds the whole verdict; all others are in its columns."""


@dataclass(frozen=True)
class Question:
    """What was asked.

    Attributes:
        who: who asked: the account, or the user of the operating system.
        through: command line, api or site.
        user_id: for whom.
        kind: stock, fund or bond; None for all.
        asset_id: the one asset that was asked about, instead of a list.
        lang: the language in which the answer is shown.
    """

    who: str
    through: str
    user_id: str
    k: int = 10
    kind: str | None = None
    include_held: bool = False
    lang: str = "en"
    asset_id: str | None = None


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
        explanations, verdicts: one per line.
        rejected: those that stood above the last line, the highest score first, `MOST_REJECTED` at most.
        screening: the gate's findings about all candidates.
        scores: (candidates,) float64, in the order of `screening.at`.
    """

    question: Question
    lines: tuple[Recommendation, ...]
    explanations: tuple[Explanation, ...]
    verdicts: tuple[Verdict, ...]
    rejected: tuple[Rejected, ...]
    screening: Screening
    scores: FloatArray


class Adviser:
    """Answers questions from one build under one set of rules; keep it, since it remembers what it looked up."""

    def __init__(self, build: Build, rules: RuleSet) -> None:
        """Look nothing up yet."""
        self.build, self.rules = build, rules

    @cached_property
    def gate(self) -> Gate:
        """The rules over the build's snapshot."""
        return Gate.over(self.build.graph, self.rules, self.build.prices)

    @cached_property
    def explainer(self) -> Explainer:
        """The build's explainer."""
        return Explainer(self.build.graph, self.build.build_hash)

    @cached_property
    def _ever(self) -> Interactions:
        return Interactions(self.build.graph)

    @cached_property
    def _by_id(self) -> IntArray:
        return id_order(self.build.graph)

    def advise(self, question: Question) -> Advice:
        """The list for an investor, or the one asset that was asked about.

        Raises:
            UsageError: unknown investor, asset or kind, or k below 1.
        """
        graph = self.build.graph
        user = user_position(graph, question.user_id)
        scores = self.build.scorer.scores(np.array([user]))[0]
        considered = self._considered(question, user)
        at = np.flatnonzero(considered)
        screening = self.gate.screen(int(graph.users[user]), graph.assets[at])
        shown, ranked = self._chosen(question, scores, considered, screening)
        lines = tuple(self._line(question.user_id, asset, rank, scores) for rank, asset in shown)
        number_of = {int(asset): number for number, asset in enumerate(at)}
        account = self.build.scorer.account
        return Advice(
            question,
            lines,
            tuple(self.explainer.explain(account(user, asset), rank, LANGUAGES) for rank, asset in shown),
            tuple(screening.verdict(number_of[asset]) for _, asset in shown),
            self._rejected(ranked, {asset for _, asset in shown}, scores, screening, number_of),
            screening,
            scores[at],
        )

    def _considered(self, question: Question, user: int) -> Mask:
        """(assets,) bool: the candidates."""
        if question.asset_id is not None:
            chosen = np.zeros(len(self.build.graph.assets), bool)
            chosen[self.build.graph.asset_row(question.asset_id) - int(self.build.graph.assets[0])] = True
            return chosen
        considered = candidates(self.build.graph, question.kind)
        if not question.include_held:
            considered = considered & (self._ever.ever[[user]].toarray()[0] == 0)
        return considered

    def _chosen(
        self, question: Question, scores: FloatArray, considered: Mask, screening: Screening
    ) -> tuple[list[tuple[int, int]], list[int]]:
        """(rank, asset) of what is shown, and the assets that the score alone ranks down to the last of them."""
        if question.k < 1:
            raise UsageError(f"a list of {question.k} assets: -k takes 1 or more")
        if question.asset_id is not None:
            asset = int(screening.at[0])
            return [(0, asset)], [asset]
        allowed = np.zeros(len(considered), bool)
        allowed[screening.at[screening.allowed]] = True
        k = min(question.k, len(considered))
        best = top_lists(scores[None], allowed[None], self._by_id, k)[0]
        ungated = top_lists(scores[None], considered[None], self._by_id, len(considered))[0]
        shown = [(rank, int(asset)) for rank, asset in enumerate(best, 1) if asset >= 0]
        ranked = [int(asset) for asset in ungated if asset >= 0]
        last = ranked.index(shown[-1][1]) + 1 if len(shown) == k else len(ranked)
        return shown, ranked[:last]

    def _rejected(
        self, ranked: list[int], shown: set[int], scores: FloatArray, screening: Screening, number_of: dict[int, int]
    ) -> tuple[Rejected, ...]:
        ids = self.build.graph.nodes.id[self.build.graph.assets]
        passed = [(place, asset) for place, asset in enumerate(ranked, 1) if asset not in shown][:MOST_REJECTED]
        return tuple(
            Rejected(str(ids[asset]), place, float(scores[asset]), screening.verdict(number_of[asset]))
            for place, asset in passed
        )

    def _line(self, user_id: str, asset: int, rank: int, scores: FloatArray) -> Recommendation:
        graph = self.build.graph
        row = int(graph.assets[asset])
        kind = next(word for word, node_kind in ASSET_KIND_OF.items() if node_kind is graph.kind_of(row))
        return Recommendation(
            user_id, str(graph.nodes.id[row]), kind, graph.display_name(row), rank, float(scores[asset])
        )
