"""What investors as a whole want at the moment, per asset: recent purchases, and the pull of a new issue."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.momentum import raised, standing
from pathfolio.recommender.new_issues import NewIssues, bought_early

_WEEK: Final = 7
_MONTH: Final = 30
_HALF_YEAR: Final = 182


@dataclass(frozen=True)
class DemandOptions:
    """How demand enters the score. The powers of week and month may be learned (`pathfolio.recommender.demand_fit`).

    Attributes:
        horizon: days that a list is to serve. For one day the last week and month tell what sells, and a fresh
            issue counts in full; for half a year the last half year tells it, and the issue is soon forgotten.
        month_power: exponent of the month's purchases over those expected, for a horizon of one day.
        week_power: the same of the week's, expected from the month's.
        half_year_power: the same of the half year's, for a horizon of half a year.
        fade_days: days in which a new issue's pull falls to 1/e, where no earlier ones tell when they were allotted.
        opening: what each buyer who is expected of a new issue adds to its pull.
        issue_power: exponent of the mean part of a new issue's pull that is left over the horizon: lists of a week have
            .07 of the pull of those of a day with 5, .59 with 1.
        momentum: how much faster what rose sells: the factor is multiplied by exp(momentum * standing), see
            `pathfolio.recommender.momentum`; learned from the past (`pathfolio.recommender.momentum_fit`).
        calibrated: whether what earlier new issues drew tells what to expect of one, and what was subscribed is no
            demand; in builds sealed before there was such a thing, the holders of all assets of its market did.
        sampled: investors that the powers were learned from, drawn where there are many; 0 for all
            (`pathfolio.recommender.learning_excerpt`).
    """

    horizon: float = 7.0
    month_power: float = 0.45
    week_power: float = 0.35
    half_year_power: float = 0.25
    fade_days: float = 5.0
    opening: float = 0.2
    issue_power: float = 5.0
    momentum: float = 0.0
    calibrated: bool = True
    sampled: int = 0

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> DemandOptions:
        """The options that `dataclasses.asdict` took apart; a build without `calibrated` or `issue_power` is older."""
        return DemandOptions(**{"calibrated": False, "issue_power": 1.0, **values})


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
    day to 1 for half a year, by the logarithm; times exp(momentum * standing) where rising prices make assets sell.
    issue = what is to come * log(1 + opening * buyers expected) (see `NewIssues`), averaged over the horizon.
    """
    bought = _purchases(groups, options)
    factor = measure_trends(groups, options).factor(options)
    if options.momentum:
        factor = raised(factor, standing(groups.interactions.graph), options.momentum)
    return Demand(factor, bought(_MONTH), _issue_pull(groups, options), groups.holders.astype(np.float64))


def lasting(horizon: float) -> float:
    """From 0 for lists that serve one day to 1 for half a year or more, by the logarithm.

    >>> lasting(1), lasting(182), round(lasting(7), 2)
    (0.0, 1.0, 0.37)
    """
    return min(max(math.log(horizon) / math.log(_HALF_YEAR), 0.0), 1.0)


def left_of_issue(options: DemandOptions) -> float:
    """The mean part of a new issue's first pull that is left over the horizon: 1 for a day, .59 for a week."""
    days = max(options.horizon, 1.0)
    fade = options.fade_days
    return (1 - math.exp(-days / fade)) / (days * (1 - math.exp(-1 / fade)))


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


def measure_trends(groups: Groups, options: DemandOptions) -> Trends:
    """The trends on the snapshot's date."""
    week, month, half_year = map(_purchases(groups, options), (_WEEK, _MONTH, _HALF_YEAR))
    holders = groups.holders.astype(np.float64)
    return Trends(_over(month, holders, 1.0), _over(week, month, 0.5), _over(half_year, holders, 20.0))


def _purchases(groups: Groups, options: DemandOptions) -> Callable[[int], FloatArray]:
    """What tells purchases of the last days per asset: all, or without subscriptions."""
    if not options.calibrated:
        return groups.bought_within
    later = groups.purchases.take(~bought_early(groups))
    return lambda days: later.within(days, groups.interactions)


def _over(seen: FloatArray, of: FloatArray, prior: float) -> FloatArray:
    """What was seen over what is expected if all assets shared alike: (seen + prior) / (of * rate + prior).

    1 for all where nothing was seen at all, as before a source's second statement.
    """
    return np.asarray((seen + prior) / (of * (seen.sum() / max(of.sum(), 1.0)) + prior))


def _issue_pull(groups: Groups, options: DemandOptions) -> FloatArray:
    issues = NewIssues(groups, options.fade_days)
    pull = issues.pull(options.opening) if options.calibrated else issues.pull_of_market(options.opening)
    return np.asarray(pull * left_of_issue(options) ** options.issue_power)
