"""`EarlyBuyers`: which investors have bought assets soon after their listing."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import NO_DAY, IntArray, Mask
from pathfolio.kg.span import Position, Row
from pathfolio.recommender.groups import SMALLEST_GROUP, Groups
from pathfolio.recommender.new_issues import NEW_ISSUE_DAYS


class EarlyBuyers:
    """Counts of early purchases in one snapshot: known at most `NEW_ISSUE_DAYS` days after the asset's listing."""

    def __init__(self, groups: Groups) -> None:
        """Count nothing yet."""
        self._groups = groups
        self._interactions = groups.interactions
        self._graph = groups.interactions.graph

    def of(self, user: Row, other_than: Row) -> int:
        """How many assets other than `other_than` the investor at row `user` bought early.

        0 for an investor whom the graph does not have (a row below 0).
        """
        if user < 0:
            return 0
        at = self._graph.user_span.position(user)
        asset = self._graph.asset_span.position(other_than)
        return int(self._purchases[at] - self._early[at, asset])

    def among_holders(self, asset: Row, user: Row) -> int | None:
        """How many investors other than `user` hold or held the asset at row `asset` and bought another one early.

        None where the group, or the rest of the holders that it could be subtracted from, is too small to be told.
        """
        column = self._graph.asset_span.position(asset)
        own = self._graph.user_span.position(user)
        if not self._groups.by_calendar:
            return self._at_once(column, own)
        early = int(self._early_holders[column])
        rest = int(self._groups.holders[column]) - early
        return early - int(self._is_early_holder(own, column)) if early and rest > SMALLEST_GROUP else None

    def _at_once(self, column: Position, own: Position) -> int | None:
        """Of those who hold it now, as builds told before counts waited for the calendar."""
        holders = np.flatnonzero(self._interactions.held[:, [column]].toarray().ravel())
        early = holders[self._purchases[holders] > self._early[:, [column]].toarray().ravel()[holders]]
        rest = len(holders) - len(early)
        count = len(early) - int(own in early)
        return count if count >= SMALLEST_GROUP and rest > SMALLEST_GROUP else None

    def _is_early_holder(self, user: Position, asset: Position) -> bool:
        has = bool(self._interactions.ever[user, asset])
        return has and bool(self._purchases[user] > self._early[user, asset])

    @cached_property
    def _early_holders(self) -> IntArray:
        """(assets,) investors who hold or held each asset and bought another one early, as they are told; each is
        known to be one from the first such purchase on."""
        ever, seen = self._interactions.ever, self._interactions.seen
        user = np.repeat(np.arange(ever.shape[0]), np.diff(ever.indptr))
        order = np.lexsort((seen, user))
        order = order[self._is_early[order]]
        begins = np.flatnonzero(np.diff(user[order], prepend=-1))
        turn = np.arange(len(order)) - np.repeat(begins, np.diff(begins, append=len(order)))
        first, second = (np.full(ever.shape[0], -1) for _ in range(2))
        first[user[order[turn == 0]]] = order[turn == 0]
        second[user[order[turn == 1]]] = order[turn == 1]
        other = np.where(first[user] == np.arange(len(user)), second[user], first[user])
        has = np.flatnonzero(other >= 0)
        day = np.maximum(seen[has], seen[other[has]])
        return self._groups.told_counts(ever.indices[has].astype(np.int64), day, ever.shape[1])

    @cached_property
    def _is_early(self) -> Mask:
        """(pairs,) bool: whether each pair of `Interactions.ever` was bought early."""
        ever = self._interactions.ever
        listed = self._graph.nodes.listed[self._graph.assets]
        age = self._interactions.since.astype(np.int64) - listed.astype(np.int64)[ever.indices]
        known = listed[ever.indices] != NO_DAY
        return np.asarray(known & (age >= 0) & (age <= NEW_ISSUE_DAYS))

    @cached_property
    def _early(self) -> sp.csr_array:
        """(investors, assets) 1 where the asset was bought early."""
        ever = self._interactions.ever
        return sp.csr_array((self._is_early.astype(np.int64), ever.indices, ever.indptr), ever.shape)

    @cached_property
    def _purchases(self) -> IntArray:
        """(investors,) how many assets each bought early."""
        return np.asarray(self._early.sum(axis=1), np.int64)
