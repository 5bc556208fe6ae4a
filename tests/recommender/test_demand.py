"""Demand: what is selling, the pull of new issues, and what past purchases teach of how long either lasts."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.graph import KnowledgeGraph, to_date, to_days
from pathfolio.kg.tables import COLUMNS, Tables, typed_table
from pathfolio.recommender.demand import DemandOptions, measure_demand
from pathfolio.recommender.demand_fit import DemandFit, learn_demand
from pathfolio.recommender.ease import ease_weights
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.new_issues import track_record

DAY = date(2026, 6, 30)


def _graph(**frames: pd.DataFrame) -> KnowledgeGraph:
    given = {name: typed_table(name, frames.get(name, pd.DataFrame())) for name in COLUMNS}
    return assemble_graph(Tables(**given, name="Tiny"), DAY)


def _groups(**frames: pd.DataFrame) -> Groups:
    return Groups(Interactions(_graph(**frames)))


def _issue_market() -> Groups:
    """Two earlier bonds on market M with 41 holders together, one on N with too few, in two countries; new on each."""
    ages = {"m1": 100, "m2": 46, "n1": 100, "new": 0, "older": 5, "other": 0}
    listed = [to_date(to_days(DAY) - age).isoformat() for age in ages.values()]
    markets = ["M", "M", "N", "M", "M", "N"]
    assets = pd.DataFrame({"asset_id": list(ages), "kind": "bond", "name": "B", "listed": listed, "market": markets})
    assets["country"] = assets["market"].map({"M": "GR", "N": "LU"})
    holders = {"m1": 30, "m2": 11, "n1": 10}
    held = [(f"u{number}", asset) for asset, count in holders.items() for number in range(count)]
    positions = pd.DataFrame(held, columns=["user_id", "asset_id"]).assign(as_of="2026-06-01")
    return _groups(assets=assets, positions=positions)


def test_in_builds_sealed_before_a_new_issue_pulls_by_the_holders_of_its_market_and_fades() -> None:
    """The kind's mean is 41/3 holders (ten count as none); country and then market are each drawn towards the wider
    mean by two more."""
    groups, kind = _issue_market(), 41 / 3
    greece, luxembourg = (41 + 2 * kind) / (2 + 2), (0 + 2 * kind) / (1 + 2)
    at_m, at_n = (41 + 2 * greece) / (2 + 2), (0 + 2 * luxembourg) / (1 + 2)
    pull = {"new": math.log1p(0.2 * at_m), "older": math.exp(-1) * math.log1p(0.2 * at_m)}
    pull |= {"other": math.log1p(0.2 * at_n)}
    expected = [pull.get(i, 0.0) for i in groups.interactions.graph.asset_ids]
    np.testing.assert_allclose(measure_demand(groups, DemandOptions(horizon=1, calibrated=False)).issue, expected)


def test_a_market_new_to_the_data_is_judged_by_its_country() -> None:
    """The bond market of the exchange that lists the country's shares has nothing of its own to show yet."""
    assets = pd.DataFrame(
        {
            "asset_id": ["old", "far", "new", "news"],
            "kind": "bond",
            "name": "B",
            "listed": ["2020-01-01", "2020-01-01", "2026-06-30", "2026-06-30"],
            "market": ["M", "L", "M2", "L2"],
            "country": ["GR", "LU", "GR", "LU"],
        }
    )
    held = pd.DataFrame({"user_id": [f"u{i}" for i in range(11)], "asset_id": "old", "as_of": "2026-01-01"})
    record = track_record(_groups(assets=assets, positions=held))
    ids = ["far", "new", "news", "old"]
    assert dict(zip(ids, record, strict=True))["new"] == pytest.approx((11 + 2 * 5.5) / (1 + 2))
    assert dict(zip(ids, record, strict=True))["news"] == pytest.approx((0 + 2 * 5.5) / (1 + 2))


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_for_many_days_a_new_issue_counts_by_a_power_of_its_mean_over_them(power: float) -> None:
    day, week = (
        measure_demand(_issue_market(), DemandOptions(horizon=days, issue_power=power)).issue for days in (1, 7)
    )
    fades = [math.fsum(math.exp(-(d + i / 100) / 5) for i in range(100)) / 100 for d in range(7)]
    np.testing.assert_allclose(week, day * (math.fsum(fades) / 7 / fades[0]) ** power, rtol=1e-3)


def test_where_nobody_was_seen_to_buy_demand_is_even() -> None:
    """A first statement says what is held, not what was bought lately: popular assets must not suffer for it."""
    assets = pd.DataFrame({"asset_id": ["a", "b"], "kind": "stock", "name": "A"})
    holders = {"a": 30, "b": 11}
    pairs = [(f"u{number}", asset) for asset, count in holders.items() for number in range(count)]
    held = pd.DataFrame(pairs, columns=["user_id", "asset_id"]).assign(as_of="2026-06-30")
    demand = measure_demand(_groups(assets=assets, positions=held), DemandOptions(horizon=182))
    np.testing.assert_allclose(demand.factor, [1.0, 1.0])


def _fashion_market(lasts: int, buyers: int = 11) -> KnowledgeGraph:
    """Every investor holds one of three assets, without taste; every day some buy the asset that is in fashion.

    Fashions follow each other at random among 30 assets and last so many days each.
    """
    rng, days = np.random.default_rng(1), 120
    fashion = np.repeat(rng.integers(30, size=days), lasts)[:days]
    first = [(f"u{u:04}", f"old{u % 3}") for u in range(days * buyers)]
    positions = pd.DataFrame(first, columns=["user_id", "asset_id"]).assign(as_of="2026-01-01")
    start = to_days(date(2026, 2, 1))
    bought = [(f"u{u:04}", f"a{fashion[u // buyers]:02}", to_date(start + u // buyers)) for u in range(len(first))]
    transactions = pd.DataFrame(bought, columns=["user_id", "asset_id", "date"]).assign(side="buy")
    assets = pd.DataFrame({"asset_id": ["old0", "old1", "old2", *(f"a{i:02}" for i in range(30))]})
    return _graph(assets=assets.assign(kind="stock", name="A"), positions=positions, transactions=transactions)


def _weights(groups: Groups) -> npt.NDArray[np.float32]:
    return ease_weights(groups, 200.0, 0.3)


def _learn(graph: KnowledgeGraph, month: float, week: float) -> DemandFit:
    shipped = DemandOptions(month_power=month, week_power=week)
    return learn_demand(graph, shipped, _weights)


def test_where_fashions_last_for_days_the_last_week_is_learned_to_count() -> None:
    fit = _learn(_fashion_market(lasts=10), month=0.0, week=0.0)
    assert fit.options.week_power > 0
    assert fit.ndcg > fit.shipped_ndcg + 0.1


def test_where_no_fashion_lasts_the_powers_stay_as_they_were() -> None:
    """Each day's fashion is drawn anew: no power tells of it, so nothing is learned."""
    fit = _learn(_fashion_market(lasts=1), month=0.45, week=0.35)
    assert (fit.options.month_power, fit.options.week_power) == (0.45, 0.35)
    assert fit.events >= 300


def test_too_few_purchases_teach_nothing() -> None:
    shipped = DemandOptions(month_power=0.2, week_power=0.1)
    fit = learn_demand(_fashion_market(lasts=10, buyers=5), shipped, _weights)
    assert fit.options is shipped
    assert fit.events == 0


def test_statements_date_no_purchases_so_they_teach_nothing() -> None:
    """1,200 purchases that only two statements tell of."""
    pairs = [(f"u{u}", asset, day) for day, asset in (("2026-01-01", "a"), ("2026-06-01", "b")) for u in range(1200)]
    positions = pd.DataFrame(pairs, columns=["user_id", "asset_id", "as_of"])
    assets = pd.DataFrame({"asset_id": ["a", "b"], "kind": "stock", "name": "A"})
    assert _learn(_graph(assets=assets, positions=positions), 0.45, 0.35).events == 0
