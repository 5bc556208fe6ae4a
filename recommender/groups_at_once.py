"""Counts of groups as they were told before `pathfolio.recommender.releases`: kept for builds that were sealed then.

A count was told on the day on which it had enough people, and moved by one person from one day to the next. Records of
such builds are computed again with it; what is built or refreshed now is not.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, IntArray
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Position
from pathfolio.recommender.groups import WITH_VIEWER, Groups, at_least, leaving_enough, row_of

CELLS: Final = (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 91, 120, 182)
"""Ends, in days before the snapshot's date, of the cells in which purchases are counted."""

NOT_TOLD: Final = -1
"""The cell of purchases by too few."""


class GroupsAtOnce(Groups):
    """The same tables, of all investors who were known on the day."""

    @property
    def by_calendar(self) -> bool:
        """Whether counts wait for the calendar."""
        return False

    @property
    def investors(self) -> int:
        """How many there are."""
        return self.interactions.shape[0]

    @cached_property
    def holders(self) -> IntArray:
        """(assets,) int64: investors who hold or held each asset."""
        return at_least(self.interactions.holders.astype(np.int64), WITH_VIEWER)

    @cached_property
    def together(self) -> sp.csr_array:
        """(assets, assets) int64 csr, symmetric, zero diagonal: investors who hold or held both."""
        return leaving_enough(self.interactions.ever.T @ self.interactions.ever, self.holders)

    @cached_property
    def of_level(self) -> IntArray:
        """(levels,) int64: investors who have each of `levels`."""
        return at_least(_sum(self.interactions.profile[:, self.levels]), WITH_VIEWER)

    @property
    def level_relation(self) -> str:
        """How those are joined to the asset whom `of_level_and_asset` counts."""
        return Relation.HOLDS.value

    def has_beside_level(self, user: Position, asset: Position) -> bool:
        """Whether the investor holds the asset now."""
        return asset in row_of(self.interactions.held, user)

    @cached_property
    def holders_by_level(self) -> IntArray:
        """(assets,) int64: investors who hold each asset now."""
        return at_least(_sum(self.interactions.held), WITH_VIEWER)

    @cached_property
    def of_level_and_asset(self) -> IntArray:
        """(levels, assets) int64: investors who have the level and hold the asset now."""
        members = self.interactions.profile[:, self.levels]
        counts: IntArray = np.rint((members.T @ self.interactions.held).toarray()).astype(np.int64)
        return self.levels_leaving_enough(counts)

    def bought_within(self, days: int) -> FloatArray:
        """(assets,) float64: first purchases of each asset in the last `days` days, as `daily` tells them."""
        edges = np.array([0, *CELLS])
        overlap = np.clip(np.minimum(edges[1:], days) - edges[:-1], 0, None)
        return np.asarray(overlap @ self.daily)

    @cached_property
    def daily(self) -> FloatArray:
        """(cells, assets) float64: first purchases a day in each of `CELLS`, the newest first.

        Neighbouring cells of an asset are put together, from the newest on, until each has more than `SMALLEST_GROUP`
        buyers; what is then left over goes to the cell before it, and is nothing where there is none.
        """
        buyers, bought = (
            np.diff([counted(days) for days in CELLS], axis=0, prepend=0.0)
            for counted in (self.interactions.buyers_within, self.interactions.bought_within)
        )
        cell = _merged_cells(buyers)
        days = np.diff([0, *CELLS])[:, None] * np.ones_like(bought)
        asset = np.arange(bought.shape[1]) * np.ones_like(cell)
        total, span = (np.zeros((len(CELLS) + 1, bought.shape[1])) for _ in range(2))
        np.add.at(total, (cell, asset), bought)
        np.add.at(span, (cell, asset), days)
        total[NOT_TOLD] = 0.0
        return np.asarray(total[cell, asset] / span[cell, asset])


def _merged_cells(buyers: FloatArray) -> IntArray:
    """(cells, assets) int64: which cells of an asset (cells, assets) go together; `NOT_TOLD` for all of too few.

    >>> _merged_cells(np.array([[4.0, 11.0, 1.0], [8.0, 3.0, 0.0], [2.0, 9.0, 2.0]])).T.tolist()
    [[0, 0, 0], [0, 1, 1], [-1, -1, -1]]
    """
    cell = np.zeros(buyers.shape, np.int64)
    current = np.zeros(buyers.shape[1], np.int64)
    people = np.zeros(buyers.shape[1])
    for at, more in enumerate(buyers):
        cell[at] = current
        people += more
        full = people >= WITH_VIEWER
        current += full
        people[full] = 0.0
    return np.minimum(cell, current - 1)


def _sum(matrix: sp.csr_array) -> IntArray:
    """(columns,) int64 sums of a matrix of counts."""
    return np.rint(np.asarray(matrix.sum(axis=0))).astype(np.int64).ravel()
