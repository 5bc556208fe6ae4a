"""Momentum: what rose in the last year sells faster where the past says so, and elsewhere counts for nothing."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from pathfolio.explain.checker.check import check_explanation
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.figures import figure_column
from pathfolio.kg.graph import KnowledgeGraph, to_date, to_days
from pathfolio.kg.tables import COLUMNS, Tables, typed_table
from pathfolio.recommender.account import ScoreAccount
from pathfolio.recommender.channels.co_investment import ease_weights
from pathfolio.recommender.demand import DemandOptions, measure_demand
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.momentum import raised, standing, standing_by_prices
from pathfolio.recommender.momentum_fit import OF_INSTITUTIONS, learn_momentum

DAY = date(2026, 6, 30)
QUARTER = 91
STOCKS = 40
INVESTORS = 600


def _weights(groups: Groups) -> npt.NDArray[np.float32]:
    return ease_weights(groups, 20.0)


def _prices(rises: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Closes at week-ends of five years; stock i grows by the yearly factor exp(rises[i])."""
    days = pd.date_range(end=DAY, periods=5 * 52, freq="7D")
    years = np.arange(len(days)) / 52
    frames = [
        pd.DataFrame({"asset_id": f"s{i:02}", "date": days, "close": 100 * np.exp(rise * years)})
        for i, rise in enumerate(rises)
    ]
    return typed_table("prices", pd.concat(frames, ignore_index=True))


def _market(*, winners: bool, investors: int = INVESTORS, kind: str = "retail") -> tuple[Tables, KnowledgeGraph]:
    """Everybody begins with two of `STOCKS`, and in the last year buys three more: of those that rose, or of any."""
    rng = np.random.default_rng(3)
    rises = rng.normal(0.0, 0.3, STOCKS)
    positions, purchases = [], []
    chance = np.exp(2.0 * rises) if winners else np.ones(STOCKS)
    for investor in range(investors):
        first = rng.choice(STOCKS, 2, replace=False)
        positions += [(f"u{investor:04}", f"s{i:02}") for i in first]
        rest = np.setdiff1d(np.arange(STOCKS), first)
        for i in rng.choice(rest, 3, replace=False, p=chance[rest] / chance[rest].sum()):
            day = to_date(to_days(DAY) - int(rng.integers(0, 4 * QUARTER - 1)))
            purchases.append((f"u{investor:04}", f"s{i:02}", day))
    frames = {
        "assets": pd.DataFrame({"asset_id": [f"s{i:02}" for i in range(STOCKS)], "kind": "stock", "name": "S"}),
        "users": pd.DataFrame({"user_id": [f"u{i:04}" for i in range(investors)], "kind": kind, "as_of": "2025-01-01"}),
        "positions": pd.DataFrame(positions, columns=["user_id", "asset_id"]).assign(as_of="2025-01-01"),
        "transactions": pd.DataFrame(purchases, columns=["user_id", "asset_id", "date"]).assign(side="buy"),
    }
    given = {name: typed_table(name, frames.get(name, pd.DataFrame())) for name in COLUMNS}
    tables = Tables(**given | {"prices": _prices(rises)}, name="Rising")
    return tables, assemble_graph(tables, DAY)


@pytest.fixture(scope="module")
def rising() -> tuple[Tables, KnowledgeGraph]:
    return _market(winners=True)


def test_standing_is_the_return_of_the_last_year_among_its_kind(rising: tuple[Tables, KnowledgeGraph]) -> None:
    tables, graph = rising
    stands = standing(graph)
    np.testing.assert_allclose(standing_by_prices(graph, tables.prices), stands, atol=1e-6)
    assert stands.mean() == pytest.approx(0.0, abs=0.05) and stands.std() == pytest.approx(1.0, abs=0.05)
    closes = tables.prices.groupby("asset_id")["close"]
    best = closes.last().div(closes.first()).idxmax()
    assert graph.asset_ids[stands.argmax()] == best


def test_prices_after_the_day_tell_nothing(rising: tuple[Tables, KnowledgeGraph]) -> None:
    tables, graph = rising
    then = graph.at(to_date(to_days(DAY) - QUARTER))
    later = tables.prices["date"] > pd.Timestamp(then.as_of)
    changed = tables.prices.assign(close=tables.prices["close"].where(~later, 1.0))
    assert standing_by_prices(then, tables.prices).any()
    np.testing.assert_array_equal(standing_by_prices(then, changed), standing_by_prices(then, tables.prices))
    assert not standing(then).any(), "its own facts were not made"


def test_where_winners_are_bought_it_is_learned_and_raises_them(rising: tuple[Tables, KnowledgeGraph]) -> None:
    tables, graph = rising
    fit = learn_momentum(graph, tables.prices, DemandOptions(), _weights)
    assert fit.power > 0 and fit.investors >= INVESTORS / 2
    assert fit.ndcg > fit.plain_ndcg
    groups = Groups(Interactions(graph))
    plain = measure_demand(groups, DemandOptions()).factor
    found = measure_demand(groups, DemandOptions(momentum=fit.power)).factor
    np.testing.assert_allclose(found, raised(plain, standing(graph), fit.power))
    assert np.median(found) == pytest.approx(1.0)


def test_where_any_are_bought_nothing_is_learned() -> None:
    tables, graph = _market(winners=False)
    fit = learn_momentum(graph, tables.prices, DemandOptions(), _weights)
    assert fit.power == 0.0 and fit.investors >= INVESTORS / 2


@pytest.mark.parametrize(("kind", "power"), [("retail", 0.0), ("institution", OF_INSTITUTIONS)])
def test_of_too_few_what_is_assumed_stays(kind: str, power: float) -> None:
    tables, graph = _market(winners=True, investors=60, kind=kind)
    assert learn_momentum(graph, tables.prices, DemandOptions(), _weights).power == power
    assert learn_momentum(graph, None, DemandOptions(), _weights).power == 0.0


def _told(graph: KnowledgeGraph, asset: int, power: float) -> tuple[dict[str, str], list[str]]:
    """The sentence in each language, and what the checker finds wrong."""
    account = ScoreAccount(int(graph.users[0]), int(graph.assets[asset]), 0.1, (("recent_demand", 0.1),), ())
    found = Explainer(graph, "", momentum=power).explain(account, 1)
    told = {reason.lang: reason.text for reason in found.reasons if reason.trigger == "momentum"}
    return told, check_explanation(graph, found.to_json())


def test_what_rose_is_told_so_where_the_score_weighs_it(rising: tuple[Tables, KnowledgeGraph]) -> None:
    _, graph = rising
    stands = standing(graph)
    returns = figure_column(graph, "return_1y")
    for asset in range(len(stands)):
        told, problems = _told(graph, asset, 0.2)
        assert told.keys() == (set(LANGUAGES) if stands[asset] >= 0.5 and returns[asset] > 0 else set())
        assert problems == []
    best = int(stands.argmax())
    told, _ = _told(graph, best, 0.2)
    assert f"returned {returns[best]:.1%}, {stands[best]:.1f} standard deviations above the mean" in told["en"]
    assert _told(graph, best, 0.0)[0] == {}


def test_a_false_standing_is_found(rising: tuple[Tables, KnowledgeGraph]) -> None:
    _, graph = rising
    asset = int(standing(graph).argmax())
    account = ScoreAccount(int(graph.users[0]), int(graph.assets[asset]), 0.1, (("recent_demand", 0.1),), ())
    data = Explainer(graph, "", momentum=0.2).explain(account, 1).to_json()
    for reason in data["reasons"]:
        reason["text"] = reason["text"].replace(f"{standing(graph)[asset]:.1f} ", "9.9 ")
    assert [problem for problem in check_explanation(graph, data) if "stands" in problem]
