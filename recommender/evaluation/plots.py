"""Bar charts of an evaluation with 95 % bootstrap intervals: nDCG@10 by kind of asset, and what lists earned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from pathfolio.recommender.evaluation.frozen import MARKET, OWN_PORTFOLIO
from pathfolio.recommender.evaluation.registry import MODELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OURS: Final = "#0b5cad"
_BASELINE: Final = "#9aa5b1"
_REFERENCE: Final = "#c77b1a"
_LEGEND: Final = {"ours": _OURS, "baseline": _BASELINE, "to compare with": _REFERENCE}
_METRIC: Final = "ndcg@10"
_EARNED: Final = {"roi": "return per 30 days", "sharpe": "Sharpe ratio, annualised"}


def plot_tables(table: pd.DataFrame, folder: Path) -> list[Path]:
    """Write one PNG and one SVG per window and group into `folder`, which is made where it is absent.

    Where prices follow the cut, another pair shows returns and Sharpe ratios of lists of any kind of asset.

    Args:
        table: as from `metric_table`.

    Returns:
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for (window, mode, group), part in table.groupby(["window", "mode", "group"], sort=False):
        path = folder / f"{mode}-{window}-{group}".replace(":", "-").replace(" ", "-")
        title = f"{window}, {mode}, {group}"
        kinds = list(dict.fromkeys(part["kind"]))
        ranked = part[part["metric"] == _METRIC]
        panels = [[(f"{k}: n = {_largest(ranked, k)}", ranked[ranked["kind"] == k]) for k in kinds]]
        written += _figure(panels, ["strict nDCG@10"], title, path)
        earned = part[(part["horizon"] > 0) & (part["kind"] == kinds[0])]
        if len(earned):
            written += _earned(earned, f"{title}, {kinds[0]}", path.with_name(f"{path.name}-returns"))
    return written


def _largest(rows: pd.DataFrame, kind: str) -> int:
    return int(rows.loc[rows["kind"] == kind, "n"].max())


def _earned(rows: pd.DataFrame, title: str, path: Path) -> list[Path]:
    horizons = sorted(set(rows["horizon"]))
    panels = [
        [(f"after {days} days", rows[(rows["metric"] == metric) & (rows["horizon"] == days)]) for days in horizons]
        for metric in _EARNED
    ]
    return _figure(panels, list(_EARNED.values()), title, path)


def _figure(panels: list[list[tuple[str, pd.DataFrame]]], labels: list[str], title: str, path: Path) -> list[Path]:
    """A row of panels per label; all panels of a row have the same models."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    height, width = sum(0.3 * len(row[0][1]) + 1.1 for row in panels), 4.4 * len(panels[0]) + 1.4
    figure = Figure(figsize=(width, height + 0.7), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(panels), len(panels[0]), squeeze=False, sharey="row")
    for axes_row, row, label in zip(grid, panels, labels, strict=True):
        for axes, (heading, rows) in zip(axes_row, row, strict=True):
            _bars(axes, rows)
            axes.set_title(heading, fontsize=10)
            axes.set_xlabel(label, fontsize=9)
    used = {_color(name) for row in panels for _, rows in row for name in rows["model"]}
    handles = [Patch(color=color, label=name) for name, color in _LEGEND.items() if color in used]
    figure.legend(handles=handles, loc="outside lower right", ncols=3, fontsize=8, frameon=False)
    figure.suptitle(f"{title} (bars: means; whiskers: 95 % intervals)", fontsize=11)
    files = [path.with_name(path.name + ending) for ending in (".png", ".svg")]
    for file in files:
        figure.savefig(file, dpi=130)
    return files


def _bars(axes: Axes, rows: pd.DataFrame) -> None:
    """Horizontal bars, the first model on top, each with its value."""
    mean = rows["mean"].to_numpy(float)
    place = np.arange(len(rows))[::-1]
    low, high = rows["low"].to_numpy(float), rows["high"].to_numpy(float)
    axes.barh(place, mean, color=[_color(name) for name in rows["model"]], height=0.7)
    axes.errorbar(
        mean, place, xerr=np.maximum([mean - low, high - mean], 0), fmt="none", ecolor="#333333", capsize=2, lw=1
    )
    ends = np.maximum(np.nan_to_num(high), 0)
    digits = 3 if np.nanmax(np.abs(mean)) >= 0.1 else 4
    for y, end, value in zip(place, ends, mean, strict=True):
        axes.annotate(f"{value:.{digits}f}", (end, y), (3, 0), textcoords="offset points", va="center", fontsize=7)
    axes.set_yticks(place, list(rows["model"]))
    axes.axvline(0, color="#333333", lw=0.8)
    axes.margins(x=0.12)
    if not (mean < 0).any():
        axes.set_xlim(left=0)
    axes.grid(axis="x", alpha=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _color(model: str) -> str:
    if model in (OWN_PORTFOLIO, MARKET):
        return _REFERENCE
    return _BASELINE if model in MODELS and MODELS[model].baseline else _OURS
