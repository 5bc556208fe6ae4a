"""What one rule finds over many candidates, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import FloatArray, IntArray, Mask
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
    measured: FloatArray
    limit: FloatArray
    subject: IntArray
    names: Sequence[str] | npt.NDArray[np.object_] = ()

    @classmethod
    def of(cls, reasons: tuple[str, ...], n: int, outcome: Outcome, reason: str) -> Judgement:
        """The same finding for all n candidates, to be refined by `where`; `reason` is one of `reasons`."""
        found = np.full(n, outcome, np.int8)
        why = np.full(n, reasons.index(reason), np.int8)
        return cls(reasons, found, why, _nothing(n), _nothing(n), _itself(n))

    def where(self, *cases: tuple[Mask, Outcome, str]) -> Judgement:
        """With other findings for some candidates: (n,) bool for which, what, and why; of several the last counts."""
        outcome = self.outcome.copy()
        reason = self.reason.copy()
        for mask, found, why in cases:
            outcome[mask] = found
            reason[mask] = self.reasons.index(why)
        return replace(self, outcome=outcome, reason=reason)

    def says(self, reason: str) -> Mask:
        """(n,) bool: where this is the reason."""
        says: Mask = self.reason == self.reasons.index(reason)
        return says

    def reason_of(self, candidate: int) -> str:
        """The reason of one candidate, as a word."""
        return self.reasons[int(self.reason[candidate])]


@lru_cache(maxsize=8)
def _nothing(n: int) -> FloatArray:
    """(n,) NaN, shared by all that compare nothing."""
    values = np.full(n, np.nan)
    values.flags.writeable = False
    return values


@lru_cache(maxsize=8)
def _itself(n: int) -> IntArray:
    """(n,) -1, shared by all that are about the asset itself."""
    values = np.full(n, -1, np.int64)
    values.flags.writeable = False
    return values
