"""What one rule finds over many candidates, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import Mask
from pathfolio.recommender.suitability.verdict import Outcome


@dataclass(frozen=True)
class Judgement:
    """One rule over n candidates.

    Attributes:
        reasons: the words that `reason` points into.
        outcome: (n,) int8 of `Outcome`.
        reason: (n,) int8, positions in `reasons`.
        measured, limit: (n,) float64, NaN where nothing was compared.
        subject: (n,) int64, positions in `names`, -1 where the asset itself is meant.
        names: what `subject` points into.
    """

    reasons: tuple[str, ...]
    outcome: npt.NDArray[np.int8]
    reason: npt.NDArray[np.int8]
    measured: npt.NDArray[np.float64]
    limit: npt.NDArray[np.float64]
    subject: npt.NDArray[np.int64]
    names: Sequence[str] | npt.NDArray[np.object_] = ()

    @classmethod
    def of(cls, reasons: tuple[str, ...], n: int, outcome: Outcome, reason: str) -> Judgement:
        """The same finding for all n candidates, to be refined by `where`; `reason` is one of `reasons`."""
        return cls(
            reasons,
            np.full(n, outcome, np.int8),
            np.full(n, reasons.index(reason), np.int8),
            np.full(n, np.nan),
            np.full(n, np.nan),
            np.full(n, -1, np.int64),
        )

    def where(self, mask: Mask, outcome: Outcome, reason: str) -> Judgement:
        """With another finding for the candidates in `mask`."""
        return replace(
            self,
            outcome=np.where(mask, np.int8(outcome), self.outcome),
            reason=np.where(mask, np.int8(self.reasons.index(reason)), self.reason),
        )

    def says(self, reason: str) -> Mask:
        """(n,) bool: where this is the reason."""
        says: Mask = self.reason == self.reasons.index(reason)
        return says

    def reason_of(self, candidate: int) -> str:
        """The reason of one candidate, as a word."""
        return self.reasons[int(self.reason[candidate])]
