"""Learn from past mornings how far the last month's and the last week's purchases tell the next day's.

On some markets what sold this week sells next week (new offers are on the counters for days); on others a week is
noise. Which of the two it is cannot be known beforehand, but the purchases before the cut tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, KnowledgeGraph, Mask, to_date, to_days
from pathfolio.kg.span import Positions
from pathfolio.recommender.baselines.align import find
from pathfolio.recommender.demand import DemandOptions, Trends, measure_trends
from pathfolio.recommender.evaluation.metrics import hits_of, ndcg
from pathfolio.recommender.evaluation.mornings import morning
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.new_issues import is_new_issue
from pathfolio.recommender.ranking import LIST_LENGTH, id_order, top_lists

_MONTH_POWERS: Final = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75)
_WEEK_POWERS: Final = (0.0, 0.1, 0.2, 0.35, 0.5)
_YEAR: Final = 365
_MORNINGS: Final = 40
_FEWEST_EVENTS: Final = 300
_ERRORS: Final = 2.0


@dataclass(frozen=True)
class DemandFit:
    """What was learned.

    Attributes:
        options: the powers to use.
        events: purchases, one per investor and morning, that they were learned from; 0 where there were too few.
        ndcg: mean nDCG@10 of these with the learned powers.
        shipped_ndcg: the same with the powers that were given.
    """

    options: DemandOptions
    events: int
    ndcg: float
    shipped_ndcg: float


@dataclass(frozen=True)
class PastQuestion:
    """What was bought after a day of the past, and all that was known on it and no power changes.

    Attributes:
        closeness: (events, assets) what EASE gives before it is multiplied by demand.
        trends: of that day.
        allowed, relevant: (events, assets) bool: what may be listed, and what was bought.
        by_id: as from `id_order`.
    """

    closeness: FloatArray
    trends: Trends
    allowed: Mask
    relevant: Mask
    by_id: Positions

    def ndcg(self, factor: FloatArray) -> FloatArray:
        """(events,) strict nDCG@10 of closeness times (assets,) `factor`."""
        lists = top_lists(self.closeness * factor, self.allowed, self.by_id)
        return ndcg(hits_of(lists, self.relevant), self.relevant.sum(axis=1), LIST_LENGTH)


def learn_demand(
    graph: KnowledgeGraph, shipped: DemandOptions, weights_of: Callable[[Groups], npt.NDArray[np.float32]]
) -> DemandFit:
    """The powers of month and week with which EASE times demand would have ranked the last year's purchases best.

    Mornings with dated purchases are spread over the year before the snapshot's date; each is answered from what was
    known then. Of all pairs of powers that lose no more than two standard errors to the best, the one nearest to the
    shipped pair is taken (after the one-standard-error rule of Hastie, Tibshirani and Friedman, "The Elements of
    Statistical Learning", section 7.10). New issues are left out: no power of past purchases tells of them. With
    fewer than 300 such purchases the shipped powers stay.

    Args:
        weights_of: EASE's weights of a morning's groups, as they are served.
    """
    pairs = product(_MONTH_POWERS, _WEEK_POWERS)
    tried = [replace(shipped, month_power=month, week_power=week) for month, week in pairs]
    past = _past_mornings(graph, shipped, weights_of)  # one at a time: each holds an array of events and assets
    by_morning = [[_gain(one, options) for options in (*tried, shipped)] for one in past]
    *gains, unlearned = (list(of_one) for of_one in zip(*by_morning, strict=True)) if by_morning else ([],)
    events = sum(map(len, unlearned))
    if events < _FEWEST_EVENTS:
        return DemandFit(shipped, 0, float("nan"), float("nan"))
    best = max(gains, key=_mean)
    good = [i for i, one in enumerate(gains) if _not_worse(one, best)]
    chosen = min(good, key=lambda i: (_distance(tried[i], shipped), i))
    return DemandFit(tried[chosen], events, _mean(gains[chosen]), _mean(unlearned))


def _gain(past: PastQuestion, options: DemandOptions) -> FloatArray:
    """(events,) nDCG@10 of lists for that day."""
    return past.ndcg(past.trends.factor(replace(options, horizon=1.0)))


def _mean(gains: list[FloatArray]) -> float:
    return float(np.concatenate(gains).mean())


def _not_worse(gains: list[FloatArray], best: list[FloatArray]) -> bool:
    """Whether less is lost than two standard errors; one day's purchases go together, so errors are over mornings."""
    lost = [b - g for g, b in zip(gains, best, strict=True)]
    mean = _mean(lost)
    error = math.sqrt(sum(float((one - mean).sum()) ** 2 for one in lost)) / sum(len(one) for one in lost)
    return mean <= _ERRORS * error


def _distance(one: DemandOptions, other: DemandOptions) -> float:
    return abs(one.month_power - other.month_power) + abs(one.week_power - other.week_power)


def _past_mornings(
    graph: KnowledgeGraph, shipped: DemandOptions, weights_of: Callable[[Groups], npt.NDArray[np.float32]]
) -> Iterator[PastQuestion]:
    interactions = Interactions(graph)
    end = to_days(graph.as_of)
    recent = interactions.dated & (interactions.since > end - _YEAR)
    days = np.unique(interactions.since[recent])
    users, assets = interactions.ever.nonzero()
    for day in days[np.unique(np.linspace(0, len(days) - 1, min(_MORNINGS, len(days))).astype(int))]:
        at = recent & (interactions.since == day)
        bought = sp.csr_array((np.ones(at.sum(), bool), (users[at], assets[at])), shape=interactions.shape)
        groups = Groups(Interactions(morning(graph, to_date(int(day)))))
        found = question_of(groups.interactions, graph, bought, weights_of(groups), measure_trends(groups, shipped))
        if len(found.relevant):
            yield found


def question_of(
    then: Interactions, graph: KnowledgeGraph, bought: sp.csr_array, weights: npt.NDArray[np.float32], trends: Trends
) -> PastQuestion:
    """Who of those that had positions on that morning then bought what, new issues apart."""
    known = then.graph
    asset_then = find(known.asset_ids, graph.asset_ids)
    user_then = find(known.user_ids, graph.user_ids)
    old = ~is_new_issue(then.days_listed)
    buyers = np.flatnonzero((bought[user_then].sum(axis=1) > 0) & (np.diff(then.ever.indptr) > 0))
    relevant = bought[user_then[buyers]].toarray()[:, asset_then] & old
    kept = relevant.any(axis=1)
    ever = then.ever[buyers[kept]]
    closeness = np.asarray(ever @ weights, np.float64)
    return PastQuestion(closeness, trends, old & (ever.toarray() == 0), relevant[kept], id_order(known))
