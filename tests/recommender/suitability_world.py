"""A market of nine assets whose verdicts are derived by hand, and rule files of one rule."""

from __future__ import annotations

from datetime import date

import pandas as pd

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.tables import COLUMNS, Tables, empty_table, typed_table
from pathfolio.recommender.suitability.gate import Gate, Screening
from pathfolio.recommender.suitability.rulefile import parse_rules
from pathfolio.recommender.suitability.rules import RuleSet

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


def tiny_market() -> KnowledgeGraph:
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
