"""What the lab's networks of variance have in common: what they read, their options, and how they are trained."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import ClassVar, Final

import numpy as np
import pandas as pd
import torch

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.alphas import figures_of
from pathfolio.recommender.signals.cells import Cells
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.losses import PERCENT
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option
from pathfolio.recommender.signals.models.garch import Garch
from pathfolio.recommender.signals.models.har import FLOOR, daily_variance
from pathfolio.recommender.signals.models.har_qlike import variance_inputs
from pathfolio.recommender.signals.panel import Panel
from pathfolio.recommender.signals.trainer import Tell, TrainerOptions, as_told, forecasts_of

Columns = list[FloatArray]

INPUTS: Final = ("ranges", "garch", "garch+alphas", "garch+alphas+features", "top")
"""What may be read of each day: ranges, squared returns, falls and volume as `har-qlike` reads them; the logarithm of
GARCH's forecast alone (A), with Alpha101 (B), with the 28 features too (C), or with the `top` of them (D)."""

_REGIME_DAYS: Final = 500
_BOUNDS: Final = (-7.0, 6.5)
"""Of the logarithm of a variance in squared percent: moves of 0.03% and 26%."""


@dataclass(frozen=True)
class VarianceNetwork(SignalModel):
    """One network for all assets, on windows of days; several days are one step's."""

    target: ClassVar[Target] = Target.VOLATILITY
    learns: ClassVar[bool] = True

    hidden: int = option(32, "units of the recurrent layer")
    days: int = option(22, "of the window")
    dropout: float = option(0.1, "the part of the last state that is dropped at random while training")
    epochs: int = option(15, "passes over the days at most")
    patience: int = option(3, "epochs without a better validation loss, after which it stops")
    rate: float = option(2e-3, "of learning")
    seed: int = option(1, "of the first weights, of the order of days, and of what is drawn")

    @abstractmethod
    def network(self, figures: int) -> torch.nn.Module:
        """(n, window, F) to what its loss reads."""

    def trained(self, lesson: SignalLesson, cells: Cells, loss: str, tell: Tell = as_told) -> FloatArray:
        """(T, N): what the network tells, as it tells it."""
        options = TrainerOptions(
            seed=self.seed, epochs=self.epochs, patience=self.patience, rate=self.rate, loss=loss, together=8
        )
        return forecasts_of(lesson, cells, self.network, options, tell)


@dataclass(frozen=True)
class FiguredVariance(VarianceNetwork):
    """Reads figures of each day, in standard deviations from their mean over the learned days."""

    inputs: str = option("ranges", f"what is read of each day: {', '.join(INPUTS)}")
    top: int = option(20, "so many of Alpha101 and the features are read, with inputs=top")
    dummies: bool = option(False, "whether weekday, month and the market's regime are read, as zeros and ones")

    def cells(self, lesson: SignalLesson, truth: FloatArray) -> Cells:
        """The universe with what is read of it.

        Args:
            truth: (T, N) what is to be told, NaN where it may not be learned.
        """
        if self.inputs not in INPUTS:
            raise UsageError(f"{self.name}: inputs={self.inputs}: name one of {', '.join(INPUTS)}")
        panel = lesson.panel
        read = list(self._columns(lesson))
        known = panel.universe & np.isfinite(np.stack(read)).all(axis=0)
        day, asset = np.nonzero(known)
        rows = np.column_stack([column[day, asset] for column in read])
        may = lesson.learned[day]
        middle, spread = (rows[may].mean(axis=0), rows[may].std(axis=0)) if may.any() else (0.0, 1.0)
        rows = np.clip((rows - middle) / np.maximum(spread, 1e-6), -5, 5)
        nothing = np.zeros(len(day), np.float32)
        return Cells(
            day,
            asset,
            np.vstack([rows, np.zeros((1, rows.shape[1]))]).astype(np.float32),
            truth[day, asset].astype(np.float32),
            nothing,
            nothing,
            nothing,
            max(self.days, 2),
            (_dummies(panel) if self.dummies else np.zeros((len(panel.days), 0))).astype(np.float32),
        )

    def _columns(self, lesson: SignalLesson) -> Iterator[FloatArray]:
        """(T, N) each."""
        if self.inputs == "ranges":
            yield from np.moveaxis(variance_inputs(lesson.panel), -1, 0)
            return
        yield np.log(np.maximum(garch_of(lesson), FLOOR) * PERCENT)
        if self.inputs == "garch":
            return
        ranked = list(_ranked(lesson.panel, "alphas" if self.inputs == "garch+alphas" else "both"))
        if self.inputs == "top":
            learned = lesson.learned & np.isfinite(lesson.labels).any(axis=1)
            truth = rolling.ranks(lesson.labels, lesson.panel.universe)[learned]
            worth = [abs(np.nanmean(column[learned] * truth)) for column in ranked]
            ranked = [ranked[at] for at in np.argsort(worth)[::-1][: self.top].tolist()]
        yield from ranked


def garch_of(lesson: SignalLesson) -> FloatArray:
    """(T, N): GARCH's forecasts on all days.

    It fits what is in the universe on a day that it is asked about; here that is any day, since whoever learned only
    from assets that stay in the universe would know who does.

    Raises:
        UsageError: `arch` is not installed.
    """
    if find_spec(Garch.needs) is None:
        raise UsageError(f"GARCH needs {Garch.needs}: pip install 'pathfolio[signals]'")
    return Garch().forecasts(replace(lesson, asked=lesson.asked | lesson.learned))


def _ranked(panel: Panel, inputs: str) -> Iterator[FloatArray]:
    """Ranks among a day's universe, from -1 to 1."""
    figures = figures_of(panel, inputs)
    for column in figures.values.T:
        out = np.full(panel.universe.shape, np.nan)
        out[figures.day, figures.asset] = 2 * column
        yield out


def _dummies(panel: Panel) -> FloatArray:
    """(T, 20): weekday, month, and whether the market's ranges are low, middling or high among the last two years'."""
    days = pd.DatetimeIndex(panel.days)
    ranges = np.where(panel.universe, daily_variance(panel), np.nan)
    known = np.isfinite(ranges)
    mean = np.where(known, ranges, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    placed = np.nan_to_num(rolling.place(rolling.mean(mean[:, None], 5), _REGIME_DAYS)[:, 0], nan=0.5)
    regime = np.minimum((placed * 3).astype(int), 2)
    parts = ((np.asarray(days.weekday), 5), (np.asarray(days.month) - 1, 12), (regime, 3))
    return np.hstack([np.eye(size)[np.minimum(at, size - 1)] for at, size in parts])


def variance_of(level: FloatArray) -> FloatArray:
    """A daily variance from its logarithm in squared percent."""
    return np.exp(np.clip(level, *_BOUNDS)) / PERCENT
