"""`Interactions`: who holds and held what, as matrices over a snapshot's investors and assets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pathfolio.kg.graph import NO_DAY, FloatArray, IntArray, KnowledgeGraph, Mask, to_days
from pathfolio.kg.schema import POSITION_CODES, PROFILE_RELATIONS, RELATION_CODE, Relation
from pathfolio.kg.span import Positions, Rows


@dataclass(frozen=True)
class Interactions:
    """The positions and profiles of a snapshot.

    Investors and assets go by position.
    """

    graph: KnowledgeGraph

    @property
    def shape(self) -> tuple[int, int]:
        """(number of investors, number of assets)."""
        return len(self.graph.users), len(self.graph.assets)

    @cached_property
    def held(self) -> sp.csr_array:
        """(investors, assets) float64: 1 where the asset is held now."""
        return self._matrix(self.graph.edges_between(Relation.HOLDS))

    @cached_property
    def ever(self) -> sp.csr_array:
        """(investors, assets) float64: 1 where the asset is held now or was before."""
        return self._matrix(self._pairs)

    @cached_property
    def profile(self) -> sp.csr_array:
        """(investors, nodes) float64: 1 where the investor has the profile node (risk level, objective, …)."""
        at = np.concatenate([self.graph.edges_between(relation) for relation in PROFILE_RELATIONS])
        rows = self.graph.user_span.position(self.graph.edges.head[at])
        return sp.csr_array((np.ones(len(at)), (rows, self.graph.edges.tail[at])), (self.shape[0], len(self.graph)))

    @cached_property
    def answered(self) -> tuple[Positions, Rows, IntArray]:
        """Which profile node each investor has or had: positions, rows, and days since 1970 from which on snapshots
        have it, all (m,) int64."""
        edges = self.graph.edges
        at = np.flatnonzero(np.isin(edges.relation, [RELATION_CODE[relation] for relation in PROFILE_RELATIONS]))
        user = self.graph.user_span.position(Rows(edges.head[at].astype(np.int64)))
        seen = np.maximum(edges.as_of[at], edges.known_at[at]).astype(np.int64)
        order = np.lexsort((seen, edges.tail[at], user))
        first = np.flatnonzero(np.diff(user[order] * len(self.graph) + edges.tail[at][order], prepend=-1))
        at, user, seen = at[order[first]], Positions(user[order[first]]), seen[order[first]]
        return user, Rows(edges.tail[at].astype(np.int64)), seen

    @cached_property
    def since(self) -> npt.NDArray[np.int32]:
        """Days since 1970 on which each pair of `ever` was first known, in the order of `ever`'s entries."""
        return self.graph.edges.as_of[self._first_versions]

    @cached_property
    def seen(self) -> IntArray:
        """Days since 1970 from which on snapshots have each pair of `ever`, in the order of `ever`'s entries."""
        at, key = self._versions
        day = np.maximum(self.graph.edges.as_of[at], self.graph.edges.known_at[at]).astype(np.int64)
        first = np.flatnonzero(np.diff(key, prepend=-1))
        return np.minimum.reduceat(day, first) if len(first) else day

    @cached_property
    def dated(self) -> Mask:
        """Whether each pair of `ever` was first known by a transaction, which tells its day; in the same order."""
        return np.asarray(self.graph.edges.qualifier[self._first_versions] != "statement")

    @cached_property
    def opening(self) -> Mask:
        """Whether each pair of `ever` was first known by the very first statement, so that it was bought at any time
        before; in the same order."""
        return np.asarray(~self.dated & np.isneginf(self._statement_before(self.since.astype(np.float64))))

    def bought_within(self, days: int) -> FloatArray:
        """(assets,) how many investors first bought each asset in the last `days` days of the snapshot.

        A pair that a statement dates was bought at some time since the statement before it, and counts by the
        share of that time which lies in the window; one in the very first statement is old.
        """
        share = self._share_within(days)
        return np.bincount(self.ever.indices, weights=share, minlength=self.shape[1]).astype(np.float64)

    def buyers_within(self, days: int) -> IntArray:
        """(assets,) how many investors are counted in `bought_within`, be it by a share."""
        return np.bincount(self.ever.indices[self._share_within(days) > 0], minlength=self.shape[1])

    def _share_within(self, days: int) -> FloatArray:
        """For each pair of `ever` the share of the time in which it was bought that lies in the last `days` days."""
        end = to_days(self.graph.as_of)
        until = self.since.astype(np.float64)
        start = np.where(self.dated, until - 1, self._statement_before(until))
        overlap = np.clip(np.minimum(until, end) - np.maximum(start, end - days), 0, None)
        return np.asarray(overlap / (until - start))

    @cached_property
    def holders(self) -> FloatArray:
        """(assets,) how many investors hold or held each asset."""
        return np.bincount(self.ever.indices, minlength=self.shape[1]).astype(np.float64)

    @cached_property
    def days_listed(self) -> FloatArray:
        """(assets,) days since each asset was listed, on the snapshot's date; NaN where that is unknown."""
        day = self.graph.nodes.listed[self.graph.assets]
        return np.where(day == NO_DAY, np.nan, to_days(self.graph.as_of) - day.astype(np.float64))

    # ----------------------------------------------------------------------------------------------------------

    @cached_property
    def _pairs(self) -> IntArray:
        both = (self.graph.edges_between(Relation.HOLDS), self.graph.edges_between(Relation.HELD))
        return np.concatenate(both)

    @cached_property
    def _first_versions(self) -> IntArray:
        """Position of the oldest version of each pair of `ever`, in the order of `ever`'s entries."""
        at, key = self._versions
        return at[np.flatnonzero(np.diff(key, prepend=-1))]

    @cached_property
    def _versions(self) -> tuple[IntArray, IntArray]:
        """Positions of all versions of positions, and their keys, by key and then from the oldest on."""
        at = np.flatnonzero(np.isin(self.graph.edges.relation, POSITION_CODES))
        key = self.keys(at)
        order = np.lexsort((self.graph.edges.as_of[at], key))
        return at[order], key[order]

    def statements_around(self, day: FloatArray) -> tuple[FloatArray, FloatArray]:
        """For each day the date of any statement that is nearest to it, the later of two, and the one before that,
        minus infinity where there is none: the earlier one comes first."""
        dates = self._statement_dates
        nearest = np.searchsorted((dates[1:] + dates[:-1]) / 2, day, "right")
        return np.concatenate([[-np.inf], dates])[nearest], dates[nearest]

    def _statement_before(self, until: FloatArray) -> FloatArray:
        """For each day the latest earlier date of any statement; minus infinity where there is none."""
        dates = self._statement_dates
        return np.concatenate([[-np.inf], dates])[np.searchsorted(dates, until)]

    @cached_property
    def _statement_dates(self) -> FloatArray:
        edges = self.graph.edges
        low, high = np.searchsorted(edges.relation, [0, RELATION_CODE[Relation.HELD] + 1])
        return np.unique(edges.as_of[low:high][edges.qualifier[low:high] == "statement"]).astype(np.float64)

    def keys(self, at: IntArray) -> IntArray:
        """For positions of HOLDS and HELD among the edges: investor * assets + asset, both as positions."""
        user = self.graph.user_span.position(self.graph.edges.head[at])
        return user * self.shape[1] + self.graph.asset_span.position(self.graph.edges.tail[at])

    def _matrix(self, at: IntArray) -> sp.csr_array:
        key = np.unique(self.keys(at))
        rows, columns = np.divmod(key, max(self.shape[1], 1))
        return sp.csr_array((np.ones(len(key)), (rows, columns)), shape=self.shape)
