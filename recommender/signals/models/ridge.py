"""Ridge regression of ranks of returns on ranks of price and volume features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.alphas import figures_of
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option


@dataclass(frozen=True)
class Ridge(SignalModel):
    """Both sides are ranks among the day's universe, so no day and no stock outweighs another."""

    name: ClassVar[str] = "ridge"
    target: ClassVar[Target] = Target.RETURN
    about: ClassVar[str] = "a linear sum of 28 price and volume features"
    paper: ClassVar[str] = "Hoerl and Kennard 1970, Technometrics 12(1), with features as in Gu, Kelly and Xiu 2020"
    equation: ClassVar[str] = r"w = (X^\top X + \lambda n I)^{-1} X^\top y, \quad s_t = x_t^\top w"
    learns: ClassVar[bool] = True

    penalty: float = option(0.001, "of squared weights, beside the mean squared error")
    inputs: str = option("features", "what is read: features (28 of price and volume), alphas (Alpha101) or both")

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): the expected rank from -0.5 to 0.5."""
        features = figures_of(lesson.panel, self.inputs)
        target = rolling.ranks(lesson.labels, lesson.panel.universe)[features.day, features.asset]
        known = np.isfinite(target)
        out = np.full(lesson.labels.shape, np.nan)
        if known.any():
            x = features.values[known].astype(np.float64)
            gram = x.T @ x + self.penalty * len(x) * np.eye(x.shape[1])
            weights = np.linalg.solve(gram, x.T @ target[known])
            asked = lesson.asked[features.day]
            out[features.day[asked], features.asset[asked]] = features.values[asked] @ weights
        return out
