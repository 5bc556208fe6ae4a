"""What lists are worth as portfolios, beside how well they foretell purchases: volatility, drawdown and Sharpe ratio
after 30, 90 and 180 days, of the list in equal parts, put into other orders by risk, the own portfolio and the market.

It tells what happened after the cuts that were looked at, and promises no return. Several cuts are drawn again
together for intervals: what prices do after one cut is alike for all investors.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import FloatArray, Mask
from pathfolio.kg.progress import Progress
from pathfolio.kg.span import Positions
from pathfolio.kg.tables import Tables
from pathfolio.recommender.evaluation.backtest import Backtest
from pathfolio.recommender.evaluation.bootstrap import Bootstrap, Estimate
from pathfolio.recommender.evaluation.frozen import MARKET, OWN_PORTFOLIO, Group, groups_of, score_batches
from pathfolio.recommender.evaluation.metrics import hits_of, ndcg
from pathfolio.recommender.evaluation.registry import ModelSpec
from pathfolio.recommender.evaluation.split import Fold, FoldData, prepare_fold
from pathfolio.recommender.model import for_days
from pathfolio.recommender.portfolio.rerank import CANDIDATES, RERANKERS, HalfYear, Moments, half_year, reranked
from pathfolio.recommender.ranking import LIST_LENGTH, id_order, top_lists

WEIGHTS: Final = (0.25, 0.5, 0.75, 1.0)
"""Of risk against the score; 0 is the list as it is."""

NDCG: Final = "ndcg@10"
RISKS: Final = ("volatility", "drawdown", "sharpe")
NO_ORDER: Final = ""


@dataclass(frozen=True)
class WorthRow:
    """One number.

    Attributes:
        model: whose lists, or the own portfolio, or the market.
        rerank: by what they were put into another order, with which weight; empty and 0 for none.
        horizon: calendar days after the cut; 0 for nDCG.
        metric: ndcg@10, volatility and drawdown (fractions), or sharpe (a year, without a rate).
        mean: over all investors of all cuts; low, high: 95 % bootstrap interval, cuts drawn again; NaN for one cut.
        cuts, n: how many cuts, and values.
        reference: what it is compared with, investor by investor: the same lists as they were for another order, the
            own portfolio for the risk of a list; empty for none.
        difference, difference_low, difference_high: to that, with its interval.
    """

    model: str
    rerank: str
    weight: float
    horizon: int
    metric: str
    mean: float
    low: float
    high: float
    cuts: int
    n: int
    reference: str = ""
    difference: float = float("nan")
    difference_low: float = float("nan")
    difference_high: float = float("nan")


@dataclass(frozen=True)
class _WorthKey:
    """What one number is of: see `WorthRow`."""

    model: str
    rerank: str
    weight: float
    horizon: int
    metric: str


_Measured = dict[_WorthKey, FloatArray]


def evaluate_worth(
    tables: Tables,
    folds: Sequence[Fold],
    models: Sequence[ModelSpec],
    *,
    weights: Sequence[float] = WEIGHTS,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[WorthRow]:
    """Lists of known investors, of assets with half a year of closes before the cut, which risk is told from.

    Raises:
        DataError: no closes before and after a cut, nothing to learn from or nothing to score on.
    """
    progress = progress or Progress(out=None)
    found: dict[str, _Measured] = {}
    for fold in folds:
        with progress.stage(f"fold {fold.name}"):
            data = prepare_fold(tables, fold)
            priced, moments = _priced(data, half_year(data.graph, data.prices))
        measured = _references(priced)
        for spec in models:
            with progress.stage(f"{fold.name} {spec.name}"):
                measured |= _of_model(data, priced, moments, spec, weights, seed)
        found[fold.name] = measured
    return list(_rows(found, seed))


@dataclass(frozen=True)
class _Priced:
    """Known investors who newly bought something of known risk.

    Attributes:
        rows: (group,) bool: which of the group they are.
        relevant: (n, assets) what they bought of it.
    """

    group: Group
    backtest: Backtest
    rows: Mask
    relevant: Mask


def _priced(data: FoldData, closes: HalfYear | None) -> tuple[_Priced, Moments]:
    group = groups_of(data)[0]
    if closes is None or group.backtest is None:
        day = data.graph.as_of
        raise DataError(f"{data.graph.name}: no closes in the half year before {day} or none after it: add prices")
    relevant = group.relevant & closes.known
    rows = np.asarray(relevant.any(axis=1), bool)
    return _Priced(group, group.backtest, rows, relevant[rows]), closes.moments


def _references(priced: _Priced) -> _Measured:
    own, market = priced.backtest.of_portfolios(priced.rows), priced.backtest.of_market(priced.rows)
    named = ((OWN_PORTFOLIO, own), (MARKET, market))
    return {key: values for name, returns in named for key, values in _risks(name, NO_ORDER, 0.0, returns)}


def _risks(
    model: str, rerank: str, weight: float, returns: dict[int, dict[str, FloatArray]]
) -> Iterator[tuple[_WorthKey, FloatArray]]:
    for horizon, values in returns.items():
        for metric in RISKS:
            yield _WorthKey(model, rerank, weight, horizon, metric), values[metric]


def _of_model(
    data: FoldData, priced: _Priced, moments: Moments, spec: ModelSpec, weights: Sequence[float], seed: int
) -> _Measured:
    fitted = for_days(spec.fitted(data.graph, seed, data.prices), data.fold.days)
    users = Positions(priced.group.positions[priced.rows])
    scores = np.concatenate([part for _, part in score_batches(data.graph, fitted, users)])
    ever = data.interactions.ever[users].toarray() > 0
    held = data.interactions.held[users].toarray() > 0
    usable = ~ever & moments.known & (data.warm_assets | spec.scores_unheld)
    best = top_lists(scores, usable, id_order(data.graph), CANDIDATES)
    orders = {(NO_ORDER, 0.0): best}
    for name, reranker in RERANKERS.items():
        orders |= {(name, weight): reranked(best, scores, held, moments, reranker, weight) for weight in weights}
    measured: _Measured = {}
    for (name, weight), order in orders.items():
        lists = Positions(order[:, :LIST_LENGTH])
        gained = ndcg(hits_of(lists, priced.relevant), priced.relevant.sum(axis=1), LIST_LENGTH)
        measured[_WorthKey(spec.name, name, weight, 0, NDCG)] = gained
        measured |= dict(_risks(spec.name, name, weight, priced.backtest.of_lists(lists, priced.rows)))
    return measured


def _rows(found: dict[str, _Measured], seed: int) -> Iterator[WorthRow]:
    for key in dict.fromkeys(key for measured in found.values() for key in measured):
        values, cuts = _joined(found, key)
        mean, count = _over_cuts(values, cuts, seed)
        row = WorthRow(**asdict(key), mean=mean.mean, low=mean.low, high=mean.high, cuts=count, n=len(values))
        other = _reference(key)
        if other is None or not any(other in measured for measured in found.values()):
            yield row
            continue
        pairs = {c: {key: m[key] - m[other]} for c, m in found.items() if key in m and other in m}
        apart, _ = _over_cuts(*_joined(pairs, key), seed)
        name = key.model if key.rerank else other.model
        yield replace(row, reference=name, difference=apart.mean, difference_low=apart.low, difference_high=apart.high)


def _reference(key: _WorthKey) -> _WorthKey | None:
    if key.rerank:
        return replace(key, rerank=NO_ORDER, weight=0.0)
    if key.horizon and key.model != OWN_PORTFOLIO:
        return replace(key, model=OWN_PORTFOLIO)
    return None


def _joined(found: dict[str, _Measured], key: _WorthKey) -> tuple[FloatArray, npt.NDArray[np.object_]]:
    """What is known of it over all cuts, and the cut of each value."""
    parts = [(cut, measured[key][~np.isnan(measured[key])]) for cut, measured in found.items() if key in measured]
    cuts = [np.full(len(part), cut, object) for cut, part in parts]
    return np.concatenate([part for _, part in parts]), np.concatenate(cuts)


def _over_cuts(values: FloatArray, cuts: npt.NDArray[np.object_], seed: int) -> tuple[Estimate, int]:
    """The mean with its interval, for more cuts than one, and how many they are."""
    count = len(set(cuts.tolist()))
    if count > 1:
        return Bootstrap(cuts, seed).estimate(values), count
    unknown = float("nan")
    return Estimate(float(values.mean()) if count else unknown, unknown, unknown, unknown), count


def worth_table(rows: Sequence[WorthRow]) -> pd.DataFrame:
    """A row per number; columns are the fields of `WorthRow`."""
    return pd.DataFrame([asdict(row) for row in rows], columns=list(WorthRow.__dataclass_fields__))


def worth_text(table: pd.DataFrame) -> str:
    """A line per model, order and weight: nDCG@10, then volatility, drawdown and Sharpe ratio by horizon.

    Beside a mean stands its interval over cuts, or, where it is compared, the difference with its interval.
    """
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in table.to_dict("records"):
        order = f"{row['rerank']}:{row['weight']:g}" if row["rerank"] else "-"
        named = f"{row['metric']} {row['horizon']}d" if row["horizon"] else str(row["metric"])
        line = lines.setdefault((str(row["model"]), order), {"model": str(row["model"]), "rerank": order, NDCG: ""})
        line[named] = _shown(row)
    return pd.DataFrame(list(lines.values())).fillna("").to_string(index=False)


def _shown(row: Mapping[Hashable, Any]) -> str:
    mean = f"{row['mean']:.3f}"
    if row["reference"]:
        apart = f"{row['difference']:+.3f}"
        low, high = row["difference_low"], row["difference_high"]
        return f"{mean} {apart}" + ("" if np.isnan(low) else f" ({low:+.3f}..{high:+.3f})")
    return mean if np.isnan(row["low"]) else f"{mean} ({row['low']:.3f}..{row['high']:.3f})"
