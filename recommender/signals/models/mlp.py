"""A perceptron of three layers on ranks of price and volume features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option


@dataclass(frozen=True)
class Mlp(SignalModel):
    """Each step sees the whole cross-section of a day."""

    name: ClassVar[str] = "mlp"
    target: ClassVar[Target] = Target.RETURN
    about: ClassVar[str] = "a perceptron of three layers on 28 price and volume features"
    paper: ClassVar[str] = "Gu, Kelly and Xiu 2020, Review of Financial Studies 33(5)"
    equation: ClassVar[str] = r"s_t = W_3\, g(W_2\, g(W_1 x_t + b_1) + b_2) + b_3, \quad g = \mathrm{GELU}"
    learns: ClassVar[bool] = True

    hidden: int = option(64, "units of the first layer; the second has half of them")
    dropout: float = option(0.1, "the part of the first layer that is dropped at random while training")
    epochs: int = option(12, "passes over the days at most")
    patience: int = option(2, "epochs without a better validation loss, after which it stops")
    rate: float = option(1e-3, "of learning")
    loss: str = option("mse", "what is made small on each day: mse, ic or wpcc")
    seed: int = option(1, "of the first weights and of the order of days")

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): the expected rank from -0.5 to 0.5, or for `ic` and `wpcc` a number whose order alone counts."""
        import torch
        from torch import nn

        from pathfolio.recommender.signals.trainer import TrainerOptions, forecasts_of

        def network(features: int) -> torch.nn.Module:
            half = max(self.hidden // 2, 1)
            first = (nn.Linear(features, self.hidden), nn.GELU(), nn.Dropout(min(self.dropout, 0.9)))
            return nn.Sequential(*first, nn.Linear(self.hidden, half), nn.GELU(), nn.Linear(half, 1))

        options = TrainerOptions(self.seed, self.epochs, self.patience, self.rate, loss=self.loss)
        return forecasts_of(lesson, network, options)
