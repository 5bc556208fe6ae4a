"""Momentum: what rose over a year, its last month aside, rises on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option


@dataclass(frozen=True)
class MomentumSignal(SignalModel):
    """Nothing is learned."""

    name: ClassVar[str] = "momentum"
    target: ClassVar[Target] = Target.RETURN
    about: ClassVar[str] = "the return of a year, without its last month"
    paper: ClassVar[str] = "Jegadeesh and Titman 1993, Journal of Finance 48(1)"
    equation: ClassVar[str] = r"s_t = \sum_{i=k}^{d-1} \ln(1 + r_{t-i})"

    days: int = option(240, "the window begins so many days ago")
    skipped: int = option(20, "and ends so many days ago")

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): the return."""
        logs = np.log1p(lesson.panel["return"])
        return rolling.before(rolling.total(logs, max(1, self.days - self.skipped)), self.skipped)
