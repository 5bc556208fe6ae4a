"""Learn from past quarters how far what rose in the year before sells faster (`pathfolio.recommender.momentum`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, KnowledgeGraph, to_date, to_days
from pathfolio.kg.schema import Relation
from pathfolio.recommender.demand import DemandOptions, measure_trends
from pathfolio.recommender.demand_fit import PastQuestion, question_of
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.momentum import raised, standing_by_prices

POWERS: Final = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)
OF_INSTITUTIONS: Final = 0.15
"""Where most investors are institutions and the past does not tell; funds of other times bought what rose, too."""

_QUARTER: Final = 91
_QUARTERS: Final = 4
_FEWEST: Final = 300
_ERRORS: Final = 2.0


@dataclass(frozen=True)
class MomentumFit:
    """What was learned.

    Attributes:
        power: to use.
        investors: those of past quarters that it was learned from; 0 where there were too few.
        ndcg, plain_ndcg: mean nDCG@10 of their purchases with that power, and with none.
    """

    power: float
    investors: int = 0
    ndcg: float = float("nan")
    plain_ndcg: float = float("nan")


@dataclass(frozen=True)
class _Quarter:
    """A question of the past, the factor of demand then, and where each asset stood; both (assets,)."""

    question: PastQuestion
    factor: FloatArray
    stands: FloatArray

    def ndcg(self, power: float) -> FloatArray:
        """(investors,) strict nDCG@10."""
        return self.question.ndcg(raised(self.factor, self.stands, power) if power else self.factor)


def learn_momentum(
    graph: KnowledgeGraph,
    prices: pd.DataFrame | None,
    demand: DemandOptions,
    weights_of: Callable[[Groups], npt.NDArray[np.float32]],
) -> MomentumFit:
    """The power with which the last year's purchases would have been ranked best, quarter by quarter.

    Each quarter is answered from what was known when it began. Of all powers that lose no more than two standard
    errors to the best, the one nearest to what is assumed beforehand is taken: none, or `OF_INSTITUTIONS` where most
    investors are such. With fewer than 300 investors who bought something that is what stays.

    Args:
        prices: asset_id, date, close; without them nothing rises.
        weights_of: EASE's weights of a day's groups, as they are served.
    """
    if prices is None or prices.empty:
        return MomentumFit(0.0)
    assumed = OF_INSTITUTIONS if _are_institutions(graph) else 0.0
    past = _past_quarters(
        graph, prices, demand, weights_of
    )  # one at a time: each holds an array of investors and assets
    by_quarter = [[one.ndcg(power) for power in POWERS] for one in past]
    if sum(len(of_quarter[0]) for of_quarter in by_quarter) < _FEWEST:
        return MomentumFit(assumed)

    gains = dict(zip(POWERS, map(np.concatenate, zip(*by_quarter, strict=True)), strict=True))
    best = max(gains.values(), key=lambda one: float(one.mean()))
    good = [power for power, gain in gains.items() if _not_worse(gain, best)]
    chosen = min(good, key=lambda power: (abs(power - assumed), power))
    return MomentumFit(chosen, len(best), float(gains[chosen].mean()), float(gains[0.0].mean()))


def _not_worse(gain: FloatArray, best: FloatArray) -> bool:
    """Whether less is lost than two standard errors, over investors."""
    lost = best - gain
    return float(lost.mean()) <= _ERRORS * float(lost.std()) / math.sqrt(len(lost))


def _are_institutions(graph: KnowledgeGraph) -> bool:
    segments = graph.edges_between(Relation.IN_SEGMENT)
    of = graph.nodes.id[graph.edges.tail[segments]] == "institution"
    return 2 * len(np.unique(graph.edges.head[segments][of])) > len(graph.users)


def _past_quarters(
    graph: KnowledgeGraph,
    prices: pd.DataFrame,
    demand: DemandOptions,
    weights_of: Callable[[Groups], npt.NDArray[np.float32]],
) -> Iterator[_Quarter]:
    interactions = Interactions(graph)
    users, assets = interactions.ever.nonzero()
    since = interactions.since
    served = replace(demand, horizon=float(_QUARTER), momentum=0.0)
    for begin in to_days(graph.as_of) - _QUARTER * np.arange(1, _QUARTERS + 1):
        at = (since > begin) & (since <= begin + _QUARTER) & ~interactions.opening
        then = graph.at(to_date(int(begin)))
        if not at.any() or not len(then.users) or not len(then.assets):
            continue
        stands = standing_by_prices(then, prices)
        groups = Groups(Interactions(then))
        if not stands.any() or not groups.interactions.ever.nnz:
            continue
        bought = sp.csr_array((np.ones(at.sum(), bool), (users[at], assets[at])), shape=interactions.shape)
        trends = measure_trends(groups, served)
        question = question_of(groups.interactions, graph, bought, weights_of(groups), trends)
        if len(question.relevant):
            yield _Quarter(question, trends.factor(served), stands)
