"""What a new issue may be expected to draw: what earlier ones of its kind and market did, and on which day.

Most of what a new issue sells, it sells on the day of its allotment. Before, nobody holds it who would speak for it;
after, what was subscribed says little of what others will want.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from pathfolio.kg.graph import NO_DAY, FloatArray, IntArray, KnowledgeGraph, Mask, to_days
from pathfolio.kg.schema import Relation
from pathfolio.recommender.groups import Groups, ToldPurchases

NEW_ISSUE_DAYS: Final = 45
"""An asset listed at most so many days ago is a new issue."""

_YEAR: Final = 365
_PRIOR_ISSUES: Final = 2.0
"""Earlier issues that what is known of a wider group counts for; few are known, and three overrate the fourth."""
_PRIOR_DAYS: Final = 0.5
"""Earlier issues' days of allotment that the fading counts for."""
_SHARE_AFTER: Final = 0.25
_PRIOR_BUYERS: Final = 200.0
"""Without earlier issues, a quarter of what is bought early is bought after the allotment; so many buyers' word."""


@dataclass(frozen=True)
class NewIssues:
    """New issues of a snapshot, and earlier ones, by what `groups` tells of their buyers.

    Attributes:
        groups: what is told of investors.
        fade_days: without earlier issues, the chance that one's allotment is still to come falls to 1/e in so many.
    """

    groups: Groups
    fade_days: float

    def pull(self, opening: float) -> FloatArray:
        """(assets,) float64: to come * log(1 + opening * expected); 0 for what is no new issue."""
        return np.where(self.is_new, self.to_come * np.log1p(opening * self.expected), 0.0)

    def pull_of_market(self, opening: float) -> FloatArray:
        """(assets,) float64: exp(-age / fade_days) * log(1 + opening * track record), as it was before earlier issues
        were asked; see `DemandOptions.calibrated`."""
        age = np.where(self.is_new, self.groups.interactions.days_listed, 0.0)
        return np.where(self.is_new, np.exp(-age / self.fade_days) * np.log1p(opening * track_record(self.groups)), 0.0)

    @cached_property
    def is_new(self) -> Mask:
        """(assets,) bool: see `is_new_issue`."""
        return is_new_issue(self.groups.interactions.days_listed)

    @cached_property
    def expected(self) -> FloatArray:
        """(assets,) float64: early buyers of an issue, the mean of earlier ones of its kind and market.

        Besides them two count that drew, for the size of their market (`track_record`), what issues of the kind do.
        """
        kind, market, _ = _kinds(self.groups.interactions.graph)
        record = track_record(self.groups)
        issues, theirs = np.bincount(kind, self.is_earlier), np.bincount(kind, self.is_earlier * record)
        one = theirs / np.maximum(issues, 1)  # one issue more that drew as many as others have holders
        drew = np.bincount(kind, self.is_earlier * self.drawn)
        usual = np.divide(drew + one, theirs + one, out=np.ones(len(one)), where=theirs > 0)[kind] * record
        member = np.unique(np.stack([kind, market]), axis=1, return_inverse=True)[1].reshape(-1)
        number = np.bincount(member, self.is_earlier)[member]
        drawn = np.bincount(member, self.is_earlier * self.drawn)[member]
        return np.asarray((drawn + _PRIOR_ISSUES * usual) / (number + _PRIOR_ISSUES))

    @cached_property
    def to_come(self) -> FloatArray:
        """(assets,) float64, 0 to 1: the chance that an issue's allotment is still to come, by those of its kind; once
        it has been, the share of their early purchases that came later."""
        return np.where(self.drawn > 0, self._share_after, self._chance)

    @cached_property
    def drawn(self) -> FloatArray:
        """(assets,) float64: how many bought each asset in its first weeks."""
        return np.bincount(self._early.asset, self._early.buyers, len(self._listed)).astype(np.float64)

    @cached_property
    def allotted(self) -> FloatArray:
        """(assets,) float64: days from the listing to the one on which most bought it; NaN where no day is told."""
        early = self._early
        by_day = np.flatnonzero(early.end - early.begin == 1)
        order = by_day[np.lexsort((early.buyers[by_day], early.asset[by_day]))]
        days = np.full(len(self._listed), np.nan)
        days[early.asset[order]] = early.end[order] - self._listed[early.asset[order]]
        return days

    # ----------------------------------------------------------------------------------------------------------

    @cached_property
    def _early(self) -> ToldPurchases:
        return self.groups.purchases.take(bought_early(self.groups))

    @cached_property
    def _listed(self) -> FloatArray:
        return _listed(self.groups.interactions.graph)

    @cached_property
    def is_earlier(self) -> Mask:
        """(assets,) bool: issues whose first weeks are over, and were seen: listed after the first purchases that are
        told, or in the year before, when who had bought them still held them."""
        first = self.groups.purchases.end.min(initial=np.inf)
        is_over = self.groups.interactions.days_listed > NEW_ISSUE_DAYS
        return np.asarray(is_over & (self._listed > first - _YEAR))

    @cached_property
    def _chance(self) -> FloatArray:
        """The share of earlier issues of the kind that were allotted as late as this one would be, seen or not."""
        interactions = self.groups.interactions
        kind, _, _ = _kinds(interactions.graph)
        told = np.flatnonzero(self.is_earlier & ~np.isnan(self.allotted))
        today = to_days(interactions.graph.as_of)
        today_is_over = bool(self.groups.purchases.end.max(initial=-np.inf) >= today)
        chance = np.zeros(len(kind))
        for at in np.flatnonzero(self.is_new):
            over = today - self._listed[at] + today_is_over  # days on which it can have been allotted
            days = self.allotted[told[kind[told] == kind[at]]]
            prior = _PRIOR_DAYS * np.exp(-over / self.fade_days)
            chance[at] = ((days >= over).sum() + prior) / (len(days) + _PRIOR_DAYS)
        return chance

    @cached_property
    def _share_after(self) -> FloatArray:
        kind, _, _ = _kinds(self.groups.interactions.graph)
        early = self._early
        buyers = early.buyers * (self.is_earlier & ~np.isnan(self.allotted))[early.asset]
        is_later = early.end - self._listed[early.asset] > self.allotted[early.asset]
        size = int(kind.max(initial=0)) + 1
        of_kind, later = (np.bincount(kind[early.asset], some, size) for some in (buyers, buyers * is_later))
        return np.asarray((later + _SHARE_AFTER * _PRIOR_BUYERS) / (of_kind + _PRIOR_BUYERS))[kind]


def bought_early(groups: Groups) -> Mask:
    """(groups,) bool, in the order of `Groups.purchases`: whether bought in the first weeks after an asset's listing,
    or at some time that began then.

    What investors' first statement tells of an asset that is older than a year counts as bought later.
    """
    told = groups.purchases
    listed = _listed(groups.interactions.graph)[told.asset]
    is_old = np.isneginf(told.begin) & (told.end - listed > _YEAR)
    return np.asarray((told.begin < listed + NEW_ISSUE_DAYS) & (told.end >= listed) & ~is_old)


def is_new_issue(age: FloatArray) -> Mask:
    """(assets,) bool: listed at most 45 days ago, from the days since."""
    return np.asarray((age >= 0) & (age <= NEW_ISSUE_DAYS))


def track_record(groups: Groups) -> FloatArray:
    """(assets,) how many investors hold or held an earlier asset of the same kind and market, on average.

    A market with few earlier assets is drawn towards all of the kind in its country, and a country with few towards
    all of the kind, as if each had two such assets more.
    """
    holders = groups.holders.astype(np.float64)
    earlier = (~is_new_issue(groups.interactions.days_listed)).astype(np.float64)
    kind, market, country = _kinds(groups.interactions.graph)
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


def _kinds(graph: KnowledgeGraph) -> tuple[IntArray, IntArray, IntArray]:
    """(assets,) numbers of each asset's kind, market and country, -1 where it has none."""
    kind = graph.nodes.kind[graph.assets].astype(np.int64)
    market = _tails(graph, Relation.LISTED_ON)[graph.assets]
    in_country = np.append(_tails(graph, Relation.IN_COUNTRY), -1)
    country = np.where(in_country[graph.assets] >= 0, in_country[graph.assets], in_country[market])
    return kind, market, country


def _listed(graph: KnowledgeGraph) -> FloatArray:
    """(assets,) days since 1970 on which each asset was listed, NaN where that is unknown."""
    day = graph.nodes.listed[graph.assets]
    return np.where(day == NO_DAY, np.nan, day.astype(np.float64))


def _tails(graph: KnowledgeGraph, relation: Relation) -> IntArray:
    """(nodes,) row of the node that each node has by a relation of which it has one at most, -1 for none."""
    tails = np.full(len(graph), -1, np.int64)
    at = graph.edges_between(relation)
    tails[graph.edges.head[at]] = graph.edges.tail[at]
    return tails
