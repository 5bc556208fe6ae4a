"""`pathfolio evaluate --explanations`: are the explanations of a scorer's lists true, faithful and stable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from pathfolio.explain.checker.check import check_explanation
from pathfolio.explain.counterfactual import SearchOptions, what_takes_it_off
from pathfolio.explain.evaluation.faithfulness import OURS, Faithfulness, FaithfulnessOptions, measure, stability
from pathfolio.explain.evaluation.gat_explainers import compare_on_channel
from pathfolio.explain.evaluation.path_quality import PathQuality
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.what_if import ScorerWhatIf
from pathfolio.kg.progress import Progress
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.channels.learned import AttentionCloseness
from pathfolio.recommender.retrieve import rank_assets
from pathfolio.recommender.suitability.rulefile import rules_for

if TYPE_CHECKING:
    from pathfolio.recommender.scorer import Scorer

COLORS: Final = {OURS: "#1d7a66", "random": "#9aa5b1"}


@dataclass(frozen=True)
class ExplanationSample:
    """How much to measure.

    Attributes:
        investors: so many investors' lists, drawn at random.
        k: the length of the lists.
        checked: so many explanations are parsed back and compared with the snapshot, in every language.
        counterfactuals: so many are searched and verified.
        attention: so many pairs are explained by GNNExplainer and others on the graph attention channel.
        seed: of the draws.
    """

    investors: int = 200
    k: int = 10
    checked: int = 300
    counterfactuals: int = 100
    attention: int = 40
    seed: int = 0


def evaluate_explanations(
    scorer: Scorer,
    sample: ExplanationSample | None = None,
    progress: Progress | None = None,
    *,
    other_seeds: Sequence[Scorer] = (),
) -> Faithfulness:
    """Everything that is measured about explanations, as one table and the deletion and insertion curves.

    Args:
        other_seeds: the same scorer trained with other seeds over the same snapshot, for stability.
    """
    sample = sample or ExplanationSample()
    progress = progress or Progress(None)
    asked = ScorerWhatIf(scorer)
    with progress.stage("lists to explain") as details:
        lists = _lists(scorer, sample)
        pairs = [(user, asset) for user, assets in lists for asset in assets]
        details.append(f"{len(pairs):,} recommendations to {len(lists):,} investors")
    with progress.stage("faithfulness, by scoring again"):
        found = measure(scorer, asked, pairs, FaithfulnessOptions(seed=sample.seed))
    with progress.stage("truth of paths and sentences"):
        explained = _explain(scorer, lists)
        rows = _truth(scorer, explained, sample)
        rows |= PathQuality(scorer.graph).of_lists(explained)
    with progress.stage("counterfactuals"):
        rows |= _counterfactuals(asked, pairs, sample)
    if other_seeds:
        with progress.stage("stability over seeds"):
            accounts = [[model.account(user, asset) for user, asset in pairs] for model in (scorer, *other_seeds)]
            rows["Jaccard of the top 3 over seeds"] = stability(accounts)
    more = [(OURS, metric, value, len(pairs), "higher") for metric, value in rows.items()]
    with progress.stage("explainers of the graph attention channel"):
        more += _on_attention(scorer, pairs, sample)
    table = pd.concat([found.table, pd.DataFrame(more, columns=found.table.columns)], ignore_index=True)
    return Faithfulness(table, found.curves)


def _lists(scorer: Scorer, sample: ExplanationSample) -> list[tuple[Position, list[Position]]]:
    """(investor, assets) as positions, for a draw of investors."""
    rng = np.random.default_rng(sample.seed)
    n = len(scorer.graph.users)
    users = Positions(np.sort(rng.choice(n, min(sample.investors, n), replace=False)))
    return [
        (user, [asset for asset in assets if asset >= 0])
        for chunk, best, _ in rank_assets(scorer, users, sample.k, None, include_held=False)
        for user, assets in zip(chunk.tolist(), best.tolist(), strict=True)
    ]


def _explain(scorer: Scorer, lists: Sequence[tuple[Position, list[Position]]]) -> list[list[Explanation]]:
    explainer = Explainer(scorer.graph, "")
    return [
        [explainer.explain(scorer.account(user, asset), rank) for rank, asset in enumerate(assets, 1)]
        for user, assets in lists
    ]


def _truth(scorer: Scorer, lists: Sequence[Sequence[Explanation]], sample: ExplanationSample) -> dict[str, float]:
    """Shares of paths and sentences that hold against the snapshot."""
    every = [explanation for explained in lists for explanation in explained]
    rng = np.random.default_rng(sample.seed)
    chosen = rng.choice(len(every), min(sample.checked, len(every)), replace=False)
    count: Counter[str] = Counter()
    rules = rules_for(scorer.graph)
    for explanation in (every[i] for i in chosen):
        problems = check_explanation(scorer.graph, explanation.to_json(), rules)
        count["paths"] += len(explanation.paths)
        count["broken"] += sum(problem.startswith("path ") for problem in problems)
        count["sentences"] += len(explanation.reasons)
        count["untrue"] += sum(problem[0] in "'\"" for problem in problems)
    return {
        "validity of paths": 1 - count["broken"] / max(count["paths"], 1),
        "sentences that are true": 1 - count["untrue"] / max(count["sentences"], 1),
        "share of the score on paths": float(np.mean([e.share_on_paths for e in every])),
        "has a path to show": float(np.mean([bool(e.paths) for e in every])),
        "has a reason": float(np.mean([bool(e.reasons) for e in every])),
    }


def _counterfactuals(
    asked: ScorerWhatIf, pairs: Sequence[tuple[int, int]], sample: ExplanationSample
) -> dict[str, float]:
    rng = np.random.default_rng(sample.seed)
    chosen = rng.choice(len(pairs), min(sample.counterfactuals, len(pairs)), replace=False)
    options = SearchOptions(k=sample.k)
    found = [what_takes_it_off(asked, pairs[i][0], pairs[i][1], options) for i in chosen]
    there = [counterfactual for counterfactual in found if counterfactual.change is not None]
    return {
        "counterfactuals that hold": float(np.mean([counterfactual.holds(asked) for counterfactual in found])),
        "counterfactual found": len(there) / max(len(found), 1),
        "counterfactual is the smallest": float(np.mean([c.is_smallest for c in found])),
        "size of counterfactual": float(np.mean([c.size for c in there])) if there else float("nan"),
    }


def _on_attention(
    scorer: Scorer, pairs: Sequence[tuple[int, int]], sample: ExplanationSample
) -> list[tuple[str, str, float, int, str]]:
    """Rows of the table: what each explainer's first edges carry of the channel's score."""
    rng = np.random.default_rng(sample.seed)
    channel = scorer.channel(AttentionCloseness)
    chosen = [pairs[i] for i in rng.choice(len(pairs), min(sample.attention, len(pairs)), replace=False)]
    table = compare_on_channel(channel, scorer.interactions, chosen, seed=sample.seed)
    rows = []
    for row in table.to_dict("records"):
        for metric, better in (("drop of 1", "higher"), ("drop of 3", "higher"), ("deletion area", "lower")):
            name = f"{metric} (edges of the graph attention)"
            rows.append((str(row["explainer"]), name, float(row[metric]), int(row["items"]), better))
    return rows


def table_as_text(found: Faithfulness) -> str:
    """The table for a terminal, one line per metric, explainers beside each other."""
    wide = found.table.pivot_table(index="metric", columns="explainer", values="value", sort=False)
    return wide.to_string(float_format=lambda value: f"{value:.4g}", na_rep="")


def plot_curves(found: Faithfulness, path: Path) -> None:
    """Draw the deletion and insertion curves side by side into `path` (.png or .svg)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, curve in zip(figure.subplots(1, 2), ("deletion", "insertion"), strict=True):
        for name, part in found.curves[found.curves["curve"] == curve].groupby("explainer"):
            color = COLORS.get(str(name))
            axes.plot(part["share"], part["score"], label=str(name), color=color, linewidth=2)
        axes.set_title(curve.capitalize())
        axes.set_xlabel("share of positions and answers " + ("removed" if curve == "deletion" else "given back"))
        axes.set_ylabel("score, 1 = whole investor, 0 = none")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
