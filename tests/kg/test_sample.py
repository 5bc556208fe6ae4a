"""The sample market: it keeps the data contract, its tables agree with each other, and its right answers are known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.errors import UsageError
from pathfolio.kg.labels import local_label
from pathfolio.kg.sample import SampleSize, write_sample_market
from pathfolio.kg.sample.names import names
from pathfolio.kg.sample.truth import Truth, preferences
from pathfolio.kg.tables import Tables

END = pd.Timestamp("2026-06-30")
SMALL = SampleSize(investors=60, stocks=64, funds=8, bonds=6, years=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "market"
    write_sample_market(path)
    return path


@pytest.fixture(scope="module")
def tables(folder: Path) -> Tables:
    return read_folder(folder)


@pytest.fixture(scope="module")
def truth() -> Truth:
    return preferences()


@pytest.fixture(scope="module")
def real_assets(real_data: Path) -> dict[str, pd.DataFrame]:
    return {name: read_folder(real_data / name).assets for name in ("us-2025", "tw-2026", "far-trans")}


# -- the contract ---------------------------------------------------------------------------------------------


def test_the_folder_is_read_without_a_rejected_row(tables: Tables) -> None:
    assert tables.rejected.empty
    assert (tables.name, tables.is_sample) == ("Sample market (generated)", True)
    assert tables.users["user_id"].nunique() == 2000
    assert tables.assets["kind"].value_counts().to_dict() == {"stock": 300, "fund": 60, "bond": 12}
    for name in ("positions", "transactions", "fund_holdings", "prices", "facts", "relations", "analyst_ratings"):
        assert len(getattr(tables, name)) > 100, name


@pytest.mark.parametrize("day", [date(2023, 6, 30), date(2025, 12, 31), date(2026, 6, 30)])
def test_a_snapshot_is_assembled_and_says_that_it_is_a_sample(tables: Tables, day: date) -> None:
    graph = assemble_graph(tables, day)
    counts = graph.counts()
    assert graph.is_sample
    assert {"HOLDS", "HAS_RISK", "SEEKS", "INVESTS_IN", "IN_INDUSTRY", "ISSUED_BY", "IN_COUNTRY"} <= set(
        counts["edges"]
    )
    assert counts["nodes"]["Industry"] == 32
    assert counts["nodes"]["Stock"] <= 300


def test_nothing_in_the_folder_is_from_after_its_last_day(tables: Tables) -> None:
    for table in ("users", "positions", "fund_holdings", "facts", "relations"):
        frame = getattr(tables, table)
        columns = [c for c in ("as_of", "known_at", "listed") if c in frame]
        assert not (frame[columns] > END).any(axis=None), table
    for table in ("transactions", "prices", "analyst_ratings"):
        assert getattr(tables, table)["date"].max() <= END


def test_no_fact_is_known_before_it_is_true(tables: Tables) -> None:
    for frame in (tables.facts, tables.fund_holdings, tables.relations.dropna(subset=["as_of"])):
        assert (frame["known_at"] >= frame["as_of"]).all()
    assert (tables.facts["known_at"] > tables.facts["as_of"]).all()


# -- prices, facts and funds ----------------------------------------------------------------------------------


def test_prices_are_positive_on_weekdays_from_the_listing_on(tables: Tables) -> None:
    prices = tables.prices
    assert (prices["close"] > 0).all()
    assert (prices["volume"] >= 1).all()
    assert (prices["date"].dt.day_of_week < 5).all()
    assert prices["date"].max() == END
    listed = prices["asset_id"].map(tables.assets.set_index("asset_id")["listed"])
    assert (prices["date"] >= listed).all()
    days = prices.groupby("asset_id", observed=True)["date"].nunique()
    assert days.max() == len(pd.bdate_range(prices["date"].min(), END))
    assert prices["date"].min() <= END - pd.DateOffset(years=3)


def test_companies_of_one_industry_move_together(tables: Tables) -> None:
    stocks = tables.assets[(tables.assets["kind"] == "stock") & (tables.assets["listed"] < "2023-01-01")]
    returns = np.log(_closes(tables)[stocks["asset_id"]]).diff().dropna()
    correlation = returns.corr().to_numpy()
    industry, country = stocks["industry"].to_numpy(), stocks["country"].to_numpy()
    same_industry, same_country = industry[:, None] == industry, country[:, None] == country
    others = ~np.eye(len(stocks), dtype=bool)
    both = correlation[same_industry & same_country & others].mean()
    country_only = correlation[~same_industry & same_country].mean()
    neither = correlation[~same_industry & ~same_country].mean()
    assert both > country_only + 0.03 > neither + 0.06


def test_returns_and_ranks_follow_from_the_prices(tables: Tables) -> None:
    closes = _closes(tables)
    last, year, three = (pd.Timestamp(day) for day in ("2026-05-29", "2025-05-30", "2023-05-31"))
    facts = tables.facts[tables.facts["as_of"] == last].pivot(index="asset_id", columns="metric", values="value")
    for metric, since in (("return_1y", year), ("return_3y", three)):
        expected = closes.loc[last] / closes.loc[since] - 1
        np.testing.assert_allclose(facts[metric].reindex(expected.index), expected, rtol=0, atol=1e-6)
        assert expected.notna().sum() > 300
    banks = tables.assets.loc[tables.assets["industry"] == "Banks", "asset_id"]
    ranked = facts.loc[facts.index.isin(banks), ["return_1y", "peer_rank_1y"]].dropna().sort_values("return_1y")
    n = len(ranked)
    np.testing.assert_allclose(ranked["peer_rank_1y"][::-1], np.arange(1, n + 1) / n, atol=1e-6)


def test_companies_have_valuations_and_funds_have_sizes(tables: Tables) -> None:
    kinds = tables.facts["asset_id"].map(tables.assets.set_index("asset_id")["kind"])
    metrics = tables.facts.groupby(kinds)["metric"].unique().map(set)
    returns = {"return_1y", "return_3y", "peer_rank_1y"}
    assert metrics["stock"] == returns | {"pe_ratio", "roe", "dividend_yield"}
    assert metrics["fund"] == returns | {"aum"}
    by_metric = tables.facts.groupby("metric")["value"].median()
    assert 10 < by_metric["pe_ratio"] < 30
    assert 0.05 < by_metric["roe"] < 0.25
    assert 0.01 < by_metric["dividend_yield"] < 0.06
    assert (tables.facts.loc[tables.facts["metric"] == "pe_ratio", "value"] > 0).all()


def test_fund_statements_are_dated_and_add_up_to_at_most_all(tables: Tables) -> None:
    holdings, listed = tables.fund_holdings, tables.assets.set_index("asset_id")["listed"]
    sums = holdings.groupby(["fund_id", "as_of"])["weight"].sum()
    assert (sums <= 1).all()
    assert (sums > 0.3).all()
    assert holdings["fund_id"].nunique() == 60
    old = listed.index[(listed < "2025-06-30")].intersection(holdings["fund_id"].unique())
    assert (holdings.groupby("fund_id")["as_of"].nunique().loc[old] >= 2).all()
    assert (holdings["as_of"] >= holdings["asset_id"].map(listed)).all()
    funds = set(tables.assets.loc[tables.assets["kind"] == "fund", "asset_id"])
    assert set(holdings["fund_id"]) == funds
    assert not funds & set(holdings["asset_id"])


def test_riskier_ratings_are_of_assets_that_move_more(tables: Tables) -> None:
    moves = np.log(_closes(tables)).diff().std().groupby(tables.assets.set_index("asset_id")["risk_rating"]).median()
    assert list(moves.index) == ["RR1", "RR2", "RR3", "RR4", "RR5"]
    assert moves.is_monotonic_increasing


# -- investors ------------------------------------------------------------------------------------------------


def test_each_statement_is_the_one_before_plus_the_trades_between(tables: Tables) -> None:
    signed = tables.transactions["units"].where(tables.transactions["side"] == "buy", -tables.transactions["units"])
    trades = tables.transactions.assign(change=signed)
    days = sorted(tables.positions["as_of"].unique())
    assert days == [*pd.date_range("2023-06-30", "2026-06-30", freq="6ME")]
    pair = ["user_id", "asset_id"]
    for before, after in pairwise(days):
        between = trades[(trades["date"] > before) & (trades["date"] <= after)].groupby(pair)["change"].sum()
        start = tables.positions[tables.positions["as_of"] == before].set_index(pair)["units"]
        end = tables.positions[tables.positions["as_of"] == after].set_index(pair)["units"].sort_index()
        expected = start.add(between, fill_value=0)
        pd.testing.assert_series_equal(end, expected[expected != 0].sort_index(), check_names=False)


def test_trades_are_made_at_the_days_price_by_people_with_an_account(tables: Tables) -> None:
    trades = tables.transactions.merge(tables.prices[["asset_id", "date", "close"]], on=["asset_id", "date"])
    assert len(trades) == len(tables.transactions)
    np.testing.assert_allclose(trades["value"], trades["units"] * trades["close"], atol=0.01)
    opened = tables.users.groupby("user_id")["as_of"].min()
    assert (trades["date"] >= trades["user_id"].map(opened)).all()
    weights = tables.positions.groupby(["user_id", "as_of"])["weight"].sum()
    np.testing.assert_allclose(weights, 1, atol=1e-4)


def test_some_assets_are_new_and_some_investors_hold_nothing(tables: Tables) -> None:
    new = set(tables.assets.loc[tables.assets["listed"] > END - pd.Timedelta(days=45), "asset_id"])
    now = tables.positions[tables.positions["as_of"] == END]
    holders = now[now["asset_id"].isin(new)].groupby("asset_id").size()
    assert len(new) >= 6
    assert len(holders) >= 1
    assert holders.max() < 100
    never = set(tables.users["user_id"]) - set(tables.positions["user_id"]) - set(tables.transactions["user_id"])
    assert 60 <= len(never) <= 400


def test_stated_risk_levels_reflect_the_true_appetite(tables: Tables, truth: Truth) -> None:
    appetite = pd.Series(truth.appetite, index=truth.user_ids)
    means = tables.users["user_id"].map(appetite).groupby(tables.users["risk_level"]).mean()
    assert list(means.sort_values().index) == ["Conservative", "Income", "Balanced", "Aggressive"]
    asked = tables.users.groupby("user_id").size()
    assert asked.max() == 2
    assert 0.1 < (asked == 2).mean() < 0.3


def test_investors_hold_more_of_the_industries_they_like(tables: Tables, truth: Truth) -> None:
    industry = tables.assets.set_index("asset_id")["industry"].dropna()
    held = tables.positions[tables.positions["asset_id"].isin(industry.index)][
        ["user_id", "asset_id"]
    ].drop_duplicates()
    taste = pd.DataFrame(truth.taste, index=truth.user_ids, columns=list(truth.industries))
    likes = taste.to_numpy()[
        taste.index.get_indexer(held["user_id"]), taste.columns.get_indexer(industry[held["asset_id"]])
    ]
    by_chance = (taste.to_numpy() > 0.7).mean()
    assert (likes > 0.7).mean() > 3 * by_chance


# -- the right answer -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Split:
    """What was ever held up to the cut and what was newly bought in the half year after it, as (n, m) masks."""

    before: npt.NDArray[np.bool_]
    after: npt.NDArray[np.bool_]


@pytest.fixture(scope="module")
def split(tables: Tables, truth: Truth) -> Split:
    cut = pd.Timestamp("2025-12-31")
    first = tables.positions[tables.positions["as_of"] == tables.positions["as_of"].min()]
    buys = tables.transactions[tables.transactions["side"] == "buy"]
    early, late = buys[buys["date"] <= cut], buys[buys["date"] > cut]
    listed = tables.assets.set_index("asset_id")["listed"].loc[truth.asset_ids].to_numpy() <= np.datetime64(cut)
    before = _matrix(pd.concat([first[["user_id", "asset_id"]], early[["user_id", "asset_id"]]]), truth)
    return Split(before, _matrix(late, truth) & ~before & listed)


def test_true_utility_ranks_what_is_held_above_the_rest(split: Split, truth: Truth) -> None:
    rng = np.random.default_rng(0)
    user, asset = np.nonzero(split.before)
    other = rng.integers(0, split.before.shape[1], len(user))
    fresh = ~split.before[user, other]
    auc = (truth.utility[user, asset] > truth.utility[user, other])[fresh].mean()
    assert auc > 0.85


def test_the_recommendation_problem_is_realistic(split: Split, truth: Truth) -> None:
    """random << popularity < EASE (Steck, 2019) < the true utility, by nDCG@10 of more than 1,000 warm investors."""
    warm = split.before.any(axis=1) & split.after.any(axis=1)
    assert warm.sum() > 1000
    x = split.before.astype(np.float64)
    inverse = np.linalg.inv(x.T @ x + 200 * np.eye(x.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    scores = {
        "random": np.random.default_rng(0).random(x.shape),
        "popularity": np.broadcast_to(x.sum(axis=0), x.shape),
        "ease": x @ weights,
        "oracle": truth.utility.astype(np.float64),
    }
    value = {name: _ndcg(s[warm], split.before[warm], split.after[warm]) for name, s in scores.items()}
    assert 3 * value["random"] < value["popularity"]
    assert 1.4 * value["popularity"] < value["ease"]
    assert 1.3 * value["ease"] < value["oracle"] < 0.6


# -- names and labels -----------------------------------------------------------------------------------------


def test_every_asset_has_a_name_of_its_own_in_both_languages(tables: Tables) -> None:
    assets = tables.assets
    for column in ("name", "name_local", "isin"):
        assert assets[column].notna().all()
        assert assets[column].is_unique, column
    assert assets["ticker"].dropna().is_unique
    stocks = assets[assets["kind"] == "stock"]
    assert stocks.loc[stocks["country"] == "Taiwan", "ticker"].str.fullmatch(r"\d{4}").all()
    assert stocks.loc[stocks["country"] == "United States", "ticker"].str.fullmatch(r"[A-Z]{4}").all()
    assert assets["name_local"].str.contains(r"[\u4e00-\u9fff]").all()


def test_a_larger_market_still_has_no_name_twice(tmp_path: Path) -> None:
    write_sample_market(tmp_path, size=SampleSize(investors=20, stocks=720, funds=210, bonds=80, years=1))
    assets = read_folder(tmp_path).assets
    for column in ("name", "name_local", "asset_id", "isin"):
        assert assets[column].is_unique, column


def test_every_label_has_its_chinese(tables: Tables) -> None:
    columns = {
        "users": {"risk_level": "RiskLevel", "objective": "Objective", "experience": "Experience",
                  "capacity": "Capacity", "segment": "Segment", "income_band": "IncomeBand"},
        "assets": {"sector": "Sector", "industry": "Industry", "category": "Category", "market": "Market",
                   "country": "Country", "issuer": "Issuer"},
        "analyst_ratings": {"rating": "Rating", "analyst_firm": "AnalystFirm"},
    }  # fmt: skip
    for table, kinds in columns.items():
        for column, kind in kinds.items():
            for label in getattr(tables, table)[column].dropna().unique():
                assert local_label(kind, label, "zh-TW") != label, (kind, label)
                assert local_label(kind, label, "en") == label


@pytest.mark.realdata
def test_labels_of_the_real_data_have_their_chinese_and_english(real_assets: dict[str, pd.DataFrame]) -> None:
    for name in ("us-2025", "far-trans"):
        assets = real_assets[name]
        for column, kind in (
            ("sector", "Sector"),
            ("industry", "Industry"),
            ("category", "Category"),
            ("country", "Country"),
        ):
            for label in assets[column].dropna().unique():
                assert local_label(kind, label, "zh-TW") != label, (kind, label)
    for label in real_assets["tw-2026"]["industry"].dropna().unique():
        assert local_label("Industry", label, "en").isascii(), label


@pytest.mark.realdata
def test_no_name_or_ticker_is_a_real_companys(tables: Tables, real_assets: dict[str, pd.DataFrame]) -> None:
    real = list(real_assets.values())
    english = set(pd.concat([a["name"] for a in real]).str.casefold())
    assert not english & set(tables.assets["name"].str.casefold())
    for assets in real[:2]:
        assert not set(assets["ticker"].dropna()) & set(tables.assets["ticker"].dropna())
    for _, brand in names().taiwan_brands + names().taiwan_houses:
        assert not real[1]["name"].str.startswith(brand).any(), brand
    for brand, _, _ in names().us_brands:
        assert not real[0]["name"].str.casefold().str.startswith(brand.casefold()).any(), brand


# -- seeds and sizes ------------------------------------------------------------------------------------------


def test_one_seed_gives_the_same_bytes_and_another_seed_another_market(tmp_path: Path) -> None:
    first, again, other = (tmp_path / name for name in ("first", "again", "other"))
    for path, seed in ((first, 7), (again, 7), (other, 8)):
        write_sample_market(path, seed, SMALL)
    files = sorted(p.name for p in first.iterdir())
    assert files == [
        "analyst_ratings.csv", "assets.csv", "facts.csv", "fund_holdings.csv", "market.json", "positions.csv",
        "prices.parquet", "relations.csv", "transactions.csv", "users.csv",
    ]  # fmt: skip
    assert all((first / f).read_bytes() == (again / f).read_bytes() for f in files)
    assert all((first / f).read_bytes() != (other / f).read_bytes() for f in files if f != "market.json")


@pytest.mark.parametrize("size", [SampleSize(1, 40, 4, 4, 1), SampleSize(40, 41, 5, 5, 2), SMALL])
def test_small_markets_keep_the_contract_too(tmp_path: Path, size: SampleSize) -> None:
    write_sample_market(tmp_path, 3, size)
    tables = read_folder(tmp_path)
    assert tables.rejected.empty
    assert tables.assets["kind"].value_counts().to_dict() == {
        "stock": size.stocks, "fund": size.funds, "bond": size.bonds
    }  # fmt: skip
    assert len(assemble_graph(tables, END.date()).users) == size.investors


def test_the_truth_is_of_the_folders_investors_and_assets(tables: Tables, truth: Truth) -> None:
    assert truth.user_ids.tolist() == sorted(set(tables.users["user_id"]))
    assert truth.asset_ids.tolist() == tables.assets["asset_id"].tolist()
    assert truth.utility.shape == (2000, 372)
    assert not np.array_equal(truth.utility, preferences(8).utility)


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(UsageError, match=r"SampleSize.stocks is 10: choose a number from 40 to 720"):
        SampleSize(stocks=10)


def _closes(tables: Tables) -> pd.DataFrame:
    """Days by assets."""
    return tables.prices.astype({"asset_id": "str"}).pivot(index="date", columns="asset_id", values="close")


def _matrix(pairs: pd.DataFrame, truth: Truth) -> npt.NDArray[np.bool_]:
    out = np.zeros(truth.utility.shape, bool)
    rows = pd.Index(truth.user_ids).get_indexer(pairs["user_id"])
    out[rows, pd.Index(truth.asset_ids).get_indexer(pairs["asset_id"])] = True
    return out


def _ndcg(scores: npt.NDArray[np.float64], known: npt.NDArray[np.bool_], wanted: npt.NDArray[np.bool_]) -> float:
    """Mean nDCG@10 of lists that leave out what is known; a hit at rank r (from 1) counts 1 / log2(r + 1)."""
    top = np.argsort(np.where(known, -np.inf, scores), axis=1)[:, ::-1][:, :10]
    discount = 1 / np.log2(np.arange(2, 12))
    ideal = np.cumsum(discount)[np.minimum(wanted.sum(axis=1), 10) - 1]
    return float((np.take_along_axis(wanted, top, axis=1) @ discount / ideal).mean())
