"""What investors as a whole want at the moment, per asset: recent purchases, and the pull of a new issue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kg.graph import FloatArray
from recommender.interactions import Interactions

NEW_ISSUE_DAYS: Final = 45
"""An asset listed at most so many days ago is a new issue."""


@dataclass(frozen=True)
class DemandOptions:
    """How demand enters the score; shared by all data sets, chosen on windows before the reported ones.

    Attributes:
        month_power: exponent of purchases of the last 30 days per holder.
        week_power: exponent of the last week's purchases per purchase of the month.
        fade_days: a new issue's pull falls to 1/e in so many days after its listing.
        opening, opening_days: what a new issue is credited with on the day of its listing, in purchases a week,
            and how fast that gives way to the purchases that are seen.
    """

    month_power: float = 0.45
    week_power: float = 0.25
    fade_days: float = 12.0
    opening: float = 1.7
    opening_days: float = 6.0


@dataclass(frozen=True)
class Demand:
    """Numbers per asset on one day, all (assets,) float64.

    Attributes:
        factor: how much faster an asset sells than its holders would suggest; its median is 1.
        month: purchases by new holders in the last 30 days.
        issue: pull of a new issue: fading with its age, growing with the week's purchases; 0 for others.
        holders: investors who hold or held it.
    """

    factor: FloatArray
    month: FloatArray
    issue: FloatArray
    holders: FloatArray


def measure_demand(interactions: Interactions, options: DemandOptions) -> Demand:
    """Demand on the snapshot's date, from its positions and listing dates alone.

    factor = ((m + 2) / (h + 100))^p * ((w + 1) / (m + 4))^q / median, with m and w the purchases of the last 30
    and 7 days, h the holders; issue = exp(-age / fade_days) * log(1 + w + opening * exp(-age / opening_days)) up
    to 45 days after the listing.
    """
    month, week, holders = interactions.bought_within(30), interactions.bought_within(7), interactions.holders
    factor = ((month + 2) / (holders + 100)) ** options.month_power * ((week + 1) / (month + 4)) ** options.week_power
    age = interactions.days_listed
    is_new = (age >= 0) & (age <= NEW_ISSUE_DAYS)
    age = np.where(is_new, age, 0.0)
    expected = week + options.opening * np.exp(-age / options.opening_days)
    issue = np.where(is_new, np.exp(-age / options.fade_days) * np.log1p(expected), 0.0)
    return Demand(factor / (np.median(factor) if len(factor) else 1.0), month, issue, holders)
