"""LightGBM: boosted trees on ranks of price and volume features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.alphas import figures_of
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option

_FEWEST: Final = 1000


@dataclass(frozen=True)
class BoostedTrees(SignalModel):
    """Squared error of ranks; one thread and a seed, so that two fits are the same."""

    name: ClassVar[str] = "lightgbm"
    target: ClassVar[Target] = Target.RETURN
    about: ClassVar[str] = "boosted trees on 28 price and volume features"
    paper: ClassVar[str] = "Ke et al. 2017, NeurIPS, with features as in Gu, Kelly and Xiu 2020"
    equation: ClassVar[str] = r"s_t = \sum_{k=1}^{K} \eta\, f_k(x_t)"
    needs: ClassVar[str] = "lightgbm"
    learns: ClassVar[bool] = True

    trees: int = option(200, "how many are summed")
    leaves: int = option(31, "of each tree")
    rate: float = option(0.05, "what each tree counts")
    fewest: int = option(500, "cells in each leaf at least")
    columns: float = option(0.5, "the part of the features that each tree sees")
    inputs: str = option("features", "what is read: features (28 of price and volume), alphas (Alpha101) or both")
    seed: int = option(1, "of the draws of features and rows")

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): the expected rank from -0.5 to 0.5; NaN where there is too little to learn from."""
        import lightgbm

        features = figures_of(lesson.panel, self.inputs)
        target = rolling.ranks(lesson.labels, lesson.panel.universe)[features.day, features.asset]
        known = np.isfinite(target)
        out = np.full(lesson.labels.shape, np.nan)
        if known.sum() < _FEWEST:
            return out
        parameters: dict[str, Any] = {
            "objective": "regression",
            "num_leaves": self.leaves,
            "learning_rate": self.rate,
            "min_data_in_leaf": min(self.fewest, int(known.sum()) // 20),
            "feature_fraction": self.columns,
            "bagging_fraction": 0.5,
            "bagging_freq": 1,
            "lambda_l2": 1.0,
            "max_bin": 63,
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "seed": self.seed,
            "verbosity": -1,
        }
        data = lightgbm.Dataset(features.values[known], target[known])
        booster = lightgbm.train(parameters, data, num_boost_round=self.trees)
        asked = lesson.asked[features.day]
        if asked.any():
            found = booster.predict(features.values[asked], num_threads=1)
            out[features.day[asked], features.asset[asked]] = found
        return out
