"""Bar charts of an evaluation: nDCG@10 of every model with its interval, one panel per kind of asset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from recommender.registry import MODELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OURS: Final = "#0b5cad"
_BASELINE: Final = "#9aa5b1"
_METRIC: Final = "ndcg@10"


def plot_tables(table: pd.DataFrame, folder: Path) -> list[Path]:
    """Write one PNG and one SVG per window and group into `folder`, which is made where it is absent.

    Args:
        table: as from `metric_table`.

    Returns:
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = table[table["metric"] == _METRIC]
    written = []
    for (window, mode, group), part in rows.groupby(["window", "mode", "group"], sort=False):
        name = f"{mode}-{window}-{group}".replace(":", "-").replace(" ", "-")
        written += _figure(part, f"{window}, {mode}, {group}", folder / name)
    return written


def _figure(rows: pd.DataFrame, title: str, path: Path) -> list[Path]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(rows["kind"]))
    figure = Figure(figsize=(4.8 * len(kinds) + 1.2, 0.32 * rows["model"].nunique() + 1.4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, kind in zip(figure.subplots(1, len(kinds), squeeze=False, sharey=True)[0], kinds, strict=True):
        _bars(axes, rows[rows["kind"] == kind])
        axes.set_title(f"{kind}: n = {rows.loc[rows['kind'] == kind, 'n'].iloc[0]}", fontsize=10)
    figure.suptitle(f"Strict nDCG@10, {title}", fontsize=11)
    files = [path.with_name(path.name + ending) for ending in (".png", ".svg")]
    for file in files:
        figure.savefig(file, dpi=150)
    return files


def _bars(axes: Axes, rows: pd.DataFrame) -> None:
    """Horizontal bars, the first model on top; whiskers are the 95 % bootstrap intervals."""
    mean, place = rows["mean"].to_numpy(float), np.arange(len(rows))[::-1]
    below, above = mean - rows["low"].to_numpy(float), rows["high"].to_numpy(float) - mean
    ours = [name in MODELS and not MODELS[name].baseline for name in rows["model"]]
    axes.barh(place, mean, color=[_OURS if own else _BASELINE for own in ours], height=0.7)
    axes.errorbar(mean, place, xerr=np.maximum([below, above], 0), fmt="none", ecolor="#333333", capsize=2, lw=1)
    axes.set_yticks(place, list(rows["model"]))
    axes.set_xlim(left=0)
    axes.grid(axis="x", alpha=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
