"""What is known when, table by table: each snapshot against a few lines that read only the rows known by its day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.graph import KnowledgeGraph, to_days
from pathfolio.kg.schema import RELATIONS, Relation, Replaces
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.lifetimes import lifetimes
from pathfolio.kg.store.load import load_into
from pathfolio.kg.store.read import read_graph
from pathfolio.kg.tables import COLUMNS, Tables, empty_table, typed_table
from tests.kg.market_files import write_market
from tests.kg.store_world import SERVERS, address_of, empty

DAYS = [date(2024, 1, day) for day in range(1, 10)]
KIND = {"A": "stock", "B": "stock", "C": "bond", "F": "fund", "G": "fund"}

day = st.integers(0, 5)
lag = st.sampled_from([0, 0, 1, 3])
asset = st.sampled_from("ABC")
number = st.sampled_from([0.25, 0.5, 1.0])


def rows_of(key: Any, values: Any) -> Any:
    """Rows whose keys occur once, as the contract has it."""
    return st.dictionaries(key, values, max_size=6).map(lambda found: [(*key, *value) for key, value in found.items()])


MARKET = st.fixed_dictionaries(
    {
        "users": rows_of(st.tuples(st.sampled_from("uv"), day), st.tuples(st.sampled_from([None, "Low", "High"]))),
        "assets": rows_of(st.tuples(asset, day), st.tuples(*[st.sampled_from([None, "x", "y"])] * 2)),
        "positions": rows_of(st.tuples(st.sampled_from("uv"), asset, day, lag), st.tuples(st.integers(0, 2))),
        "transactions": rows_of(
            st.tuples(st.sampled_from("uv"), asset, day, st.sampled_from(["buy", "sell"])), st.tuples(st.integers(1, 2))
        ),
        "fund_holdings": rows_of(st.tuples(st.sampled_from("FG"), asset, day, lag), st.tuples(number)),
        "facts": rows_of(st.tuples(asset, st.sampled_from(["pe", "roe"]), day, lag), st.tuples(number)),
        "relations": rows_of(
            st.tuples(st.sampled_from("AB"), st.sampled_from(["SUPPLIES", "ISSUED_BY"]), st.just("C"), day, lag),
            st.tuples(number),
        ),
        "analyst_ratings": rows_of(
            st.tuples(asset, day, st.sampled_from("PQ")), st.tuples(st.sampled_from(["+", "-"]))
        ),
    }
)
HEADERS = {
    "users": ("user_id", "as_of", "risk_level"),
    "assets": ("asset_id", "as_of", "industry", "sector"),
    "positions": ("user_id", "asset_id", "as_of", "known_at", "units"),
    "transactions": ("user_id", "asset_id", "date", "side", "units"),
    "fund_holdings": ("fund_id", "asset_id", "as_of", "known_at", "weight"),
    "facts": ("asset_id", "metric", "as_of", "known_at", "value"),
    "relations": ("source_id", "relation", "target_id", "as_of", "known_at", "weight"),
    "analyst_ratings": ("asset_id", "date", "analyst_firm", "rating"),
}
Rows = dict[str, list[dict[str, Any]]]


def dated(drawn: dict[str, list[tuple[Any, ...]]]) -> Rows:
    """The rows by column, numbers of days as dates; every row has the day from which it is known."""
    out: Rows = {}
    for table, rows in drawn.items():
        named = [dict(zip(HEADERS[table], row, strict=True)) for row in rows]
        for row in named:
            told = row.get("as_of", row.get("date"))
            row["known_at"] = DAYS[told + row.get("known_at", 0)]
            row["as_of" if "as_of" in row else "date"] = DAYS[told]
            if row.get("relation") == "ISSUED_BY":
                row["target_id"] = f"issuer {row['weight']}"
        out[table] = named
    return out


def tables_of(rows: Rows) -> Tables:
    always = [{"asset_id": key, "kind": kind, "name": key} for key, kind in KIND.items()]
    told = [row | {"kind": KIND[row["asset_id"]], "name": row["asset_id"]} for row in rows["assets"]]
    frames = {**rows, "assets": [*always, *told], "users": [*({"user_id": user} for user in "uv"), *rows["users"]]}
    typed = {
        name: typed_table(name, pd.DataFrame(frames[name])) if frames.get(name) else empty_table(name)
        for name in COLUMNS
    }
    return Tables(**typed, name="Drawn")


def known_by(rows: Rows, day: date) -> Rows:
    return {table: [row for row in of_table if row["known_at"] <= day] for table, of_table in rows.items()}


Facts = dict[tuple[Any, ...], Any]


def newest(rows: list[dict[str, Any]], key: tuple[str, ...], value: str) -> Facts:
    """Of each key the value of the latest day, of several the one known last; rows without a value say nothing."""
    told = [row for row in rows if row[value] is not None]
    told.sort(key=lambda row: (row.get("as_of", row.get("date")), row["known_at"]))
    return {tuple(row[name] for name in key): row[value] for row in told}


def reference(rows: Rows, day: date) -> dict[str, Facts]:
    """What the snapshot of `day` must say, from the rows known by then and nothing else."""
    rows = known_by(rows, day)
    last: dict[str, date] = {}
    for row in rows["fund_holdings"]:
        last[row["fund_id"]] = max(row["as_of"], last.get(row["fund_id"], date.min))
    listed = [row for row in rows["fund_holdings"] if row["as_of"] == last[row["fund_id"]]]
    industry, sector = (newest(rows["assets"], ("asset_id",), column) for column in ("industry", "sector"))
    supplies = [row for row in rows["relations"] if row["relation"] == "SUPPLIES"]
    issued = [row for row in rows["relations"] if row["relation"] == "ISSUED_BY"]
    return {
        "HOLDS|HELD": positions(rows),
        "HAS_RISK": newest(rows["users"], ("user_id",), "risk_level"),
        "INVESTS_IN": newest(listed, ("fund_id", "asset_id"), "weight"),
        "IN_INDUSTRY": industry,
        "IN_SECTOR": sector | industry_leads(rows),
        "HAS_FACT": newest(rows["facts"], ("asset_id", "metric"), "value"),
        "SUPPLIES": newest(supplies, ("source_id", "target_id"), "weight"),
        "ISSUED_BY": newest(issued, ("source_id",), "target_id"),
        "RATED_BY": newest(rows["analyst_ratings"], ("asset_id", "analyst_firm"), "rating"),
    }


def industry_leads(rows: Rows) -> Facts:
    """The sector of most assets of each industry; one that lost all of its assets keeps the sector it had last."""
    leads: Facts = {}
    for day in DAYS:
        told = [row for row in rows["assets"] if row["as_of"] <= day]
        industry, sector = (newest(told, ("asset_id",), column) for column in ("industry", "sector"))
        places = Counter((industry[key], sector[key]) for key in industry.keys() & sector.keys())
        for of, _ in places:
            leads[(of,)] = max((count, name) for (other, name), count in places.items() if other == of)[1]
    return leads


def positions(rows: Rows) -> Facts:
    out = {}
    for user, key in {(row["user_id"], row["asset_id"]) for row in rows["positions"] + rows["transactions"]}:
        last = max((row["as_of"] for row in rows["positions"] if row["user_id"] == user), default=date.min)
        own = [row for row in rows["positions"] if (row["user_id"], row["asset_id"], row["as_of"]) == (user, key, last)]
        units = max(own, key=lambda row: row["known_at"])["units"] if own else 0
        for row in rows["transactions"]:
            if (row["user_id"], row["asset_id"]) == (user, key) and row["date"] > last:
                units += row["units"] * (1 if row["side"] == "buy" else -1)
        out[user, key] = max(units, 0)
    return out


def said(graph: KnowledgeGraph) -> dict[str, Facts]:
    """The same of a snapshot: its current relations, each with what the reference tells of it."""
    out: dict[str, Facts] = {name: {} for name in reference({table: [] for table in HEADERS}, DAYS[0])}
    edges, ids = graph.edges, graph.nodes.id
    for at in np.flatnonzero(graph.current):
        relation = list(Relation)[edges.relation[at]]
        head, tail = ids[edges.head[at]], ids[edges.tail[at]]
        name = "HOLDS|HELD" if relation in (Relation.HOLDS, Relation.HELD) else relation.value
        if name not in out:
            continue
        one_of_a_kind = RELATIONS[relation].replaces is Replaces.HEAD
        value = edges.value[at] if name in ("HOLDS|HELD", "HAS_FACT") else edges.weight[at]
        value = edges.qualifier[at] if name == "RATED_BY" else value
        out[name][(head,) if one_of_a_kind else (head, tail)] = tail if one_of_a_kind else value
    return out


@settings(max_examples=6, deadline=None)
@given(MARKET, st.sets(st.sampled_from(DAYS), min_size=2, max_size=2))
def test_a_snapshot_is_what_the_rows_known_by_its_day_tell(
    drawn: dict[str, list[tuple[Any, ...]]], days: set[date]
) -> None:
    rows = dated(drawn)
    tables, whole = tables_of(rows), assemble_graph(tables_of(rows), DAYS[-1])
    start, until = lifetimes(whole)
    for day in days:
        graph = assemble_graph(tables, day)
        assert said(graph) == reference(rows, day), day
        assert graph.content_hash == assemble_graph(tables_of(known_by(rows, day)), day).content_hash
        assert graph.content_hash == whole.at(day).content_hash
        alive = (start <= to_days(day)) & (to_days(day) < until)
        assert versions_of(whole, alive) == versions_of(graph, graph.current)


def versions_of(graph: KnowledgeGraph, mask: Any) -> set[tuple[Any, ...]]:
    nodes, edges = graph.nodes, graph.edges
    columns = (edges.relation, nodes.id[edges.head], nodes.id[edges.tail], edges.as_of, edges.known_at)
    return set(zip(*(column[mask].tolist() for column in columns), strict=True))


# -- the same in the store ------------------------------------------------------------------------------------

AMENDED = {
    "positions": [
        ("u", "A", 3, 1, 5),  # filed on the 5th, and so was
        ("u", "B", 3, 1, 2),
        ("u", "A", 0, 6, 5),  # the earlier statement on the 7th
        ("u", "C", 0, 6, 1),
        ("u", "B", 3, 4, 0),  # on the 8th, B is taken out of the newer one
    ],
    "transactions": [("u", "C", 1, "buy", 2), ("u", "C", 4, "buy", 1)],
    "fund_holdings": [("F", "A", 2, 1, 0.5), ("F", "B", 0, 5, 0.5), ("F", "C", 2, 5, 0.25)],
    "facts": [("A", "pe", 2, 1, 1.0), ("A", "pe", 1, 5, 0.5), ("A", "pe", 2, 6, 0.25)],
}

STATES = """
MATCH (head)-[r:HOLDS|HELD|INVESTS_IN|HAS_FACT]->(tail)
WHERE r.current_from <= $day < r.current_until
RETURN type(r), head.id, tail.id, coalesce(r.weight, r.value)
"""


@pytest.fixture(params=SERVERS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store."""
    with Store(address_of(request.param), patience=1.0) as connected:
        empty(connected)
        yield connected


def test_the_store_tells_of_each_day_what_was_known_on_it(store: Store) -> None:
    rows = dated({table: AMENDED.get(table, []) for table in HEADERS})
    tables = tables_of(rows)
    load_into(store, assemble_graph(tables, DAYS[-1]))
    for day in DAYS:
        assert read_graph(store, day).content_hash == assemble_graph(tables, day).content_hash
        wanted = reference(rows, day)
        held = {(("HOLDS" if units else "HELD"), *pair, units) for pair, units in wanted["HOLDS|HELD"].items()}
        others = {(name, *ends, value) for name in ("INVESTS_IN", "HAS_FACT") for ends, value in wanted[name].items()}
        found = store.read(STATES, day=day)
        assert len(found) == len({tuple(row[:3]) for row in found})  # one state a day
        assert {tuple(row) for row in found} == held | others, day


# -- what the report says -------------------------------------------------------------------------------------


def test_the_report_tells_what_came_late_and_what_is_overruled(tmp_path: Path) -> None:
    header = "user_id,asset_id,as_of,known_at,units,value,weight\n"
    late = "007,2330,2025-12-31,2026-02-02,5,,\n007,2330,2024-12-31,2026-03-18,5,,\n007,NA,2024-12-31,2026-04-01,1,,\n"
    holdings = "0050,2330,2025-06-30,0.5,2025-07-10\n0050,NA,2025-06-30,0.1,2025-07-11\n"
    facts = "2330,pe_ratio,22.5,ratio,2025-03-31,,report\n2330,pe_ratio,20,ratio,2025-03-31,2025-03-31,news\n"
    tables = read_folder(
        write_market(
            tmp_path / "Late",
            positions=header + late,
            transactions="user_id,asset_id,date,side,units\n007,2330,2025-12-31,buy,1\n",
            fund_holdings="fund_id,asset_id,as_of,weight,known_at\n" + holdings,
            facts="asset_id,metric,value,unit,as_of,known_at,source\n" + facts,
        )
    )
    each = "1 rows known later than the first of their statement; each row tells of its own asset alone"
    assert [note for note in tables.notes if "known" in note or "statement" in note] == [
        "positions.csv: statements known only after a newer one: 1 (that of 007 for 2024-12-31, on 2026-03-18); "
        "they tell of the past alone, from then on",
        f"positions.csv: amendments: 1, with {each}, and what an amendment does not name stands",
        f"fund_holdings.csv: amendments: 1, with {each}, and what an amendment does not name stands",
        "transactions.csv: rows of the day of a statement of the same investor: 1; they are taken to be in it",
        "facts.csv: rows that another of the same as_of and known_at tells otherwise: 1; the last by source and value "
        "stands; give the right one a later known_at",
    ]


def test_a_row_without_known_at_was_known_on_its_day(tmp_path: Path) -> None:
    """It has the key of one that says so, and only one of the two can stand."""
    header = "user_id,asset_id,as_of,known_at,units,value,weight\n"
    rows = "007,2330,2024-06-30,,10,,\n007,2330,2024-06-30,2024-06-30,11,,\n007,NA,2024-06-30,,1,,\n"
    tables = read_folder(write_market(tmp_path / "Twice", positions=header + rows))
    assert tables.positions["units"].tolist() == [10, 1]
    assert tables.rejected["problem"].tolist() == ["a second row with the same key and other values"]


def test_an_asset_told_of_twice_counts_once_for_its_industry() -> None:
    """One asset with three rows is in Space, two with one row each are in Defence."""
    frame = pd.DataFrame({"asset_id": list("AAABC"), "kind": "stock", "name": "x", "industry": "Rockets"})
    frame = frame.assign(sector=["Space"] * 3 + ["Defence"] * 2, as_of=[f"2024-01-0{at}" for at in (3, 4, 5, 1, 2)])
    tables = tables_of({table: [] for table in HEADERS})
    graph = assemble_graph(replace(tables, assets=typed_table("assets", frame)), DAYS[-1])
    assert said(graph)["IN_SECTOR"]["Rockets",] == "Defence"
