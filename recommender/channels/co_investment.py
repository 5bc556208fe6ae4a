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
from pathfolio.recommender.groups import Groups
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
        """Over a snapshot."""
        return cls(inputs.graph, inputs.groups, inputs.ease_weights, inputs.demand.factor)

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
        others = others_with_both(self.groups, investor, asset)
        user = investor.first_row
        walks = []
        figures = zip(investor.positions(self.graph), parts.tolist(), others.tolist(), strict=True)
        for (first, position), part, count in figures:
            if part:
                steps = (position, HOLDS_OR_HELD, HOLDS_OR_HELD)
                walks.append(Walk((user, first, OTHER_INVESTORS, target), steps, part, count))
        return (ChannelAccount(CO_INVESTMENT, float(parts.sum()), tuple(walks), 0.0),)


def others_with_both(groups: Groups, investor: InvestorRows, asset: Position) -> IntArray:
    """(holdings,) how many others hold or held each of the investor's holdings and the asset at position `asset`."""
    together = groups.together
    first, last = together.indptr[asset : asset + 2]
    row = np.zeros(together.shape[1], together.dtype)
    row[together.indices[first:last]] = together.data[first:last]
    counts = row[investor.holdings]
    if investor.first_row < 0:
        return counts
    own = groups.interactions.graph.user_span.position(investor.first_row)
    return counts - _both(groups.interactions.ever, own, asset, investor.holdings)


def _both(held: sp.csr_array, user: Position, asset: Position, holdings: Positions) -> IntArray:
    """(holdings,) 1 where the investor has the asset and the holding; 0 throughout without the asset."""
    own = held.indices[held.indptr[user] : held.indptr[user + 1]]
    return np.isin(holdings, own).astype(np.int64) if asset in own else np.zeros(len(holdings), np.int64)
