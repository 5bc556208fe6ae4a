"""`Adviser`: one investor's list with everything behind it, from a build and a market's rules.

Nothing here reads a clock or writes anything: the same build, rules and question give the same advice, bit for bit,
which is what a replay relies on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from threading import Lock
from typing import Final

import numpy as np

from explain.explainer import Explainer
from explain.explanation import Explanation
from explain.wording import LANGUAGES
from kg.errors import UsageError
from kg.graph import FloatArray, IntArray, Mask
from kg.schema import ASSET_KIND_OF
from recommender.build import Build
from recommender.model import Recommendation
from recommender.ranking import id_order
from recommender.retrieve import candidates, user_position
from recommender.suitability.gate import Gate, Screening
from recommender.suitability.judges import LEVEL_TABLE
from recommender.suitability.rules import RuleSet
from recommender.suitability.verdict import Verdict

MOST_REJECTED: Final = 20
"""Rejected assets of which a record holds the whole verdict; all others are in its columns."""

_SCORED_AT_ONCE: Final = 512


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
        explained: whether each line comes with its explanation and its whole verdict; False for the bare lists of
            everybody, whose reasons the sealed build gives again when somebody asks.
    """

    who: str
    through: str
    user_id: str
    k: int = 10
    kind: str | None = None
    include_held: bool = False
    lang: str = "en"
    asset_id: str | None = None
    explained: bool = True


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
    """

    question: Question
    lines: tuple[Recommendation, ...]
    explanations: tuple[Explanation, ...]
    verdicts: tuple[Verdict, ...]
    rejected: tuple[Rejected, ...]
    screening: Screening
    scores: FloatArray


class Adviser:
    """Answers questions from one build under one set of rules; keep it, since it remembers what it looked up.

    Safe to be used by several threads.
    """

    def __init__(self, build: Build, rules: RuleSet) -> None:
        """Look nothing up yet."""
        self.build, self.rules = build, rules
        self._lock = Lock()

    @cached_property
    def gate(self) -> Gate:
        """The rules over the build's snapshot."""
        return Gate.over(self.build.graph, self.rules, self.build.prices)

    @cached_property
    def untold_rules(self) -> tuple[str, ...]:
        """Ids of the rules about a level that no investor of the build has told: their `absent` counts."""
        rules = self.rules.rules
        return tuple(rule.name for rule in rules if LEVEL_TABLE.get(rule.kind) in self.gate.untold)

    @cached_property
    def explainer(self) -> Explainer:
        """The build's explainer; it speaks of risk classes as the rules have them, if they have any."""
        rules = self.rules if self.rules.ratings else None
        return Explainer(self.build.graph, self.build.build_hash, rules)

    @cached_property
    def _by_id(self) -> IntArray:
        return id_order(self.build.graph)

    def advise(self, question: Question) -> Advice:
        """The list for an investor, or the one asset that was asked about.

        Raises:
            UsageError: unknown investor, asset or kind, or k below 1.
        """
        user = user_position(self.build.graph, question.user_id)
        return self._advise(question, user, self.build.scorer.scores(np.array([user]))[0])

    def advise_all(self, questions: Iterable[Question]) -> Iterator[Advice]:
        """The same for many questions, scored many at a time."""
        rest = iter(questions)
        while group := list(islice(rest, _SCORED_AT_ONCE)):
            users = [user_position(self.build.graph, question.user_id) for question in group]
            scores = self.build.scorer.scores(np.array(users))
            for question, user, row in zip(group, users, scores, strict=True):
                yield self._advise(question, user, row)

    def _advise(self, question: Question, user: int, scores: FloatArray) -> Advice:
        if question.k < 1:
            raise UsageError(f"a list of {question.k} assets: -k takes 1 or more")
        graph = self.build.graph
        eligible = self._eligible(question, user)
        asked = None if question.asset_id is None else graph.asset_row(question.asset_id) - int(graph.assets[0])
        at = np.flatnonzero(_with(eligible, asked))
        screening = self.gate.screen(int(graph.users[user]), graph.assets[at])
        allowed = np.zeros(len(eligible), bool)
        allowed[at[screening.allowed]] = True
        if asked is None:
            shown, passed_over = self._chosen(question.k, scores, eligible, allowed)
        else:
            shown, passed_over = [(self._place(asked, scores, eligible & allowed), asked)], []
        verdict = screening.verdict if question.explained else screening.brief

        def verdict_on(asset: int) -> Verdict:
            return verdict(int(np.searchsorted(at, asset)))

        return Advice(
            question,
            tuple(self._line(question.user_id, asset, rank, scores) for rank, asset in shown),
            tuple(self._explained(user, asset, rank) for rank, asset in shown) if question.explained else (),
            tuple(verdict_on(asset) for _, asset in shown),
            tuple(
                Rejected(str(graph.nodes.id[graph.assets[asset]]), place, float(scores[asset]), verdict_on(asset))
                for place, asset in passed_over[:MOST_REJECTED]
            ),
            screening,
            scores[at],
        )

    def _explained(self, user: int, asset: int, rank: int) -> Explanation:
        account = self.build.scorer.account(user, asset)
        with self._lock:
            return self.explainer.explain(account, rank, LANGUAGES)

    def _eligible(self, question: Question, user: int) -> Mask:
        """(assets,) bool: what the list could hold, before the rules."""
        eligible = candidates(self.build.graph, question.kind).copy()
        if not question.include_held:
            ever = self.build.scorer.interactions.ever
            eligible[ever.indices[ever.indptr[user] : ever.indptr[user + 1]]] = False
        return eligible

    def _chosen(
        self, k: int, scores: FloatArray, eligible: Mask, allowed: Mask
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """(rank, asset) of what is shown, walking down the ranking until k pass, and (place, asset) of what did not."""
        ranked = self._ranked(scores, eligible)
        passes = allowed[ranked]
        best = np.flatnonzero(passes)[:k]
        end = int(best[-1]) + 1 if len(best) == k else len(ranked)
        shown = [(rank, int(asset)) for rank, asset in enumerate(ranked[best], 1)]
        return shown, [(int(place) + 1, int(ranked[place])) for place in np.flatnonzero(~passes[:end])]

    def _place(self, asset: int, scores: FloatArray, listed: Mask) -> int:
        """The asset's rank in the list, however long that is; 0 where it is not on it."""
        found = np.flatnonzero(self._ranked(scores, listed) == asset)
        return int(found[0]) + 1 if len(found) else 0

    def _ranked(self, scores: FloatArray, listed: Mask) -> IntArray:
        """The listed assets, the highest score first; of equal ones the smaller id."""
        usable = listed & (scores > -np.inf)
        order = np.argsort(-np.where(usable, scores, -np.inf)[self._by_id], kind="stable")
        return self._by_id[order[: np.count_nonzero(usable)]]

    def _line(self, user_id: str, asset: int, rank: int, scores: FloatArray) -> Recommendation:
        graph = self.build.graph
        row = int(graph.assets[asset])
        kind = next(word for word, node_kind in ASSET_KIND_OF.items() if node_kind is graph.kind_of(row))
        return Recommendation(
            user_id, str(graph.nodes.id[row]), kind, graph.display_name(row), rank, float(scores[asset])
        )


def _with(eligible: Mask, asked: int | None) -> Mask:
    """The candidates, and the asset that was asked about even where it is none."""
    if asked is None:
        return eligible
    out = eligible.copy()
    out[asked] = True
    return out
