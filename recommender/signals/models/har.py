"""HAR on log ranges: a day's, a week's and a month's range tell the next days' variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import SignalLesson, SignalModel, option
from pathfolio.recommender.signals.panel import Panel

FLOOR: Final = 1e-6
"""A daily variance below that of 0.1% is a price that did not move."""


@dataclass(frozen=True)
class Har(SignalModel):
    """One regression for all assets; then each asset's forecasts are scaled to its own squared returns.

    Where a market has no highs and lows, squared returns take the place of ranges.
    """

    name: ClassVar[str] = "har"
    target: ClassVar[Target] = Target.VOLATILITY
    about: ClassVar[str] = "a regression of the log range on its means of a day to half a year, and on the market's"
    paper: ClassVar[str] = (
        "Corsi 2009, Journal of Financial Econometrics 7(2) and Parkinson 1980, Journal of Business 53(1)"
    )
    equation: ClassVar[str] = (
        r"\ln \bar v_{t+1:t+h} = a + b_1 \ln v_t + b_5 \overline{\ln v}_{t-4:t} + b_{22} \overline{\ln v}_{t-21:t}"
        r" + \dots, \quad v_t = \tfrac{\ln^2(H_t / L_t)}{4 \ln 2}"
    )
    learns: ClassVar[bool] = True

    shrink: int = option(250, "days of the mean of all assets in an asset's own scale")

    def forecasts(self, lesson: SignalLesson) -> FloatArray:
        """(T, N): daily variance."""
        logs = np.log(np.maximum(daily_variance(lesson.panel), FLOOR))
        among = lesson.panel.universe & np.isfinite(logs)
        market = np.where(among, logs, 0).sum(axis=1, keepdims=True) / np.maximum(among.sum(axis=1, keepdims=True), 1)
        parts = [logs, rolling.mean(logs, 5), rolling.mean(logs, 22), rolling.mean(logs, 120)]
        shape = logs.shape
        x = np.stack([np.ones(shape), *parts, np.broadcast_to(market, shape)], axis=-1)
        truth = np.log(np.maximum(lesson.labels, FLOOR)) if lesson.horizon > 1 else None
        following = rolling_ahead(logs) if truth is None else truth
        known = np.isfinite(lesson.labels) & np.isfinite(following) & np.isfinite(x).all(axis=-1)
        if known.sum() < 10 * x.shape[-1]:
            return np.full(shape, np.nan)
        weights = np.linalg.lstsq(x[known], following[known], rcond=None)[0]
        raw = np.exp(x @ weights)
        ratio = np.where(known, lesson.labels / raw, 0.0)
        whole = ratio.sum() / known.sum()
        scale = (ratio.sum(axis=0) + self.shrink * whole) / (known.sum(axis=0) + self.shrink)
        return np.asarray(raw * scale)


def rolling_ahead(values: FloatArray) -> FloatArray:
    """Row t is row t + 1: what is learned where the label of the day is."""
    return np.vstack([values[1:], np.full((1, values.shape[1]), np.nan)])


def daily_variance(panel: Panel) -> FloatArray:
    """(T, N): Parkinson's of a day's range; of its squared return where there are no ranges."""
    if not panel.has("high"):
        return panel["return"] ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.log(panel["high"] / panel["low"]) ** 2 / (4 * np.log(2)))
