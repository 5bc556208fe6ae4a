"""For a new issue, who buys? Investors ranked for it on the morning of its first purchase, against who then bought."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from pathfolio.kg.graph import FloatArray, KnowledgeGraph, Mask
from pathfolio.kg.progress import Progress
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.baselines.align import find
from pathfolio.recommender.baselines.content import fit_content
from pathfolio.recommender.baselines.segments import segment_of
from pathfolio.recommender.evaluation.mornings import RollingData, morning
from pathfolio.recommender.evaluation.registry import ModelSpec
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.investor_ranking import audience_scores
from pathfolio.recommender.model import Model, for_days
from pathfolio.recommender.new_issues import NEW_ISSUE_DAYS

MIN_BUYERS: Final = 100
COLUMNS: Final = ("window", "asset_id", "name", "kind", "day", "investors", "buyers", "model", "auc", "precision")


def evaluate_audience(
    data: RollingData, spec: ModelSpec, *, min_buyers: int = MIN_BUYERS, seed: int = 0, progress: Progress | None = None
) -> pd.DataFrame:
    """Rank the investors for each new issue of the window by the model and by three simpler rules.

    Ranked are the investors who had a position on the morning of the first purchase and do not hold the asset; its
    buyers are those of them who bought it until 45 days after its listing (or until the window ends).

    Args:
        spec: the model; it is fitted at the cut and refreshed each morning.
        min_buyers: issues with fewer buyers among the ranked are left out.

    Returns:
        One row per issue and rule, as `COLUMNS` names: `precision` is the share of buyers among the first n, with n
        the number of buyers; `auc` the area under the ROC curve, ties counting half.
    """
    progress = progress or Progress(out=None)
    issues = _new_issues(data)
    rows: list[tuple[object, ...]] = []
    with progress.stage(f"fit {spec.name}"):
        model = for_days(spec.fit(data.graph, seed), 1)
    with progress.stage(f"audiences {data.window.name}") as details:
        for asset_id, bought in issues:
            day = bought["date"].min()
            graph = morning(data.world, day.date())
            asset = Position(int(find(np.array([asset_id], object), graph.asset_ids)[0]))
            ranked, buys = _people(graph, asset, bought["user_id"].to_numpy(object))
            if asset < 0 or buys.sum() < min_buyers:
                continue
            model = model.refresh(graph)
            row = graph.asset_span.row(asset)
            node = graph.nodes.name[row], graph.kind_of(row).value.lower()
            about = (data.window.name, asset_id, *node, day.date().isoformat(), len(ranked), int(buys.sum()))
            for name, scores in _rules(spec.name, model, graph, asset):
                rows.append((*about, name, auc(scores[ranked], buys), precision_at_n(scores[ranked], buys)))
        details.append(f"{len({row[1] for row in rows})} issues")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _new_issues(data: RollingData) -> list[tuple[str, pd.DataFrame]]:
    """Assets newly bought while they were new issues, with these purchases, in the order of their ids."""
    graph = data.world
    at = find(data.purchases["asset_id"].to_numpy(object), graph.asset_ids)
    listed = pd.to_datetime(graph.nodes.listed[graph.assets].astype(np.int64)[at], unit="D", errors="coerce")
    age = (data.purchases["date"].to_numpy() - listed.to_numpy()) / np.timedelta64(1, "D")
    fresh = data.purchases[(age >= 0) & (age <= NEW_ISSUE_DAYS)]
    return [(str(asset_id), rows) for asset_id, rows in fresh.groupby("asset_id", sort=True)]


def _people(graph: KnowledgeGraph, asset: Position, buyers: np.ndarray) -> tuple[Positions, Mask]:
    """(n,) positions of the investors to rank, and (n,) whether each buys."""
    ever = Interactions(graph).ever
    may = np.diff(ever.indptr) > 0
    if asset >= 0:
        may[ever[:, [asset]].nonzero()[0]] = False
    buys = np.zeros(len(may), bool)
    at = find(buyers, graph.user_ids)
    buys[at[at >= 0]] = True
    ranked = Positions(np.flatnonzero(may))
    return ranked, buys[ranked]


# -- rules -----------------------------------------------------------------------------------------------------


def _rules(name: str, model: Model, graph: KnowledgeGraph, asset: Position) -> Sequence[tuple[str, FloatArray]]:
    """Each rule with its (investors,) scores for the asset."""
    return [(name, audience_scores(model, asset)), *((rule, score(graph, asset)) for rule, score in BASELINES.items())]


def _activity(graph: KnowledgeGraph, asset: Position) -> FloatArray:
    """How many assets each investor holds or held."""
    return np.diff(Interactions(graph).ever.indptr).astype(np.float64)


def _attribute_knn(graph: KnowledgeGraph, asset: Position) -> FloatArray:
    """Likeness of the asset's attributes to those of what each investor has."""
    return audience_scores(fit_content(graph), asset)


def _segment(graph: KnowledgeGraph, asset: Position) -> FloatArray:
    """How many assets of its kind an investor of the same segment and risk level has on average."""
    codes = graph.nodes.kind[graph.assets]
    per_investor = np.asarray(Interactions(graph).ever @ (codes == codes[asset]).astype(np.float64))
    segment = segment_of(graph)
    return np.asarray((np.bincount(segment, per_investor) / np.maximum(np.bincount(segment), 1))[segment])


BASELINES: Final = MappingProxyType[str, Callable[[KnowledgeGraph, Position], FloatArray]](
    {"activity": _activity, "attribute-knn": _attribute_knn, "segment": _segment}
)
"""What a model has to beat, by name."""


# -- measures --------------------------------------------------------------------------------------------------


def auc(scores: FloatArray, relevant: Mask) -> float:
    """Area under the ROC curve by ranks (Mann and Whitney 1947), ties counting half; NaN where one side is empty.

    >>> auc(np.array([3.0, 2.0, 1.0]), np.array([True, False, False])), auc(np.zeros(2), np.array([True, False]))
    (1.0, 0.5)
    """
    from scipy.stats import rankdata

    positives, negatives = int(relevant.sum()), int((~relevant).sum())
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[relevant].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def precision_at_n(scores: FloatArray, relevant: Mask) -> float:
    """The share of relevant ones among the first n, with n the number of relevant ones; of those that tie at the
    end of the list, each counts in part.

    >>> precision_at_n(np.array([3.0, 2.0, 1.0]), np.array([True, False, True]))
    0.5
    >>> precision_at_n(np.zeros(4), np.array([True, False, False, False]))
    0.25
    """
    n = int(relevant.sum())
    if not n:
        return float("nan")
    last = np.sort(scores)[-n]
    above = scores > last
    tied = scores == last
    found = relevant[above].sum() + relevant[tied].mean() * (n - above.sum())
    return float(found / n)


def to_text(found: pd.DataFrame) -> str:
    """A line per issue and rule, then each rule's mean over the issues."""
    if found.empty:
        return "no new issue of the window has enough buyers\n"
    shown = found.drop(columns=["window"]).round(4)
    mean = found.groupby("model", sort=False)[["auc", "precision"]].mean().round(4).reset_index()
    issues = found["asset_id"].nunique()
    head = f"{found['window'].iloc[0]} audiences of {issues} new issues"
    return f"{head}\n{shown.to_string(index=False)}\n\nmean over {issues} issues\n{mean.to_string(index=False)}\n"
