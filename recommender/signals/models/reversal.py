"""Short-term reversal: what fell in the last days rises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option


@dataclass(frozen=True)
class Reversal(SignalModel):
    """Nothing is learned."""

    name: ClassVar[str] = "reversal"
    target: ClassVar[Target] = Target.RETURN
    about: ClassVar[str] = "the return of the last days, turned around"
    paper: ClassVar[str] = "Jegadeesh 1990, Journal of Finance 45(3)"
    equation: ClassVar[str] = r"s_t = -\sum_{i=0}^{d-1} \ln(1 + r_{t-i})"

    days: int = option(5, "so many days' return is turned around")

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): minus the return."""
        return -rolling.total(np.log1p(lesson.panel["return"]), self.days)
