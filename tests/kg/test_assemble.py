"""From tables to the snapshot of a day: what is in it, as of when, and that nothing later leaks in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.graph import NO_DAY, KnowledgeGraph, to_date, to_days
from pathfolio.kg.schema import UNDATED, NodeKind, Relation
from pathfolio.kg.tables import COLUMNS, DATE_COLUMNS, LABEL_COLUMNS, Tables, empty_table, typed_table
from tests.kg.market_files import write_market

TODAY = date(2025, 12, 31)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return read_folder(write_market(tmp_path_factory.mktemp("market") / "Tiny"))


def _tables(**frames: pd.DataFrame) -> Tables:
    given = {name: typed_table(name, frames[name]) if name in frames else empty_table(name) for name in COLUMNS}
    return Tables(**given, name="Made")


def _edges(graph: KnowledgeGraph, relation: Relation) -> set[tuple[str, str]]:
    ids, edges = graph.nodes.id, graph.edges
    return {(ids[edges.head[at]], ids[edges.tail[at]]) for at in graph.edges_between(relation)}


def test_every_table_becomes_relations(tables: Tables) -> None:
    """The counts follow from the files by hand: 007 holds TSMC and Nano Labs, None the fund; null sold only.

    Risk levels are three, as the level that 007 had before stays in the graph with its version. The institution
    among the investors has a segment of that name. Two assets have a last close, one of them one of the day before,
    too.
    """
    counts = assemble_graph(tables, TODAY).counts()
    assert counts["nodes"] == {
        "User": 3, "Stock": 2, "Fund": 2, "Bond": 1, "Industry": 1, "Sector": 1, "Market": 2, "Country": 2,
        "AssetClass": 3, "Issuer": 2, "RiskLevel": 3, "Objective": 1, "Segment": 1,
        "Metric": 6, "AnalystFirm": 1,
    }  # fmt: skip
    assert counts["edges"] == {
        "HOLDS": 3, "HELD": 1, "HAS_RISK": 2, "SEEKS": 1, "IN_SEGMENT": 1, "INVESTS_IN": 3, "IN_INDUSTRY": 2,
        "IN_SECTOR": 3, "IN_CLASS": 5, "ISSUED_BY": 2, "LISTED_ON": 5, "IN_COUNTRY": 5, "HAS_FACT": 7,
        "RATED_BY": 1, "SUPPLIES": 1, "BOUGHT": 1, "SOLD": 1,
    }  # fmt: skip


def test_edges_carry_weight_value_source_and_dates(tables: Tables) -> None:
    graph = assemble_graph(tables, TODAY)
    edges = graph.edges
    at = graph.edge(graph.row(NodeKind.FUND, "0050"), Relation.INVESTS_IN, graph.row(NodeKind.STOCK, "2330"))
    assert at is not None
    assert (edges.weight[at], edges.source[at]) == (0.55, "Tiny: fund_holdings")
    assert (to_date(edges.as_of[at]), to_date(edges.known_at[at])) == (date(2025, 6, 30), date(2025, 7, 10))
    at = graph.edge(graph.row(NodeKind.STOCK, "2330"), Relation.HAS_FACT, graph.row(NodeKind.METRIC, "pe_ratio"))
    assert at is not None
    assert (edges.value[at], edges.qualifier[at], edges.source[at]) == (22.5, "ratio", "company report")
    at = graph.edge(graph.row(NodeKind.USER, "007"), Relation.HOLDS, graph.row(NodeKind.STOCK, "2330"))
    assert at is not None
    assert (edges.value[at], edges.qualifier[at]) == (12, "transaction")
    at = graph.edge(graph.row(NodeKind.FUND, "0050"), Relation.HAS_FACT, graph.row(NodeKind.METRIC, "expense_ratio"))
    assert at is not None
    assert (edges.value[at], to_date(edges.as_of[at])) == (0.0043, date(2003, 6, 30))


def test_a_days_trades_of_an_asset_are_one_relation() -> None:
    """Units and money are summed; what any of the day's rows does not tell is not told of the day, nor two channels."""
    rows = [
        ("u", "A", "2025-01-02", "buy", 1, 10, "app"),
        ("u", "A", "2025-01-02", "buy", 2, 25, "app"),
        ("u", "A", "2025-01-02", "sell", 1, 11, "app"),
        ("u", "A", "2025-01-03", "buy", 4, None, "app"),
        ("u", "A", "2025-01-03", "buy", 4, 40, "branch"),
    ]
    transactions = pd.DataFrame(rows, columns=["user_id", "asset_id", "date", "side", "units", "value", "channel"])
    assets = pd.DataFrame({"asset_id": ["A"], "kind": ["stock"], "name": ["A"]})
    graph = assemble_graph(_tables(assets=assets, transactions=transactions), TODAY)
    told = []
    for relation in (Relation.BOUGHT, Relation.SOLD):
        at = graph.edges_between(relation)
        values = (getattr(graph.edges, name)[at].tolist() for name in ("value", "amount", "qualifier", "as_of"))
        told += [(relation.value, *row) for row in zip(*values, strict=True)]
    days = [to_days(date(2025, 1, day)) for day in (2, 3)]
    assert told[0] == ("BOUGHT", 3, 35, "app", days[0])
    assert (told[1][:2], told[1][3:]) == (("BOUGHT", 8), ("", days[1]))
    assert pd.isna(told[1][2])
    assert told[2:] == [("SOLD", 1, 11, "app", days[0])]


def test_a_fact_is_there_from_the_day_it_is_known(tables: Tables) -> None:
    """The P/E of March is published on May 15."""
    before, after = assemble_graph(tables, date(2025, 5, 14)), assemble_graph(tables, date(2025, 5, 15))
    assert ("2330", "pe_ratio") not in _edges(before, Relation.HAS_FACT)
    assert ("2330", "pe_ratio") in _edges(after, Relation.HAS_FACT)


def test_an_asset_is_known_from_its_listing_or_from_who_holds_it() -> None:
    assets = pd.DataFrame({"asset_id": ["OLD", "NEW", "ROW"], "kind": "stock", "name": "A share"})
    assets = assets.assign(listed=[None, "2025-06-01", None], as_of=[None, None, "2025-07-01"])
    positions = pd.DataFrame({"user_id": ["u"], "asset_id": ["NEW"], "as_of": ["2025-05-20"]})
    for frames, day, expected in (
        ({}, "2025-05-31", {"OLD"}),
        ({}, "2025-06-30", {"OLD", "NEW"}),
        ({}, "2025-07-01", {"OLD", "NEW", "ROW"}),
        ({"positions": positions}, "2025-05-31", {"OLD", "NEW"}),  # sold before its listing, in an offering
        ({"positions": positions}, "2025-05-19", {"OLD"}),
    ):
        graph = assemble_graph(_tables(assets=assets, **frames), date.fromisoformat(day))
        assert set(graph.nodes.id[graph.assets]) == expected, day
    listed = dict(zip(graph.nodes.id, graph.nodes.listed, strict=True))
    assert listed["OLD"] == NO_DAY


def test_names_are_those_of_the_day() -> None:
    assets = pd.DataFrame({"asset_id": "A", "kind": "stock", "name": ["Facebook", "Meta"], "ticker": ["FB", None]})
    assets = assets.assign(as_of=["2020-01-01", "2021-10-28"])
    for day, name in ((date(2021, 10, 27), "Facebook"), (date(2021, 10, 28), "Meta")):
        graph = assemble_graph(_tables(assets=assets), day)
        assert graph.display_name(graph.asset_row("A")) == name
        assert graph.nodes.ticker[graph.asset_row("A")] == "FB"  # the last that was given


def test_a_later_empty_value_leaves_the_last_known_one() -> None:
    users = pd.DataFrame({"user_id": "u", "risk_level": ["Low", None, "Predicted_High"]})
    users = users.assign(as_of=["2020-01-01", "2021-01-01", "2022-01-01"])
    assets = pd.DataFrame({"asset_id": ["A"], "kind": ["stock"], "name": ["A"]})
    for year, level, mark in ((2020, "Low", ""), (2021, "Low", ""), (2022, "High", "predicted")):
        graph = assemble_graph(_tables(users=users, assets=assets), date(year, 6, 1))
        (at,) = graph.edges_between(Relation.HAS_RISK)
        assert graph.nodes.id[graph.edges.tail[at]] == level
        assert graph.edges.qualifier[at] == mark


def test_an_industry_is_in_the_sector_that_most_of_its_assets_are_in() -> None:
    """On the first two days one asset against none and one against one (the later name stands); then two to one."""
    assets = pd.DataFrame({"asset_id": list("ABC"), "kind": "stock", "name": "A share", "industry": "Aerospace"})
    assets = assets.assign(sector=["Industry", "Space", "Industry"], as_of=["2025-01-01", "2025-01-02", "2025-01-03"])
    found = {}
    for day in (1, 2, 3):
        graph = assemble_graph(_tables(assets=assets), date(2025, 1, day))
        found[day] = {tail for head, tail in _edges(graph, Relation.IN_SECTOR) if head == "Aerospace"}
    assert found == {1: {"Industry"}, 2: {"Space"}, 3: {"Industry"}}


def test_nodes_may_have_names_of_their_own() -> None:
    assets = pd.DataFrame({"asset_id": ["A"], "kind": ["stock"], "name": ["A"], "market": ["XATH"]})
    labels = [("Market", "XATH", "Athens Exchange", "雅典證券交易所"), ("Market", "XNYS", "New York", None)]
    tables = replace(_tables(assets=assets), labels=pd.DataFrame(labels, columns=list(LABEL_COLUMNS), dtype="string"))
    graph = assemble_graph(tables, TODAY)
    assert graph.counts()["nodes"]["Market"] == 1  # a name alone makes no node
    row = graph.row(NodeKind.MARKET, "XATH")
    assert (graph.display_name(row), graph.display_name(row, "zh-TW")) == ("Athens Exchange", "雅典證券交易所")


def test_a_new_statement_of_a_fund_replaces_the_whole_list() -> None:
    assets = pd.DataFrame({"asset_id": ["F", "A", "B"], "kind": ["fund", "stock", "stock"], "name": "x"})
    holdings = [("F", "A", "2025-01-31", 0.6), ("F", "B", "2025-01-31", 0.4), ("F", "B", "2025-02-28", 1.0)]
    frame = pd.DataFrame(holdings, columns=["fund_id", "asset_id", "as_of", "weight"])
    tables = _tables(assets=assets, fund_holdings=frame)
    assert _edges(assemble_graph(tables, date(2025, 2, 27)), Relation.INVESTS_IN) == {("F", "A"), ("F", "B")}
    assert _edges(assemble_graph(tables, date(2025, 2, 28)), Relation.INVESTS_IN) == {("F", "B")}


def test_relations_find_the_kind_of_both_ends() -> None:
    assets = pd.DataFrame({"asset_id": ["A", "B"], "kind": ["stock", "bond"], "name": "x", "industry": "Ships"})
    rows = [("A", "IN_SECTOR", "Transport"), ("Ships", "IN_SECTOR", "Transport"), ("A", "ISSUED_BY", "Line"),
            ("A", "COMPETES_WITH", "B"), ("B", "AFFECTED_BY", "Strike")]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["source_id", "relation", "target_id"])
    graph = assemble_graph(_tables(assets=assets, relations=frame), TODAY)
    kinds = {
        (graph.kind_of(int(graph.edges.head[at])).value, relation, graph.kind_of(int(graph.edges.tail[at])).value)
        for relation in {row[1] for row in rows}
        for at in graph.edges_between(Relation(relation))
    }
    assert kinds == {
        ("Stock", "IN_SECTOR", "Sector"),
        ("Industry", "IN_SECTOR", "Sector"),
        ("Stock", "ISSUED_BY", "Issuer"),
        ("Stock", "COMPETES_WITH", "Bond"),
        ("Bond", "AFFECTED_BY", "Event"),
    }


def test_tables_without_rows_give_an_empty_graph() -> None:
    graph = assemble_graph(_tables(), TODAY)
    assert (len(graph), len(graph.edges), len(graph.users), len(graph.assets)) == (0, 0, 0, 0)
    assert graph.triples().shape == (0, 3)


# -- no leak --------------------------------------------------------------------------------------------------


def _later(frame: pd.DataFrame, cut: date) -> pd.Series:
    """Rows that tell of days after `cut`, or could be known only after it."""
    dates = frame[[c for c in frame.columns if c in DATE_COLUMNS and c != "listed"]]
    return (dates > pd.Timestamp(cut)).any(axis=1)


@settings(max_examples=12, deadline=None)
@given(cut=st.dates(date(2024, 1, 1), date(2025, 8, 1)), data=st.data())
def test_facts_after_the_cut_change_nothing(tables: Tables, cut: date, data: st.DataObject) -> None:
    """Later rows are dropped, or told otherwise: another amount, another level, another rating."""
    altered = {}
    for name in ("users", "positions", "transactions", "fund_holdings", "prices", "facts", "relations"):
        frame = getattr(tables, name)
        later = _later(frame, cut)
        texts = {c: "otherwise" for c in ("risk_level", "objective", "name", "source", "unit") if c in frame}
        numbers = {c: 0.25 for c in ("units", "weight", "value", "close") if c in frame}
        told = frame[later].assign(**texts, **numbers)
        kept = told.iloc[: data.draw(st.integers(0, len(told)))]
        altered[name] = pd.concat([frame[~later], kept], ignore_index=True)
    other = replace(tables, **altered)
    assert assemble_graph(other, cut).content_hash == assemble_graph(tables, cut).content_hash


@settings(max_examples=12, deadline=None)
@given(cut=st.dates(date(1999, 1, 1), date(2025, 8, 1)))
def test_stepping_back_is_the_same_as_never_having_known(tables: Tables, cut: date) -> None:
    """No name changes over time in these tables, so that the two snapshots are equal to the byte."""
    assert assemble_graph(tables, TODAY).at(cut).content_hash == assemble_graph(tables, cut).content_hash


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_the_order_of_the_rows_does_not_matter(tables: Tables, seed: int) -> None:
    shuffled = {
        name: getattr(tables, name).sample(frac=1, random_state=seed).reset_index(drop=True) for name in COLUMNS
    }
    assert assemble_graph(replace(tables, **shuffled), TODAY).content_hash == assemble_graph(tables, TODAY).content_hash


def test_nothing_in_a_snapshot_is_dated_after_it(tables: Tables) -> None:
    day = date(2025, 1, 15)
    graph = assemble_graph(tables, day)
    assert max(graph.edges.as_of.max(), graph.edges.known_at.max(), graph.nodes.known_at.max()) <= to_days(day)
    assert graph.edges.as_of.min() == to_days(UNDATED)
    assert assemble_graph(tables, day + timedelta(days=30)).content_hash != graph.content_hash


def test_the_sources_name_the_tables(tables: Tables, tmp_path: Path) -> None:
    sources = set(assemble_graph(tables, TODAY).edges.source)
    assert sources == {
        "Tiny: users", "Tiny: assets", "Tiny: positions", "Tiny: transactions", "Tiny: fund_holdings", "Tiny: facts",
        "Tiny: relations", "Tiny: analyst_ratings", "company report", "analyst notes",
        "Tiny: prices; close; closes as given",
        "Tiny: prices; close / close of the trading day before - 1; closes as given",
    }  # fmt: skip
