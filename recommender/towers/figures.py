"""Figures of assets for the towers: facts, ratings, technical indicators, ranks among peers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.figures import FIGURES
from pathfolio.kg.graph import FloatArray, KnowledgeGraph, Mask, to_days
from pathfolio.kg.schema import Relation
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.towers.indicators import (
    INDICATORS,
    WINDOW,
    check_indicators,
    closes_by_asset,
    indicators,
    log_returns,
)

FEWEST: Final = 5
"""A figure that fewer assets of a kind have is left out."""

_OF_PRICES: Final = sorted(FIGURES.keys() - {"return_1y", "return_3y"})
"""Figures that snapshots have of their own day alone, and indicators of every day; sources state returns, too."""

_PEERS: Final = (Relation.IN_CATEGORY, Relation.IN_INDUSTRY, Relation.IN_CLASS)
"""An asset's peers share the first of these that it has."""

_RANKED: Final = ("return_126", "return_252", "volatility_63")
_GOOD: Final = ("buy", "outperform", "overweight", "accumulate", "positive")
_BAD: Final = ("sell", "underperform", "underweight", "reduce", "negative")


@dataclass(frozen=True)
class Figures:
    """What is known of the assets on one day.

    Attributes:
        table: one row per asset in the snapshot's order, one column per figure, NaN where unknown.
        returns: (assets, WINDOW) float32, see `indicators.log_returns`; zero for assets without prices.
    """

    table: pd.DataFrame
    returns: npt.NDArray[np.float32]


def figures_of(graph: KnowledgeGraph, prices: pd.DataFrame | None, day: date | None = None) -> Figures:
    """The figures of the snapshot; prices after `day` (the snapshot's date, if not given) are not read."""
    m = len(graph.assets)
    closes = {}
    if prices is not None and len(prices):
        closes = closes_by_asset(prices, graph.asset_ids, pd.Timestamp(day or graph.as_of))
    if closes:
        check_indicators()
    returns = np.zeros((m, WINDOW), np.float32)
    technical = np.full((m, len(INDICATORS)), np.nan)
    for at, series in closes.items():
        technical[at] = indicators(series)
        returns[at] = log_returns(series)
    last = np.array([closes[at][-1] if at in closes else np.nan for at in range(m)])
    table = pd.DataFrame(technical, columns=list(INDICATORS))
    table = pd.concat([_facts(graph), _ratings(graph, last), table, _peer_ranks(graph, table)], axis=1)
    table["days_listed"] = Interactions(graph).days_listed
    return Figures(table, returns)


def ranked(table: FloatArray) -> tuple[npt.NDArray[np.float32], Mask]:
    """Each column as ranks from -1 to 1 (0 where unknown), and where it is known: units no longer matter."""
    ranks = pd.DataFrame(table).rank(pct=True).to_numpy(np.float64)
    known = ~np.isnan(ranks)
    return np.where(known, 2 * ranks - 1, 0.0).astype(np.float32), known


def _facts(graph: KnowledgeGraph) -> pd.DataFrame:
    """One column per metric that at least `FEWEST` assets have and that prices do not say already."""
    at = graph.edges_between(Relation.HAS_FACT)
    at = at[~np.isin(graph.nodes.id[graph.edges.tail[at]], _OF_PRICES)]
    frame = pd.DataFrame(
        {
            "asset": graph.asset_span.position(graph.edges.head[at]),
            "metric": graph.nodes.id[graph.edges.tail[at]],
            "value": graph.edges.value[at],
        }
    )
    wide = frame.pivot_table(index="asset", columns="metric", values="value", aggfunc="last")
    wide = wide.loc[:, wide.notna().sum() >= FEWEST].reindex(range(len(graph.assets)))
    return wide.add_prefix("fact ").reset_index(drop=True)


def _ratings(graph: KnowledgeGraph, last: FloatArray) -> pd.DataFrame:
    """Mean rating from -1 (sell) to 1 (buy), number of raters, and the mean target above the last close."""
    at = graph.edges_between(Relation.RATED_BY)
    frame = pd.DataFrame(
        {
            "asset": graph.asset_span.position(graph.edges.head[at]),
            "rating": [_judgement(str(text)) for text in graph.edges.qualifier[at]],
            "target": graph.edges.value[at],
        }
    )
    by_asset = frame.groupby("asset").agg(
        rating=("rating", "mean"), raters=("rating", "size"), target=("target", "mean")
    )
    out = by_asset.reindex(range(len(graph.assets)))
    out["target"] = out["target"].to_numpy(np.float64) / last - 1
    return out.astype("float64").reset_index(drop=True)


def _judgement(text: str) -> float:
    """-1, 0 or 1.

    >>> _judgement("Overweight"), _judgement("Hold"), _judgement("Strong Sell")
    (1.0, 0.0, -1.0)
    """
    words = text.lower()
    return float(any(word in words for word in _GOOD)) - float(any(word in words for word in _BAD))


def _peer_ranks(graph: KnowledgeGraph, table: pd.DataFrame) -> pd.DataFrame:
    """Ranks of returns and volatility from 0 to 1 among the assets of the same category, industry or class."""
    peers = np.full(len(graph.assets), -1, np.int64)
    for relation in reversed(_PEERS):
        out = graph.outgoing(relation)
        start = out.indptr[graph.assets]
        has = out.degree()[graph.assets] > 0
        peers[has] = out.neighbour[start[has]]
    ranks = table[list(_RANKED)].groupby(peers).rank(pct=True)
    return ranks.add_prefix("peer rank of ").reset_index(drop=True)


def age_numbers(graph: KnowledgeGraph) -> npt.NDArray[np.float32]:
    """(investors, 2): years on the snapshot's date over 50, and 1 where the year of birth is known."""
    age = to_days(graph.as_of) / 365.25 + 1970 - graph.nodes.birth_year[graph.users]
    return np.stack([np.nan_to_num(age) / 50, ~np.isnan(age)], axis=1).astype(np.float32)
