"""Where lists hold and where they do not: every window, horizon, kind of asset and group, with and without rules.

A mean over a window hides where a score fails. Each combination is a cell here, ours beside simple baselines that get
the same candidates and rules; what counts is the worst one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import pandas as pd

from pathfolio.kg.graph import FloatArray, Mask
from pathfolio.kg.progress import Progress
from pathfolio.kg.span import Positions
from pathfolio.kg.tables import Tables
from pathfolio.recommender.evaluation.frozen import KINDS, Group, candidates_of, check_kinds, groups_of, score_batches
from pathfolio.recommender.evaluation.metrics import hits_of, ndcg
from pathfolio.recommender.evaluation.registry import MODELS, ModelSpec
from pathfolio.recommender.evaluation.split import Fold, FoldData, prepare_fold
from pathfolio.recommender.evaluation.stranger import with_stranger
from pathfolio.recommender.model import Model, for_days
from pathfolio.recommender.ranking import LIST_LENGTH, id_order, top_lists
from pathfolio.recommender.suitability.gate import Gate
from pathfolio.recommender.suitability.rulefile import rules_for
from pathfolio.recommender.suitability.rules import RuleSet

OURS: Final = "pathfolio"
SIMPLE: Final = ("popularity", "recent", "ease", "item-knn")
HORIZONS: Final = (1, 7, 30, 182)
"""Days that lists are made to serve; all are scored on the whole window."""

FLOOR: Final = 0.9
"""Of the best simple baseline's nDCG@10; a cell below it is a fault."""

FEWEST: Final = 30
"""Investors of a cell by whom it is judged."""

_GROUP_NAMES: Final = {"warm": "known", "cold": "new"}


@dataclass(frozen=True)
class RobustCell:
    """One combination, by mean strict nDCG@10.

    Attributes:
        window: the two dates; `days` is the horizon, 0 for models that know none.
        kind, group: of assets ("all", "stock", …), and of investors ("known" or "new").
        rules: the market whose suitability rules were applied; empty for none.
        n: investors who bought something there.
        ndcg: the mean over seeds, and `spread` their standard deviation.
        best: the best simple baseline there, with `best_ndcg`.
    """

    window: str
    kind: str
    group: str
    rules: str
    days: int
    n: int
    ndcg: float
    spread: float
    best: str
    best_ndcg: float

    @property
    def share(self) -> float:
        """Of the best simple baseline's; NaN where that found nothing."""
        return self.ndcg / self.best_ndcg if self.best_ndcg > 0 else float("nan")


def evaluate_robust(
    tables: Tables,
    folds: Sequence[Fold],
    rules: RuleSet | None = None,
    *,
    kinds: Sequence[str] = KINDS,
    horizons: Sequence[int] = HORIZONS,
    seeds: Sequence[int] = (0,),
    progress: Progress | None = None,
) -> list[RobustCell]:
    """Our cells of every combination, the worst share of the best simple baseline last.

    Args:
        rules: None for those of the market in whose currency most assets trade.

    Raises:
        DataError: nothing to learn from or nothing to score on.
        UsageError: an unknown kind.
    """
    check_kinds(kinds)
    progress = progress or Progress(out=None)
    cells: list[RobustCell] = []
    for fold in folds:
        with progress.stage(f"fold {fold.name}"):
            data = prepare_fold(tables, fold)
        applied = rules or rules_for(data.graph)
        measured: list[_ModelCell] = []
        for name in (*SIMPLE, OURS):
            with progress.stage(f"{fold.name} {name}"):
                measured += _measured(data, MODELS[name], applied, kinds, horizons, seeds)
        cells += _beside_best(measured)
    return sorted(cells, key=lambda cell: (cell.n >= FEWEST, -cell.share))


@dataclass(frozen=True)
class _CellKey:
    """What models are compared within: see `RobustCell`."""

    window: str
    kind: str
    group: str
    rules: str


@dataclass(frozen=True)
class _ModelCell:
    """One model's mean over `n` investors, of one seed; `days` is 0 for a model without a horizon."""

    place: _CellKey
    model: str
    days: int
    ndcg: float
    n: int


def _measured(
    data: FoldData,
    spec: ModelSpec,
    rules: RuleSet,
    kinds: Sequence[str],
    horizons: Sequence[int],
    seeds: Sequence[int],
) -> Iterator[_ModelCell]:
    groups = [(group, _allowed(data, group, rules)) for group in groups_of(data)]
    for seed in seeds if spec.seeded else seeds[:1]:
        fitted = spec.fitted(data.graph, seed, data.prices)
        for days in (0,) if spec.baseline else horizons:
            model = for_days(fitted, days) if days else fitted
            for group, allowed in groups:
                for kind, gated, value, n in _values(data, spec, model, group, allowed, kinds):
                    place = _CellKey(data.fold.name, kind, _GROUP_NAMES[group.name], rules.market if gated else "")
                    yield _ModelCell(place, spec.name, days, value, n)


def _values(
    data: FoldData, spec: ModelSpec, model: Model, group: Group, allowed: Mask, kinds: Sequence[str]
) -> Iterator[tuple[str, bool, float, int]]:
    """Kind, whether rules were applied, mean nDCG@10 and over how many investors."""
    by_id = id_order(data.graph)
    parts = list(score_batches(data.graph, model, group.positions))
    scores = np.concatenate([part for _, part in parts]) if parts else np.zeros((0, len(data.graph.assets)))
    ever = np.zeros(scores.shape, bool)
    known = group.positions >= 0
    ever[known] = data.interactions.ever[group.positions[known]].toarray() > 0
    for kind in kinds:
        of_kind = candidates_of(data.graph, kind)
        relevant = group.relevant & of_kind
        some = relevant.any(axis=1)
        usable = ~ever[some] & of_kind & (data.warm_assets | spec.scores_unheld)
        for gated in (False, True):
            lists = top_lists(scores[some], usable & allowed[some] if gated else usable, by_id)
            yield kind, gated, _mean(lists, relevant[some]), int(some.sum())


def _mean(lists: Positions, relevant: Mask) -> float:
    found: FloatArray = ndcg(hits_of(lists, relevant), relevant.sum(axis=1), LIST_LENGTH)
    return float(found.mean()) if len(found) else float("nan")


def _allowed(data: FoldData, group: Group, rules: RuleSet) -> Mask:
    """(n, assets) bool: what the rules let through on the day of the cut; for who is not known yet, a stranger's."""
    graph = with_stranger(data.graph)
    prices = data.prices[data.prices["date"] <= pd.Timestamp(graph.as_of)]
    gate = Gate.over(graph, rules, None if prices.empty else prices).on(graph.as_of)
    rows = graph.user_span.row(Positions(group.positions + 1))  # the stranger is the first
    different, place = np.unique(rows, return_inverse=True)
    found = [gate.screen(row, graph.asset_span.rows).allowed for row in different.tolist()]
    return np.array(found, bool).reshape(len(found), len(graph.assets))[place]


def _beside_best(measured: Sequence[_ModelCell]) -> Iterator[RobustCell]:
    """Our cells that somebody bought something in."""
    ours = [one for one in measured if one.model == OURS and one.n]
    for place, days in dict.fromkeys((one.place, one.days) for one in ours):
        best = max((one for one in measured if one.place == place and one.model != OURS), key=lambda one: one.ndcg)
        seeds = [one.ndcg for one in ours if (one.place, one.days) == (place, days)]
        mean, spread = float(np.mean(seeds)), float(np.std(seeds))
        yield RobustCell(
            **asdict(place), days=days, n=best.n, ndcg=mean, spread=spread, best=best.model, best_ndcg=best.ndcg
        )


def robust_table(cells: Sequence[RobustCell]) -> pd.DataFrame:
    """A row per cell: the fields of `RobustCell`, and the share."""
    return pd.DataFrame([{**asdict(cell), "share": cell.share} for cell in cells])


def verdict(cells: Sequence[RobustCell]) -> str:
    """One line: how many cells are below the floor, and the worst."""
    judged = [cell for cell in cells if cell.n >= FEWEST and not np.isnan(cell.share)]
    if not judged:
        return f"no cell has {FEWEST} investors who bought something"
    below = sum(cell.share < FLOOR for cell in judged)
    worst = min(judged, key=lambda cell: cell.share)
    return (
        f"{below} of {len(judged)} cells are below {FLOOR:g} of the best simple baseline; the worst: {worst.window}, "
        f"{worst.days} days, {worst.kind}, {worst.group} investors{', rules ' + worst.rules if worst.rules else ''}: "
        f"{worst.ndcg:.3f} beside {worst.best} {worst.best_ndcg:.3f} ({worst.share:.2f})"
    )
