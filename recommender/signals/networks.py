"""What the lab's networks of returns have in common: their options, and how they are trained."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.cells import Cells, return_cells
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option
from pathfolio.recommender.signals.trainer import TrainerOptions, forecasts_of


@dataclass(frozen=True)
class ReturnNetwork(SignalModel):
    """Reads ranked figures of each asset; each step of training sees the whole cross-section of a day."""

    target: ClassVar[Target] = Target.RETURN
    learns: ClassVar[bool] = True

    hidden: int = option(64, "units of a layer")
    dropout: float = option(0.1, "the part of a layer that is dropped at random while training")
    epochs: int = option(12, "passes over the days at most")
    patience: int = option(2, "epochs without a better validation loss, after which it stops")
    rate: float = option(1e-3, "of learning")
    loss: str = option("mse", "what is made small on each day: mse, ic, wpcc or liq-wpcc")
    validation: str = option("loss", "what says when to stop: loss, or liquid for what a budget earns")
    inputs: str = option("features", "what is read: features (28 of price and volume), alphas (Alpha101) or both")
    every: int = option(1, "each so many-th day is learned from; labels of neighbours overlap, so little is lost")
    seed: int = option(1, "of the first weights and of the order of days")

    @abstractmethod
    def network(self, figures: int) -> torch.nn.Module:
        """(n, F) or (n, window, F) of one day's cells to (n, 1)."""

    def cells(self, lesson: SignalLesson) -> Cells:
        """What it reads and learns."""
        return return_cells(lesson, inputs=self.inputs)

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): the expected rank from -0.5 to 0.5; with a loss of correlation only the order counts."""
        options = TrainerOptions(
            seed=self.seed,
            epochs=self.epochs,
            patience=self.patience,
            rate=self.rate,
            loss=self.loss,
            validation=self.validation,
            every=self.every,
        )
        return forecasts_of(lesson, self.cells(lesson), self.network, options)


@dataclass(frozen=True)
class SequenceNetwork(ReturnNetwork):
    """Reads a window of days; an asset that was not in the universe of one of them has zeros there, and is told so."""

    hidden: int = option(32, "units of a layer")
    days: int = option(20, "of the window")
    every: int = option(2, "each so many-th day is learned from; labels of neighbours overlap, so little is lost")
    epochs: int = option(8, "passes over these days at most")

    def cells(self, lesson: SignalLesson) -> Cells:
        """What it reads and learns."""
        return return_cells(lesson, max(self.days, 2), inputs=self.inputs)
