"""Plots of an evaluation of signals: rank correlation over time, decile spreads, forecasts against what came."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from pathfolio.recommender.signals.labels import TRADING_DAYS, Target, labels_of
from pathfolio.recommender.signals.panel import Panel
from pathfolio.recommender.signals.record import SignalRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SMOOTHED: Final = 60
_STOCKS: Final = 3


def plot_records(records: Sequence[SignalRecord], panel: Panel, folder: Path) -> list[Path]:
    """Write PNG files into `folder`, which is made where it is absent; those written.

    For each target and horizon: the mean rank correlation of `_SMOOTHED` days; for returns the cumulative return of the
    top decile less the bottom one; for volatility and beta, forecasts of the first assets against what came.
    """
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for target, horizon in sorted({(r.target, r.horizon) for r in records}):
        group = [r for r in records if (r.target, r.horizon) == (target, horizon)]
        stem = folder / f"{target}-{horizon}"
        out.append(_lines(panel, {r.model: _smooth(r.rank_ic) for r in group}, "rank IC", f"{stem}-rank-ic.png"))
        if target is Target.RETURN:
            sums = {r.model: np.where(np.isfinite(r.spread), np.nancumsum(r.spread), np.nan) for r in group}
            out.append(_lines(panel, sums, "top less bottom decile, sum of returns", f"{stem}-spread.png"))
        else:
            out.append(_against(panel, group, f"{stem}-forecasts.png"))
    return out


def _smooth(series: Any) -> Any:
    return pd.Series(series).rolling(_SMOOTHED, min_periods=_SMOOTHED // 2).mean().to_numpy()


def _lines(panel: Panel, series: dict[str, Any], label: str, path: str) -> Path:
    figure = _figure(1)
    axes = figure.subplots()
    for name, values in series.items():
        known = np.isfinite(values)
        axes.plot(panel.days[known], values[known], label=name, linewidth=1)
    axes.axhline(0, color="#555555", linewidth=0.6)
    axes.set_ylabel(label)
    axes.legend(fontsize=8, frameon=False)
    figure.savefig(path, dpi=120)
    return Path(path)


def _against(panel: Panel, group: list[SignalRecord], path: str) -> Path:
    truth = labels_of(panel, group[0].target, group[0].horizon).values
    known = np.isfinite(group[0].forecast)
    assets = np.argsort(-known.sum(axis=0), kind="stable")[:_STOCKS].tolist()
    figure = _figure(len(assets))
    for axes, asset in zip(np.atleast_1d(figure.subplots(len(assets), 1, sharex=True)), assets, strict=True):
        rows = np.flatnonzero(known[:, asset])
        is_variance = group[0].target is Target.VOLATILITY
        axes.plot(panel.days[rows], _shown(truth[rows, asset], is_variance), color="#bbbbbb", label="what came")
        for record in group:
            axes.plot(panel.days[rows], _shown(record.forecast[rows, asset], is_variance), label=record.model)
        axes.set_title(str(panel.assets[asset]), fontsize=9)
        axes.legend(fontsize=7, frameon=False)
    figure.savefig(path, dpi=120)
    return Path(path)


def _shown(values: Any, is_variance: bool) -> Any:
    """A variance as a yearly volatility."""
    return np.sqrt(np.maximum(values, 0) * TRADING_DAYS) if is_variance else values


def _figure(rows: int) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1.6 + 2.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
