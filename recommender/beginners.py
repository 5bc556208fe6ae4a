"""What those bought first who began lately: all that is known of how somebody without positions will begin.

Popularity and recent purchases are made by those who have been investing for long, and say little of how people begin.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pathfolio.kg.graph import IntArray, Mask, to_days
from pathfolio.recommender.groups import WITH_VIEWER, Groups
from pathfolio.recommender.releases import WAITS, interval_of, told_levels

LATELY: Final = 182
"""Days: who first bought something in the last half year began lately, and what was listed since then is left out, as
subscriptions of it are over."""

MOST_AT_FIRST: Final = 2
"""Assets: who bought more on their first day has moved a portfolio here, and did not begin."""


def first_choices(groups: Groups) -> IntArray:
    """(assets,) int64: how many investors who began lately bought each asset on their first day, as it may be told.

    They are told by the calendar (`pathfolio.recommender.releases`), each interval as a whole, as long as it began in
    the last half year: so a count moves by none or by more than ten. 0 where it would single out the other holders.
    """
    interactions = groups.interactions
    graph = interactions.graph
    at = np.flatnonzero(_at_first(groups))
    asset, seen = interactions.ever.indices[at].astype(np.int64), interactions.seen[at]
    today = to_days(graph.as_of)
    level = told_levels(asset, seen, today, WITH_VIEWER)
    begin, _ = interval_of(seen, level)
    told = (level != WAITS) & (begin > today - LATELY)
    counts = np.bincount(asset[told], minlength=interactions.shape[1]).astype(np.int64)
    others = groups.holders - counts
    age = interactions.days_listed
    is_young = (age >= 0) & (age <= LATELY)
    return np.where(((others > 0) & (others < WITH_VIEWER)) | is_young, 0, counts)


def _at_first(groups: Groups) -> Mask:
    """(pairs,) bool, in the order of `Interactions.ever`: what somebody began with, `MOST_AT_FIRST` assets at most.

    What is told by a source's first statement was bought at any time before.
    """
    interactions = groups.interactions
    user = np.repeat(np.arange(interactions.shape[0]), np.diff(interactions.ever.indptr))
    first = np.full(interactions.shape[0], np.iinfo(np.int32).max)
    np.minimum.at(first, user, interactions.since)
    began = (interactions.since == first[user]) & ~interactions.opening
    return np.asarray(began & (np.bincount(user[began], minlength=interactions.shape[0])[user] <= MOST_AT_FIRST))
