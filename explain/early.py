"""`EarlyBuyers`: which investors have bought assets soon after their listing."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import NO_DAY, IntArray, KnowledgeGraph
from pathfolio.kg.span import Row
from pathfolio.recommender.demand import NEW_ISSUE_DAYS
from pathfolio.recommender.groups import SMALLEST_GROUP
from pathfolio.recommender.interactions import Interactions


class EarlyBuyers:
    """Counts of early purchases in one snapshot: known at most `NEW_ISSUE_DAYS` days after the asset's listing."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        """Count nothing yet."""
        self.graph = graph
        self._interactions = Interactions(graph)

    def of(self, user: Row, other_than: Row) -> int:
        """How many assets other than `other_than` the investor at row `user` bought early.

        0 for an investor whom the graph does not have (a row below 0).
        """
        if user < 0:
            return 0
        at = self.graph.user_span.position(user)
        asset = self.graph.asset_span.position(other_than)
        return int(self._purchases[at] - self._early[at, asset])

    def among_holders(self, asset: Row, user: Row) -> int | None:
        """How many investors other than `user` hold the asset at row `asset` and bought another one early.

        None where the group, or the rest of the holders that it could be subtracted from, is too small to be told.
        """
        column = self.graph.asset_span.position(asset)
        own = self.graph.user_span.position(user)
        holders = np.flatnonzero(self._interactions.held[:, [column]].toarray().ravel())
        early = holders[self._purchases[holders] > self._early[:, [column]].toarray().ravel()[holders]]
        rest = len(holders) - len(early)
        count = len(early) - int(own in early)
        return count if count >= SMALLEST_GROUP and rest > SMALLEST_GROUP else None

    @cached_property
    def _early(self) -> sp.csr_array:
        """(investors, assets) 1 where the asset was bought early."""
        ever = self._interactions.ever
        listed = self.graph.nodes.listed[self.graph.assets]
        age = self._interactions.since.astype(np.int64) - listed.astype(np.int64)[ever.indices]
        known = listed[ever.indices] != NO_DAY
        data = (known & (age >= 0) & (age <= NEW_ISSUE_DAYS)).astype(np.int64)
        return sp.csr_array((data, ever.indices, ever.indptr), ever.shape)

    @cached_property
    def _purchases(self) -> IntArray:
        """(investors,) how many assets each bought early."""
        return np.asarray(self._early.sum(axis=1), np.int64)
