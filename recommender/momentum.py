"""How an asset's last year stands among those of its kind: on some markets what rose is bought, on others it is not.

Mutual funds buy past winners (Grinblatt, Titman and Wermers, "Momentum Investment Strategies, Portfolio Performance,
and Herding", American Economic Review 85(5), 1995); many private investors do the opposite. What a market does is
learned from its own past (`pathfolio.recommender.momentum_fit`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from pathfolio.kg.figures import figure_column, figures_of
from pathfolio.kg.graph import FloatArray, KnowledgeGraph, to_days
from pathfolio.kg.terms import MarketTerms

METRIC: Final = "return_1y"
"""The fact that it is read from, a fraction."""

_FEWEST: Final = 10
"""Among fewer of a kind a return has no standing."""
MOST_DEVIATIONS: Final = 3.0
"""From the mean; a return beyond counts as one of so many."""
_OLDEST: Final = 31
"""Days; an older fact is not of today."""


def standing(graph: KnowledgeGraph) -> FloatArray:
    """(assets,) float64: how many standard deviations each asset's one-year return, as a logarithm, lies above the mean
    of its kind, by the snapshot's facts; 0 where it has none of the last month, or its kind has too few."""
    return _standing(graph, figure_column(graph, METRIC, _OLDEST))


def standing_by_prices(graph: KnowledgeGraph, prices: pd.DataFrame) -> FloatArray:
    """The same of a snapshot of the past, whose facts were not made; `prices` after its date are not looked at."""
    known = prices[(prices["date"] <= pd.Timestamp(graph.as_of)) & (prices["close"] > 0)]
    position = pd.Index(graph.asset_ids).get_indexer(pd.Index(known["asset_id"]))
    returns = np.full(len(graph.assets), np.nan)
    for asset, rows in known[position >= 0].assign(position=position[position >= 0]).groupby("position"):
        closes = rows.sort_values("date", kind="stable")
        figures = figures_of(
            closes["date"].to_numpy("datetime64[D]"), closes["close"].to_numpy(np.float64), MarketTerms()
        )
        if to_days(graph.as_of) - to_days(figures.day) <= _OLDEST:
            returns[int(str(asset))] = figures.return_1y
    return _standing(graph, returns)


def raised(factor: FloatArray, stands: FloatArray, power: float) -> FloatArray:
    """`factor` (assets,) with what rose above the others raised by exp(power * standing); its median is 1 again."""
    found = factor * np.exp(power * stands)
    return np.asarray(found / (np.median(found) if len(found) else 1.0))


def _standing(graph: KnowledgeGraph, returns: FloatArray) -> FloatArray:
    kind = graph.nodes.kind[graph.assets]
    known = np.isfinite(returns) & (returns > -1)
    out = np.zeros(len(returns))
    for each in np.unique(kind):
        of = known & (kind == each)
        logs = np.log1p(returns[of])
        if of.sum() >= _FEWEST and logs.std() > 0:
            out[of] = np.clip((logs - logs.mean()) / logs.std(), -MOST_DEVIATIONS, MOST_DEVIATIONS)
    return out
