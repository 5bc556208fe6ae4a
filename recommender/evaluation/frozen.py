"""Frozen folds: models fitted on the snapshot of a cut, scored on what investors newly bought after it.

Lists are made for the length of the fold, for models that know how long a list is to serve.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask, Text
from pathfolio.kg.progress import Progress
from pathfolio.kg.schema import ASSET_KIND_OF, KIND_CODE, NodeKind
from pathfolio.kg.span import Positions
from pathfolio.kg.tables import Tables
from pathfolio.recommender.baselines.align import find
from pathfolio.recommender.evaluation.backtest import Backtest, prepare_backtest
from pathfolio.recommender.evaluation.metrics import (
    USER_METRICS,
    coverage,
    gini,
    hits_of,
    novelty,
    share_that_fits,
    user_metrics,
)
from pathfolio.recommender.evaluation.registry import ModelSpec
from pathfolio.recommender.evaluation.risk_fit import risk_fit
from pathfolio.recommender.evaluation.split import Fold, FoldData, prepare_fold
from pathfolio.recommender.evaluation.stranger import with_stranger
from pathfolio.recommender.model import Model, for_days
from pathfolio.recommender.ranking import id_order, top_lists

KINDS: Final = ("all", *ASSET_KIND_OF)
OWN_PORTFOLIO: Final = "own portfolio"
MARKET: Final = "market"

HISTORIES: Final = MappingProxyType({"0 positions": (0, 0), "1 position": (1, 1), "2 to 5 positions": (2, 5)})
"""Groups of investors of whom little is known, and how many assets they have or had by the cut."""

_BATCH: Final = 512


@dataclass(frozen=True)
class Group:
    """Investors who newly bought something that a list could have held.

    Attributes:
        name: "warm" (they have positions by the cut), "cold" (none), or one of `HISTORIES`.
        user_ids: (n,) str, ascending.
        positions: (n,) int64 among the snapshot's investors, -1 for those it does not know.
        relevant: (n, assets) bool: what each newly bought, of the assets that somebody had by the cut.
        fits: (n, assets) 1 where the asset is within the investor's risk level, 0 where not, NaN where unknown.
        backtest: prices and portfolios; None where no prices follow the cut.
    """

    name: str
    user_ids: npt.NDArray[np.object_]
    positions: Positions
    relevant: Mask
    fits: FloatArray
    backtest: Backtest | None


@dataclass(frozen=True)
class Cell:
    """One model's result for one kind of asset and one group of investors.

    Attributes:
        values: metric name to (n,) float64 per investor, the mean over seeds.
        by_seed: metric name to its mean over investors for each seed.
        overall: what is measured over all lists together (coverage, novelty, gini, risk_fit), the mean over seeds.
        returns: calendar days after the cut to metric name to (n,) float64, for the first seed's lists; empty where
            no prices follow the cut (see `pathfolio.recommender.evaluation.backtest`).
        lists: (n, 10) asset positions of the first seed's lists, -1 for none.
    """

    model: str
    kind: str
    group: str
    user_ids: npt.NDArray[np.object_]
    values: dict[str, FloatArray]
    by_seed: dict[str, list[float]]
    overall: dict[str, float]
    lists: Positions
    returns: dict[int, dict[str, FloatArray]] = field(default_factory=dict)

    @property
    def ndcg(self) -> float:
        """Mean strict nDCG@10."""
        return float(self.values["ndcg@10"].mean()) if len(self.user_ids) else float("nan")


@dataclass(frozen=True)
class FoldResult:
    """Every model on one fold.

    Attributes:
        fold: the two dates.
        data: name of the data set.
        cells: one per model, kind and group, in that order.
        assets: (assets,) ids that the cells' lists point to.
        seconds: model name to seconds of fitting and of scoring.
    """

    fold: Fold
    data: str
    cells: tuple[Cell, ...]
    assets: Text
    seconds: dict[str, tuple[float, float]] = field(default_factory=dict)

    def cell(self, model: str, kind: str = "all", group: str = "warm") -> Cell:
        """The one cell; raises KeyError where there is none."""
        for cell in self.cells:
            if (cell.model, cell.kind, cell.group) == (model, kind, group):
                return cell
        raise KeyError((model, kind, group))

    def dump(self, model: str, kind: str = "all") -> pd.DataFrame:
        """user_id, rank, asset_id: the list of everybody who bought something, warm or cold, for others to score."""
        cells = [self.cell(model, kind, group) for group in ("warm", "cold")]
        users, lists = (np.concatenate([getattr(cell, name) for cell in cells]) for name in ("user_ids", "lists"))
        row, place = np.nonzero(lists >= 0)
        return pd.DataFrame({"user_id": users[row], "rank": place + 1, "asset_id": self.assets[lists[row, place]]})


def evaluate_fold(
    data: Tables | FoldData,
    fold: Fold,
    models: Sequence[ModelSpec],
    *,
    kinds: Sequence[str] = ("all",),
    seeds: Sequence[int] = (0,),
    progress: Progress | None = None,
    by_history: bool = False,
) -> FoldResult:
    """Fit every model on the snapshot at the cut and score its lists on the window.

    Args:
        data: tables, or a fold made ready by `prepare_fold` (to evaluate it more than once).
        kinds: "all" for lists of any asset, "stock", "fund", "bond" for lists of that kind alone.
        seeds: models that depend on a seed are fitted once for each.
        by_history: investors in the groups of `HISTORIES` instead of warm and cold ones.

    Raises:
        DataError: nothing to learn from or nothing to score on.
        UsageError: an unknown kind.
    """
    check_kinds(kinds)
    progress = progress or Progress(out=None)
    ready = data if isinstance(data, FoldData) else prepare_fold(data, fold)
    groups = groups_by_history(ready) if by_history else groups_of(ready)
    cells: list[Cell] = []
    seconds = {}
    for spec in models:
        with progress.stage(f"{fold.name} {spec.name}") as details:
            made, seconds[spec.name] = _evaluate_model(ready, groups, spec, kinds, seeds)
            details += [f"nDCG@10 {cell.ndcg:.4f} {cell.group}" for cell in made if cell.kind == kinds[0]]
            cells += made
    cells += [cell for group in groups for kind in kinds for cell in _references(ready, group, kind)]
    return FoldResult(fold, ready.graph.name, tuple(cells), ready.graph.asset_ids, seconds)


def check_kinds(kinds: Sequence[str]) -> None:
    """Raise UsageError for what is none of `KINDS`."""
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise UsageError(f"no kind of asset {unknown[0]!r}: choose from {', '.join(KINDS)}")


def groups_of(data: FoldData) -> tuple[Group, Group]:
    """The warm and the cold investors of a fold, with what they bought of the warm assets."""
    names, position, relevant = _buyers(data)
    warm = _had(data, position) > 0
    return (
        _group(data, "warm", names[warm], Positions(position[warm]), relevant[warm]),
        _group(data, "cold", names[~warm], Positions(position[~warm]), relevant[~warm]),
    )


def groups_by_history(data: FoldData) -> tuple[Group, ...]:
    """The same investors by `HISTORIES`; who has or had more is in none."""
    names, position, relevant = _buyers(data)
    had = _had(data, position)
    groups = {name: (had >= least) & (had <= most) for name, (least, most) in HISTORIES.items()}
    return tuple(
        _group(data, name, names[some], Positions(position[some]), relevant[some]) for name, some in groups.items()
    )


def _buyers(data: FoldData) -> tuple[npt.NDArray[np.object_], IntArray, Mask]:
    """Who newly bought a warm asset: ids, positions in the snapshot, -1 for none, and (n, assets) what they bought."""
    asset = find(data.purchases["asset_id"].to_numpy(object), data.graph.asset_ids)
    known = (asset >= 0) & data.warm_assets[asset]
    ids, number = np.unique(data.purchases["user_id"].to_numpy(object)[known].astype(str), return_inverse=True)
    names = ids.astype(object)
    relevant = np.zeros((len(ids), len(data.graph.assets)), bool)
    relevant[number, asset[known]] = True
    return names, find(names, data.graph.user_ids), relevant


def _had(data: FoldData, position: IntArray) -> IntArray:
    """(n,) how many assets investors have or had by the cut."""
    if not len(data.graph.users):
        return np.zeros(len(position), np.int64)
    return np.where(position >= 0, np.diff(data.interactions.ever.indptr)[position], 0).astype(np.int64)


def _group(data: FoldData, name: str, user_ids: npt.NDArray[np.object_], positions: Positions, relevant: Mask) -> Group:
    backtest = prepare_backtest(data.prices, data.graph, positions)
    return Group(name, user_ids, positions, relevant, risk_fit(data.graph, positions), backtest)


def _evaluate_model(
    data: FoldData, groups: Sequence[Group], spec: ModelSpec, kinds: Sequence[str], seeds: Sequence[int]
) -> tuple[list[Cell], tuple[float, float]]:
    start = time.perf_counter()
    used = seeds if spec.seeded else seeds[:1]
    fitted = [for_days(spec.fitted(data.graph, seed, data.prices), data.fold.days) for seed in used]
    middle = time.perf_counter()
    cells = []
    for group in groups:
        lists = [_lists(data, group, model, spec, kinds) for model in fitted]
        cells += [_cell(data, group, spec, kind, [made[kind] for made in lists]) for kind in kinds]
    return cells, (middle - start, time.perf_counter() - middle)


def _lists(data: FoldData, group: Group, model: Model, spec: ModelSpec, kinds: Sequence[str]) -> dict[str, Positions]:
    """The group's lists for each kind, (n, 10) asset positions."""
    candidates = {kind: candidates_of(data.graph, kind) & (data.warm_assets | spec.scores_unheld) for kind in kinds}
    by_id = id_order(data.graph)
    made: dict[str, list[IntArray]] = {kind: [] for kind in kinds}
    for at, scores in score_batches(data.graph, model, group.positions):
        ever = np.zeros(scores.shape, bool)
        ever[at >= 0] = data.interactions.ever[at[at >= 0]].toarray() > 0
        for kind in kinds:
            made[kind].append(top_lists(scores, candidates[kind] & ~ever, by_id))
    empty = np.zeros((0, 10), np.int64)
    return {kind: Positions(np.concatenate([empty, *parts])) for kind, parts in made.items()}


def candidates_of(graph: KnowledgeGraph, kind: str) -> Mask:
    """(assets,) bool: those of a kind, or all."""
    codes = graph.nodes.kind[graph.assets]
    return np.ones(len(codes), bool) if kind == "all" else codes == KIND_CODE[NodeKind(ASSET_KIND_OF[kind])]


def score_batches(graph: KnowledgeGraph, model: Model, positions: Positions) -> Iterator[tuple[Positions, FloatArray]]:
    """Batches of positions with their scores; investors unknown to the snapshot get the stranger's."""
    stranger = np.zeros((0, len(graph.assets)))
    if (positions < 0).any():
        stranger = model.refresh(with_stranger(graph)).scores(Positions(np.zeros(1, np.int64)))
    for start in range(0, len(positions), _BATCH):
        at = Positions(positions[start : start + _BATCH])
        scores = np.empty((len(at), len(graph.assets)))
        scores[at >= 0] = model.scores(Positions(at[at >= 0]))
        scores[at < 0] = stranger
        yield at, scores


def _cell(data: FoldData, group: Group, spec: ModelSpec, kind: str, lists: Sequence[Positions]) -> Cell:
    """Score one list per seed, for the investors who bought something of this kind."""
    candidates = candidates_of(data.graph, kind)
    some: Mask = np.asarray((group.relevant & candidates).any(axis=1))
    relevant = (group.relevant & candidates)[some]
    count = relevant.sum(axis=1)
    theirs = [Positions(made[some]) for made in lists]
    measured = [user_metrics(hits_of(made, relevant), count) for made in theirs]
    values = {name: np.mean([m[name] for m in measured], axis=0) for name in USER_METRICS}
    by_seed = {name: [float(m[name].mean()) if len(count) else float("nan") for m in measured] for name in USER_METRICS}
    return Cell(
        model=spec.name,
        kind=kind,
        group=group.name,
        user_ids=group.user_ids[some],
        values=values,
        by_seed=by_seed,
        overall=_overall(data, theirs, int(candidates.sum()), group.fits[some]),
        lists=theirs[0],
        returns=group.backtest.of_lists(theirs[0], some) if group.backtest is not None else {},
    )


def _references(data: FoldData, group: Group, kind: str) -> Iterator[Cell]:
    """What lists earn is held against: the investors' own portfolios, and all priced assets in equal parts."""
    if group.backtest is None:
        return
    some: Mask = np.asarray((group.relevant & candidates_of(data.graph, kind)).any(axis=1))
    for name, returns in (
        (OWN_PORTFOLIO, group.backtest.of_portfolios(some)),
        (MARKET, group.backtest.of_market(some)),
    ):
        none = Positions(np.zeros((0, 10), np.int64))
        yield Cell(name, kind, group.name, group.user_ids[some], {}, {}, {}, none, returns)


def _overall(data: FoldData, lists: Sequence[Positions], candidates: int, fits: FloatArray) -> dict[str, float]:
    holders = np.asarray(data.interactions.ever.sum(axis=0), np.float64).ravel()
    investors = int(data.warm_users.sum())
    parts = [
        (coverage(m, candidates), novelty(m, holders, investors), gini(m, candidates), share_that_fits(m, fits))
        for m in lists
    ]
    return dict(zip(("coverage", "novelty", "gini", "risk_fit"), np.mean(parts, axis=0).tolist(), strict=True))
