"""When a count of people may be told, so that two days side by side tell of no group smaller than ten.

A count that is one higher than yesterday tells of one person, and whoever knows what that person bought yesterday
reads off it what else they hold. So people are counted by a calendar that no person moves: time is cut into intervals
of 1, 2, 4, 8, … days that begin at multiples of their length. At the end of an interval those of it who were not told
before are told together if they are enough, else they wait for the end of the interval of twice the length. So a count
never moves by fewer, be it from one day to the next or to any other; on which day it moves says no more than that so
many came in one of these intervals. As all days are in the data, a build of any day tells what builds before it told,
whether these were made or not.

The intervals are those of Chan, Shi and Song, "Private and Continual Release of Statistics" (ACM TISSEC 14(3), 2011),
where each count has noise added; here small counts wait instead, so that what is told is exact and the same each time.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pathfolio.kg.graph import IntArray, Mask

WAITS: Final = -1
"""The level of what is not told yet."""

_LEVELS: Final = 17
"""2**16 days are more than all days since 1970; what is dated before lies in the years below zero."""


def told_levels(cell: IntArray, day: IntArray, today: int, fewest: int) -> IntArray:
    """(m,) int64: level l of the interval of 2**l days at whose end each of m events is told; `WAITS` for none.

    Args:
        cell: (m,) the count that the event moves, which nobody moves twice.
        day: (m,) days since 1970 on which it was known.
        today: up to which intervals have ended; it ends the one of a single day.
        fewest: people that are told together.

    >>> day = np.array([8, 8, 9, 10, 12])
    >>> told_levels(np.zeros(5, np.int64), day, 10, 2).tolist()
    [0, 0, -1, -1, -1]
    >>> told_levels(np.zeros(5, np.int64), day, 12, 2).tolist()
    [0, 0, 2, 2, -1]
    """
    level = np.full(len(cell), WAITS, np.int64)
    waiting = _by_cell_and_day(cell, day)
    cell, day = cell[waiting], day[waiting]
    for step in range(_LEVELS):
        interval = day >> step
        ended = ((interval + 1) << step) - 1 <= today
        waiting, cell, day, interval = waiting[ended], cell[ended], day[ended], interval[ended]
        first = np.flatnonzero(_differs(cell) | _differs(interval))
        size = np.diff(first, append=len(cell))
        is_told = np.repeat(size >= fewest, size)
        level[waiting[is_told]] = step
        waiting, cell, day = waiting[~is_told], cell[~is_told], day[~is_told]
    return level


def _by_cell_and_day(cell: IntArray, day: IntArray) -> IntArray:
    """The order by cell and then by day; those that agree in both stand in any."""
    if not len(cell):
        return np.zeros(0, np.int64)
    first, days = int(day.min()), int(day.max()) - int(day.min()) + 1
    if int(cell.max()) >= np.iinfo(np.int64).max // days:
        return np.lexsort((day, cell))
    return np.argsort(cell * days + (day - first))  # one key is sorted in half the time of two


def interval_of(day: IntArray, level: IntArray) -> tuple[IntArray, IntArray]:
    """First and last day, both (m,) int64, of the intervals in which events of these days and levels are told."""
    first = (day >> level) << level
    return first, first + (1 << level) - 1


def _differs(values: IntArray) -> Mask:
    """(m,) bool: where a value differs from the one before; True for the first."""
    out = np.ones(len(values), bool)
    out[1:] = values[1:] != values[:-1]
    return out
