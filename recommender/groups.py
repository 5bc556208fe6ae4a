"""Counts of groups of at least ten investors: all that the served score knows of other people.

Scores, ranks, channel values and counts are shown, and whoever may ask *what if I followed this?* can ask for any of
them. So none is made of fewer than `SMALLEST_GROUP` investors: their counts stand here as zero before a weight is
computed, and what is computed from these tables alone cannot tell of them. What is learned (embedding, attention,
towers) is learned from `disclosed`, a snapshot without the positions that tie assets together for too few.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import POSITION_CODES, PROFILE_RELATIONS, Relation
from pathfolio.kg.span import Rows
from pathfolio.recommender.interactions import Interactions

SMALLEST_GROUP: Final = 10
"""Other investors count only summed up, in groups of at least this many."""

CELLS: Final = (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 91, 120, 182)
"""Ends, in days before the snapshot's date, of the cells in which purchases are counted."""

NOT_TOLD: Final = -1
"""The cell of purchases by too few."""

_WITH_VIEWER: Final = SMALLEST_GROUP + 1
"""A group that whoever looks may belong to: without them it still has `SMALLEST_GROUP`."""


@dataclass(frozen=True)
class Groups:
    """Tables of counts of a snapshot's investors, 0 where they are `SMALLEST_GROUP` or fewer.

    Whoever looks may be one of those counted, and knows of themselves: the others are `SMALLEST_GROUP` at least. A
    count that stands for two conditions (both assets; a level and an asset) leaves more than so many of either's
    out: else subtracting it from theirs would single out the rest, or tell of every one of them. Where nearly all
    would be counted, the count is lowered so far, whatever it was.

    Attributes:
        interactions: the snapshot's positions and profiles.
    """

    interactions: Interactions

    @cached_property
    def holders(self) -> IntArray:
        """(assets,) int64: investors who hold or held each asset."""
        return at_least(self.interactions.holders.astype(np.int64), _WITH_VIEWER)

    @cached_property
    def together(self) -> sp.csr_array:
        """(assets, assets) int64 csr, symmetric, zero diagonal: investors who hold or held both."""
        counts = sp.coo_array(self.interactions.ever.T @ self.interactions.ever)
        row, column = (place.astype(np.int64) for place in counts.coords)
        left = np.minimum(self.holders[row], self.holders[column]) - _WITH_VIEWER
        told = at_least(np.minimum(np.rint(counts.data).astype(np.int64), left), _WITH_VIEWER)
        kept = (told > 0) & (row != column)
        return sp.csr_array((told[kept], (row[kept], column[kept])), counts.shape)

    @cached_property
    def levels(self) -> Rows:
        """(levels,) rows of the profile nodes that investors have, ascending."""
        return Rows(np.unique(self.interactions.profile.indices).astype(np.int64))

    @cached_property
    def of_level(self) -> IntArray:
        """(levels,) int64: investors who have each of `levels`."""
        return at_least(_sum(self.interactions.profile[:, self.levels]), _WITH_VIEWER)

    @cached_property
    def holders_now(self) -> IntArray:
        """(assets,) int64: investors who hold each asset now."""
        return at_least(_sum(self.interactions.held), _WITH_VIEWER)

    @cached_property
    def of_level_and_asset(self) -> IntArray:
        """(levels, assets) int64: investors who have the level and hold the asset now.

        The levels of one kind split an asset's holders among them. Where those that are not told would together be
        `SMALLEST_GROUP` or fewer, the smallest told one is left out too (complementary suppression, as statistical
        offices do for tables: Hundepool et al., "Statistical Disclosure Control", 2012, ch. 4).
        """
        members = self.interactions.profile[:, self.levels]
        held = self.interactions.held
        counts: IntArray = np.rint((members.T @ held).toarray()).astype(np.int64)
        told = np.minimum(counts, self.of_level[:, None] - _WITH_VIEWER)
        told = at_least(np.where(self.holders_now > 0, told, 0), _WITH_VIEWER)
        for relation in PROFILE_RELATIONS:
            of = np.isin(self.levels, self._tails(relation))
            told[of] = _with_complements(told[of], _sum(held))
        return told

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

    def _tails(self, relation: Relation) -> Rows:
        edges = self.interactions.graph.edges
        return Rows(edges.tail[self.interactions.graph.edges_between(relation)].astype(np.int64))


def at_least(counts: IntArray, fewest: int) -> IntArray:
    """`counts` with 0 in place of those below `fewest`.

    >>> at_least(np.array([3, 10, 11]), 10).tolist()
    [0, 10, 11]
    """
    return np.where(counts >= fewest, counts, 0)


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
        full = people >= _WITH_VIEWER
        current += full
        people[full] = 0.0
    return np.minimum(cell, current - 1)


def _sum(matrix: sp.csr_array) -> IntArray:
    """(columns,) int64 sums of a matrix of counts."""
    return np.rint(np.asarray(matrix.sum(axis=0))).astype(np.int64).ravel()


def _with_complements(told: IntArray, holders: IntArray) -> IntArray:
    """`told` (levels, assets) without the smallest of an asset's counts where all that is left out are too few.

    >>> _with_complements(np.array([[50], [12], [0]]), np.array([63])).tolist()
    [[50], [0], [0]]
    """
    if not len(told):
        return told
    left_out = holders - told.sum(axis=0)
    smallest = np.where(told > 0, told, np.iinfo(np.int64).max).argmin(axis=0)
    at = np.flatnonzero((left_out > 0) & (left_out < _WITH_VIEWER))
    out = told.copy()
    out[smallest[at], at] = 0
    return out


def disclosed(graph: KnowledgeGraph) -> KnowledgeGraph:
    """The snapshot that models are trained on: any two positions of one investor tie assets that eleven hold or held.

    An investor's positions are gone through by how many hold the asset, most first; one that some position kept
    before is held together with by too few is left out, with all its versions, as is an asset that ten or fewer
    hold or held. So no vector can have learned what an investor's rare combination would tell.
    """
    interactions = Interactions(graph)
    hidden = _hidden_pairs(Groups(interactions))
    edges = graph.edges
    at = np.flatnonzero(np.isin(edges.relation, POSITION_CODES))
    kept = np.ones(len(edges), bool)
    kept[at] = ~np.isin(interactions.keys(at), hidden)
    return replace(graph, edges=edges.take(kept))


def _hidden_pairs(groups: Groups) -> IntArray:
    """Keys (see `Interactions.keys`) of the positions that training does not see, ascending."""
    interactions = groups.interactions
    holders = groups.holders
    ever = interactions.ever
    n = interactions.shape[1]
    tied = groups.together.toarray() > 0
    rank = np.empty(n, np.int64)
    rank[np.lexsort((np.arange(n), -holders))] = np.arange(n)
    hidden = []
    for user, (start, end) in enumerate(zip(ever.indptr[:-1].tolist(), ever.indptr[1:].tolist(), strict=True)):
        assets = ever.indices[start:end]
        hidden.append(user * n + assets[~_kept(assets[np.argsort(rank[assets])], tied, holders, assets)])
    return np.sort(np.concatenate(hidden).astype(np.int64)) if hidden else np.zeros(0, np.int64)


def _kept(by_holders: npt.NDArray[np.int32], tied: Mask, holders: IntArray, assets: npt.NDArray[np.int32]) -> Mask:
    """Which of `assets` stay: greedily, those tied to all that stay before them."""
    kept: list[int] = []
    for asset in by_holders.tolist():
        if holders[asset] and tied[asset, kept].all():
            kept.append(asset)
    return np.isin(assets, kept)
