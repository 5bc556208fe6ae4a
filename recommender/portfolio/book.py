"""`PortfolioBook`: an investor's portfolio as it is, and as it would be with what is bought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Positions, Row
from pathfolio.recommender.portfolio.figures import PortfolioFigures, portfolio_figures, rates_told
from pathfolio.recommender.portfolio.mix import Mix, mixes
from pathfolio.recommender.portfolio.panel import ClosePanel, ReturnPanel, close_panel, return_panel
from pathfolio.recommender.portfolio.points import RiskAndReturn, risk_and_return
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.investor import InvestorFacts
from pathfolio.recommender.suitability.investor_profile import investor_facts


@dataclass(frozen=True)
class Weights:
    """Assets of a portfolio, each once, with their fractions of it before and after a purchase.

    Attributes:
        at: (h,) positions, those that are held first.
        before, after: (h,) float64; each sums to 1 at most, or to 0 for a portfolio that holds nothing.
    """

    at: Positions
    before: FloatArray
    after: FloatArray


@dataclass(frozen=True)
class BeforeAndAfter:
    """What a purchase makes of a portfolio.

    Attributes:
        before, after: None where too little has closes, or nothing is held.
        unpriced: (h,) positions of the assets without three years of closes, which the figures leave out.
    """

    weights: Weights
    before: PortfolioFigures | None
    after: PortfolioFigures | None
    mixes: tuple[Mix, ...]
    unpriced: Positions


def bought(held: Positions, share: FloatArray, buys: Positions, part: FloatArray) -> Weights:
    """The portfolio with a purchase.

    Args:
        held, share: (h,) what is held, and its fractions.
        buys, part: (b,) what is bought, each as a fraction of what the portfolio is worth before.

    >>> found = bought(Positions(np.array([3])), np.array([1.0]), Positions(np.array([5])), np.array([0.25]))
    >>> found.after.tolist()
    [0.8, 0.2]
    """
    at = Positions(np.array(list(dict.fromkeys([*held.tolist(), *buys.tolist()])), np.int64))
    before, added = np.zeros(len(at)), np.zeros(len(at))
    place = {asset: i for i, asset in enumerate(at.tolist())}
    np.add.at(before, [place[asset] for asset in held.tolist()], share)
    np.add.at(added, [place[asset] for asset in buys.tolist()], part)
    whole = float(np.sign(share.sum())) + float(part.sum())
    return Weights(at, before, (before + added) / whole if whole > 0 else before)


@dataclass(frozen=True)
class PortfolioBook:
    """All that portfolios of one snapshot are computed from.

    Attributes:
        assets: as the suitability rules see them.
        prices: asset_id, date, close; None where the source has none.
    """

    assets: AssetFacts
    prices: pd.DataFrame | None

    @cached_property
    def closes(self) -> ClosePanel | None:
        """Three years of closes; None where there are none."""
        return close_panel(self.assets.graph, self.prices)

    @cached_property
    def panel(self) -> ReturnPanel | None:
        """Three years of returns; None where no asset has them."""
        return return_panel(self.assets.graph, self.closes)

    @cached_property
    def year_ago(self) -> KnowledgeGraph:
        """What was known a year before the snapshot."""
        graph = self.assets.graph
        return graph.at((pd.Timestamp(graph.as_of) - pd.DateOffset(years=1)).date())

    @cached_property
    def points(self) -> RiskAndReturn:
        """Where all assets stand by return and risk."""
        return risk_and_return(self.assets.graph)

    @cached_property
    def rates(self) -> Mapping[str, float]:
        """The yearly rate without risk by currency, as the figures of single assets were made with it."""
        graph = self.assets.graph
        metric = graph.find(NodeKind.METRIC, "sharpe_3y")
        if metric is None:
            return {}
        edges = graph.edges_between(Relation.HAS_FACT)
        return rates_told(map(str, graph.edges.source[edges[graph.edges.tail[edges] == metric]]))

    def investor(self, row: Row) -> InvestorFacts:
        """What is known of the investor at row `row` of the snapshot's nodes."""
        return investor_facts(self.assets, row)

    def currencies(self, at: Positions) -> list[str]:
        """The currencies of assets, empty where not known."""
        graph = self.assets.graph
        return list(map(str, graph.nodes.currency[graph.asset_span.row(at)]))

    def figures(self, at: Positions, weight: FloatArray) -> PortfolioFigures | None:
        """The figures of any portfolio; None where too little of it has closes."""
        if self.panel is None or not len(at):
            return None
        return portfolio_figures(self.panel, at, weight, self.currencies(at), self.rates)

    def compare(self, weights: Weights) -> BeforeAndAfter:
        """A portfolio before a purchase and after it."""
        at = weights.at
        priced = np.zeros(len(at), bool) if self.panel is None else self.panel.has(at)
        return BeforeAndAfter(
            weights,
            self.figures(at, weights.before) if weights.before.sum() > 0 else None,
            self.figures(at, weights.after) if weights.after.sum() > 0 else None,
            mixes(self.assets, at, weights.before, weights.after),
            Positions(at[~priced]),
        )

    def compare_some(self, weight: FloatArray, at: Positions) -> None:
        """Make and load everything that the first comparison would have to wait for."""
        self.compare(Weights(at, weight, weight))


def highest_volatility(assets: AssetFacts, investor: InvestorFacts) -> float | None:
    """The volatility up to which an asset is of a class that the investor's risk level allows, as a fraction a year.

    None where the rules measure none, the level is not known, or it allows the highest class.
    """
    scale, level = assets.rules.volatility, investor.levels.get("risk")
    if scale is None or level is None or level.limit is None:
        return None
    number = int(level.limit) - 1
    return scale.limits[number] if 0 <= number < len(scale.limits) else None
