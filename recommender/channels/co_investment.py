"""Co-investment: what those who hold an investor's assets also hold, weighed by EASE."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from kg.graph import FloatArray, IntArray, KnowledgeGraph
from kg.schema import Relation
from recommender.account import OTHER_INVESTORS, ChannelAccount, Walk
from recommender.channels.base import Investors
from recommender.interactions import Interactions

CO_INVESTMENT = "co_investment"

_MEMO_COUNTS: Final = 2**24
"""So many counts of co-holders are remembered, of either sort."""


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
        """One walk per asset that others hold or held together with the target; the rest of B is the remainder."""
        holdings, target = investor.holdings, int(self.graph.assets[asset])
        parts = self.weights[holdings, asset].astype(np.float64) * self.factor[asset]
        now, ever = self._co_holders(investor, asset)
        user, walks, rest = int(investor.row[0]), [], 0.0
        figures = zip(investor.positions(self.graph), parts.tolist(), now.tolist(), ever.tolist(), strict=True)
        for (first, position), part, count, count_ever in figures:
            if not part:
                continue
            if not count_ever:
                rest += part
                continue
            steps = (position, Relation.HOLDS, Relation.HOLDS)
            walks.append(Walk((user, first, OTHER_INVESTORS, target), steps, part, count, count_ever))
        return (ChannelAccount(CO_INVESTMENT, float(parts.sum()), tuple(walks), rest),)

    def _co_holders(self, investor: Investors, asset: int) -> tuple[IntArray, IntArray]:
        """(holdings,) how many others hold each holding and the target now, and how many hold or held both."""
        found = self._together.get(asset)
        if found is None:
            if len(self._together) * self.held.shape[1] > _MEMO_COUNTS:
                self._together.clear()
            found = self._together[asset] = (_together(self.held, asset), _together(self._ever, asset))
        now, ever = (counts[investor.holdings] for counts in found)
        if investor.row[0] >= 0:
            own = int(investor.row[0] - self.graph.users[0])
            now, ever = (
                count - _both(matrix, own, asset, investor.holdings)
                for count, matrix in ((now, self.held), (ever, self._ever))
            )
        return now, ever

    @cached_property
    def _together(self) -> dict[int, tuple[IntArray, IntArray]]:
        return {}

    @cached_property
    def _ever(self) -> sp.csr_array:
        return Interactions(self.graph).ever


def _together(held: sp.csr_array, asset: int) -> IntArray:
    """(assets,) how many investors have each asset and `asset`."""
    holders = np.flatnonzero(held.indices == asset)
    users = np.searchsorted(held.indptr, holders, side="right") - 1
    return np.bincount(held[users].indices, minlength=held.shape[1])


def _both(held: sp.csr_array, user: int, asset: int, holdings: IntArray) -> IntArray:
    """(holdings,) 1 where the investor has the asset and the holding; 0 throughout without the asset."""
    own = held.indices[held.indptr[user] : held.indptr[user + 1]]
    return np.isin(holdings, own).astype(np.int64) if asset in own else np.zeros(len(holdings), np.int64)


def ease_weights(ever: sp.csr_array, regularisation: float = 200.0, dropout: float = 0.0) -> npt.NDArray[np.float32]:
    """(assets, assets) float32: `ease` as it is served and stored."""
    return ease(ever, regularisation, dropout).astype(np.float32)


def ease(ever: sp.csr_array, regularisation: float = 200.0, dropout: float = 0.0) -> FloatArray:
    """(assets, assets) float64: EASE's item-to-item weights B, with zero diagonal.

    P = (X^T X + D)^-1 and B = -P / diag(P), with D = lambda I + p / (1 - p) diag(X^T X): EASE for p = 0 (Steck,
    "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, eq. 8), else the limit of training it with
    inputs dropped out at the rate p (Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020).
    Assets that nobody held have no weight; with fewer investors than assets P comes from the investors' side by
    Woodbury's identity.

    Args:
        ever: (investors, assets) csr of 0 and 1.
        regularisation: lambda.
        dropout: p, from 0 to below 1.
    """
    holders = np.bincount(ever.indices, minlength=ever.shape[1])
    seen = np.flatnonzero(holders)
    x = sp.csr_array(ever[:, seen])
    ridge = regularisation + dropout / (1 - dropout) * holders[seen]
    if x.shape[0] < x.shape[1]:
        dense = x.toarray()
        scaled = dense / ridge
        inner = np.linalg.inv(scaled @ dense.T + np.eye(x.shape[0]))
        p = np.diag(1 / ridge) - scaled.T @ inner @ scaled
    else:
        p = np.linalg.inv((x.T @ x).toarray() + np.diag(ridge))
    b = -p / np.diag(p)[None, :]
    np.fill_diagonal(b, 0.0)
    weights = np.zeros((ever.shape[1], ever.shape[1]))
    weights[np.ix_(seen, seen)] = b
    return weights
