"""A score in a few plain rows: what investors alike, links, answers, the models and demand add to it.

They add up to the score exactly, as the parts of `pathfolio.explain.waterfall` do.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pathfolio.explain.explanation import Explanation
from pathfolio.recommender.assumed import INTEREST
from pathfolio.recommender.channels.base import Family
from pathfolio.recommender.channels.own import PREFIX
from pathfolio.recommender.channels.shipped import CHANNELS

ROWS: Final = ("others", "links", "answers", "model_links", "model", "own", "demand")
"""In the order in which they stand; one that adds nothing is left out."""

_OF_FAMILY: Final = MappingProxyType(
    {
        Family.CO_INVESTMENT: "others",
        Family.FUNDS: "links",
        Family.SHARED: "links",
        Family.PROFILE: "answers",
        Family.LEARNED: "model_links",
        Family.OWN: "own",
        Family.BASE: "demand",
    }
)
_FAMILY: Final = MappingProxyType({name: channel.family for channel in CHANNELS for name in channel.names})


@dataclass(frozen=True)
class PlainRow:
    """One row; `start` and `size` of its bar are in percent of the width."""

    name: str
    value: float
    start: float
    size: float


def plain_rows(explanation: Explanation) -> tuple[PlainRow, ...]:
    """The score of an explanation in a few rows."""
    sums = dict.fromkeys(ROWS, 0.0)
    sums["demand"] += sum(value for _, value in explanation.base)
    for channel in explanation.channels:
        sums[_row_of(channel.name)] += channel.value - channel.remainder
        sums["model"] += channel.remainder
    kept = [(name, value) for name, value in sums.items() if value]
    ends = [0.0]
    for _, value in kept:
        ends.append(ends[-1] + value)
    low = min(ends)
    width = (max(ends) - low) or 1.0
    return tuple(
        PlainRow(name, value, round(100 * (min(start, end) - low) / width, 2), round(100 * abs(value) / width, 2))
        for (name, value), start, end in zip(kept, ends, ends[1:], strict=False)
    )


def _row_of(channel: str) -> str:
    if channel.startswith(PREFIX):
        return "own"
    return "answers" if channel == INTEREST else _OF_FAMILY[_FAMILY[channel]]
