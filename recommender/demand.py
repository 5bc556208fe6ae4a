"""What investors as a whole want at the moment, per asset: recent purchases, and the pull of a new issue."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import Relation
from pathfolio.recommender.groups import Groups

NEW_ISSUE_DAYS: Final = 45
"""An asset listed at most so many days ago is a new issue."""
_WEEK: Final = 7
_MONTH: Final = 30
_HALF_YEAR: Final = 182
_PRIOR_ISSUES: Final = 2.0


@dataclass(frozen=True)
class DemandOptions:
    """How demand enters the score. The powers of week and month may be learned (`pathfolio.recommender.demand_fit`).

    Attributes:
        horizon: days that a list is to serve. For one day the last week and month tell what sells, and a fresh
            issue counts in full; for half a year the last half year tells it, and the issue is soon forgotten.
        month_power: exponent of the month's purchases over those expected, for a horizon of one day.
        week_power: the same of the week's, expected from the month's.
        half_year_power: the same of the half year's, for a horizon of half a year.
        fade_days: a new issue's pull falls to 1/e in so many days after its listing.
        opening: what each investor who holds an earlier issue of its kind and market adds to the pull.
    """

    horizon: float = 7.0
    month_power: float = 0.45
    week_power: float = 0.35
    half_year_power: float = 0.25
    fade_days: float = 5.0
    opening: float = 0.2


@dataclass(frozen=True)
class Demand:
    """Numbers per asset on one day, all (assets,) float64.

    Attributes:
        factor: how much faster an asset sells than its holders would suggest; its median is 1.
        recent: purchases by new holders in the last month.
        issue: pull of a new issue: fading with its age, growing with the holders of earlier ones; 0 for others.
        holders: investors who hold or held it.
    """

    factor: FloatArray
    recent: FloatArray
    issue: FloatArray
    holders: FloatArray


def measure_demand(groups: Groups, options: DemandOptions) -> Demand:
    """Demand on the snapshot's date, from its positions, listing dates and markets alone.

    factor = over(month, holders)^(p (1-t)) * over(week, month)^(q (1-t)) * over(half year, holders)^(r t) / median,
    where over(x, y) is x over what y would lead one to expect (see `_over`) and t goes from 0 for a horizon of one
    day to 1 for half a year, by the logarithm. issue = exp(-age / fade_days) * log(1 + opening * track record),
    averaged over the horizon.
    """
    factor = measure_trends(groups).factor(options)
    recent = groups.bought_within(_MONTH)
    return Demand(factor, recent, _issue_pull(groups, options), groups.holders.astype(np.float64))


def lasting(horizon: float) -> float:
    """From 0 for lists that serve one day to 1 for half a year or more, by the logarithm.

    >>> lasting(1), lasting(182), round(lasting(7), 2)
    (0.0, 1.0, 0.37)
    """
    return min(max(math.log(horizon) / math.log(_HALF_YEAR), 0.0), 1.0)


@dataclass(frozen=True)
class Trends:
    """How much faster each asset sells than expected, all (assets,) float64, 1 where it does as expected.

    Attributes:
        month: purchases of the last month over those expected from the number of holders.
        week: purchases of the last week over those expected from the month's.
        half_year: purchases of the last half year over those expected from the number of holders.
    """

    month: FloatArray
    week: FloatArray
    half_year: FloatArray

    def factor(self, options: DemandOptions) -> FloatArray:
        """(assets,) the factor of `Demand`; its median is 1."""
        long = lasting(options.horizon)
        daily = self.month**options.month_power * self.week**options.week_power
        factor = daily ** (1 - long) * self.half_year ** (options.half_year_power * long)
        return np.asarray(factor / (np.median(factor) if len(factor) else 1.0))


def measure_trends(groups: Groups) -> Trends:
    """The trends on the snapshot's date."""
    week, month, half_year = (groups.bought_within(days) for days in (_WEEK, _MONTH, _HALF_YEAR))
    holders = groups.holders.astype(np.float64)
    return Trends(_over(month, holders, 1.0), _over(week, month, 0.5), _over(half_year, holders, 20.0))


def _over(seen: FloatArray, of: FloatArray, prior: float) -> FloatArray:
    """What was seen over what is expected if all assets shared alike: (seen + prior) / (of * rate + prior).

    1 for all where nothing was seen at all, as before a source's second statement.
    """
    return np.asarray((seen + prior) / (of * (seen.sum() / max(of.sum(), 1.0)) + prior))


def _issue_pull(groups: Groups, options: DemandOptions) -> FloatArray:
    age = groups.interactions.days_listed
    fade = options.fade_days
    is_new = is_new_issue(age)
    pull = np.exp(-np.where(is_new, age, 0.0) / fade) * np.log1p(options.opening * track_record(groups))
    days = max(options.horizon, 1.0)
    share = (1 - math.exp(-days / fade)) / (days * (1 - math.exp(-1 / fade)))
    return np.where(is_new, pull * share, 0.0)


def track_record(groups: Groups) -> FloatArray:
    """(assets,) how many investors hold or held an earlier asset of the same kind and market, on average.

    A market with few earlier assets is drawn towards all of the kind in its country, and a country with few towards
    all of the kind, as if each had two such assets more.
    """
    graph = groups.interactions.graph
    holders = groups.holders.astype(np.float64)
    earlier = (~is_new_issue(groups.interactions.days_listed)).astype(np.float64)
    kind = graph.nodes.kind[graph.assets].astype(np.int64)
    market = _tails(graph, Relation.LISTED_ON)[graph.assets]
    in_country = np.append(_tails(graph, Relation.IN_COUNTRY), -1)
    country = np.where(in_country[graph.assets] >= 0, in_country[graph.assets], in_country[market])
    mean = _mean_holders([kind], earlier, holders, np.zeros(len(kind)), prior=0.0)
    for group in ([kind, country], [kind, country, market]):
        mean = _mean_holders(group, earlier, holders, mean, prior=_PRIOR_ISSUES)
    return mean


def _mean_holders(
    group: list[IntArray], earlier: FloatArray, holders: FloatArray, towards: FloatArray, prior: float
) -> FloatArray:
    """For each asset the mean holders of the earlier assets of its group, with `prior` more that have `towards`."""
    member = np.unique(np.stack(group), axis=1, return_inverse=True)[1].reshape(-1)
    number = np.bincount(member, earlier)[member]
    total = np.bincount(member, earlier * holders)[member]
    return np.asarray((total + prior * towards) / np.maximum(number + prior, 1.0))


def _tails(graph: KnowledgeGraph, relation: Relation) -> IntArray:
    """(nodes,) row of the node that each node has by a relation of which it has one at most, -1 for none."""
    tails = np.full(len(graph), -1, np.int64)
    at = graph.edges_between(relation)
    tails[graph.edges.head[at]] = graph.edges.tail[at]
    return tails


def is_new_issue(age: FloatArray) -> Mask:
    """(assets,) bool: listed at most 45 days ago, from the days since."""
    return np.asarray((age >= 0) & (age <= NEW_ISSUE_DAYS))
