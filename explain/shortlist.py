"""`Shortlist`: one investor's candidates ranked by score, and what the rules make of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pathfolio.kg.graph import FloatArray, IntArray, Mask
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.ranking import best_first
from pathfolio.recommender.suitability.gate import Screening


@dataclass(frozen=True)
class Shortlist:
    """Candidates in the order of their scores.

    Attributes:
        screening: the rules' findings about the candidates, and about an asset that was asked about.
        scores: (assets,) float64.
        ranked: the candidates, the highest score first; of equal ones the smaller id.
        allowed: (assets,) bool: the candidates that the rules let through.
        order: those that they let through in another order than that of the scores, where one was asked for.
    """

    screening: Screening
    scores: FloatArray
    ranked: Positions
    allowed: Mask
    order: Positions | None = None

    @classmethod
    def of(cls, scores: FloatArray, eligible: Mask, screening: Screening, by_id: Positions) -> Shortlist:
        """Rank what is `eligible` (assets,) before the rules; `by_id` is what `id_order` gives."""
        usable = eligible & (scores > -np.inf)
        ranked = Positions(best_first(np.where(usable, scores, -np.inf), by_id)[: np.count_nonzero(usable)])
        allowed = np.zeros(len(scores), bool)
        allowed[screening.at[screening.allowed]] = True
        return cls(screening, scores, ranked, allowed & eligible)

    @cached_property
    def suitable(self) -> Positions:
        """What the rules let through, best first: the list, however long it is asked for."""
        if self.order is not None:
            return self.order
        return Positions(self.ranked[self.allowed[self.ranked]])

    @cached_property
    def places(self) -> IntArray:
        """(assets,) int64: the rank of each asset among the suitable ones, from 1; 0 for what is not on the list."""
        out = np.zeros(len(self.scores), np.int64)
        out[self.suitable] = np.arange(1, len(self.suitable) + 1)
        return out

    def first(self, k: int) -> list[tuple[int, Position]]:
        """(rank, asset) of the list of k, walking down the ranking until k pass."""
        return [(rank, Position(int(asset))) for rank, asset in enumerate(self.suitable[:k], 1)]

    def passed_over(self, k: int) -> list[tuple[int, Position]]:
        """(place by score, asset) of what stands above the last of the first k and may not be shown."""
        passes = self.allowed[self.ranked]
        best = np.flatnonzero(passes)[:k]
        end = int(best[-1]) + 1 if len(best) == k else len(self.ranked)
        return [(int(place) + 1, Position(int(self.ranked[place]))) for place in np.flatnonzero(~passes[:end])]
