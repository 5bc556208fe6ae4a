"""Co-investment: what those who hold an investor's assets also hold, weighed by EASE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.account import HOLDS_OR_HELD, OTHER_INVESTORS, ChannelAccount, Walk
from pathfolio.recommender.channels.base import Family, HoldingChannel
from pathfolio.recommender.groups import SMALLEST_GROUP, Groups
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.score_inputs import ScoreInputs

CO_INVESTMENT: Final = "co_investment"


@dataclass(frozen=True)
class CoInvestment(HoldingChannel):
    """score(u, a) = factor(a) * sum over u's assets h of weight(h, a).

    Attributes:
        graph: the snapshot.
        groups: how many investors hold or held two assets, where they are enough to be told.
        weights: (assets, assets) float32, as from `ease_weights`: row h, column a; zero where `groups` tells nothing.
        factor: (assets,) float64, of the target asset alone, so the sum over holdings stays exact.
    """

    name: ClassVar[str] = CO_INVESTMENT
    names: ClassVar[tuple[str, ...]] = (CO_INVESTMENT,)
    family: ClassVar[Family] = Family.CO_INVESTMENT

    graph: KnowledgeGraph
    groups: Groups
    weights: npt.NDArray[np.float32]
    factor: FloatArray

    @classmethod
    def fit(cls, inputs: ScoreInputs) -> CoInvestment:
        """Over a snapshot; EASE's weights are computed where they are not known."""
        options = inputs.options
        weights = inputs.ease
        if weights is None:
            weights = ease_weights(inputs.groups, options.regularisation, options.dropout, options.untold)
        return cls(inputs.graph, inputs.groups, weights, inputs.demand.factor)

    @property
    def scaled(self) -> bool:
        """EASE's sum over holdings is taken as it is."""
        return False

    def kernel(self) -> FloatArray:
        """(assets, assets) float64: B with its columns multiplied by the factor."""
        return self.weights.astype(np.float64) * self.factor

    def reach(self) -> Mask:
        """(assets, assets) bool: where the weight is not 0."""
        return np.asarray(self.weights != 0)

    def account(self, investor: InvestorRows, asset: Position) -> tuple[ChannelAccount, ...]:
        """One walk per holding that others hold or held together with the target; every part lies on one."""
        holdings = investor.holdings
        target = self.graph.asset_span.row(asset)
        parts = self.weights[holdings, asset].astype(np.float64) * self.factor[asset]
        others = self._others(investor, asset)
        user = investor.first_row
        walks = []
        figures = zip(investor.positions(self.graph), parts.tolist(), others.tolist(), strict=True)
        for (first, position), part, count in figures:
            if part:
                steps = (position, HOLDS_OR_HELD, HOLDS_OR_HELD)
                walks.append(Walk((user, first, OTHER_INVESTORS, target), steps, part, count))
        return (ChannelAccount(CO_INVESTMENT, float(parts.sum()), tuple(walks), 0.0),)

    def _others(self, investor: InvestorRows, asset: Position) -> IntArray:
        """(holdings,) how many others hold or held each holding and the target."""
        together = self.groups.together
        first, last = together.indptr[asset : asset + 2]
        row = np.zeros(together.shape[1], together.dtype)
        row[together.indices[first:last]] = together.data[first:last]
        counts = row[investor.holdings]
        if investor.first_row < 0:
            return counts
        own = self.graph.user_span.position(investor.first_row)
        return counts - _both(self.groups.interactions.ever, own, asset, investor.holdings)


def _both(held: sp.csr_array, user: Position, asset: Position, holdings: Positions) -> IntArray:
    """(holdings,) 1 where the investor has the asset and the holding; 0 throughout without the asset."""
    own = held.indices[held.indptr[user] : held.indptr[user + 1]]
    return np.isin(holdings, own).astype(np.int64) if asset in own else np.zeros(len(holdings), np.int64)


def ease_weights(
    groups: Groups, regularisation: float = 200.0, dropout: float = 0.0, untold: float = 0.0
) -> npt.NDArray[np.float32]:
    """(assets, assets) float32: EASE's weights, served and stored, made of what `groups` tells and nothing else.

    X^T X is the table of `groups.together`. Where that tells nothing, because too few hold both, stands what chance
    would give those who hold either, which their numbers tell: a zero would say that nobody ever holds both, and where
    few investors hold many assets nearly all of X^T X is untold. Such pairs have no weight themselves, so that what
    co-investment adds lies on walks throughout.

    Args:
        untold: the share of that expected number which is taken.
    """
    together = groups.together
    holders = groups.holders
    seen = np.flatnonzero(holders)
    told = together[seen][:, seen].toarray()
    gram = told + np.diag(holders[seen])
    if untold:
        gram = np.where(gram > 0, gram, untold * _by_chance(holders[seen], groups.investors))
    b = ease_of_gram(gram, _ridge(holders[seen], regularisation, dropout))
    weights = np.zeros(together.shape, np.float32)
    weights[np.ix_(seen, seen)] = np.where(told > 0, b, 0.0)
    return weights


def _by_chance(holders: IntArray, investors: int) -> FloatArray:
    """(n, n) float64: how many of all investors would hold two assets if who holds one told nothing of the other; no
    more than a group that is too small to be told of."""
    expected = np.outer(holders, holders) / max(investors, 1)
    return np.minimum(expected, SMALLEST_GROUP)


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
    ridge = _ridge(holders[seen], regularisation, dropout)
    weights = np.zeros((ever.shape[1], ever.shape[1]))
    weights[np.ix_(seen, seen)] = _ease_of_few(x, ridge) if x.shape[0] < x.shape[1] else _ease(x, ridge)
    return weights


def _ease(x: sp.csr_array, ridge: FloatArray) -> FloatArray:
    return ease_of_gram((x.T @ x).toarray(), ridge)


def _ease_of_few(x: sp.csr_array, ridge: FloatArray) -> FloatArray:
    dense = x.toarray()
    scaled = dense / ridge
    inner = np.linalg.inv(scaled @ dense.T + np.eye(x.shape[0]))
    return _weights_of(np.diag(1 / ridge) - scaled.T @ inner @ scaled)


def ease_of_gram(gram: FloatArray, ridge: FloatArray) -> FloatArray:
    """(n, n) float64: B of a matrix (n, n) of how many hold two assets, and (n,) what is added to its diagonal."""
    return _weights_of(np.asarray(np.linalg.inv(gram + np.diag(ridge)), np.float64))


def _weights_of(p: FloatArray) -> FloatArray:
    b = -p / np.diag(p)[None, :]
    np.fill_diagonal(b, 0.0)
    return np.asarray(b)


def _ridge(holders: IntArray, regularisation: float, dropout: float) -> FloatArray:
    return np.asarray(regularisation + dropout / (1 - dropout) * holders)
