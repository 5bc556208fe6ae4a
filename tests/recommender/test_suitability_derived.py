"""Risk classes that no source states: from prices, category, currency and kind, and what they forbid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pathfolio.explain.records.verdict_text import result_text
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.suitability.assets import AssetFacts, asset_facts
from pathfolio.recommender.suitability.gate import Gate
from pathfolio.recommender.suitability.rulefile import SHIPPED, load_rules, parse_rules
from pathfolio.recommender.suitability.verdict import RuleResult
from tests.recommender.suitability_world import AS_OF, rule, tables

SCALE = """
[volatility]
window_days = 1826
fewest = 26
limits = [0.05, 0.12, 0.20, 0.30]
"""
FUND = """
[[derive]]
of = "risk_class"
class = 3
least = 1
most = 5
kinds = ["fund"]
"""
LEVEL = 'kind = "risk_level"\nuncertain = "warn"'


def market() -> KnowledgeGraph:
    """ann is careful (2), bob bold (5), and of nothing but the rated share does a source tell the class."""
    users = pd.DataFrame(
        [("ann", "Careful", "none"), ("bob", "Bold", "much")], columns=["user_id", "risk_level", "experience"]
    ).assign(as_of="2026-01-01")
    assets = pd.DataFrame(
        [
            ("calm", "fund", "Calm Fund", None, "EUR"),
            ("wild", "fund", "Wild Fund", None, "EUR"),
            ("new", "fund", "New Fund", None, "EUR"),
            ("none", "fund", "Unpriced Fund", None, "EUR"),
            ("abroad", "fund", "Calm Fund Abroad", None, "USD"),
            ("rated", "stock", "Rated", "RR1", "EUR"),
        ],
        columns=["asset_id", "kind", "name", "risk_rating", "currency"],
    )
    return assemble_graph(tables(users=users, assets=assets), AS_OF)


def weekly(asset: str, change: float, weeks: int) -> pd.DataFrame:
    """Closes that go up and down by `change`, week by week, up to the snapshot's day."""
    days = pd.date_range(end=pd.Timestamp(AS_OF), periods=weeks + 1, freq="7D")
    steps = np.where(np.arange(weeks) % 2 == 0, 1 + change, 1 - change)
    return pd.DataFrame({"asset_id": asset, "date": days, "close": 100 * np.cumprod([1.0, *steps])})


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    """By hand: returns of +-c around 0 have the volatility c * sqrt(52 * 52 / 51) in a year."""
    frames = [weekly("calm", 0.005, 52), weekly("wild", 0.05, 52), weekly("new", 0.05, 12), weekly("abroad", 0.005, 52)]
    return pd.concat([*frames, weekly("rated", 0.05, 52)])


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return market()


def facts_of(graph: KnowledgeGraph, prices: pd.DataFrame | None) -> dict[str, float]:
    found = asset_facts(graph, rule(LEVEL, extra=SCALE + FUND), prices)
    return by_id(graph, found)


def by_id(graph: KnowledgeGraph, found: AssetFacts) -> dict[str, float]:
    return dict(zip(graph.nodes.id[graph.assets].tolist(), found.risk_class.tolist(), strict=True))


def result_on(
    graph: KnowledgeGraph, prices: pd.DataFrame | None, user: str, asset: str, text: str = LEVEL
) -> RuleResult:
    gate = Gate.over(graph, rule(text, extra=SCALE + FUND), prices)
    row = np.array([graph.asset_row(asset)])
    return gate.screen(graph.row(NodeKind.USER, user), row).verdict(0).results[0]


def test_volatility_is_that_of_weekly_returns_a_year(graph: KnowledgeGraph, prices: pd.DataFrame) -> None:
    found = asset_facts(graph, rule(LEVEL, extra=SCALE + FUND), prices).volatility
    at = {str(key): number for number, key in enumerate(graph.nodes.id[graph.assets])}
    assert found.value[at["calm"]] == pytest.approx(0.005 * np.sqrt(52 * 52 / 51))
    assert found.value[at["wild"]] == pytest.approx(0.05 * np.sqrt(52 * 52 / 51))
    assert (found.returns[at["new"]], np.isnan(found.value[at["new"]])) == (12, True)
    assert found.returns[at["none"]] == 0


def test_classes_come_from_prices_where_they_are_measured(graph: KnowledgeGraph, prices: pd.DataFrame) -> None:
    """3.6 % a year is class 1, 36 % class 5; without enough prices the kind tells; a stated rating stands."""
    assert facts_of(graph, prices) == {"calm": 1, "wild": 5, "new": 3, "none": 3, "abroad": 1, "rated": 1}
    assert set(facts_of(graph, None).values()) == {3, 1}


def test_a_foreign_currency_is_a_risk_of_its_own(graph: KnowledgeGraph, prices: pd.DataFrame) -> None:
    text = rule(LEVEL, extra=SCALE + FUND).text.replace(
        'base_currency = "EUR"', 'base_currency = "EUR"\nforeign_class = 2'
    )

    found = by_id(graph, asset_facts(graph, parse_rules(text.encode(), "test.toml"), prices))
    assert (found["calm"], found["abroad"], found["wild"]) == (1, 2, 5)


def test_prices_of_which_a_split_was_not_taken_out(graph: KnowledgeGraph) -> None:
    """One week's fall to a quarter is a split; the rest of the year was calm."""
    split = weekly("calm", 0.005, 52)
    split.loc[30:, "close"] /= 4
    found = asset_facts(graph, rule(LEVEL, extra=SCALE + FUND), split).volatility
    at = graph.nodes.id[graph.assets].tolist().index("calm")
    assert (found.splits[at], found.returns[at]) == (1, 51)
    assert found.value[at] < 0.05


def test_prices_that_do_not_move_measure_nothing(graph: KnowledgeGraph) -> None:
    still = weekly("calm", 0.0, 52)
    assert np.isnan(asset_facts(graph, rule(LEVEL, extra=SCALE), still).volatility.value).all()


def test_what_a_measured_class_forbids_is_rejected_and_the_method_shown(
    graph: KnowledgeGraph, prices: pd.DataFrame
) -> None:
    found = result_on(graph, prices, "ann", "wild")
    assert (found.effect.word, found.reason, found.measured, found.limit) == ("reject", "volatile_above_level", 5, 2)
    figure = next(fact for fact in found.facts if fact.relation == "VOLATILITY")
    assert figure.value == pytest.approx(0.36, abs=0.01)
    assert figure.note == "annualised, of 52 weekly returns from 2025-07-01 to 2026-06-30; class 5"
    assert figure.as_of == "2026-06-30"
    for lang, said in (("en", "(36.4% a year)"), ("zh-CN", "（年化 36.4%）"), ("zh-TW", "（年化 36.4%）")):
        assert said in result_text(found, lang)


@pytest.mark.parametrize(("asset", "reason"), [("none", "kind_alone"), ("new", "few_prices")])
def test_what_is_not_certain_cautions_of_what_it_allows(
    graph: KnowledgeGraph, prices: pd.DataFrame, asset: str, reason: str
) -> None:
    """Class 3 by kind alone, up to 5 is possible: forbidden to level 2, and allowed to 4 with a word."""
    assert result_on(graph, prices, "ann", asset).effect.word == "reject"
    assert result_on(graph, prices, "bob", asset).reason == "within_level"  # even the highest class is within 5
    text = rule(LEVEL, extra=SCALE + FUND).text.replace("bold = 5", "bold = 4")

    gate = Gate.over(graph, parse_rules(text.encode(), "test.toml"), prices)
    row = np.array([graph.asset_row(asset)])
    found = gate.screen(graph.row(NodeKind.USER, "bob"), row).verdict(0).results[0]
    assert (found.effect.word, found.reason) == ("warn", reason)
    note = next(fact.note for fact in found.facts if fact.relation == "RISK_CLASS")
    assert note.endswith("not certain: up to 5 is possible")


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_rules_let_nothing_above_a_told_level_through(name: str) -> None:
    """Nothing that a derived class puts above a level of the file is allowed, for any kind, level and price history."""
    rules = load_rules(name)
    levels = list(rules.levels["risk"])
    users = pd.DataFrame({"user_id": levels, "risk_level": levels}).assign(
        experience="Expert", capacity="High", objective="Growth", as_of="2026-06-01"
    )
    words = ("Plain", "Corporate Bond", "Government", "High Yield", "Leveraged", "Money Market", "Equity")
    rows = [(f"{kind}-{word}", kind, word) for kind in ("stock", "fund", "bond") for word in words]
    assets = pd.DataFrame(rows, columns=["asset_id", "kind", "name"]).assign(currency=rules.base_currency)
    graph = assemble_graph(tables(users=users, assets=assets), AS_OF)
    priced = pd.concat([weekly("fund-Plain", 0.06, 60), weekly("stock-Plain", 0.2, 60), weekly("bond-Plain", 0.03, 9)])
    for prices in (None, priced):
        gate = Gate.over(graph, rules, prices)
        for user in graph.users:
            limit = rules.levels["risk"][str(graph.nodes.id[user])]
            allowed = gate.screen(int(user), graph.assets).allowed
            assert (gate.assets.risk_class[allowed] <= limit).all()


def test_the_volatility_scale_is_read_with_its_complaints() -> None:

    text = rule(LEVEL, extra=SCALE + FUND).text
    for wrong, right, problem in (
        ("limits = [0.3, 0.1]", "limits = [0.05, 0.12, 0.20, 0.30]", "write rising fractions"),
        ("fewest = 1", "fewest = 26", "write a whole number, 3 or more"),
        ("least = 4", "least = 1", "write 3 or less"),
        ("most = 2", "most = 5", "write 3 or more"),
    ):
        with pytest.raises(DataError, match=rf"test\.toml:\d+: .*{problem}"):
            parse_rules(text.replace(right, wrong).encode(), "test.toml")
