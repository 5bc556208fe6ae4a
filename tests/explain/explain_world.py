"""A market of a few assets whose explanations can be derived by hand, and the accounts of its scores.

Ada (u1) holds TSMC (30% of her portfolio) and the Alpha Fund (20%), and held UMC. Sixty-one others: 12 hold TSMC and
MediaTek, 5 hold TSMC and ASE, 23 hold Alpha Fund and Beta Fund (12 are told of, since nobody else holds Beta Fund),
10 hold TSMC and Alpha Fund, and 11 of no known level hold MediaTek alone.
Twelve semiconductor stocks have one-year returns of 1% to 12% (S1 to S12), MediaTek 30%.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.tables import COLUMNS, Tables, typed_table
from pathfolio.recommender.account import HOLDS_OR_HELD, OTHER_INVESTORS, ChannelAccount, ScoreAccount, Walk

DAY = date(2026, 6, 30)
BUILD = "b" * 64
CO_INVESTORS = f"HOLDS {HOLDS_OR_HELD} {HOLDS_OR_HELD}"


def tables_of(**frames: pd.DataFrame) -> Tables:
    """Tables with the given frames; all others are empty."""
    given = {name: frames.get(name, pd.DataFrame({c: [] for c in COLUMNS[name]})) for name in COLUMNS}
    return Tables(**{name: typed_table(name, frame) for name, frame in given.items()}, name="Tiny market")


def _assets() -> pd.DataFrame:
    semis = {"kind": "stock", "industry": "Semiconductors", "sector": "Information Technology", "market": "TWSE"}
    rows = [
        {"asset_id": "2330", "name": "TSMC", "name_local": "台積電", "risk_rating": "RR4", **semis},
        {"asset_id": "2454", "name": "MediaTek", "name_local": "聯發科", **semis, "risk_rating": "RR5"},
        {"asset_id": "3711", "name": "ASE", "name_local": "日月光", **semis, "risk_rating": "RR3"},
        {"asset_id": "2303", "name": "UMC", "name_local": "聯電", **semis},
        {"asset_id": "2882", "name": "Cathay Financial", "name_local": "國泰金", "kind": "stock",
         "industry": "Banks", "sector": "Financials", "market": "TWSE", "risk_rating": "RR2"},
        {"asset_id": "AF", "name": "Alpha Fund", "kind": "fund", "category": "Equity Taiwan", "issuer": "Alpha House"},
        {"asset_id": "BF", "name": "Beta Fund", "kind": "fund", "category": "Equity Taiwan", "issuer": "Alpha House",
         "listed": "2026-06-02"},
    ]  # fmt: skip
    rows += [{"asset_id": f"S{i}", "name": f"Semi {i}", **semis} for i in range(1, 13)]
    return pd.DataFrame(rows)


def _positions() -> pd.DataFrame:
    rows = [("u1", "2330", 0.3), ("u1", "AF", 0.2), ("u2", "AF", 1.0)]
    for start, stop, pair in ((0, 12, ("2330", "2454")), (12, 17, ("2330", "3711")), (17, 40, ("AF", "BF"))):
        rows += [(f"other{i}", asset, 0.5) for i in range(start, stop) for asset in pair]
    rows += [(f"other{i}", asset, 0.5) for i in range(40, 50) for asset in ("2330", "AF")]
    rows += [(f"other{i}", "2454", 1.0) for i in range(50, 61)]
    now = pd.DataFrame(rows, columns=["user_id", "asset_id", "weight"]).assign(as_of="2026-05-31", units=10.0)
    before = pd.DataFrame({"user_id": ["u1"], "asset_id": ["2303"], "as_of": ["2025-12-31"], "units": [5.0]})
    return pd.concat([now.assign(known_at="2026-06-05"), before])


def _facts() -> pd.DataFrame:
    returns = [(f"S{i}", "return_1y", i / 100) for i in range(1, 13)] + [("2454", "return_1y", 0.3)]
    returns += [("3711", "return_1y", -0.123)]
    ratios = [(f"S{i}", "pe_ratio", 10.0 + i) for i in range(1, 13)] + [("2454", "pe_ratio", 12.4)]
    rows = returns + ratios + [("2882", "dividend_yield", 0.041)]
    frame = pd.DataFrame(rows, columns=["asset_id", "metric", "value"])
    frame["unit"] = frame["metric"].map({"pe_ratio": "ratio"}).fillna("fraction")
    return frame.assign(as_of="2026-06-15", source="Exchange statistics")


def tiny_market() -> KnowledgeGraph:
    """The market on 30 June 2026."""
    others = [f"other{i}" for i in range(61)]
    names = ["Ada Chen", None, *(f"Secret {other}" for other in others)]
    users = pd.DataFrame({"user_id": ["u1", "u2", *others], "name": names})
    of_others = [*["Balanced"] * 13, *["Conservative"] * 27, *["Balanced"] * 10, *[None] * 11]
    users["risk_level"] = ["Balanced", "Aggressive", *of_others]
    users["objective"] = ["Income", *[None] * 62]
    holdings = [("AF", "2330", 0.25), ("AF", "2454", 0.12), ("BF", "2330", 0.2), ("BF", "2882", 0.4)]
    funds = pd.DataFrame(holdings, columns=["fund_id", "asset_id", "weight"]).assign(as_of="2026-03-31")
    firms = [("2454", f"Firm {i}", "Buy" if i < 4 else "Hold") for i in range(5)]
    ratings = pd.DataFrame(firms, columns=["asset_id", "analyst_firm", "rating"]).assign(date="2026-02-01")
    relations = pd.DataFrame([("3711", "SUPPLIES", "2330")], columns=["source_id", "relation", "target_id"])
    return assemble_graph(
        tables_of(
            users=users.assign(as_of="2026-01-15"),
            assets=_assets(),
            positions=_positions(),
            fund_holdings=funds,
            facts=_facts(),
            analyst_ratings=ratings,
            relations=relations.assign(as_of="2026-01-01"),
        ),
        DAY,
    )


class World:
    """The tiny market with shorthands for rows and accounts."""

    def __init__(self) -> None:
        self.graph = tiny_market()

    def row(self, key: str, kind: NodeKind | None = None) -> int:
        """An asset's or investor's row, or that of a node of `kind`."""
        if kind is not None:
            return self.graph.row(kind, key)
        found = self.graph.find(NodeKind.USER, key)
        return found if found is not None else self.graph.asset_row(key)

    def walk(self, nodes: tuple[str | int, ...], relations: str, part: float, count: int = 1) -> Walk:
        """A walk over ids; relations as words with spaces between."""
        rows = tuple(self.row(n) if isinstance(n, str) else n for n in nodes)
        return Walk(rows, tuple(relations.split()), part, count)

    def account(self, user: str, asset: str, channels: dict[str, list[Walk]], rest: float = 0.0) -> ScoreAccount:
        """An account that adds up; the last channel has `rest` beyond its walks."""
        parts = []
        for name, walks in channels.items():
            extra = rest if name == list(channels)[-1] else 0.0
            parts.append(ChannelAccount(name, sum(w.contribution for w in walks) + extra, tuple(walks), extra))
        base = (("popularity", 0.05),)
        return ScoreAccount(self.row(user), self.row(asset), 0.05 + sum(p.value for p in parts), base, tuple(parts))

    def mediatek(self) -> ScoreAccount:
        """Why MediaTek for Ada: every kind of path that the market has for it."""
        industry = self.row("Semiconductors", NodeKind.INDUSTRY)
        level = self.row("Balanced", NodeKind.RISK_LEVEL)
        walks = {
            "co_investment": [self.walk(("u1", "2330", OTHER_INVESTORS, "2454"), CO_INVESTORS, 0.5, 12)],
            "industry": [
                self.walk(("u1", "2330", industry, "2454"), "HOLDS IN_INDUSTRY IN_INDUSTRY", 0.2),
                self.walk(("u1", "2303", industry, "2454"), "HELD IN_INDUSTRY IN_INDUSTRY", 0.1),
            ],
            "fund_holdings": [self.walk(("u1", "AF", "2454"), "HOLDS INVESTS_IN", 0.15)],
            "profile": [self.walk(("u1", level, OTHER_INVESTORS, "2454"), "HAS_RISK HAS_RISK HOLDS", 0.07, 12)],
            "gat": [self.walk(("u1", "2330", industry, "2454"), "HOLDS IN_INDUSTRY IN_INDUSTRY", 0.03)],
        }
        return self.account("u1", "2454", walks, rest=-0.01)

    def ase(self) -> ScoreAccount:
        """Why ASE for Ada: a supplier, and what is learned and lies on no path."""
        walks = {"business": [self.walk(("u1", "2330", "3711"), "HOLDS SUPPLIES", 0.2)], "gat": []}
        return self.account("u1", "3711", walks, rest=0.4)

    def beta(self) -> ScoreAccount:
        """Why the Beta Fund for Ada: co-investors, a common holding, a common issuer, her own stock in it."""
        issuer, kind = self.row("Alpha House", NodeKind.ISSUER), self.row("Equity Taiwan", NodeKind.CATEGORY)
        walks = {
            "co_investment": [self.walk(("u1", "AF", OTHER_INVESTORS, "BF"), CO_INVESTORS, 0.6, 12)],
            "issuer": [self.walk(("u1", "AF", issuer, "BF"), "HOLDS ISSUED_BY ISSUED_BY", 0.1)],
            "category": [self.walk(("u1", "AF", kind, "BF"), "HOLDS IN_CATEGORY IN_CATEGORY", 0.05)],
            "fund_holdings": [
                self.walk(("u1", "2330", "BF"), "HOLDS INVESTS_IN", 0.12),
                self.walk(("u1", "AF", "2330", "BF"), "HOLDS INVESTS_IN INVESTS_IN", 0.08),
            ],
        }
        return self.account("u1", "BF", walks)

    def cathay(self) -> ScoreAccount:
        """Why Cathay for Ada: the market alone, so that facts have to speak."""
        market = self.row("TWSE", NodeKind.MARKET)
        walk = self.walk(("u1", "2330", market, "2882"), "HOLDS LISTED_ON LISTED_ON", 0.02)
        return self.account("u1", "2882", {"market": [walk]})
