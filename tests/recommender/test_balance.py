"""Drift and what would bring a portfolio back, on three assets by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.span import Positions
from pathfolio.kg.tables import COLUMNS, Tables, empty_table, typed_table
from pathfolio.recommender.portfolio.balance import BalanceLine, Holdings, balance, held_then
from pathfolio.recommender.portfolio.panel import ClosePanel, close_panel

AS_OF = date(2026, 6, 30)
THEN = date(2025, 6, 30)
CLOSES = {"A": (10.0, 20.0), "B": (10.0, 10.0), "U": (5.0, 5.0)}
"""A year ago, and now."""


def world(currency_of_u: str = "TWD") -> tuple[KnowledgeGraph, ClosePanel]:
    """One investor who held 10 of A and 10 of B a year ago, and now holds 10 of A and 4 of U."""
    frames = {
        "users": pd.DataFrame({"user_id": ["I"]}),
        "assets": pd.DataFrame(
            {
                "asset_id": list(CLOSES), "kind": "stock", "name": list(CLOSES),
                "currency": ["TWD", "TWD", currency_of_u], "as_of": "2020-01-01",
            }
        ),
        "transactions": pd.DataFrame(
            [("I", "A", "2025-01-02", "buy", 10), ("I", "B", "2025-01-02", "buy", 10),
             ("I", "B", "2026-01-02", "sell", 10), ("I", "U", "2026-01-02", "buy", 4)],
            columns=["user_id", "asset_id", "date", "side", "units"],
        ),
        "positions": pd.DataFrame(
            [("I", "A", "2026-06-30", 10, 200.0, 0.8), ("I", "U", "2026-06-30", 4, 20.0, 0.2)],
            columns=["user_id", "asset_id", "as_of", "units", "value", "weight"],
        ),
        "prices": pd.DataFrame(
            [(asset, day, close) for asset, pair in CLOSES.items()
             for day, close in zip(("2025-06-30", "2026-06-30"), pair, strict=True)],
            columns=["asset_id", "date", "close"],
        ),
    }  # fmt: skip
    made = {name: typed_table(name, frames[name]) if name in frames else empty_table(name) for name in COLUMNS}
    graph = assemble_graph(Tables(**made, name="Made"), AS_OF)
    closes = close_panel(graph, frames["prices"].assign(date=pd.to_datetime(frames["prices"]["date"])))
    assert closes is not None
    return graph, closes


def holdings(graph: KnowledgeGraph, **shares: float) -> Holdings:
    at = [graph.asset_span.position(graph.asset_row(name)) for name in shares]
    return Holdings(Positions(np.array(at, np.int64)), np.array(list(shares.values())))


def test_what_drifted_and_what_prices_alone_did() -> None:
    graph, closes = world()
    user = graph.row(NodeKind.USER, "I")
    held, target = holdings(graph, A=0.8, U=0.2), holdings(graph, A=0.5, U=0.5)
    found = balance(graph, graph.at(THEN), closes, user, held, target)
    assert (found.then_day, found.stated_day) == (THEN, AS_OF)
    lines = {str(graph.asset_ids[line.asset]): line for line in found.lines}
    assert lines["A"].then == pytest.approx(0.5)
    assert lines["U"].then == 0.0
    # then 50% A and 50% B; A doubled, so prices alone make 2/3 and 1/3
    assert found.by_prices == pytest.approx(2 / 3 - 1 / 2)
    # now 80% A and 20% U: B's half is gone, 30 points went to A and 20 to U
    assert found.drifted == pytest.approx(0.5)
    assert lines["A"].gap == pytest.approx(-0.3)
    assert lines["U"].gap == pytest.approx(0.3)
    assert found.turnover == pytest.approx(0.3)


def test_an_old_statement_is_carried_on_by_closes() -> None:
    graph, closes = world()
    early = graph.at(THEN)
    user = early.row(NodeKind.USER, "I")
    held = holdings(early, A=0.5, B=0.5)
    found = balance(early, None, closes, user, held, held)
    now = {str(early.asset_ids[line.asset]): line.now for line in found.lines}
    assert found.then_day is None
    assert found.stated_day == date(2025, 1, 2)
    assert now == {"A": pytest.approx(0.5), "B": pytest.approx(0.5)}  # no closes of that January: as stated


def test_currencies_are_added_up_at_the_newest_statements_rates() -> None:
    graph, closes = world("USD")
    found = held_then(graph, graph.at(THEN), closes, graph.row(NodeKind.USER, "I"))
    assert found is not None
    assert found.share.tolist() == pytest.approx([0.5, 0.5])  # both of one currency then
    late = held_then(graph, graph, closes, graph.row(NodeKind.USER, "I"))
    assert late is not None
    # 10 A at 20, of which one TWD is 0.8 / 200; 4 U at 5, of which one USD is 0.2 / 20
    assert late.by_asset() == pytest.approx(
        {graph.asset_span.position(graph.asset_row("A")): 0.8, graph.asset_span.position(graph.asset_row("U")): 0.2}
    )


@pytest.mark.parametrize(
    ("now", "target", "beyond"),
    [(0.50, 0.44, True), (0.50, 0.46, False), (0.03, 0.05, True), (0.004, 0.008, False), (0.0, 0.02, True)],
)
def test_the_band(now: float, target: float, beyond: bool) -> None:
    assert BalanceLine(0, None, now, target).is_beyond is beyond  # type: ignore[arg-type]
