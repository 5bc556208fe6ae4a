"""Counts of groups of at least ten investors: all that the served score knows of other people.

Scores, ranks, channel values and counts are shown, and whoever may ask *what if I followed this?* can ask for any of
them. So none is made of fewer than `SMALLEST_GROUP` investors: their counts stand here as zero before a weight is
computed, and what is computed from these tables alone cannot tell of them. Nor do two days tell of fewer: counts move
by so many at a time (`pathfolio.recommender.releases`). What is learned (embedding, attention, towers) is learned from
a snapshot without the positions that tie assets together for too few (`pathfolio.recommender.disclosed`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, IntArray, Mask, to_days
from pathfolio.kg.schema import PROFILE_RELATIONS, Relation
from pathfolio.kg.span import Position, Rows
from pathfolio.recommender.account import HOLDS_OR_HELD
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.releases import WAITS, interval_of, told_levels

SMALLEST_GROUP: Final = 10
"""Other investors count only summed up, in groups of at least this many."""

WITH_VIEWER: Final = SMALLEST_GROUP + 1
"""A group that whoever looks may belong to: without them it still has `SMALLEST_GROUP`."""

_AT_ONCE: Final = 2_000_000
"""Pairs of positions that are held in memory at a time."""


@dataclass(frozen=True)
class ToldPurchases:
    """Groups of investors who first bought an asset, as they are told.

    Attributes:
        asset: (groups,) int64 positions.
        buyers: (groups,) int64, more than `SMALLEST_GROUP`.
        begin, end: (groups,) float64 days since 1970: all bought after the one and up to the other; what is told of
            investors' first statement was bought at some time before (minus infinity).
    """

    asset: IntArray
    buyers: IntArray
    begin: FloatArray
    end: FloatArray

    def take(self, at: Mask) -> ToldPurchases:
        """Those at which (groups,) `at` is True."""
        return ToldPurchases(self.asset[at], self.buyers[at], self.begin[at], self.end[at])

    def within(self, days: int, interactions: Interactions) -> FloatArray:
        """(assets,) float64: how many bought each asset in the last `days` days of the snapshot: a group counts by
        the share of its time that lies in the window."""
        today = to_days(interactions.graph.as_of)
        overlap = np.clip(np.minimum(self.end, today) - np.maximum(self.begin, today - days), 0, None)
        weights = self.buyers * overlap / (self.end - self.begin)
        return np.bincount(self.asset, weights, interactions.shape[1]).astype(np.float64)


@dataclass(frozen=True)
class Groups:
    """Tables of counts of a snapshot's investors, 0 where they are `SMALLEST_GROUP` or fewer.

    Whoever looks may be one of those counted, and knows of themselves: the others are `SMALLEST_GROUP` at least. From
    one day to any other a count moves by none or by more than `SMALLEST_GROUP` who came or went. A count that stands
    for two conditions (both assets; a level and an asset) leaves more than so many of either's out: else subtracting
    it from theirs would single out the rest, or tell of every one of them. Where nearly all would be counted, the
    count is lowered so far, whatever it was.

    Attributes:
        interactions: the snapshot's positions and profiles.
    """

    interactions: Interactions

    @property
    def by_calendar(self) -> bool:
        """Whether counts wait for the calendar; they did not in builds sealed before there was one."""
        return True

    @cached_property
    def investors(self) -> int:
        """How many there are."""
        graph = self.interactions.graph
        known = graph.nodes.known_at[graph.users].astype(np.int64)
        return int(self.told_counts(np.zeros(len(known), np.int64), known, 1)[0])

    @cached_property
    def holders(self) -> IntArray:
        """(assets,) int64: investors who hold or held each asset."""
        asset = self.interactions.ever.indices.astype(np.int64)
        return self.told_counts(asset, self.interactions.seen, self.interactions.shape[1])

    @cached_property
    def together(self) -> sp.csr_array:
        """(assets, assets) int64 csr, symmetric, zero diagonal: investors who hold or held both."""
        assets = self.interactions.shape[1]
        of = self.interactions.ever.indices
        counts = sp.csr_array((assets, assets), dtype=np.int64)
        for first, second in self.told_pairs():
            ones = np.ones(len(first), np.int64)
            counts = counts + sp.csr_array((ones, (of[first], of[second])), counts.shape)
        return leaving_enough(counts + counts.T, self.holders)

    def told_pairs(self) -> Iterator[tuple[IntArray, IntArray]]:
        """Which two positions of one investor are told to belong together: two (m,) places among the entries of
        `Interactions.ever`, the lower asset's first, those of some lower assets at a time."""
        seen = self.interactions.seen
        of = self.interactions.ever.indices.astype(np.int64)
        for first, second in self._pairs():
            cell = of[first] * self.interactions.shape[1] + of[second]
            told = self._levels_of(cell, np.maximum(seen[first], seen[second])) != WAITS
            yield first[told], second[told]

    @cached_property
    def levels(self) -> Rows:
        """(levels,) rows of the profile nodes that investors have, ascending."""
        return Rows(np.unique(self.interactions.profile.indices).astype(np.int64))

    @cached_property
    def of_level(self) -> IntArray:
        """(levels,) int64: investors who have or had each of `levels`."""
        _, level, seen = self._answers
        return self.told_counts(level, seen, len(self.levels))

    @property
    def level_relation(self) -> str:
        """How those are joined to the asset whom `of_level_and_asset` counts."""
        return HOLDS_OR_HELD

    def has_beside_level(self, user: Position, asset: Position) -> bool:
        """Whether the investor is one of those whom `of_level_and_asset` counts by their levels."""
        return asset in row_of(self.interactions.ever, user)

    @property
    def holders_by_level(self) -> IntArray:
        """(assets,) int64: those whom `of_level_and_asset` splits among the levels."""
        return self.holders

    @cached_property
    def of_level_and_asset(self) -> IntArray:
        """(levels, assets) int64: investors who have or had the level, and hold or held the asset.

        The levels of one kind split an asset's holders among them, but for those who have had two. Where those that
        are not told would together be `SMALLEST_GROUP` or fewer, the smallest told one is left out too (complementary
        suppression, as statistical offices do for tables: Hundepool et al., "Statistical Disclosure Control", 2012,
        ch. 4).
        """
        user, level, seen = self._answers
        ever = self.interactions.ever
        each, entry = _entries_of(ever, user)
        cell = level[each] * ever.shape[1] + ever.indices[entry]
        day = np.maximum(seen[each], self.interactions.seen[entry])
        counts = self.told_counts(cell, day, len(self.levels) * ever.shape[1])
        return self.levels_leaving_enough(counts.reshape(-1, ever.shape[1]))

    def levels_leaving_enough(self, counts: IntArray) -> IntArray:
        """Counts (levels, assets) without what would single out the rest of a level or of an asset's holders."""
        told = np.minimum(counts, self.of_level[:, None] - WITH_VIEWER)
        told = at_least(np.where(self.holders_by_level > 0, told, 0), WITH_VIEWER)
        for relation in PROFILE_RELATIONS:
            of = np.isin(self.levels, self._tails(relation))
            told[of] = _with_complements(told[of], self.holders_by_level)
        return told

    def bought_within(self, days: int) -> FloatArray:
        """(assets,) float64: first purchases of each asset in the last `days` days, as `purchases` tells them."""
        return self.purchases.within(days, self.interactions)

    @cached_property
    def purchases(self) -> ToldPurchases:
        """First purchases. A group that mostly trades told is of its interval of the calendar; one that mostly
        statements told is of the time between the statements that most of it are of and those before."""
        interactions = self.interactions
        told = np.flatnonzero(self.told != WAITS)
        asset = interactions.ever.indices[told].astype(np.int64)
        first, last = interval_of(interactions.seen[told], self.told[told])
        group, at = _numbered(asset, first, last)
        buyers = np.bincount(group)
        trades = np.bincount(group, interactions.dated[told])
        since = np.bincount(group, interactions.since[told] * ~interactions.dated[told])
        begin, end = (first[at] - 1).astype(np.float64), last[at].astype(np.float64)
        by_statement = np.flatnonzero(2 * trades < buyers)
        mean = since[by_statement] / (buyers - trades)[by_statement]
        begin[by_statement], end[by_statement] = interactions.statements_around(mean)
        return ToldPurchases(asset[at], buyers, begin, end)

    # -- when counts are told ---------------------------------------------------------------------------------

    @cached_property
    def told(self) -> IntArray:
        """(pairs,) int64: level at which each entry of `Interactions.ever` is told to the asset's holders."""
        return self._levels_of(self.interactions.ever.indices.astype(np.int64), self.interactions.seen)

    def told_counts(self, cell: IntArray, day: IntArray, cells: int) -> IntArray:
        """(cells,) int64: how many people are told in each, by the cell of each and the day on which it was known."""
        return np.bincount(cell[self._levels_of(cell, day) != WAITS], minlength=cells).astype(np.int64)

    def _levels_of(self, cell: IntArray, day: IntArray) -> IntArray:
        return told_levels(cell, day, to_days(self.interactions.graph.as_of), WITH_VIEWER)

    @cached_property
    def _answers(self) -> tuple[IntArray, IntArray, IntArray]:
        """As `Interactions.answered`, of levels that somebody has, with their places among `levels`."""
        user, level, seen = self.interactions.answered
        kept = np.isin(level, self.levels)
        return user[kept], np.searchsorted(self.levels, level[kept]), seen[kept]

    def _pairs(self) -> Iterator[tuple[IntArray, IntArray]]:
        """All two positions of one investor as places among the entries of `Interactions.ever`, the lower asset's
        first: those of some lower assets at a time, since an asset's counts are told or wait as a whole."""
        ever = self.interactions.ever
        user = np.repeat(np.arange(ever.shape[0]), np.diff(ever.indptr))
        entry = np.argsort(ever.indices, kind="stable")  # by asset
        after = ever.indptr[1:][user[entry]] - entry - 1  # how many entries of the investor stand behind this one
        ends = np.flatnonzero(np.diff(ever.indices[entry], append=-1)) + 1  # of each asset's entries
        pairs = np.concatenate([[0], np.cumsum(after)[ends - 1]])
        bounds = np.concatenate([[0], ends])
        start = 0
        while start < len(ends):
            stop = max(start + 1, int(np.searchsorted(pairs, pairs[start] + _AT_ONCE, "right")) - 1)
            part = slice(bounds[start], bounds[stop])
            each, place = _runs(after[part])
            yield entry[part][each], entry[part][each] + 1 + place
            start = stop

    def _tails(self, relation: Relation) -> Rows:
        edges = self.interactions.graph.edges
        return Rows(edges.tail[self.interactions.graph.edges_between(relation)].astype(np.int64))


def at_least(counts: IntArray, fewest: int) -> IntArray:
    """`counts` with 0 in place of those below `fewest`.

    >>> at_least(np.array([3, 10, 11]), 10).tolist()
    [0, 10, 11]
    """
    return np.where(counts >= fewest, counts, 0)


def leaving_enough(counts: sp.csr_array, holders: IntArray) -> sp.csr_array:
    """Counts (assets, assets) of who holds two, lowered so far that eleven of either's holders are left out; zeroes
    for what is then too few, and on the diagonal."""
    both = sp.coo_array(counts)
    row, column = (place.astype(np.int64) for place in both.coords)
    left = np.minimum(holders[row], holders[column]) - WITH_VIEWER
    told = at_least(np.minimum(np.rint(both.data).astype(np.int64), left), WITH_VIEWER)
    kept = (told > 0) & (row != column)
    return sp.csr_array((told[kept], (row[kept], column[kept])), both.shape)


def _numbered(*keys: IntArray) -> tuple[IntArray, IntArray]:
    """A number for each of m combinations of `keys`, each (m,), and the place of the first event of each number."""
    _, first, number = np.unique(np.stack(keys), axis=1, return_index=True, return_inverse=True)
    return number.reshape(-1), first


def row_of(matrix: sp.csr_array, row: int) -> IntArray:
    """The columns of a csr matrix's entries in one row."""
    return np.asarray(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])


def _entries_of(matrix: sp.csr_array, rows: IntArray) -> tuple[IntArray, IntArray]:
    """The entries of (m,) rows of a csr matrix, which may repeat: which of the m each is of, and its place."""
    each, place = _runs(np.diff(matrix.indptr)[rows])
    return each, matrix.indptr[rows][each] + place


def _runs(sizes: IntArray) -> tuple[IntArray, IntArray]:
    """For runs of these sizes the number of each element's run, and its place in the run.

    >>> [found.tolist() for found in _runs(np.array([2, 0, 1]))]
    [[0, 0, 2], [0, 1, 0]]
    """
    run = np.repeat(np.arange(len(sizes)), sizes)
    return run, np.arange(len(run)) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _with_complements(told: IntArray, holders: IntArray) -> IntArray:
    """`told` (levels, assets) without the smallest of an asset's counts where all that is left out are too few.

    >>> _with_complements(np.array([[50], [12], [0]]), np.array([63])).tolist()
    [[50], [0], [0]]
    """
    if not len(told):
        return told
    left_out = holders - told.sum(axis=0)
    smallest = np.where(told > 0, told, np.iinfo(np.int64).max).argmin(axis=0)
    at = np.flatnonzero((left_out > 0) & (left_out < WITH_VIEWER))
    out = told.copy()
    out[smallest[at], at] = 0
    return out
