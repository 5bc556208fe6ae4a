"""Where assets stand by return and risk, as their figures tell, and how they move with a portfolio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pathfolio.kg.figures import figure_column
from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.portfolio.figures import daily_returns
from pathfolio.recommender.portfolio.panel import ReturnPanel


@dataclass(frozen=True)
class RiskAndReturn:
    """Of all n assets, in the order of `graph.assets`: fractions a year of three years, NaN where they have none."""

    volatility: FloatArray
    annual_return: FloatArray

    def of(self, asset: Position) -> tuple[float, float]:
        """Volatility and return of one asset."""
        return float(self.volatility[asset]), float(self.annual_return[asset])


def risk_and_return(graph: KnowledgeGraph) -> RiskAndReturn:
    """As the figures of the snapshot have it."""
    return RiskAndReturn(figure_column(graph, "volatility_3y"), figure_column(graph, "annual_return_3y"))


def correlation(panel: ReturnPanel, asset: Positions, held: Positions, weight: FloatArray) -> float | None:
    """How the returns of one asset (1,) go with those of a portfolio: Pearson's, of three years of days.

    None where one of them has no closes, or does not move.
    """
    if not panel.has(asset)[0]:
        return None
    own = panel.of(asset)[:, 0]
    whole, covered = daily_returns(panel, held, weight)
    if covered <= 0 or np.ptp(own) == 0 or np.ptp(whole) == 0:
        return None
    return float(np.corrcoef(own, whole)[0, 1])
