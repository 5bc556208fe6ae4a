"""Look-through: what the investor holds and what a fund holds, in both directions and between two funds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import Relation
from pathfolio.recommender.account import ChannelAccount, Walk
from pathfolio.recommender.channels.base import Investors, common_columns, meeting

FUND_HOLDINGS: Final = "fund_holdings"


@dataclass(frozen=True)
class FundHoldings:
    """score(u, a) = pull(a) / sqrt(n_u) * sum over u's assets h and assets s of y(h, s) y(a, s).

    A fund's row of y holds its weights scaled to unit length, a stock's or bond's a 1 for itself; so the walks are
    investor - stock - fund that holds it, investor - fund - stock in it, and investor - fund - stock - fund.
    """

    graph: KnowledgeGraph
    y: sp.csr_array
    pull: FloatArray

    @property
    def scaled(self) -> bool:
        """Overlap is averaged over holdings, by the square root of their number."""
        return True

    def kernel(self) -> FloatArray:
        """(assets, assets) float64; an asset does not speak for itself."""
        overlap = (self.y @ self.y.T).toarray()
        np.fill_diagonal(overlap, 0.0)
        return np.asarray(overlap, dtype=np.float64) * self.pull

    def reach(self) -> Mask:
        """(assets, assets) bool: which assets have a holding in common, or one holds the other."""
        return np.asarray(meeting(self.y) & (self.pull != 0))

    def account(self, investor: Investors, asset: int) -> tuple[ChannelAccount, ...]:
        """Every part lies on a walk through INVESTS_IN."""
        if not self.pull[asset]:
            return ()
        owner, inner, overlap = common_columns(self.y, investor.holdings, asset)
        parts = overlap * (self.pull[asset] * investor.scale[0, 0])
        user, target, walks = int(investor.row[0]), int(self.graph.assets[asset]), []
        rows, held = self.graph.assets[inner].tolist(), investor.positions(self.graph)
        for own, row, part in zip(owner.tolist(), rows, parts.tolist(), strict=True):
            first, position = held[own]
            between = () if row in (first, target) else (row,)
            steps = (Relation.INVESTS_IN,) * (1 + len(between))
            walks.append(Walk((user, first, *between, target), (position, *steps), part))
        value = sum(walk.contribution for walk in walks)
        return (ChannelAccount(FUND_HOLDINGS, value, tuple(walks), 0.0),) if walks else ()


def holdings_matrix(graph: KnowledgeGraph) -> sp.csr_array:
    """(assets, assets) float64 csr: rows of unit length, a fund's weights or a 1 for an asset itself.

    A holding without a weight counts like the fund's average one.
    """
    first, n = int(graph.assets[0]) if len(graph.assets) else 0, len(graph.assets)
    at = graph.edges_between(Relation.INVESTS_IN)
    fund, asset, weight = graph.edges.head[at] - first, graph.edges.tail[at] - first, graph.edges.weight[at]
    known = ~np.isnan(weight)
    sums, counts = (np.bincount(fund[known], weights=w, minlength=n) for w in (weight[known], None))
    weight = np.where(known, weight, (sums / np.maximum(counts, 1))[fund])
    weight = np.where(weight > 0, weight, 1e-6)
    itself = np.setdiff1d(np.arange(n), fund)
    rows, columns = np.concatenate([fund, itself]), np.concatenate([asset, itself])
    y = sp.csr_array((np.concatenate([weight, np.ones(len(itself))]), (rows, columns)), shape=(n, n))
    y.sort_indices()
    length = np.sqrt(np.asarray(y.multiply(y).sum(axis=1)).ravel())
    scaled = sp.csr_array(sp.diags_array(1.0 / np.maximum(length, 1e-12)) @ y)
    scaled.sort_indices()
    return scaled
