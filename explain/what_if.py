"""What an investor's scores would be with other positions or answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pathfolio.kg.graph import FloatArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Position, Positions, Row
from pathfolio.recommender.assumed import AssumedInvestor, AssumedScore, rows_of
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.suitability.gate import Gate

if TYPE_CHECKING:
    from pathfolio.recommender.scorer import Scorer


@dataclass(frozen=True)
class InvestorChange:
    """An investor as they are, except for some positions and answers.

    Attributes:
        without: assets that they shall neither hold nor have held.
        answers: for each profile relation to change, the row of the new level, or None for no answer.
    """

    without: frozenset[Position] = frozenset()
    answers: tuple[tuple[Relation, Row | None], ...] = ()

    def of(self, investor: AssumedInvestor) -> AssumedInvestor:
        """The investor with this change."""
        return investor.with_answers(dict(self.answers), self.without)


class WhatIf(Protocol):
    """A recommender that can score an investor who is changed."""

    @property
    def graph(self) -> KnowledgeGraph:
        """The snapshot whose investors and assets it scores."""
        ...

    def positions(self, user: Position) -> Positions:
        """Positions of the assets that the investor at position `user` holds or held, ascending."""
        ...

    def answers(self, user: Position) -> dict[Relation, Row]:
        """The investor's profile: relation to the row of the level."""
        ...

    def what_if(self, user: Position, changes: Sequence[InvestorChange]) -> FloatArray:
        """(len(changes), assets) float64: the scores after each change."""
        ...

    def listed(self, user: Position, kind: str | None, changes: Sequence[InvestorChange]) -> Mask:
        """(len(changes), assets) bool: what may be on the list after each change; `kind` as in `candidates`."""
        ...


@dataclass(frozen=True)
class ScorerWhatIf:
    """The served scorer as `WhatIf`: the weights stay, only the investor's own row changes.

    With a `gate`, lists hold what the rules let through for the investor with the answers that a change gives them.
    What a change takes away is taken from the score alone: without it the rules could judge nothing, and everything
    would depend on every answer.
    """

    scorer: Scorer
    gate: Gate | None = None
    investor: AssumedInvestor | None = None
    """The one investor who is asked about, with what they told; as the snapshot has them, where not given."""

    @property
    def graph(self) -> KnowledgeGraph:
        """The scorer's snapshot."""
        return self.scorer.graph

    def positions(self, user: Position) -> Positions:
        """Positions of the assets that the investor holds or held, ascending."""
        return self._investor(user).taken

    def answers(self, user: Position) -> dict[Relation, Row]:
        """The investor's profile: relation to the row of the level."""
        return dict(self._investor(user).levels)

    def what_if(self, user: Position, changes: Sequence[InvestorChange]) -> FloatArray:
        """(len(changes), assets) float64: the scores after each change."""
        scores = self.scorer.sum_rows(self._rows(user, changes))
        if not self._investor(user).has_chosen:
            return scores
        added = {}
        for row, change in enumerate(changes):
            changed = change.of(self._investor(user))
            key = changed.followed - changed.dismissed
            if key not in added:
                added[key] = AssumedScore(self.scorer, changed).added()
            scores[row] += added[key]
        return scores

    def listed(self, user: Position, kind: str | None, changes: Sequence[InvestorChange]) -> Mask:
        """(len(changes), assets) bool: what is not held, what a path leads to, and suitable."""
        led = (
            self.scorer.led_to(self._rows(user, changes))
            | AssumedScore(self.scorer, self._investor(user)).of_interest()
        )
        eligible = self._investor(user).eligible(self.graph, kind) & led
        if self.gate is None:
            return eligible
        suitable = {given: self._suitable(self.gate, user, given) for given in {*map(_given, changes)}}
        return eligible & np.stack([suitable[_given(change)] for change in changes])

    def _investor(self, user: Position) -> AssumedInvestor:
        return self.investor or AssumedInvestor.of(self.scorer, user)

    def _rows(self, user: Position, changes: Sequence[InvestorChange]) -> InvestorRows:
        """The investor's row after each change."""
        investor = self._investor(user)
        return rows_of([change.of(investor) for change in changes], self.graph)

    def _suitable(self, gate: Gate, user: Position, given: tuple[tuple[Relation, Row], ...]) -> Mask:
        """(assets,) bool: what the rules let through for the investor with these answers."""
        return self._investor(user).with_answers(dict(given)).screened(gate, self.graph.assets).allowed


def _given(change: InvestorChange) -> tuple[tuple[Relation, Row], ...]:
    """The answers that a change gives, without those that it takes away."""
    return tuple((relation, row) for relation, row in change.answers if row is not None)
