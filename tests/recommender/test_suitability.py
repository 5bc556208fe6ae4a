"""The suitability gate on a market of nine assets whose verdicts are derived by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.explain.records.verdict_text import result_text
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.suitability.assets import asset_facts
from pathfolio.recommender.suitability.coverage import idle_restrictions, unlisted
from pathfolio.recommender.suitability.exposure import look_through
from pathfolio.recommender.suitability.gate import Gate, check
from pathfolio.recommender.suitability.rulefile import NO_RULES, SHIPPED, load_rules, parse_rules
from pathfolio.recommender.suitability.verdict import Outcome, Verdict
from tests.recommender.suitability_world import AS_OF, outcomes, prices, rule, screen, tables, tiny_market


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return tiny_market()


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
    at = graph.nodes.id[graph.assets].tolist().index("bank2")
    found = screen(graph, rules, "bob").brief(at).results[0]
    told = "would be 60.0% of the portfolio; cautions begin at 60.0%, the limit is 90.0%."
    assert result_text(found, "en").endswith(told)
    assert "自 60.0% 起提請注意，上限為 90.0%" in result_text(found, "zh-TW")


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


def test_a_level_that_nobody_told_counts_as_the_file_says(graph: KnowledgeGraph) -> None:
    """Nobody has an objective here, so `absent` decides; the risk level of cyd alone is unknown, so `unknown` does."""
    horizon = "[levels.horizon]\nSoon = 1\n[holding_years]\n1 = 0\n3 = 2\n4 = 3\n5 = 5\n"
    for absent, allowed in (("warn", True), ("reject", False)):
        rules = rule(f'kind = "horizon"\nabsent = "{absent}"', extra=horizon)
        gate = Gate.over(graph, rules, prices())
        assert gate.untold == {"capacity", "horizon", "sustainability"}
        found = screen(graph, rules, "bob")
        risky = next(number for number, name in enumerate(graph.nodes.id[graph.assets]) if name == "bank2")
        verdict = found.verdict(risky)
        assert (verdict.results[0].outcome, verdict.results[0].reason) == (Outcome.UNKNOWN, "no_level")
        assert found.allowed[risky] == allowed
    by_level = rule('kind = "risk_level"\nabsent = "pass"')
    assert not screen(graph, by_level, "cyd").allowed.all()  # others have told theirs, so this is one unknown level
    assert rule('kind = "risk_level"\nunknown = "warn"').rules[0].absent is Outcome.WARN


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


def test_names_that_only_one_of_rules_and_data_know(graph: KnowledgeGraph) -> None:
    """The tiny market's levels are careful, bold and much, its ratings RR1, RR4 (of four assets) and RR5."""
    more = '[[restricted]]\ncountry = "Atlantis"\nreason = "no such place"\n'
    facts = Gate.over(graph, rule('kind = "restricted"', extra=more)).assets
    assert unlisted(facts) == []
    assert [each.value for each in idle_restrictions(facts)] == ["Atlantis"]
    text = facts.rules.text.replace("bold = 5\n", "").replace("RR4 = 4\n", "")
    found = unlisted(asset_facts(graph, parse_rules(text.encode(), "test.toml")))
    assert {(each.table, each.name.casefold()) for each in found} == {("levels.risk", "bold"), ("ratings", "rr4")}
    assert {each.table: each.count for each in found} == {"levels.risk": 1, "ratings": 4}
