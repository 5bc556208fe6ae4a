"""Risk against nDCG@10: a line per model and order, a point per weight."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from pathfolio.recommender.evaluation.frozen import MARKET, OWN_PORTFOLIO
from pathfolio.recommender.evaluation.worth import NDCG

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHOWN: Final = {"volatility": "volatility, a year", "sharpe": "Sharpe ratio, a year, without a rate"}
_DASHES: Final = {OWN_PORTFOLIO: "--", MARKET: ":"}


def plot_tradeoff(table: pd.DataFrame, folder: Path) -> list[Path]:
    """Write tradeoff.png and tradeoff.svg into `folder`, which is made where it is absent.

    Args:
        table: as from `worth_table`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    horizons = sorted(set(table["horizon"]) - {0})
    figure = Figure(figsize=(4.2 * len(horizons) + 0.4, 8.0), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(_SHOWN), len(horizons), squeeze=False, sharex=True)
    for axes_row, (metric, label) in zip(grid, _SHOWN.items(), strict=True):
        for axes, days in zip(axes_row, horizons, strict=True):
            _panel(axes, table, metric, days)
            axes.set_title(f"after {days} days", fontsize=10)
            axes.set_ylabel(label, fontsize=9)
            axes.set_xlabel("strict nDCG@10", fontsize=9)
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    cuts = int(table["cuts"].max())
    figure.suptitle(
        f"lists in equal parts, {cuts} cuts (points: weight of risk; whiskers: 95 % of the change)",
        fontsize=11,
    )
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"tradeoff{ending}" for ending in (".png", ".svg")]
    for file in files:
        figure.savefig(file, dpi=130)
    return files


def _panel(axes: Axes, table: pd.DataFrame, metric: str, days: int) -> None:
    """One metric and horizon; the portfolios without a list are level lines."""
    risk = table[(table["metric"] == metric) & (table["horizon"] == days)]
    found = table.loc[table["metric"] == NDCG, ["model", "rerank", "weight", "mean"]]
    both = risk.merge(found, on=["model", "rerank", "weight"], suffixes=("", "_ndcg"))
    for (model, rerank), rows in both[both["rerank"] != ""].groupby(["model", "rerank"], sort=False):
        start = both[(both["model"] == model) & (both["rerank"] == "")]
        line = pd.concat([start, rows]).sort_values("weight")
        spread = [line["difference"] - line["difference_low"], line["difference_high"] - line["difference"]]
        spread = [side.where(line["rerank"] != "", 0.0) for side in spread]
        axes.errorbar(
            line["mean_ndcg"], line["mean"], yerr=spread, marker="o", ms=4, lw=1, capsize=2, label=f"{model}, {rerank}"
        )
        for x, y, weight in zip(line["mean_ndcg"], line["mean"], line["weight"], strict=True):
            axes.annotate(f"{weight:g}", (x, y), (3, 3), textcoords="offset points", fontsize=6)
    for model, dash in _DASHES.items():
        level = risk.loc[risk["model"] == model, "mean"]
        if len(level):
            axes.axhline(float(level.iloc[0]), color="#555555", ls=dash, lw=1, label=model)
    axes.grid(alpha=0.3)
