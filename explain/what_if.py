"""What an investor's scores would be with other positions or answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import Relation, profile_relation
from pathfolio.recommender.assumed import AssumedInvestor
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.retrieve import candidates
from pathfolio.recommender.suitability.gate import Gate

if TYPE_CHECKING:
    from pathfolio.recommender.scorer import Scorer


@dataclass(frozen=True)
class Change:
    """An investor as they are, except for some positions and answers.

    Attributes:
        without: positions (among `graph.assets`) of assets that they shall neither hold nor have held.
        answers: for each profile relation to change, the row of the new level, or None for no answer.
    """

    without: frozenset[int] = frozenset()
    answers: tuple[tuple[Relation, int | None], ...] = field(default=())


class WhatIf(Protocol):
    """A recommender that can score an investor who is changed."""

    @property
    def graph(self) -> KnowledgeGraph:
        """The snapshot whose investors and assets it scores."""
        ...

    def positions(self, user: int) -> IntArray:
        """Positions of the assets that the investor at position `user` holds or held, ascending."""
        ...

    def answers(self, user: int) -> dict[Relation, int]:
        """The investor's profile: relation to the row of the level."""
        ...

    def what_if(self, user: int, changes: Sequence[Change]) -> FloatArray:
        """(len(changes), assets) float64: the scores after each change."""
        ...

    def listed(self, user: int, kind: str | None, changes: Sequence[Change]) -> Mask:
        """(len(changes), assets) bool: what may be on the list after each change; `kind` as in `candidates`."""
        ...


def not_held(model: WhatIf, user: int, kind: str | None) -> Mask:
    """(assets,) bool: the assets of a kind without the investor's own; one that is taken away does not come back."""
    eligible = candidates(model.graph, kind).copy()
    eligible[model.positions(user)] = False
    return eligible


@dataclass(frozen=True)
class ScorerWhatIf:
    """The served scorer as `WhatIf`: the weights stay, only the investor's own row changes.

    With a `gate`, lists hold what the rules let through for the investor with the answers that a change gives them.
    What a change takes away is taken from the score alone: without it the rules could judge nothing, and everything
    would depend on every answer.
    """

    scorer: Scorer
    gate: Gate | None = None

    @property
    def graph(self) -> KnowledgeGraph:
        """The scorer's snapshot."""
        return self.scorer.graph

    @property
    def _interactions(self) -> Interactions:
        return self.scorer.interactions

    def positions(self, user: int) -> IntArray:
        """Positions of the assets that the investor holds or held, ascending."""
        ever = self._interactions.ever
        return np.sort(ever.indices[ever.indptr[user] : ever.indptr[user + 1]]).astype(np.int64)

    def answers(self, user: int) -> dict[Relation, int]:
        """The investor's profile: relation to the row of the level."""
        profile = self._interactions.profile
        rows = profile.indices[profile.indptr[user] : profile.indptr[user + 1]].tolist()
        return {profile_relation(self.graph.kind_of(row)): row for row in rows}

    def what_if(self, user: int, changes: Sequence[Change]) -> FloatArray:
        """(len(changes), assets) float64: the scores after each change."""
        return self.scorer.sum_rows(self._investors(user, changes))

    def listed(self, user: int, kind: str | None, changes: Sequence[Change]) -> Mask:
        """(len(changes), assets) bool: what is not held, what a path leads to, and suitable."""
        eligible = not_held(self, user, kind) & self.scorer.led_to(self._investors(user, changes))
        if self.gate is None:
            return eligible
        suitable = {given: self._suitable(self.gate, user, given) for given in {*map(_given, changes)}}
        return eligible & np.stack([suitable[_given(change)] for change in changes])

    def _investors(self, user: int, changes: Sequence[Change]) -> InvestorRows:
        """The investor's row after each change."""
        held, answers = self.positions(user), self.answers(user)
        ever = [[j for j in held.tolist() if j not in change.without] for change in changes]
        levels = [
            [row for row in ({**answers, **dict(change.answers)}).values() if row is not None] for change in changes
        ]
        rows = np.full(len(changes), self.graph.users[user], np.int64)
        ever_shape, profile_shape = (len(changes), len(self.graph.assets)), (len(changes), len(self.graph))
        return InvestorRows(_rows(ever, ever_shape), _rows(levels, profile_shape), rows)

    def _suitable(self, gate: Gate, user: int, given: tuple[tuple[Relation, int], ...]) -> Mask:
        """(assets,) bool: what the rules let through for the investor with these answers."""
        asked = AssumedInvestor.of(self.scorer, user).with_answers(dict(given))
        return asked.screened(gate, self.graph.assets).allowed


def _given(change: Change) -> tuple[tuple[Relation, int], ...]:
    """The answers that a change gives, without those that it takes away."""
    return tuple((relation, row) for relation, row in change.answers if row is not None)


def _rows(columns: list[list[int]], shape: tuple[int, int]) -> sp.csr_array:
    """0 and 1, with ones in the given columns of each row."""
    indptr = np.cumsum([0, *map(len, columns)])
    indices = np.array([column for row in columns for column in sorted(row)], np.int64)
    return sp.csr_array((np.ones(len(indices)), indices, indptr), shape)
