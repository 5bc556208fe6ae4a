"""Trends and correlations, against pandas and closes read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.sample import SampleSize, write_sample_market
from pathfolio.kg.sample.size import END
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Position, Positions
from pathfolio.kg.tables import Tables
from pathfolio.recommender.portfolio.panel import ClosePanel, close_panel, return_panel
from pathfolio.recommender.portfolio.points import correlation, risk_and_return
from pathfolio.recommender.portfolio.trend import trend_of

PEERS = (Relation.IN_CATEGORY, Relation.IN_INDUSTRY, Relation.IN_SECTOR)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder: Path = tmp_path_factory.mktemp("trend")
    write_sample_market(folder, 5, SampleSize(investors=20, stocks=60, funds=10, bonds=4, years=3))
    return read_folder(folder)


@pytest.fixture(scope="module")
def graph(market: Tables) -> KnowledgeGraph:
    return assemble_graph(market, END)


@pytest.fixture(scope="module")
def closes(graph: KnowledgeGraph, market: Tables) -> ClosePanel:
    found = close_panel(graph, market.prices)
    assert found is not None
    return found


def wide(market: Tables) -> pd.DataFrame:
    """Day by asset, each with the last close up to that day."""
    prices = market.prices.assign(asset_id=market.prices["asset_id"].astype(str))
    return prices.pivot(index="date", columns="asset_id", values="close").sort_index().ffill()


def test_half_a_year_beside_peers_and_market(graph: KnowledgeGraph, market: Tables, closes: ClosePanel) -> None:
    table = wide(market)
    first = pd.Timestamp(END) - pd.DateOffset(months=6)
    part = table[table.index >= table.index[table.index <= first][-1]]
    checked = 0
    for asset in range(0, len(graph.rows(NodeKind.STOCK)), 7):
        found = trend_of(graph, closes, Position(asset), 6)
        if found is None:
            continue
        own = part[str(graph.asset_ids[asset])]
        np.testing.assert_allclose(found.own, 100 * own / own.iloc[0])
        assert found.own[0] == 100
        for line, relations in ((found.peers, PEERS), (found.market, (Relation.LISTED_ON, Relation.IN_COUNTRY))):
            if line is None:
                continue
            row = graph.asset_span.row(Position(asset))
            relation = next(each for each in relations if line.group in graph.outgoing(each).of(row))
            rows = graph.incoming(relation).of(line.group)
            rows = rows[graph.asset_span.has(rows)]
            rows = rows[graph.nodes.kind[rows] == graph.nodes.kind[row]] if line is found.peers else rows
            others = [str(each) for each in graph.nodes.id[rows]]
            # only what had a price of the first day
            others = [each for each in others if each != graph.asset_ids[asset] and not np.isnan(part[each].iloc[0])]
            assert line.count == len(others)
            np.testing.assert_allclose(line.level, (100 * part[others] / part[others].iloc[0]).mean(axis=1))
            checked += 1
    assert checked > 5


def test_what_is_too_young_has_no_trend(graph: KnowledgeGraph, closes: ClosePanel) -> None:
    young = np.flatnonzero(np.isnan(closes.closes[closes.row_of(np.datetime64("2026-01-01"))]))
    for asset in young.tolist():
        assert trend_of(graph, closes, Position(asset), 6) is None


def test_correlation_is_pearsons(graph: KnowledgeGraph, market: Tables, closes: ClosePanel) -> None:
    panel = return_panel(graph, closes)
    assert panel is not None
    table = wide(market)
    table = table[table.index >= pd.Timestamp(panel.first_day)]
    one, two, three = (str(graph.asset_ids[asset]) for asset in panel.at[:3].tolist())
    returns = table[[one, two, three]].pct_change().dropna()
    weights = np.array([0.3, 0.7])
    found = correlation(panel, Positions(panel.at[:1]), Positions(panel.at[1:3]), weights)
    assert found == pytest.approx(returns[one].corr(0.3 * returns[two] + 0.7 * returns[three]))
    assert correlation(panel, Positions(panel.at[:1]), Positions(panel.at[:0]), np.zeros(0)) is None


def test_points_are_the_figures(graph: KnowledgeGraph) -> None:
    found = risk_and_return(graph)
    metric = graph.row(NodeKind.METRIC, "volatility_3y")
    edges = graph.edges_between(Relation.HAS_FACT)
    edges = edges[graph.edges.tail[edges] == metric]
    assert (~np.isnan(found.volatility)).sum() == len(edges)
    for edge in edges[:20].tolist():
        asset = graph.asset_span.position(int(graph.edges.head[edge]))  # type: ignore[arg-type]
        assert found.volatility[asset] == graph.edges.value[edge]
