"""Investors as tasks: their first positions are the support, what they bought later is the query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.span import Positions
from pathfolio.recommender.baselines.align import find
from pathfolio.recommender.baselines.meta.assets import AssetTable
from pathfolio.recommender.interactions import Interactions

WINDOW_DAYS: Final = 182
SUPPORT: Final = 5
"""First positions that a learner adapts to; the mean of vectors is of all."""

_WINDOWS: Final = 2


@dataclass(frozen=True)
class TaskArrays:
    """b investors over n assets.

    Attributes:
        total: (b, d) sum of the vectors of all that they have or had.
        count: (b,) how many assets that is.
        support: (b, 5) the first of these, padded with 0.
        given: (b, 5) 1 where the support is no padding.
        had: (b, n) bool: what they have or had.
        bought: (b, n) bool: the query; all False where it is to be found.
    """

    total: FloatArray
    count: FloatArray
    support: IntArray
    given: FloatArray
    had: Mask
    bought: Mask


@dataclass(frozen=True)
class Lesson:
    """The tasks of one window before the cut.

    Attributes:
        assets: as they were known when the window began.
        first: (investors, 5) positions of each one's first assets, -1 for none.
        known: (investors, n) what each had then; `bought` what was new within the window.
    """

    assets: AssetTable
    first: Positions
    known: sp.csr_array
    bought: sp.csr_array

    def of(self, users: Positions) -> TaskArrays:
        """The tasks of some investors."""
        known = self.known[users]
        first = self.first[users]
        return TaskArrays(
            np.asarray(known @ self.assets.vectors, np.float64),
            np.diff(known.indptr).astype(np.float64),
            np.maximum(first, 0),
            (first >= 0).astype(np.float64),
            known.toarray() > 0,
            self.bought[users].toarray() > 0,
        )

    @property
    def buyers(self) -> Positions:
        """Who has a query."""
        return Positions(np.flatnonzero(np.diff(self.bought.indptr)).astype(np.int64))


def lessons(graph: KnowledgeGraph, basis: AssetTable) -> list[Lesson]:
    """The last half years before the snapshot's date, the latest first, each told from what was known before it.

    Where no positions are known so early, what each investor came to last is the query instead.
    """
    made: list[Lesson] = []
    later = graph
    for _ in range(_WINDOWS):
        earlier = later.at(later.as_of - timedelta(days=WINDOW_DAYS))
        before, after = Interactions(earlier), Interactions(later)
        if not 0 < before.ever.nnz < after.ever.nnz:
            break
        made.append(_lesson(AssetTable.of(earlier, basis), before, after))
        later = earlier
    return made or [_last_held_out(graph, basis)]


def _lesson(assets: AssetTable, before: Interactions, after: Interactions) -> Lesson:
    """Over all investors of `after`, so that who began within the window is a task without support."""
    user = find(after.graph.user_ids, before.graph.user_ids)
    asset = find(before.graph.asset_ids, after.graph.asset_ids)
    known = _rows(before.ever, user)
    bought = sp.csr_array(after.ever[:, asset] - known)
    bought.data = np.maximum(bought.data, 0.0)
    return _told(assets, _rows_first(before, user), known, bought)


def _last_held_out(graph: KnowledgeGraph, basis: AssetTable) -> Lesson:
    """The last third of each investor's assets, and all of who has one, are the query."""
    positions = Interactions(graph)
    ever = positions.ever
    size = np.diff(ever.indptr)
    order, place = _by_age(positions)
    late = np.zeros(ever.nnz, bool)
    late[order] = place >= size.repeat(size) - np.ceil(size / 3).astype(np.int64).repeat(size)
    known, bought = ever.copy(), ever.copy()
    known.data, bought.data = (~late) * 1.0, late * 1.0
    known.eliminate_zeros()
    first = first_positions(positions)
    early = np.arange(SUPPORT)[None, :] < np.diff(known.indptr)[:, None]
    return _told(basis, Positions(np.where(early, first, -1)), known, bought)


def _told(assets: AssetTable, first: Positions, known: sp.csr_array, bought: sp.csr_array) -> Lesson:
    """Only what somebody had when the window began can be learned to be found."""
    query = sp.csr_array(bought.multiply(assets.candidates[None, :] * 1.0))
    query.eliminate_zeros()
    return Lesson(assets, first, known, query)


def first_positions(positions: Interactions) -> Positions:
    """(investors, 5) the assets that each investor had first, the oldest first, -1 for none."""
    ever = positions.ever
    order, place = _by_age(positions)
    owner = np.repeat(np.arange(ever.shape[0]), np.diff(ever.indptr))[order]
    early = place < SUPPORT
    first = np.full((ever.shape[0], SUPPORT), -1, np.int64)
    first[owner[early], place[early]] = ever.indices[order][early]
    return Positions(first)


def _by_age(positions: Interactions) -> tuple[IntArray, IntArray]:
    """The order of `ever`'s entries by investor and then from the oldest on, and the place of each within its own."""
    ever = positions.ever
    size = np.diff(ever.indptr)
    owner = np.repeat(np.arange(len(size)), size)
    order = np.lexsort((positions.since, owner))
    return order, np.arange(ever.nnz) - np.repeat(ever.indptr[:-1], size)


def _rows(matrix: sp.csr_array, at: IntArray) -> sp.csr_array:
    """The rows `at`, empty ones for -1."""
    some = np.flatnonzero(at >= 0)
    pick = sp.csr_array((np.ones(len(some)), (some, at[some])), shape=(len(at), matrix.shape[0]))
    return sp.csr_array(pick @ matrix)


def _rows_first(positions: Interactions, at: IntArray) -> Positions:
    first = first_positions(positions)
    return Positions(np.where((at >= 0)[:, None], first[at], -1))


def batches(made: list[Lesson], size: int, steps: int, seed: int) -> Iterator[tuple[int, TaskArrays]]:
    """Number of the lesson and a batch of its tasks, `steps` times, lessons in turn by how many buyers they have."""
    rng = np.random.default_rng(seed)
    share = np.array([len(lesson.buyers) for lesson in made], np.float64)
    for _ in range(steps):
        number = int(rng.choice(len(made), p=share / share.sum()))
        buyers = made[number].buyers
        yield number, made[number].of(Positions(np.sort(rng.choice(buyers, min(size, len(buyers)), replace=False))))
