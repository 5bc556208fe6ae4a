"""Rule files: read, refused with line and remedy, and the shipped ones on whole markets."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.languages import DEFAULT, languages, words
from pathfolio.kg.sample import SampleSize
from pathfolio.kg.sample.market import SampleMarket
from pathfolio.kg.sample.tables import market_tables
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.tables import COLUMNS
from pathfolio.recommender.suitability.gate import Gate
from pathfolio.recommender.suitability.kinds.concentration import ConcentrationRule
from pathfolio.recommender.suitability.rulefile import NO_RULES, SHIPPED, load_rules, parse_rules, rules_for
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.suitability.verdict import Outcome
from tests.recommender.suitability_world import AS_OF, rule, tables, tiny_market


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return tiny_market()


@pytest.mark.parametrize("market", SHIPPED)
def test_shipped_rules(market: str) -> None:
    rules = load_rules(market)
    assert rules.market == market
    assert {"risk_level", "complexity", "restricted", "tradable"} <= {rule.kind for rule in rules.rules}
    assert {rule.group for rule in rules.rules if isinstance(rule, ConcentrationRule)} == {
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


TITLE = 'title = { en = "Rule", zh-TW = "規則" }'


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (TITLE, "title = {}", "title = {}: write title"),
        (TITLE, 'title = " "', "title = ' ': write title"),
        (TITLE, 'title = { en = "Rule", zh-TW = " " }', "title: zh-TW = ' ': write title"),
        (TITLE, 'title = { en = "Rule", zh-TW = "規則", fr = 3 }', "title: fr = 3: write title"),
        (TITLE, "", "no title: write title"),
        ('id = "r"', "", "no id: write id"),
        ("limit = 0.5", "limit = 0.5\nwarn_at = 0.6", "warn_at = 0.6: write 0.5 or less"),
        ("limit = 0.5", "limit = 0.5\nfund_limit = 0.4", "fund_limit = 0.4: write 0.5 or more"),
        ("limit = 0.5", "limit = nan", "limit = nan: write a fraction"),
        (
            "limit = 0.5",
            "limit = 0.5\nmax_days = 3",
            "'max_days' in a concentration rule: it is for freshness, tradable",
        ),
        ("limit = 0.5", "limit = 0.5\nbasis = 3", "basis = 3: write basis"),
        ("limit = 0.5", "limit = 0.5\nbasis = { en = 3 }", "basis: en = 3: write basis"),
        ("careful = 2", "careful = inf", "careful = inf: write a number"),
        ("careful = 2", "careful = 2\nCareful = 3", "'Careful' stands here twice, but for case: keep one"),
        ("RR4 = 4", "RR4 = 4.5", "RR4 = 4.5: write a whole number"),
        ('market = "test"', 'market = "none"', "market = 'none' with rules: name the market"),
    ],
)
def test_what_could_only_be_meant_otherwise_is_refused(old: str, new: str, found: str) -> None:
    """Values that would be read over, or make a rule say what nobody wrote; one line that begins with file and line."""
    text = rule('kind = "concentration"\ngroup = "issuer"\nlimit = 0.5').text
    assert old in text
    with pytest.raises(DataError, match=r"\Atest\.toml:\d+: [^\n]+\Z") as caught:
        parse_rules(text.replace(old, new, 1).encode(), "test.toml")
    assert found in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "tradable"\nmax_days = 0', "max_days = 0: write a whole number, 1 or more"),
        ('kind = "restricted"\ntolerance = 1', "'tolerance' in a restricted rule: it is for capacity, risk_level"),
    ],
)
def test_settings_that_make_no_sense_for_their_rule(text: str, said: str) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        rule(text)


def test_a_rule_about_levels_needs_levels() -> None:
    text = rule('kind = "risk_level"').text
    without = re.sub(r"\[levels\.risk\]\n(?:[^\[]*\n)*?(?=\[)", "", text)
    with pytest.raises(DataError, match=r"a risk_level rule without levels: add \[levels\.risk\]"):
        parse_rules(without.encode(), "test.toml")


def test_a_restriction_ends_after_it_starts() -> None:
    more = '\n[[restricted]]\nasset = "x"\nreason = "r"\nfrom = 2026-02-01\nuntil = 2026-01-31\n'
    with pytest.raises(DataError, match=r"until = 2026-01-31: write a day from 2026-02-01 on"):
        parse_rules((rule('kind = "restricted"').text + more).encode(), "test.toml")


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_file(text: str) -> None:
    with pytest.raises(DataError, match=r"\Atest\.toml:1: no format: write format = 1\Z"):
        parse_rules(text.encode(), "test.toml")


@pytest.mark.parametrize("market", SHIPPED)
def test_every_shipped_rule_has_a_title_and_a_basis_that_every_language_translates(market: str) -> None:
    rules = load_rules(market)
    for names in (rules.title, *(of for each in rules.rules for of in (each.title, each.basis))):
        assert names is not None
        assert set(names.to_json()) == set(languages())
        assert len(set(names.texts())) == len(languages())


def test_every_translation_is_of_a_shipped_title_or_basis() -> None:
    shipped = [load_rules(market) for market in (*SHIPPED, NO_RULES)]
    said = {of.title[DEFAULT] for rules in shipped for of in (rules, *rules.rules)}
    said |= {each.basis[DEFAULT] for rules in shipped for each in rules.rules if each.basis is not None}
    for lang in languages():
        assert set(words(lang, "rules")) == (set() if lang == DEFAULT else said)


def test_titles_of_a_firm_answer_in_languages_that_they_lack() -> None:
    file = rule('kind = "restricted"').text
    own = parse_rules(file.replace(TITLE, 'title = { fr = "Liste" }').encode(), "test.toml").rules[0]
    assert {own.title[lang] for lang in languages()} == {"Liste"}
    assert own.basis is None
    some = parse_rules(file.encode(), "test.toml").rules[0]
    assert {some.title[lang] for lang in languages()} == {"Rule", "規則"}
    one = parse_rules(file.replace(TITLE, 'title = "Our own list"\nbasis = ""').encode(), "test.toml").rules[0]
    assert {one.title[lang] for lang in languages()} == {"Our own list"}
    assert one.basis is None


def test_only_means_and_knowledge_of_institutions_may_be_assumed_in_europe() -> None:
    """Delegated Regulation (EU) 2017/565 Art. 54(3): points (b) and (c) of its paragraph 2, not (a)."""
    exempt = {each.name for each in load_rules("eu").rules if each.exempt}
    assert {"capacity", "complexity"} <= exempt
    assert not exempt & {"risk-level", "horizon", "profile-age"}


def test_two_rules_with_one_name() -> None:
    text = rule('kind = "restricted"').text
    with pytest.raises(DataError, match="rule id 'r' is also on line"):
        parse_rules((text + text[text.index("[[rule]]") :]).encode(), "test.toml")


def test_not_utf8_and_not_there() -> None:
    with pytest.raises(DataError, match=r"test\.toml:2: not UTF-8"):
        parse_rules(b"format = 1\nmarket = '\xff'", "test.toml")
    with pytest.raises(DataError, match="name a TOML file or one of eu, us, tw"):
        load_rules("mars")


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
