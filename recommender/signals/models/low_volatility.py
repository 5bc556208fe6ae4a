"""Low volatility: what varied little earns more than it should."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option


@dataclass(frozen=True)
class LowVolatility(SignalModel):
    """Nothing is learned."""

    name: ClassVar[str] = "low-volatility"
    target: ClassVar[Target] = Target.RETURN
    about: ClassVar[str] = "how little the price varied"
    paper: ClassVar[str] = "Ang, Hodrick, Xing and Zhang 2006, Journal of Finance 61(1)"
    equation: ClassVar[str] = r"s_t = -\mathrm{sd}(r_{t-d+1}, \dots, r_t)"

    days: int = option(60, "within so many days")

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): minus the standard deviation."""
        return -rolling.deviation(lesson.panel["return"], self.days)
