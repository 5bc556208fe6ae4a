"""Look-through: what the investor holds and what a fund holds, in both directions and between two funds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Position
from pathfolio.recommender.account import ChannelAccount, Walk
from pathfolio.recommender.channels.base import Family
from pathfolio.recommender.channels.common_nodes import CommonNodes
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.score_inputs import ScoreInputs

FUND_HOLDINGS: Final = "fund_holdings"


@dataclass(frozen=True)
class FundHoldings(CommonNodes):
    """Overlap of holdings, see `CommonNodes`.

    A fund's row of z holds its weights scaled to unit length, a stock's or bond's a 1 for itself; so the walks are
    investor - stock - fund that holds it, investor - fund - stock in it, and investor - fund - stock - fund.

    Attributes:
        z: (assets, assets) csr.
    """

    name: ClassVar[str] = FUND_HOLDINGS
    names: ClassVar[tuple[str, ...]] = (FUND_HOLDINGS,)
    family: ClassVar[Family] = Family.FUNDS

    @classmethod
    def fit(cls, inputs: ScoreInputs) -> FundHoldings:
        """Over a snapshot."""
        demand = inputs.demand
        return cls(inputs.graph, holdings_matrix(inputs.graph), inputs.options.funds * (demand.issue + demand.factor))

    def account(self, investor: InvestorRows, asset: Position) -> tuple[ChannelAccount, ...]:
        """Every part lies on a walk through INVESTS_IN."""
        user = investor.first_row
        target = self.graph.asset_span.row(asset)
        walks = []
        for met in self.meetings(investor, asset):
            row = self.graph.asset_span.row(Position(met.column))
            between = () if row in (met.held, target) else (row,)
            steps = (Relation.INVESTS_IN,) * (1 + len(between))
            walks.append(Walk((user, met.held, *between, target), (met.position, *steps), met.part))
        value = sum(walk.contribution for walk in walks)
        return (ChannelAccount(FUND_HOLDINGS, value, tuple(walks), 0.0),) if walks else ()


def holdings_matrix(graph: KnowledgeGraph) -> sp.csr_array:
    """(assets, assets) float64 csr: rows of unit length, a fund's weights or a 1 for an asset itself.

    A holding without a weight counts like the fund's average one.
    """
    n = len(graph.assets)
    at = graph.edges_between(Relation.INVESTS_IN)
    fund, asset = (graph.asset_span.position(end[at]) for end in (graph.edges.head, graph.edges.tail))
    weight = graph.edges.weight[at]
    known = ~np.isnan(weight)
    sums, counts = (np.bincount(fund[known], weights=w, minlength=n) for w in (weight[known], None))
    weight = np.where(known, weight, (sums / np.maximum(counts, 1))[fund])
    weight = np.where(weight > 0, weight, 1e-6)
    itself = np.setdiff1d(np.arange(n), fund)
    rows = np.concatenate([fund, itself])
    columns = np.concatenate([asset, itself])
    y = sp.csr_array((np.concatenate([weight, np.ones(len(itself))]), (rows, columns)), shape=(n, n))
    y.sort_indices()
    length = np.sqrt(np.asarray(y.multiply(y).sum(axis=1)).ravel())
    scaled = sp.csr_array(sp.diags_array(1.0 / np.maximum(length, 1e-12)) @ y)
    scaled.sort_indices()
    return scaled
