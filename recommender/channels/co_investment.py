"""Co-investment: what those who hold an investor's assets also hold, weighed by EASE."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from kg.graph import FloatArray, KnowledgeGraph
from kg.schema import Relation
from recommender.account import OTHER_INVESTORS, ChannelAccount, Walk
from recommender.channels.base import Investors, position_relation

CO_INVESTMENT = "co_investment"


@dataclass(frozen=True)
class CoInvestment:
    """score(u, a) = factor(a) * sum over u's assets h of weight(h, a).

    Attributes:
        graph: the snapshot.
        held: (investors, assets) csr of current positions, for the counts that stand beside the weights.
        weights: (assets, assets) float32, EASE's B: row h, column a; zero diagonal.
        factor: (assets,) float64, of the target asset alone, so the sum over holdings stays exact.
    """

    graph: KnowledgeGraph
    held: sp.csr_array
    weights: npt.NDArray[np.float32]
    factor: FloatArray

    @property
    def scaled(self) -> bool:
        """EASE's sum over holdings is taken as it is."""
        return False

    def kernel(self) -> FloatArray:
        """(assets, assets) float64: B with its columns multiplied by the factor."""
        return self.weights.astype(np.float64) * self.factor

    def account(self, investor: Investors, asset: int) -> tuple[ChannelAccount, ...]:
        """One walk per asset that others hold together with the target; the rest of B is the remainder."""
        holdings = investor.ever.indices[investor.ever.indptr[0] : investor.ever.indptr[1]]
        parts = self.weights[holdings, asset].astype(np.float64) * self.factor[asset]
        counts = self._co_holders(int(investor.row[0]), asset)[holdings]
        on_walk = (counts > 0) & (parts != 0)
        walks = tuple(
            self._walk(int(investor.row[0]), int(h), asset, float(part), int(count))
            for h, part, count in zip(holdings[on_walk], parts[on_walk], counts[on_walk], strict=True)
        )
        return (ChannelAccount(CO_INVESTMENT, float(parts.sum()), walks, float(parts[~on_walk].sum())),)

    def _walk(self, user: int, held: int, asset: int, part: float, count: int) -> Walk:
        first, target = int(self.graph.assets[held]), int(self.graph.assets[asset])
        relations = (position_relation(self.graph, user, first), Relation.HOLDS, Relation.HOLDS)
        return Walk((user, first, OTHER_INVESTORS, target), relations, part, count)

    def _co_holders(self, user: int, asset: int) -> npt.NDArray[np.int64]:
        """(assets,) how many other investors hold each asset and the target together, now."""
        holders = self._by_asset.indices[self._by_asset.indptr[asset] : self._by_asset.indptr[asset + 1]]
        if user >= 0:
            holders = holders[holders != user - self.graph.users[0]]
        together = self.held[holders]
        return np.bincount(together.indices, minlength=self.held.shape[1])

    @cached_property
    def _by_asset(self) -> sp.csc_array:
        return sp.csc_array(self.held)


def ease_weights(ever: sp.csr_array, regularisation: float = 200.0) -> npt.NDArray[np.float32]:
    """(assets, assets) float32: EASE's item-to-item weights B, with zero diagonal.

    P = (X^T X + lambda I)^-1 and B = -P / diag(P) (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data",
    WWW 2019, eq. 8). Assets that nobody held have no weight; with fewer investors than assets P comes from the
    investors' side by Woodbury's identity.

    Args:
        ever: (investors, assets) csr of 0 and 1.
        regularisation: lambda.
    """
    seen = np.flatnonzero(np.bincount(ever.indices, minlength=ever.shape[1]))
    x = sp.csr_array(ever[:, seen])
    if x.shape[0] < x.shape[1]:
        dense = x.toarray()
        inner = np.linalg.inv(dense @ dense.T + regularisation * np.eye(x.shape[0]))
        p = (np.eye(x.shape[1]) - dense.T @ inner @ dense) / regularisation
    else:
        p = np.linalg.inv((x.T @ x).toarray() + regularisation * np.eye(x.shape[1]))
    b = -p / np.diag(p)[None, :]
    np.fill_diagonal(b, 0.0)
    weights = np.zeros((ever.shape[1], ever.shape[1]), np.float32)
    weights[np.ix_(seen, seen)] = b
    return weights
