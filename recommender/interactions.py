"""`Interactions`: who holds and held what, as matrices over a snapshot's investors and assets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from kg.graph import IntArray, KnowledgeGraph, to_days
from kg.schema import RELATION_CODE, Relation


@dataclass(frozen=True)
class Interactions:
    """The positions of a snapshot.

    Investor i is `graph.users[i]`, asset j is `graph.assets[j]`; both orders are the snapshot's own.
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
    def since(self) -> npt.NDArray[np.int32]:
        """Days since 1970 on which each pair of `ever` was first known, in the order of `ever`'s entries."""
        edges = self.graph.edges
        codes = [RELATION_CODE[Relation.HOLDS], RELATION_CODE[Relation.HELD]]
        at = np.flatnonzero(np.isin(edges.relation, codes))
        key = self._key(at)
        order = np.lexsort((edges.as_of[at], key))
        first = np.ones(len(order), bool)
        first[1:] = key[order][1:] != key[order][:-1]
        oldest = order[first]
        rows = np.searchsorted(key[oldest], np.sort(self._key(self._pairs)))
        return edges.as_of[at][oldest][rows]

    def bought_since(self, days: int) -> npt.NDArray[np.float64]:
        """(assets,) how many investors first bought each asset in the last `days` days of the snapshot."""
        recent = self.since > to_days(self.graph.as_of) - days
        return np.bincount(self.ever.indices[recent], minlength=self.shape[1]).astype(np.float64)

    @cached_property
    def listed(self) -> npt.NDArray[np.float64]:
        """(assets,) days since each asset was listed, on the snapshot's date; NaN where that is unknown."""
        from kg.graph import NO_DAY

        day = self.graph.nodes.listed[self.graph.assets]
        return np.where(day == NO_DAY, np.nan, to_days(self.graph.as_of) - day.astype(np.float64))

    @cached_property
    def _pairs(self) -> IntArray:
        both = (self.graph.edges_between(Relation.HOLDS), self.graph.edges_between(Relation.HELD))
        return np.concatenate(both)

    def _key(self, at: IntArray) -> IntArray:
        """One number per (investor, asset), in the order of a sorted matrix's entries."""
        edges, (_, n_assets) = self.graph.edges, self.shape
        user = edges.head[at].astype(np.int64) - (self.graph.users[0] if len(self.graph.users) else 0)
        asset = edges.tail[at].astype(np.int64) - (self.graph.assets[0] if n_assets else 0)
        return user * n_assets + asset

    def _matrix(self, at: IntArray) -> sp.csr_array:
        key = np.unique(self._key(at))
        rows, columns = np.divmod(key, max(self.shape[1], 1))
        return sp.csr_array((np.ones(len(key)), (rows, columns)), shape=self.shape)
