"""The picture of a signal of an asset: what a model foretold, within which band, and what came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from pathfolio.kg.span import Row
from pathfolio.web.site.invest.axes import Tick, across, upwards
from pathfolio.web.site.served import ServedBuild

_FEWEST: Final = 3
"""Forecasts that make a picture."""

_TOLD: Final = 7
_DAYS_BELOW: Final = 4


@dataclass(frozen=True)
class SignalRow:
    """A day's forecast with its band, and what came; None where that is not known."""

    day: date
    forecast: float
    low: float | None
    high: float | None
    came: float | None


@dataclass(frozen=True)
class DrawnSignal:
    """What is drawn.

    Attributes:
        name: volatility, a fraction a year, or beta.
        model, horizon: who foretold it, over how many trading days.
        rows: some of the days, the first and the last among them.
        within: so many of `over` days, those that had a band and whose horizon is over, had what came within it.
        band, forecast, came: SVG paths; the band's is empty where there is none.
        x_days: days to write below, with their places.
    """

    name: str
    model: str
    horizon: int
    rows: tuple[SignalRow, ...]
    within: int
    over: int
    band: str
    forecast: str
    came: str
    y_ticks: tuple[Tick, ...]
    x_days: tuple[tuple[float, date], ...]


def drawn_signals(site: ServedBuild, row: Row) -> tuple[DrawnSignal, ...]:
    """The pictures of the asset at `row`, one for each signal that the build has of it."""
    history = site.signals.get(str(site.graph.nodes.id[row]))
    if history is None:
        return ()
    parts = [part for _, part in history.groupby("signal", sort=False) if len(part) >= _FEWEST]
    return tuple(_drawn(part.reset_index(drop=True)) for part in parts)


def _drawn(history: pd.DataFrame) -> DrawnSignal:
    days = history["date"].to_numpy("datetime64[D]")
    forecast, low, high, came = (history[name].to_numpy(np.float64) for name in ("forecast", "low", "high", "came"))
    numbers = days.astype(np.float64)
    x = across(float(numbers[0]), float(numbers[-1]))
    values = np.concatenate([forecast, low, high, came])
    values = values[np.isfinite(values)]
    room = max(float(np.ptp(values)) * 0.06, 1e-3)
    lowest = float(values.min()) - room
    y = upwards(max(lowest, 0.0) if values.min() >= 0 else lowest, float(values.max()) + room)
    xs = [x.at(number) for number in numbers.tolist()]
    has_band, is_over = np.isfinite(low) & np.isfinite(high), np.isfinite(came)
    above = [(xs[at], y.at(float(high[at]))) for at in np.flatnonzero(has_band).tolist()]
    below = [(xs[at], y.at(float(low[at]))) for at in np.flatnonzero(has_band).tolist()]
    both = has_band & is_over
    return DrawnSignal(
        name=str(history["signal"][0]),
        model=str(history["model"][0]),
        horizon=int(history["horizon"][0]),
        rows=tuple(_row(history, at) for at in _some(len(days), _TOLD)),
        within=int(((low <= came) & (came <= high))[both].sum()),
        over=int(both.sum()),
        band=f"{_path([*above, *reversed(below)])}Z" if above else "",
        forecast=_path([(xs[at], y.at(value)) for at, value in enumerate(forecast.tolist())]),
        came=_path([(xs[at], y.at(float(came[at]))) for at in np.flatnonzero(is_over).tolist()]),
        y_ticks=y.ticks(),
        x_days=tuple((xs[at], days[at].item()) for at in _some(len(days), _DAYS_BELOW)),
    )


def _path(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{a} {b}" for a, b in points) if points else ""


def _row(history: pd.DataFrame, at: int) -> SignalRow:
    def known(name: str) -> float | None:
        value: Any = history[name][at]
        return float(value) if np.isfinite(value) else None

    day = pd.Timestamp(history["date"][at]).date()
    return SignalRow(day, float(history["forecast"][at]), known("low"), known("high"), known("came"))


def _some(n: int, wanted: int) -> list[int]:
    """So many of n at even distances, the first and the last among them."""
    return sorted({int(at) for at in np.linspace(0, n - 1, min(n, wanted)).round()})
