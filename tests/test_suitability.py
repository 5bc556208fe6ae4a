"""The suitability gate on a market of nine assets whose verdicts are derived by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.assemble import assemble_graph
from kg.contract import read_folder
from kg.errors import DataError, UsageError
from kg.graph import KnowledgeGraph
from kg.sample import SampleSize
from kg.sample.market import SampleMarket
from kg.sample.tables import market_tables
from kg.schema import NodeKind
from kg.tables import COLUMNS, Tables, empty_table, typed_table
from recommender.suitability.exposure import look_through
from recommender.suitability.gate import Gate, Screening, check
from recommender.suitability.rulefile import NO_RULES, SHIPPED, load_rules, parse_rules, rules_for
from recommender.suitability.rules import RuleSet
from recommender.suitability.verdict import Outcome, Verdict

AS_OF = date(2026, 6, 30)

RULES = """
format = 1
market = "test"
version = "1"
title = { en = "Test", zh-TW = "測試" }
base_currency = "EUR"
purchase_share = 0.2
missing_weights = "equal"
stop_metrics = ["delisted"]
[levels.risk]
careful = 2
bold = 5
[levels.experience]
none = 0
much = 2
[ratings]
RR1 = 1
RR4 = 4
RR5 = 5
[[derive]]
of = "risk_class"
class = 3
kinds = ["bond"]
[[derive]]
of = "complexity"
class = 2
words = ["leveraged"]
[[derive]]
of = "complexity"
class = 0
"""


def rule(text: str, name: str = "r", extra: str = "") -> RuleSet:
    """The test market's rules with one rule."""
    title = 'title = { en = "Rule", zh-TW = "規則" }'
    return parse_rules(f'{RULES}\n{extra}\n[[rule]]\nid = "{name}"\n{title}\n{text}\n'.encode(), "test.toml")


def tables(**frames: pd.DataFrame) -> Tables:
    made = {name: typed_table(name, frames[name]) if name in frames else empty_table(name) for name in COLUMNS}
    return Tables(**made, name="tiny")


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    """Investors: ann careful, bob bold and expert, cyd without a profile, ins an institution.

    bob holds half bank1 and half tech; ann holds bank1 and bank2 without values.
    """
    users = pd.DataFrame(
        [
            ("ann", "retail", "Careful", "none", "2026-01-01"),
            ("bob", "retail", "Bold", "much", "2020-01-01"),
            ("cyd", "retail", None, None, None),
            ("ins", "institution", None, None, "2026-01-01"),
        ],
        columns=["user_id", "segment", "risk_level", "experience", "as_of"],
    )
    assets = pd.DataFrame(
        [
            ("bank1", "stock", "Bank One", "Banks", "One Group", "RR4", "EUR", "DE"),
            ("bank2", "stock", "Bank Two", "Banks", None, "RR5", "EUR", "DE"),
            ("tech", "stock", "Tech", "Software", None, "RR4", "USD", "US"),
            ("bond", "bond", "Bank One 2030", None, "One Group", None, "EUR", "DE"),
            ("fund", "fund", "World Fund", None, "Manager", "RR4", "EUR", "LU"),
            ("cash", "fund", "Money Fund", None, "Manager", "RR1", "EUR", "LU"),
            ("lever", "fund", "Leveraged World", None, "Manager", "RR5", "EUR", "LU"),
            ("gone", "stock", "Gone", "Software", None, "RR4", "EUR", "DE"),
            ("plain", "stock", "Plain", None, None, None, "EUR", "RU"),
        ],
        columns=["asset_id", "kind", "name", "industry", "issuer", "risk_rating", "currency", "country"],
    ).assign(as_of="2026-01-02")
    positions = pd.DataFrame(
        [
            ("ann", "bank1", "2026-03-31", None),
            ("ann", "bank2", "2026-03-31", None),
            ("bob", "bank1", "2026-03-31", 0.5),
            ("bob", "tech", "2026-03-31", 0.5),
        ],
        columns=["user_id", "asset_id", "as_of", "weight"],
    )
    holdings = pd.DataFrame(
        [("fund", "bank1", 0.6), ("fund", "tech", 0.3), ("lever", "fund", 0.5)],
        columns=["fund_id", "asset_id", "weight"],
    ).assign(as_of="2025-01-31")
    facts = pd.DataFrame([("gone", "delisted", 1.0, "2026-05-04")], columns=["asset_id", "metric", "value", "as_of"])
    world = tables(users=users, assets=assets, positions=positions, fund_holdings=holdings, facts=facts)
    return assemble_graph(world, AS_OF)


def prices() -> pd.DataFrame:
    rows = [("bank1", "2026-06-29", 10.0), ("bank2", "2026-05-01", 5.0), ("tech", "2026-06-26", 7.0)]
    return pd.DataFrame(rows, columns=["asset_id", "date", "close"])


def screen(graph: KnowledgeGraph, rules: RuleSet, user: str) -> Screening:
    return Gate.over(graph, rules, prices()).screen(graph.row(NodeKind.USER, user), graph.assets)


def outcomes(graph: KnowledgeGraph, rules: RuleSet, user: str) -> dict[str, tuple[str, str]]:
    """Asset id to the outcome and reason of the one rule."""
    found = screen(graph, rules, user)
    verdicts = [found.verdict(number) for number in range(len(graph.assets))]
    return {v.asset_id: (v.results[0].outcome.word, v.results[0].reason) for v in verdicts}


def test_risk_level(graph: KnowledgeGraph) -> None:
    found = outcomes(graph, rule('kind = "risk_level"\ntolerance = 1'), "ann")
    assert found["cash"] == ("pass", "within_level")  # class 1, level 2
    assert found["bond"] == ("warn", "above_level_tolerated")  # derived class 3, one above
    assert found["tech"] == ("reject", "above_level")  # class 4
    assert found["plain"] == ("unknown", "no_class")
    assert outcomes(graph, rule('kind = "risk_level"'), "bob")["lever"] == ("pass", "within_level")


def test_a_class_that_is_only_assumed_counts_as_the_file_says(graph: KnowledgeGraph) -> None:
    """The bond states no rating, the share of tech does; both are above ann's level."""
    found = outcomes(graph, rule('kind = "risk_level"\nderived = "warn"'), "ann")
    assert found["bond"] == ("warn", "derived_above_level")
    assert found["tech"] == ("reject", "above_level")
    assert outcomes(graph, rule('kind = "risk_level"'), "ann")["bond"] == ("reject", "derived_above_level")
    assert outcomes(graph, rule('kind = "risk_level"\nfail = "warn"'), "ann")["bond"][0] == "warn"


def test_an_unknown_level_allows_what_every_level_allows(graph: KnowledgeGraph) -> None:
    found = screen(graph, rule('kind = "risk_level"'), "cyd")
    allowed = graph.nodes.id[graph.assets[found.allowed]].tolist()
    assert allowed == ["cash"]  # class 1 is within the lowest level, 2
    assert found.verdict(0).results[0].reason == "no_level"


def test_unknown_rejects_unless_the_file_says_otherwise(graph: KnowledgeGraph) -> None:
    text = 'kind = "risk_level"'
    plain = int(np.flatnonzero(graph.nodes.id[graph.assets] == "plain")[0])
    for words, effect in (("", "reject"), ('\nunknown = "warn"', "warn"), ('\nunknown = "pass"', "pass")):
        result = screen(graph, rule(text + words), "bob").verdict(plain).results[0]
        assert (result.outcome.word, result.effect.word) == ("unknown", effect)


def test_exempt_segment(graph: KnowledgeGraph) -> None:
    found = outcomes(graph, rule('kind = "risk_level"\nexempt = ["Institution"]'), "ins")
    assert set(found.values()) == {("pass", "exempt")}


def test_complexity(graph: KnowledgeGraph) -> None:
    ann, bob, cyd = (outcomes(graph, rule('kind = "complexity"'), user) for user in ("ann", "bob", "cyd"))
    assert (ann["lever"], bob["lever"]) == (("reject", "above_level"), ("pass", "within_level"))
    assert (cyd["lever"], cyd["tech"]) == (("unknown", "no_level"), ("pass", "not_needed"))


def test_horizon_and_capacity(graph: KnowledgeGraph) -> None:
    years = "[levels.horizon]\nSoon = 1\n[levels.capacity]\nSmall = 1\n[holding_years]\n1 = 0\n4 = 5\n"
    assert outcomes(graph, rule('kind = "horizon"', extra=years), "ann")["cash"] == ("pass", "within_every_level")
    assert outcomes(graph, rule('kind = "horizon"', extra=years), "ann")["tech"] == ("unknown", "no_level")
    assert outcomes(graph, rule('kind = "capacity"', extra=years), "bob")["cash"] == ("pass", "within_every_level")


def test_look_through(graph: KnowledgeGraph) -> None:
    """fund = 0.6 bank1 + 0.3 tech + 0.1 open; lever = 0.5 fund + 0.5 open."""
    through = look_through(graph).toarray()
    at = {str(key): number for number, key in enumerate(graph.nodes.id[graph.assets])}
    lever = {key: through[at["lever"], at[key]] for key in ("bank1", "tech", "fund", "lever")}
    assert lever == pytest.approx({"bank1": 0.3, "tech": 0.15, "fund": 0.05, "lever": 0.5})
    assert through.sum(axis=1) == pytest.approx(np.ones(len(graph.assets)))


def test_concentration_counts_what_funds_hold(graph: KnowledgeGraph) -> None:
    """After buying the fund: 0.8 * 0.5 + 0.2 * 0.6 = 0.52 bank1; tech is diluted (0.3 < 0.5)."""
    rules = rule('kind = "concentration"\ngroup = "asset"\nlimit = 0.5\nfund_limit = 0.6')
    at = graph.nodes.id[graph.assets].tolist().index("fund")
    result = screen(graph, rules, "bob").verdict(at).results[0]
    assert (result.outcome, result.subject, result.limit) == (Outcome.REJECT, "Bank One", 0.5)
    assert result.measured == pytest.approx(0.8 * 0.5 + 0.2 * 0.6)
    assert ("fund", "EXPOSURE") in {(fact.head, fact.relation) for fact in result.facts}
    held = next(fact for fact in result.facts if fact.relation == "HOLDS")
    assert (held.tail, held.value, held.as_of) == ("bank1", 0.5, "2026-03-31")


def test_concentration_by_issuer_industry_and_currency(graph: KnowledgeGraph) -> None:
    text = 'kind = "concentration"\nlimit = 0.55\nwarn_at = 0.4\n'
    issuer = outcomes(graph, rule(text + 'group = "issuer"'), "bob")
    assert issuer["bond"] == ("reject", "above_limit")  # 0.8 * 0.5 + 0.2 of One Group
    assert issuer["cash"] == ("pass", "within_limit")  # a fund's manager is not its debtor
    industry = outcomes(graph, rule(text + 'group = "industry"'), "bob")
    assert industry["bank2"] == ("reject", "above_limit")  # 0.6 Banks
    assert industry["plain"] == ("unknown", "no_group")
    currency = outcomes(graph, rule(text + 'group = "currency"'), "bob")
    assert currency["tech"] == ("reject", "above_limit")  # 0.6 USD
    assert currency["bank1"] == ("pass", "within_limit")  # the base currency is not limited


def test_warning_before_the_limit(graph: KnowledgeGraph) -> None:
    rules = rule('kind = "concentration"\ngroup = "industry"\nlimit = 0.9\nwarn_at = 0.6')
    assert outcomes(graph, rules, "bob")["bank2"] == ("warn", "near_limit")


def test_equal_weights_are_marked(graph: KnowledgeGraph) -> None:
    rules = rule('kind = "concentration"\ngroup = "asset"\nlimit = 0.55')
    at = graph.nodes.id[graph.assets].tolist().index("bank1")
    result = screen(graph, rules, "ann").verdict(at).results[0]
    assert result.measured == pytest.approx(0.8 * 0.5 + 0.2)
    assert next(f for f in result.facts if f.relation == "HOLDS").note.startswith("value not known")


def test_a_concentration_by_assumed_weights_counts_as_the_file_says(graph: KnowledgeGraph) -> None:
    """ann's two positions have no value: 60 % bank1 after the purchase rests on an assumption; bob's are stated."""
    limit = 'kind = "concentration"\ngroup = "asset"\nlimit = 0.55'
    assert outcomes(graph, rule(limit), "ann")["bank1"] == ("reject", "derived_above_limit")
    assert outcomes(graph, rule(limit + '\nderived = "warn"'), "ann")["bank1"] == ("warn", "derived_above_limit")
    assert outcomes(graph, rule(limit + '\nderived = "warn"'), "bob")["bank1"] == ("reject", "above_limit")


def test_restricted(graph: KnowledgeGraph) -> None:
    entry = '[[restricted]]\nNAME = "VALUE"\nreason = "sanctions"\nfrom = 2022-01-01\nuntil = UNTIL\n'
    for name, value, hit in (("country", "RU", "plain"), ("asset", "cash", "cash"), ("issuer", "One Group", "bond")):
        text = entry.replace("NAME", name).replace("VALUE", value)
        now = rule('kind = "restricted"', extra=text.replace("UNTIL", "2027-01-01"))
        past = rule('kind = "restricted"', extra=text.replace("UNTIL", "2023-01-01"))
        assert outcomes(graph, now, "bob")[hit] == ("reject", "restricted")
        assert set(outcomes(graph, past, "bob").values()) == {("pass", "not_restricted")}


def test_tradable(graph: KnowledgeGraph) -> None:
    """The market's newest price is of 29 June: bank2's is 59 days older, tech's 3."""
    found = outcomes(graph, rule('kind = "tradable"\nmax_days = 10'), "bob")
    assert found["bank1"] == found["tech"] == ("pass", "traded")
    assert found["bank2"] == ("reject", "price_too_old")
    assert found["gone"] == ("reject", "stopped")
    assert found["cash"] == ("unknown", "no_price")


def test_freshness(graph: KnowledgeGraph) -> None:
    profile = rule('kind = "freshness"\ngroup = "profile"\nmax_days = 365')
    assert outcomes(graph, profile, "ann")["tech"] == ("pass", "fresh")
    assert outcomes(graph, profile, "bob")["tech"] == ("reject", "stale")
    assert outcomes(graph, profile, "cyd")["tech"] == ("pass", "not_needed")  # the level's own rule decides
    holdings = outcomes(graph, rule('kind = "freshness"\ngroup = "holdings"\nmax_days = 365\nfail = "warn"'), "bob")
    assert (holdings["fund"], holdings["tech"]) == (("warn", "stale"), ("pass", "not_needed"))
    rating = outcomes(graph, rule('kind = "freshness"\ngroup = "rating"\nmax_days = 365'), "bob")
    assert (rating["tech"], rating["plain"]) == (("pass", "fresh"), ("pass", "not_needed"))


@pytest.mark.parametrize("market", SHIPPED)
def test_one_by_one_or_all_at_once(graph: KnowledgeGraph, market: str) -> None:
    rules = load_rules(market)
    for user in graph.users:
        together = check(graph, rules, int(user), graph.assets, prices())
        alone = [check(graph, rules, int(user), graph.assets[[at]], prices())[0] for at in range(len(graph.assets))]
        assert together == alone


@pytest.mark.parametrize("market", SHIPPED)
def test_facts_are_edges_of_the_graph(graph: KnowledgeGraph, market: str) -> None:
    edges, ids = graph.edges, graph.nodes.id
    there = set(zip(ids[edges.head], ids[edges.tail], strict=True))
    relations = set(graph.counts()["edges"])
    for verdict in check(graph, load_rules(market), graph.row(NodeKind.USER, "bob"), graph.assets, prices()):
        facts = [fact for result in verdict.results for fact in result.facts]
        assert facts
        for fact in facts:
            assert fact.relation not in relations or (fact.head, fact.tail) in there
            assert fact.source


def test_the_gravest_effect_is_the_verdict(graph: KnowledgeGraph) -> None:
    verdicts: list[Verdict] = check(graph, load_rules("tw"), graph.row(NodeKind.USER, "ann"), graph.assets, prices())
    for verdict in verdicts:
        assert verdict.outcome == max(result.effect for result in verdict.results)
        assert verdict.outcome is not Outcome.UNKNOWN
        assert [r.effect for r in verdict.against] == sorted((r.effect for r in verdict.against), reverse=True)
        assert verdict.to_json()["outcome"] in {"pass", "warn", "reject"}


def test_counts_by_rule(graph: KnowledgeGraph) -> None:
    found = screen(graph, rule('kind = "risk_level"', name="level"), "cyd")
    assert found.rejected_by() == {"level": len(graph.assets) - 1, "any": len(graph.assets) - 1}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.floats(0, 1.5)), max_size=14))
def test_look_through_never_loses_or_makes_weight(lists: list[tuple[int, int, float]]) -> None:
    """Also with lists of more than the whole, funds of funds and funds that hold each other."""
    assets = pd.DataFrame({"asset_id": list("abcdefg"), "kind": ["fund"] * 4 + ["stock"] * 3, "name": list("ABCDEFG")})
    rows = [("abcd"[fund], "abcdefg"[asset], weight) for fund, asset, weight in lists]
    held = pd.DataFrame(rows, columns=["fund_id", "asset_id", "weight"]).assign(as_of="2026-01-01")
    through = look_through(assemble_graph(tables(assets=assets, fund_holdings=held), AS_OF)).toarray()
    assert through.min() >= 0
    assert through.sum(axis=1) == pytest.approx(np.ones(7))


# -- rule files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("market", SHIPPED)
def test_shipped_rules(market: str) -> None:
    rules = load_rules(market)
    assert rules.market == market
    assert {"risk_level", "complexity", "restricted", "tradable"} <= {rule.kind for rule in rules.rules}
    assert {rule.group for rule in rules.rules if rule.kind == "concentration"} == {
        "asset", "issuer", "industry", "currency",
    }  # fmt: skip
    risk = next(rule for rule in rules.rules if rule.kind == "risk_level")
    assert risk.unknown is Outcome.REJECT
    assert len(rules.sha256) == 64


def test_rules_for_a_market(graph: KnowledgeGraph) -> None:
    assert rules_for(graph).market == "eu"


@pytest.mark.parametrize(
    ("old", "new", "line", "remedy"),
    [
        ("format = 1", "format = 2", 2, "write format = 1"),
        ('market = "test"', "market = 3", 3, 'write market = "…"'),
        ("purchase_share = 0.2", "purchase_share = 20", 7, "write a fraction"),
        ("careful = 2", 'careful = "two"', 11, "write a number"),
        ("RR4 = 4", "RR4 = -4", 18, "write a number"),
        ('of = "risk_class"', 'of = "risk"', 21, "use one of risk_class, complexity"),
        ('kinds = ["bond"]', 'kinds = ["bonds"]', 20, "use stock, fund, bond"),
        ('kind = "tradable"', 'kind = "trade"', 36, "use one of"),
        ("max_days = 10", "", 33, "add max_days"),
        ("max_days = 10", "max_day = 10", 37, "'max_day' is not known here"),
        ("max_days = 10", 'max_days = 10\nunknown = "maybe"', 38, "use one of reject, warn, pass"),
        ("[ratings]", "[ratings", 16, "not valid TOML"),
    ],
)
def test_a_broken_rule_file_is_refused(old: str, new: str, line: int, remedy: str) -> None:
    text = rule('kind = "tradable"\nmax_days = 10').text
    assert old in text
    with pytest.raises(DataError) as caught:
        parse_rules(text.replace(old, new, 1).encode(), "test.toml")
    message = str(caught.value)
    assert remedy in message
    assert f"test.toml:{line}:" in message or f"line {line}," in message
    assert "\n" not in message


def test_two_rules_with_one_name() -> None:
    text = rule('kind = "restricted"').text
    with pytest.raises(DataError, match="rule id 'r' is also on line"):
        parse_rules((text + text[text.index("[[rule]]") :]).encode(), "test.toml")


def test_not_utf8_and_not_there() -> None:
    with pytest.raises(DataError, match=r"test\.toml:2: not UTF-8"):
        parse_rules(b"format = 1\nmarket = '\xff'", "test.toml")
    with pytest.raises(UsageError, match="name a TOML file or one of eu, us, tw"):
        load_rules("mars")


# -- shipped rules on whole markets --------------------------------------------------------------------------


def fewest(graph: KnowledgeGraph, rules: RuleSet, prices: pd.DataFrame | None, most: int = 200) -> int:
    """The shortest selection that the rules leave to any of some investors."""
    gate = Gate.over(graph, rules, prices)
    users = graph.users[:: max(1, len(graph.users) // most)]
    return min(int(gate.screen(int(user), graph.assets).allowed.sum()) for user in users)


@pytest.mark.parametrize("market", SHIPPED)
def test_shipped_rules_leave_a_choice_on_the_sample_market(market: str) -> None:
    world = SampleMarket.generate(7, SampleSize(investors=150, stocks=120, funds=30, bonds=12, years=1))
    frames = market_tables(world)
    graph = assemble_graph(tables(**{name: frames[name] for name in COLUMNS if name in frames}), AS_OF)
    assert fewest(graph, load_rules(market), frames["prices"]) >= 5


@pytest.mark.realdata
def test_shipped_rules_on_real_markets(real_data: Path) -> None:
    """Investors without a known level are left the safest assets; institutions are not held to levels of persons."""
    for name, day, least in (("far-trans", date(2021, 1, 1), 100), ("us-2025", date(2025, 12, 1), 5000)):
        market = read_folder(real_data / name)
        graph = assemble_graph(market, day)
        assert fewest(graph, rules_for(graph), market.prices) >= least


def test_a_level_that_nobody_told_counts_as_the_file_says(graph: KnowledgeGraph) -> None:
    """Nobody has an objective here, so `absent` decides; the risk level of cyd alone is unknown, so `unknown` does."""
    horizon = "[levels.horizon]\nSoon = 1\n[holding_years]\n1 = 0\n3 = 2\n4 = 3\n5 = 5\n"
    for absent, allowed in (("warn", True), ("reject", False)):
        rules = rule(f'kind = "horizon"\nabsent = "{absent}"', extra=horizon)
        gate = Gate.over(graph, rules, prices())
        assert gate.untold == {"capacity", "horizon"}
        found = screen(graph, rules, "bob")
        risky = next(number for number, name in enumerate(graph.nodes.id[graph.assets]) if name == "bank2")
        verdict = found.verdict(risky)
        assert (verdict.results[0].outcome, verdict.results[0].reason) == (Outcome.UNKNOWN, "no_level")
        assert found.allowed[risky] == allowed
    by_level = rule('kind = "risk_level"\nabsent = "pass"')
    assert not screen(graph, by_level, "cyd").allowed.all()  # others have told theirs, so this is one unknown level
    assert rule('kind = "risk_level"\nunknown = "warn"').rules[0].absent is Outcome.WARN


@pytest.mark.parametrize("market", SHIPPED)
def test_data_without_any_profile_still_give_lists(market: str) -> None:
    """Stocks alone, and investors of whom nothing is known: every verdict says that the risk level is not known."""
    assets = pd.DataFrame([(f"s{n}", "stock", f"Stock {n}") for n in range(12)], columns=["asset_id", "kind", "name"])
    positions = pd.DataFrame([("ann", "s0", "2026-06-01")], columns=["user_id", "asset_id", "as_of"])
    bare = assemble_graph(tables(assets=assets, positions=positions), AS_OF)
    found = Gate.over(bare, load_rules(market)).screen(bare.row(NodeKind.USER, "ann"), bare.assets)
    assert found.allowed[1:].all()  # of the first ann has enough
    results = {result.rule: result for result in found.verdict(5).results}
    assert (results["risk-level"].outcome, results["risk-level"].effect) == (Outcome.UNKNOWN, Outcome.WARN)


def test_a_kept_finding_is_that_of_a_gate_of_its_own(graph: KnowledgeGraph) -> None:
    """What a gate remembers of one investor is right for the next one."""
    rules = load_rules("eu")
    shared = Gate.over(graph, rules, prices())
    for user in ("ann", "bob", "cyd", "ins", "ann"):
        row = graph.row(NodeKind.USER, user)
        alone = Gate.over(graph, rules, prices()).screen(row, graph.assets)
        again = shared.screen(row, graph.assets[2:])
        assert np.array_equal(alone.effects[:, 2:], again.effects)
        assert [alone.verdict(n + 2) for n in range(len(again.at))] == [again.verdict(n) for n in range(len(again.at))]


def test_the_file_without_rules_lets_all_pass(graph: KnowledgeGraph) -> None:
    rules = load_rules(NO_RULES)
    found = screen(graph, rules, "ann")
    assert (rules.rules, found.allowed.all()) == ((), True)
    assert found.verdict(0).outcome is Outcome.PASS
    text = rules.text.replace('market = "none"', 'market = "mine"')
    with pytest.raises(DataError, match=r"no \[\[rule\]\]: add at least one rule"):
        parse_rules(text.encode(), "mine.toml")
