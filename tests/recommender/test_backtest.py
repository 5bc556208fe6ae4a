"""What lists would have earned, in a market of three assets worked out by hand."""

from __future__ import annotations

from datetime import date
from math import sqrt

import numpy as np
import pandas as pd
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.recommender.evaluation.backtest import (
    LIST_SHARE,
    performance,
    portfolio_weights,
    prepare_backtest,
    price_paths,
)
from tests.recommender.eval_world import assets, make_tables, positions

CUT = date(2020, 1, 31)
WORLD = make_tables(
    assets=assets("A stock Steel 2019-01-01", "B stock Steel 2019-01-01", "C stock Steel 2019-01-01"),
    positions=positions("2020-01-01", "ann:A", "ann:B", "bob:C"),
)
GRAPH = assemble_graph(WORLD, CUT)


def prices(*series: tuple[str, list[float]], start: str = "2020-01-31") -> pd.DataFrame:
    """Daily closes from `start` on; NaN for no close."""
    rows = [
        {"asset_id": asset, "date": day, "close": close}
        for asset, closes in series
        for day, close in zip(pd.date_range(start, periods=len(closes)), closes, strict=True)
        if not np.isnan(close)
    ]
    return pd.DataFrame(rows)


def test_paths_start_after_the_cut_and_keep_the_last_close() -> None:
    found = price_paths(prices(("A", [9, 2, 4, np.nan, 6]), ("B", [5]), ("C", [9, np.nan, 3, 6, 3])), GRAPH)
    assert found is not None
    assert found.value[:, 0].tolist() == [1, 2, 2, 3]  # the close of the cut's own day, 9, is not used
    assert np.isnan(found.value[:, 1]).all()
    assert found.value[:, 2].tolist() == [1, 1, 2, 1]
    assert price_paths(prices(("A", [9])), GRAPH) is None


def test_prices_before_the_cut_do_not_change_the_paths() -> None:
    after = prices(("A", [2, 3, 4]), start="2020-02-01")
    before = prices(("A", [7, 8, 9]), start="2020-01-20")
    first, second = price_paths(after, GRAPH), price_paths(pd.concat([before, after]), GRAPH)
    assert first is not None and second is not None
    np.testing.assert_array_equal(first.value, second.value)


def test_performance_by_hand() -> None:
    paths = np.array([[1, 1, np.nan], [1.1, 0.9, np.nan], [1.2, 0.6, np.nan]])
    found = performance(np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]]), paths, horizon=60)
    assert found["roi"][:2].tolist() == pytest.approx([0.9 ** (30 / 60) - 1, 0.6 ** (30 / 60) - 1])
    assert found["return"][0] == pytest.approx(0.9 ** (252 / 2) - 1)
    daily = [1.0 / 1.0 - 1, 0.9 / 1.0 - 1]
    mean, spread = sum(daily) / 2, sqrt(sum((x - sum(daily) / 2) ** 2 for x in daily))
    assert found["volatility"][0] == pytest.approx(spread * sqrt(252))
    assert found["sharpe"][0] == pytest.approx(mean / spread * sqrt(252))
    assert found["drawdown"].tolist()[:2] == pytest.approx([0.1, 0.4])
    assert found["priced"].tolist() == [1, 0.5, 0]
    assert np.isnan(found["roi"][2]) and np.isnan(found["sharpe"][2])


def test_a_drawdown_counts_from_the_highest_point_so_far() -> None:
    found = performance(np.eye(1), np.array([[1.0], [2.0], [1.5], [3.0]]), horizon=30)
    assert found["drawdown"][0] == pytest.approx(0.25)


def test_portfolios_follow_units_and_prices_and_are_equal_without_them() -> None:
    users = np.array([0, 1, -1])
    valued = portfolio_weights(GRAPH, users, np.array([1.0, 3.0, np.nan]))
    assert valued.tolist() == [[0.25, 0.75, 0], [0, 0, 1], [0, 0, 0]]
    assert portfolio_weights(GRAPH, users[:1], np.array([1.0, np.nan, 1.0])).tolist() == [[0.5, 0.5, 0]]


def test_the_market_the_own_portfolio_and_both_with_the_list() -> None:
    days = 40
    up, flat = [1 + 0.01 * i + 0.02 * (i % 2) for i in range(days)], [1 + 0.02 * (i % 2) for i in range(days)]
    table = prices(("A", flat), ("B", flat), ("C", up), start="2020-02-01")
    found = prepare_backtest(table, GRAPH, np.array([0, 1]))
    assert found is not None
    rows = np.array([True, False])
    lists = found.of_lists(np.array([[2, -1]]), rows)
    assert list(lists) == [30]  # prices end before day 90
    own, market = found.of_portfolios(rows)[30], found.of_market(rows)[30]
    assert own["roi"][0] < market["roi"][0] < lists[30]["roi"][0]
    half = 1 - LIST_SHARE
    mixed = performance(np.array([[half / 2, half / 2, LIST_SHARE]]), found.paths.until(30), 30)
    assert lists[30]["sharpe_before"] == pytest.approx(own["sharpe"])
    assert lists[30]["sharpe_after"][0] == pytest.approx(mixed["sharpe"][0])
