"""New issues: what is expected of one, when its day has been, and what was subscribed."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.graph import to_date, to_days
from pathfolio.kg.tables import COLUMNS, Tables, typed_table
from pathfolio.recommender.demand import DemandOptions, measure_demand
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.new_issues import NewIssues, track_record

DAY = date(2026, 6, 30)
FADE = 5.0

Buyers = dict[int, int]
"""Days after the listing to how many bought on it."""


def _day(age: int) -> str:
    return to_date(to_days(DAY) - age).isoformat()


def _market(ages: dict[str, int], bought: dict[str, Buyers], last_trade: int = 0) -> Groups:
    """Bonds of one market by their ages in days, with first purchases by trades of people who held an old bond; some
    buy another old one up to `last_trade` days ago, so that trades are known up to then."""
    assets = pd.DataFrame({"asset_id": list(ages), "kind": "bond", "name": "B", "market": "M"})
    assets["listed"] = [_day(age) for age in ages.values()]
    old = pd.DataFrame(
        {"asset_id": ["old", "older"], "kind": "bond", "name": "B", "market": "M", "listed": "2001-01-01"}
    )
    people = iter(range(100_000))
    trades = [
        (f"u{next(people)}", asset, _day(ages[asset] - after))
        for asset, buyers in bought.items()
        for after, count in buyers.items()
        for _ in range(count)
    ]
    trades += [(f"u{next(people)}", "older", _day(last_trade)) for _ in range(11)]
    transactions = pd.DataFrame(trades, columns=["user_id", "asset_id", "date"]).assign(side="buy", units=1.0)
    users = sorted({user for user, _, _ in trades})
    positions = pd.DataFrame({"user_id": users, "asset_id": "old", "as_of": _day(400)})
    given = {"assets": pd.concat([assets, old]), "positions": positions, "transactions": transactions}
    tables = {name: typed_table(name, given.get(name, pd.DataFrame())) for name in COLUMNS}
    return Groups(Interactions(assemble_graph(Tables(**tables, name="Tiny"), DAY)))


def _of(groups: Groups, asset: str, values: object) -> float:
    at = list(groups.interactions.graph.asset_ids).index(asset)
    return float(np.asarray(values)[at])


def test_what_is_expected_is_the_mean_of_earlier_issues_and_two_more_of_the_market() -> None:
    """Issues drew 60, 0 and 0; the market's record is what all older assets have, and two usual issues stand beside."""
    groups = _market({"a": 100, "b": 90, "c": 80, "new": 0}, {"a": {2: 60}})
    issues, record = NewIssues(groups, FADE), _of(groups, "new", track_record(groups))
    one = record  # one more issue at the market's record
    usual = (60 + one) / (3 * record + one) * record
    assert _of(groups, "new", issues.expected) == pytest.approx((60 + 2 * usual) / (3 + 2))
    assert _of(groups, "new", issues.pull(0.2)) == pytest.approx(
        math.log1p(0.2 * _of(groups, "new", issues.expected)) * _of(groups, "new", issues.to_come)
    )


def test_where_earlier_issues_flop_the_next_one_hardly_pulls() -> None:
    flop = {f"f{number}": 60 + 10 * number for number in range(12)} | {"new": 0}
    flops, hits = _market(flop, {}), _market(flop, {f"f{number}": {2: 40} for number in range(12)})
    pulls = [_of(groups, "new", NewIssues(groups, FADE).pull(0.2)) for groups in (flops, hits)]
    assert pulls[0] < 0.65 * pulls[1]
    of_market = [_of(groups, "new", NewIssues(groups, FADE).pull_of_market(0.2)) for groups in (flops, hits)]
    assert pulls[0] < 0.65 * of_market[0]  # the holders of old assets spoke for it before


def test_days_that_are_over_lower_the_chance_by_when_others_were_allotted() -> None:
    """Of two earlier issues one was allotted on its first day and one on its fifth; the fading is worth half a one."""
    ages = {"a": 100, "b": 90, "today": 0, "past": 3, "late": 20}
    drew = {"a": {0: 30}, "b": {4: 30}}
    evening, morning = _market(ages, drew, last_trade=0), _market(ages, drew, last_trade=1)

    def chance(issues: float, over: int) -> float:
        return (issues + 0.5 * math.exp(-over / FADE)) / 2.5

    for groups, by_age in ((evening, {0: 1, 3: 1, 20: 0}), (morning, {0: 2, 3: 1, 20: 0})):
        found = NewIssues(groups, FADE).to_come
        over = int(groups is evening)  # today's purchases are told already
        for asset in ("today", "past", "late"):
            age = ages[asset]
            assert _of(groups, asset, found) == pytest.approx(chance(by_age[age], age + over)), asset


def test_after_the_allotment_little_is_to_come() -> None:
    """Of 100 early buyers of the earlier issue 20 came later; 200 more stand for a quarter."""
    groups = _market({"a": 100, "new": 3}, {"a": {2: 80, 6: 20}, "new": {2: 30}})
    issues = NewIssues(groups, FADE)
    assert _of(groups, "new", issues.allotted) == 2
    assert _of(groups, "new", issues.to_come) == pytest.approx((20 + 50) / (100 + 200))


def test_too_few_buyers_to_be_told_are_none() -> None:
    """Ten may not be told of: the issue has not been allotted, as far as anybody may know."""
    ten, eleven = (_market({"a": 100, "new": 3}, {"new": {2: count}}) for count in (10, 11))
    assert _of(ten, "new", NewIssues(ten, FADE).drawn) == 0
    assert _of(eleven, "new", NewIssues(eleven, FADE).drawn) == 11
    none = _market({"a": 100, "new": 3}, {})
    assert _of(ten, "new", NewIssues(ten, FADE).to_come) == _of(none, "new", NewIssues(none, FADE).to_come)


def test_what_was_subscribed_is_no_demand() -> None:
    """Thirty subscribed a week ago, and thirty bought the old bond: the latter alone sells."""
    groups = _market({"new": 7}, {"new": {0: 30}})
    demand = measure_demand(groups, DemandOptions(horizon=7))
    assert _of(groups, "new", demand.recent) == 0
    assert _of(groups, "older", demand.recent) == 11
    before = measure_demand(groups, DemandOptions(horizon=7, calibrated=False))
    assert _of(groups, "new", before.recent) == 30
