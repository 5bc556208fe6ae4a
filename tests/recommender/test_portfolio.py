"""Portfolios: against formulas written down here, figures of single assets, and skfolio's own optimum."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from statistics import fmean, stdev

import numpy as np
import pandas as pd
import pytest

from pathfolio.explain.facts import FactBook
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.sample import SampleSize, write_sample_market
from pathfolio.kg.sample.size import END
from pathfolio.kg.span import Positions
from pathfolio.kg.tables import Tables
from pathfolio.recommender.portfolio.allocate import VOLATILITY, Method, Why, allocate
from pathfolio.recommender.portfolio.book import PortfolioBook, bought, highest_volatility
from pathfolio.recommender.portfolio.figures import portfolio_figures
from pathfolio.recommender.portfolio.limits import Limit, limits_of
from pathfolio.recommender.portfolio.panel import ReturnPanel, close_panel, return_panel
from pathfolio.recommender.suitability.gate import Gate
from pathfolio.recommender.suitability.rulefile import load_rules

ALL = Positions(np.arange(2))


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("portfolio")
    write_sample_market(folder, 5, SampleSize(investors=40, stocks=40, funds=8, bonds=4, years=3))
    return read_folder(folder)


@pytest.fixture(scope="module")
def graph(market: Tables) -> KnowledgeGraph:
    return assemble_graph(market, END)


@pytest.fixture(scope="module")
def book(graph: KnowledgeGraph, market: Tables) -> PortfolioBook:
    return PortfolioBook(Gate.over(graph, load_rules("tw"), market.prices).assets, market.prices)


@pytest.fixture(scope="module")
def panel(book: PortfolioBook) -> ReturnPanel:
    assert book.panel is not None
    return book.panel


def made_panel(returns: list[list[float]]) -> ReturnPanel:
    moves = np.array(returns)
    days = np.datetime64("2023-06-30") + np.arange(len(moves) + 1)
    return ReturnPanel(days, moves, ALL, np.array([0, 1, -1]))


RISING = made_panel([[0.01, 0.0], [0.02, 0.01]])
MONEY = ["TWD", "USD"]


def test_a_portfolio_of_two_by_hand() -> None:
    moves = [[0.01, -0.02], [-0.03, 0.01], [0.02, 0.02], [-0.01, 0.03]]
    found = portfolio_figures(
        made_panel(moves), ALL, np.array([0.75, 0.25]), ["TWD", "USD"], {"TWD": 0.01, "USD": 0.03}
    )
    assert found is not None
    daily = [0.75 * a + 0.25 * b for a, b in moves]
    a_year = 4 / 3
    grown = math.prod(1 + r for r in daily)
    assert found.annual_return == pytest.approx(grown ** (1 / 3) - 1)
    assert found.volatility == pytest.approx(stdev(daily) * math.sqrt(a_year))
    rate = 0.75 * 0.01 + 0.25 * 0.03
    assert found.rate == pytest.approx(rate)
    each = (1 + rate) ** (1 / a_year) - 1
    assert found.sharpe == pytest.approx((fmean(daily) - each) / stdev(daily) * math.sqrt(a_year))
    level = np.cumprod([1.0, *(1 + np.array(daily))])
    assert found.max_drawdown == pytest.approx(min(level / np.maximum.accumulate(level)) - 1)
    assert found.value_at_risk == pytest.approx(np.percentile(daily, 5))
    assert found.covered == 1.0


def test_what_has_no_closes_is_left_out_and_told() -> None:
    found = portfolio_figures(
        made_panel([[0.01, 0.0], [0.02, 0.0]]),
        Positions(np.array([0, 2])),
        np.array([0.6, 0.4]),
        ["TWD", "XXX"],
        {"TWD": 0.01},
    )
    assert found is not None
    assert (found.covered, found.rate) == (0.6, 0.01)
    assert found.annual_return == pytest.approx((1.01 * 1.02) ** (1 / 3) - 1)
    less = portfolio_figures(
        made_panel([[0.01, 0.0], [0.02, 0.0]]),
        Positions(np.array([0, 2])),
        np.array([0.4, 0.6]),
        ["TWD", "XXX"],
        {"TWD": 0.01},
    )
    assert less is None


def test_without_a_rate_there_is_no_sharpe_ratio() -> None:
    found = portfolio_figures(
        made_panel([[0.01, 0.0], [0.02, 0.01]]), ALL, np.array([0.5, 0.5]), ["TWD", "USD"], {"TWD": 0.01}
    )
    assert found is not None
    assert (found.rate, found.sharpe) == (None, None)


def test_a_portfolio_of_one_asset_has_that_assets_own_figures(
    graph: KnowledgeGraph, book: PortfolioBook, panel: ReturnPanel
) -> None:
    facts = FactBook(graph)
    for asset in panel.at[:12].tolist():
        own = facts.of(graph.asset_span.row(asset))
        found = book.figures(Positions(np.array([asset])), np.array([1.0]))
        assert found is not None
        assert found.annual_return == pytest.approx(float(own["annual_return_3y"].value), abs=1e-9)
        assert found.max_drawdown == pytest.approx(float(own["max_drawdown_3y"].value), abs=1e-9)
        # days on which only other markets traded count as returns of nothing, which moves a deviation by 1 in 1,000
        assert found.volatility == pytest.approx(float(own["volatility_3y"].value), rel=2e-3)
        assert found.sharpe == pytest.approx(float(own["sharpe_3y"].value), abs=5e-3)


def test_nothing_from_after_the_day_is_read(graph: KnowledgeGraph, market: Tables, panel: ReturnPanel) -> None:
    later = market.prices.tail(50).assign(date=pd.Timestamp(END) + pd.Timedelta(days=3), close=1e9)
    found = return_panel(graph, close_panel(graph, pd.concat([market.prices, later])))
    assert found is not None
    np.testing.assert_array_equal(found.returns, panel.returns)
    assert found.last_day <= END


def test_without_closes_there_is_no_panel(graph: KnowledgeGraph, market: Tables) -> None:
    assert close_panel(graph, None) is None
    assert close_panel(graph, market.prices.head(0)) is None
    early = market.prices[market.prices["date"] > pd.Timestamp("2025-06-30")]
    assert return_panel(graph, close_panel(graph, early)) is None
    empty = PortfolioBook(Gate.over(graph, load_rules("tw"), None).assets, None)
    assert empty.figures(Positions(np.array([0])), np.array([1.0])) is None


def test_a_purchase_dilutes_what_is_held() -> None:
    found = bought(
        Positions(np.array([4, 7])), np.array([0.5, 0.5]), Positions(np.array([7, 9])), np.array([0.1, 0.15])
    )
    assert found.at.tolist() == [4, 7, 9]
    assert found.after.tolist() == pytest.approx([0.4, 0.48, 0.12])
    nothing = Positions(np.zeros(0, np.int64))
    alone = bought(nothing, np.zeros(0), Positions(np.array([7, 9])), np.array([0.1, 0.3]))
    assert (alone.before.tolist(), alone.after.tolist()) == ([0.0, 0.0], pytest.approx([0.25, 0.75]))


def test_mixes_add_up_to_the_whole(book: PortfolioBook, graph: KnowledgeGraph) -> None:
    for row in graph.users[:10].tolist():
        investor = book.investor(row)
        if not len(investor.held):
            continue
        found = book.compare(bought(investor.held, investor.share, Positions(np.array([0, 50])), np.array([0.1, 0.1])))
        for mix in found.mixes:
            assert sum(part.after for part in mix.parts) == pytest.approx(1, abs=2e-3), mix.group
            assert sum(part.before for part in mix.parts) == pytest.approx(1, abs=2e-3), mix.group


@pytest.fixture(scope="module")
def returns(panel: ReturnPanel) -> np.ndarray:
    return panel.of(Positions(panel.at[::4]))


def test_minimum_variance_is_not_beaten(returns: np.ndarray, panel: ReturnPanel) -> None:
    pytest.importorskip("skfolio")
    best = allocate(Method.MINIMUM_VARIANCE, returns, panel.a_year)
    assert best.parts.sum() == pytest.approx(1, abs=1e-5)
    assert best.parts.min() >= 0
    from skfolio.moments import LedoitWolf

    covariance = LedoitWolf().fit(returns).covariance_ * panel.a_year
    rng = np.random.default_rng(3)
    for _ in range(300):
        other = rng.dirichlet(np.full(returns.shape[1], 0.3))
        assert best.volatility <= math.sqrt(other @ covariance @ other) + 1e-4
    assert {each.why for each in best.weights if each.weight == 0} <= {Why.ADDS_RISK}


def test_of_two_without_correlation_the_calmer_gets_the_inverse_of_its_variance() -> None:
    pytest.importorskip("skfolio")
    one, two = np.array([0.01, -0.01, 0.01, -0.01] * 200), np.array([0.02, 0.02, -0.02, -0.02] * 200)
    moves = np.stack([one, two], axis=1)
    least = allocate(Method.MINIMUM_VARIANCE, moves, 252.0)
    assert least.parts == pytest.approx([0.8, 0.2], abs=0.01)  # variances 1 to 4
    parity = allocate(Method.RISK_PARITY, moves, 252.0)
    assert parity.parts == pytest.approx([2 / 3, 1 / 3], abs=0.01)  # deviations 1 to 2
    assert [each.risk_part for each in parity.weights] == pytest.approx([0.5, 0.5], abs=0.01)


def test_limits_are_kept_or_given_up_and_told(returns: np.ndarray, panel: ReturnPanel) -> None:
    pytest.importorskip("skfolio")
    n = returns.shape[1]
    each = Limit("asset", "r", np.eye(n), np.full(n, 0.2), is_single=True)
    kept = allocate(Method.MINIMUM_VARIANCE, returns, panel.a_year, [each])
    assert kept.parts.max() <= 0.2 + 1e-4
    assert kept.dropped == ()
    tight = [w for w in kept.weights if w.weight > 0.2 - 1e-3]
    assert tight
    assert {(w.why, w.limit) for w in tight} == {(Why.AT_LIMIT, "asset")}
    impossible = replace(each, name="currency", most=np.full(n, 0.5 / n))
    given_up = allocate(Method.MINIMUM_VARIANCE, returns, panel.a_year, [each, impossible])
    assert given_up.dropped == ("currency",)
    assert given_up.parts.max() <= 0.2 + 1e-4


def test_mean_variance_keeps_below_the_levels_volatility(returns: np.ndarray, panel: ReturnPanel) -> None:
    pytest.importorskip("skfolio")
    free = allocate(Method.MEAN_VARIANCE, returns, panel.a_year)
    least = allocate(Method.MINIMUM_VARIANCE, returns, panel.a_year)
    between = (free.volatility + least.volatility) / 2
    bound = allocate(Method.MEAN_VARIANCE, returns, panel.a_year, (), between)
    assert bound.volatility <= between * 1.005
    assert bound.dropped == ()
    nothing = allocate(Method.MEAN_VARIANCE, returns, panel.a_year, (), least.volatility / 2)
    assert nothing.dropped == (VOLATILITY,)
    assert nothing.parts == pytest.approx(least.parts, abs=1e-3)


def test_limits_of_the_rules_look_through_funds(book: PortfolioBook, graph: KnowledgeGraph, panel: ReturnPanel) -> None:
    investor = next(book.investor(row) for row in graph.users.tolist() if len(book.investor(row).held))
    for limit in limits_of(book.assets, investor, panel.at):
        assert limit.rows.shape == (len(limit.most), len(panel.at))
        assert (limit.rows.max(axis=1) > limit.most - 1e-9).all()
    assert highest_volatility(book.assets, investor) in (None, *load_rules("tw").volatility.limits)  # type: ignore[union-attr]


def test_one_asset_gets_all(panel: ReturnPanel) -> None:
    for method in Method:
        found = allocate(method, panel.returns[:, :1], panel.a_year)
        assert found.parts.tolist() == [1.0]


def test_the_day_of_the_panel(panel: ReturnPanel) -> None:
    assert panel.last_day == date(2026, 6, 30)
    assert (panel.last_day - panel.first_day).days >= 3 * 365
