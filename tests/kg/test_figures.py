"""Figures of closes: against formulas written down here, and where there is nothing to tell."""

from __future__ import annotations

import math
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import pandas as pd
import pytest

from pathfolio.explain.checker.closes import check_figures
from pathfolio.explain.facts import FactBook
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.errors import DataError
from pathfolio.kg.figures import FIGURES, PriceFigures, figure_facts, figures_of
from pathfolio.kg.sample import SampleSize, write_sample_market
from pathfolio.kg.sample.size import END
from pathfolio.kg.tables import COLUMNS, Tables, empty_table, typed_table
from pathfolio.kg.terms import MarketTerms, terms_of

ADJUSTED = MarketTerms(("splits", "dividends"), {"TWD": 0.02})
WEEKS = pd.date_range("2023-06-28", periods=158, freq="7D")
"""Weekly closes from a Wednesday in 2023 to one in July 2026: three years and a week."""


def figures(days: pd.DatetimeIndex | list[str], closes: list[float], terms: MarketTerms = ADJUSTED) -> PriceFigures:
    return figures_of(pd.DatetimeIndex(days).to_numpy("datetime64[D]"), np.array(closes, float), terms, "TWD")


def untold(found: PriceFigures) -> set[str]:
    return {name for name in FIGURES if hasattr(found, name) and math.isnan(getattr(found, name))}


RISK = {"volatility_3y", "sharpe_3y", "max_drawdown_3y"}
THREE = {"return_3y", "annual_return_3y"} | RISK


def test_each_figure_follows_its_formula() -> None:
    rng = np.random.default_rng(4)
    closes = (100 * np.exp(np.cumsum(rng.normal(0.001, 0.03, len(WEEKS))))).round(2).tolist()
    found = figures(WEEKS, closes)
    first = max(i for i, day in enumerate(WEEKS) if day <= WEEKS[-1] - pd.DateOffset(years=3))
    part = closes[first:]
    returns = [after / before - 1 for before, after in pairwise(part)]
    a_year = len(returns) / 3
    assert found.day == WEEKS[-1].date()
    assert found.last_close == closes[-1]
    assert found.return_1d == pytest.approx(closes[-1] / closes[-2] - 1)
    assert found.return_1y == pytest.approx(closes[-1] / closes[-1 - 53] - 1)  # 52 weeks are 364 days
    assert found.return_3y == pytest.approx(part[-1] / part[0] - 1)
    assert (1 + found.annual_return_3y) ** 3 == pytest.approx(1 + found.return_3y)
    assert found.volatility_3y == pytest.approx(stdev(returns) * math.sqrt(a_year))
    assert found.sharpe_3y == pytest.approx(
        (fmean(returns) - (1.02 ** (1 / a_year) - 1)) * a_year / found.volatility_3y
    )
    assert found.max_drawdown_3y == pytest.approx(
        min(part[j] / part[i] - 1 for i in range(len(part)) for j in range(i, len(part)))
    )


def test_one_close_is_a_price_and_nothing_else() -> None:
    assert untold(figures(["2026-06-30"], [10.0])) == {"return_1d", "return_1y", *THREE}


def test_the_day_before_is_a_trading_day_not_a_month_ago() -> None:
    assert figures(["2026-06-26", "2026-06-29"], [10.0, 11.0]).return_1d == pytest.approx(0.1)
    assert "return_1d" in untold(figures(["2026-05-29", "2026-06-29"], [10.0, 11.0]))


def test_a_year_needs_a_close_of_about_its_first_day() -> None:
    within = figures(["2025-06-23", "2026-06-30"], [10.0, 12.0])
    assert within.return_1y == pytest.approx(0.2)
    assert "return_1y" in untold(figures(["2025-06-22", "2026-06-30"], [10.0, 12.0]))
    assert "return_1y" in untold(figures(["2025-07-01", "2026-06-30"], [10.0, 12.0]))


def test_a_leap_day_has_a_year_before() -> None:
    assert figures(["2027-02-28", "2028-02-29"], [10.0, 12.0]).return_1y == pytest.approx(0.2)


def test_a_gap_of_months_leaves_the_returns_and_nothing_of_risk() -> None:
    days = [day for day in WEEKS if not pd.Timestamp("2024-11-01") < day < pd.Timestamp("2025-02-01")]
    found = figures(pd.DatetimeIndex(days), [100.0 + i % 3 for i in range(len(days))])
    assert untold(found) == RISK


def test_a_price_that_never_moves_has_no_sharpe_ratio() -> None:
    found = figures(WEEKS, [10.0] * len(WEEKS))
    assert (found.volatility_3y, found.max_drawdown_3y, found.return_3y) == (0.0, 0.0, 0.0)
    assert untold(found) == {"sharpe_3y"}


def test_without_a_rate_of_the_currency_there_is_no_sharpe_ratio() -> None:
    closes = [100.0 + i % 3 for i in range(len(WEEKS))]
    assert untold(figures(WEEKS, closes, MarketTerms(("splits",), {"USD": 0.04}))) == {"sharpe_3y"}


def test_what_may_be_a_split_spoils_returns_unless_closes_are_adjusted() -> None:
    closes = [100.0 + i % 3 for i in range(len(WEEKS))]
    split = [*closes[:-30], *(close / 4 for close in closes[-30:])]
    assert untold(figures(WEEKS, split, MarketTerms((), {"TWD": 0.02}))) == {"return_1y", *THREE}
    assert untold(figures(WEEKS, split, MarketTerms())) == {"return_1y", *THREE}
    assert untold(figures(WEEKS, split)) == set()


def _facts(prices: pd.DataFrame, assets: pd.DataFrame, as_of: date) -> pd.DataFrame:
    tables = {"prices": typed_table("prices", prices), "assets": typed_table("assets", assets)}
    return figure_facts(tables["prices"], tables["assets"], as_of, ADJUSTED, "a source")


def _daily(asset: str, closes: list[float], last: str = "2026-06-30") -> pd.DataFrame:
    return pd.DataFrame({"asset_id": asset, "date": pd.date_range(end=last, periods=len(closes)), "close": closes})


def test_nothing_after_the_day_is_looked_at() -> None:
    rng = np.random.default_rng(1)
    prices = _daily("A", (50 + rng.random(1500)).tolist(), "2027-01-01")
    assets = pd.DataFrame({"asset_id": ["A"], "kind": ["stock"], "name": ["A"], "currency": ["TWD"]})
    whole = _facts(prices, assets, date(2026, 6, 30))
    pd.testing.assert_frame_equal(whole, _facts(prices[prices["date"] <= "2026-06-30"], assets, date(2026, 6, 30)))
    assert set(whole["as_of"]) == {pd.Timestamp("2026-06-30")}


def test_assets_without_closes_and_closes_of_nothing_give_no_figure() -> None:
    assets = pd.DataFrame({"asset_id": ["A", "B"], "kind": "stock", "name": ["A", "B"]})
    prices = pd.DataFrame({"asset_id": ["A", "A", "C"], "date": pd.Timestamp("2026-06-30"), "close": [0.0, np.nan, 3]})
    assert _facts(prices, assets, date(2026, 6, 30)).empty
    assert _facts(prices.head(0), assets, date(2026, 6, 30)).empty


def test_funds_are_ranked_within_their_category_by_the_year() -> None:
    """Of four funds with a year: 30%, 20%, 20%, 10%; a fifth is new, a sixth stopped long ago, two are too few."""
    year = 366
    ends = {"F1": 1.3, "F2": 1.2, "F3": 1.2, "F4": 1.1}
    frames = [_daily(name, np.linspace(1, end, year).tolist()) for name, end in ends.items()]
    frames += [_daily("F5", [1.0, 2.0]), _daily("F6", np.linspace(1, 9, year).tolist(), "2026-03-01")]
    frames += [_daily("G1", [1.0] * year), _daily("G2", [1.0] * year)]
    assets = pd.DataFrame({"asset_id": [*ends, "F5", "F6", "G1", "G2"], "kind": "fund", "name": "a fund"})
    assets["category"] = ["Growth"] * 6 + ["Value"] * 2
    found = _facts(pd.concat(frames), assets, date(2026, 6, 30)).query("metric == 'category_rank_1y'")
    assert dict(zip(found["asset_id"], found["value"], strict=True)) == {"F1": 1, "F2": 2, "F3": 2, "F4": 4}
    assert set(found["unit"]) == {"of 4"}


def test_what_a_source_states_of_the_same_day_stands() -> None:
    facts = pd.DataFrame({"asset_id": ["A"], "metric": ["last_close"], "value": [9.0], "as_of": ["2026-06-30"]})
    frames = {
        "assets": pd.DataFrame({"asset_id": ["A"], "kind": ["stock"], "name": ["A"], "as_of": ["2020-01-01"]}),
        "prices": _daily("A", [1.0, 2.0]),
        "facts": facts.assign(source="an exchange"),
    }
    given = {name: typed_table(name, frames[name]) if name in frames else empty_table(name) for name in COLUMNS}
    graph = assemble_graph(Tables(**given, name="Made"), date(2026, 6, 30))
    found = FactBook(graph).of(graph.asset_row("A"))
    assert (found["last_close"].value, found["last_close"].source) == (9.0, "an exchange")
    assert found["return_1d"].value == 1.0
    assert found["return_1d"].source == "Made: prices; close / close of the trading day before - 1; closes as given"


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("figures")
    write_sample_market(folder, 5, SampleSize(investors=10, stocks=40, funds=8, bonds=4, years=3))
    return read_folder(folder)


def test_the_independent_checker_finds_every_figure_of_the_sample_true(market: Tables) -> None:
    graph = assemble_graph(market, END)
    book = FactBook(graph)
    facts = [fact.to_json() for row in graph.assets.tolist() for fact in book.beside(row)]
    counted = pd.Series([fact["metric"] for fact in facts]).value_counts()
    assert counted["last_close"] == len(graph.assets)
    assert counted["sharpe_3y"] == counted["volatility_3y"] > len(graph.assets) // 2
    assert check_figures(facts, market.prices, END) == []


def test_the_independent_checker_finds_what_is_wrong(market: Tables) -> None:
    graph = assemble_graph(market, END)
    asset = next(row for row in graph.assets.tolist() if "sharpe_3y" in FactBook(graph).of(row))
    for fact in FactBook(graph).beside(asset):
        if fact.metric in FIGURES and fact.metric != "category_rank_1y":
            told = fact.to_json() | {"value": float(fact.value) + 1e-6}
            assert len(check_figures([told], market.prices, END)) == 1, fact.metric
    later = FactBook(graph).beside(asset)[0].to_json() | {"as_of": "2026-07-01"}
    assert check_figures([later], market.prices, END)


@pytest.mark.parametrize(
    "about",
    [{"adjusted_for": "splits"}, {"adjusted_for": ["taxes"]}, {"risk_free": 0.02}, {"risk_free": {"TWD": 2}}],
)
def test_terms_that_are_written_otherwise_are_refused(about: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'^"(adjusted_for|risk_free)" as'):
        terms_of(about)
    (tmp_path / "assets.csv").write_text("asset_id,kind,name\nA,stock,A\n", encoding="utf-8")
    (tmp_path / "market.json").write_text(pd.Series(about).to_json(), encoding="utf-8")
    with pytest.raises(DataError, match=r"^market\.json: write "):
        read_folder(tmp_path)
