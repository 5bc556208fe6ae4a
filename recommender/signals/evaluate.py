"""The one evaluator: models, folds and horizons of a panel, and what came of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import FloatArray
from pathfolio.kg.progress import Progress
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.labels import Labels, labels_of
from pathfolio.recommender.signals.model import SignalLesson, SignalModel
from pathfolio.recommender.signals.panel import LIQUID_DAYS, Mask, Panel
from pathfolio.recommender.signals.record import SignalRecord, Tested, compared, record_of
from pathfolio.recommender.signals.splits import splitter_of
from pathfolio.recommender.signals.trading import TradingTerms

HORIZONS: Final = (1, 5, 20)
"""Trading days that are foretold if nothing else is asked for."""

BASELINE: Final = "ewma"
"""What losses are compared with."""


@dataclass(frozen=True)
class SignalTest:
    """What is asked of the models.

    Attributes:
        first, last: days that are tested; None for the last third of the panel.
        horizons: trading days.
        split: its name, of `splits.SPLITS`.
        largest: only so many assets, the most traded before the first day; 0 for the universe of each day.
        trials: how many were tried in all, this run's for 0.
        terms: of trading.
        checkpoints: the folder in which networks keep how far they have come, and from which they go on.
    """

    first: date | None = None
    last: date | None = None
    horizons: Sequence[int] = HORIZONS
    split: str = "walk-forward"
    largest: int = 0
    trials: int = 0
    terms: TradingTerms = field(default_factory=TradingTerms)
    checkpoints: Path | None = None


def evaluated(panel: Panel, models: Sequence[SignalModel], asked: SignalTest, progress: Progress) -> list[SignalRecord]:
    """The record of each model at each horizon, in the order of horizons, then models.

    Raises:
        UsageError: no such split; days that the panel does not have.
        DataError: no asset has enough closes in the days that are tested.
    """
    splitter_of(asked.split)
    first, stop = _range(panel, asked)
    among = np.zeros(panel.universe.shape, bool)
    among[first:stop] = panel.universe[first:stop]
    if asked.largest:
        among &= _largest(panel, first, asked.largest)
    if not among.any():
        raise DataError(f"{panel.name}: no asset has enough closes from {panel.days[first]}: name other days")
    baseline = BASELINE if any(model.name == BASELINE for model in models) else models[0].name
    out: list[SignalRecord] = []
    for horizon in asked.horizons:
        found = []
        for model in models:
            labels = labels_of(panel, model.target, horizon)
            with progress.stage(f"{model.name}, {horizon} days") as details:
                start = time.perf_counter()
                forecast = walked(panel, model, labels, horizon, (first, stop), asked)
                seconds = time.perf_counter() - start
                tested = Tested(panel, labels, among)
                made = record_of(model.name, model.target, horizon, forecast, tested, asked.terms, seconds)
                details.append(f"rank IC {made.metrics['rank_ic']:.3f}")
                found.append(made)
        out += compared(found, baseline, asked.trials or len(models) * len(asked.horizons))
    return out


def walked(
    panel: Panel, model: SignalModel, labels: Labels, horizon: int, between: tuple[int, int], asked: SignalTest
) -> FloatArray:
    """(T, N): a model's forecasts of the universe for the days [first, stop), each block by what was learned for it."""
    out = np.full(labels.values.shape, np.nan)
    for fold in splitter_of(asked.split)(panel.days, *between, labels.ends):
        learned = np.where(fold.train[:, None], labels.values, np.nan)
        name = f"{model.name}-{horizon}-{panel.days[fold.test][0]}.pt"
        keep = None if asked.checkpoints is None else asked.checkpoints / name
        lesson = SignalLesson(panel, learned, fold.train, fold.test, horizon, keep)
        out[fold.test] = model.forecasts(lesson)[fold.test]
    return np.where(panel.universe, out, np.nan)


def _range(panel: Panel, asked: SignalTest) -> tuple[int, int]:
    first = 2 * len(panel.days) // 3
    if asked.first is not None:
        first = int(np.searchsorted(panel.days, np.datetime64(asked.first, "D")))
    stop = len(panel.days) if asked.last is None else panel.index(asked.last) + 1
    if first >= stop:
        days = f"{panel.days[0]} to {panel.days[-1]}"
        raise UsageError(f"{panel.name} has no day from {asked.first} to {asked.last}: it has {days}")
    return first, stop


def _largest(panel: Panel, first: int, count: int) -> Mask:
    """(N,): the most traded over the `LIQUID_DAYS` before the first day."""
    if not panel.has("value"):
        raise UsageError(f"{panel.name}: nothing tells what was traded: leave --largest out")
    traded = np.nan_to_num(rolling.mean(panel["value"], LIQUID_DAYS)[max(first - 1, 0)])
    traded[~panel.universe[max(first - 1, 0)]] = 0.0
    kept = np.zeros(len(traded), bool)
    kept[np.argsort(-traded, kind="stable")[:count]] = True
    return np.asarray(kept & (traded > 0))
