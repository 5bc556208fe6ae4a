"""From statements and transactions to the dated versions of a position, each case derived by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import Random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.positions import position_versions
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.tables import typed_table

Row = tuple[object, ...]


def versions(statements: list[Row] = [], trades: list[Row] = []) -> list[tuple[str, str, str, float, str, str]]:  # noqa: B006
    """(user, asset, relation, units, as_of, known_at) of each version.

    Statements are (user, asset, as_of, units[, known_at]), trades are (user, asset, date, side, units).
    """
    columns = ["user_id", "asset_id", "as_of", "units", "known_at"]
    rows = [(*row, None)[:5] for row in statements]
    positions = typed_table("positions", pd.DataFrame(rows, columns=columns))
    columns = ["user_id", "asset_id", "date", "side", "units"]
    transactions = typed_table("transactions", pd.DataFrame(trades, columns=columns))
    found = position_versions(positions, transactions)
    dates = (found[column].dt.strftime("%Y-%m-%d") for column in ("as_of", "known_at"))
    return list(zip(found["user_id"], found["asset_id"], found["relation"], found["units"], *dates, strict=True))


def test_a_statement_opens_and_closes_positions() -> None:
    statements = [("u", "A", "2024-01-01", 5), ("u", "B", "2024-01-01", 2), ("u", "B", "2024-06-01", 2)]
    assert versions(statements) == [
        ("u", "A", "HOLDS", 5, "2024-01-01", "2024-01-01"),
        ("u", "A", "HELD", 0, "2024-06-01", "2024-06-01"),  # the second statement no longer lists it
        ("u", "B", "HOLDS", 2, "2024-01-01", "2024-01-01"),  # unchanged since: no second version
    ]


def test_the_statement_of_another_investor_closes_nothing() -> None:
    statements = [("u", "A", "2024-01-01", 5), ("v", "B", "2024-06-01", 2)]
    assert [row[2] for row in versions(statements)] == ["HOLDS", "HOLDS"]


def test_zero_units_are_a_closed_position() -> None:
    assert versions([("u", "A", "2024-01-01", 0), ("u", "B", "2024-01-01", 1e-13)]) == [
        ("u", "A", "HELD", 0, "2024-01-01", "2024-01-01"),
        ("u", "B", "HELD", 1e-13, "2024-01-01", "2024-01-01"),
    ]


def test_transactions_add_to_the_statement_before_them() -> None:
    trades = [
        ("u", "A", "2024-01-01", "buy", 100),  # on the statement's own day: it is in the statement
        ("u", "A", "2024-02-01", "buy", 1),
        ("u", "A", "2024-02-01", "buy", 1),
        ("u", "A", "2024-03-01", "sell", 7),
        ("u", "A", "2024-04-01", "buy", 4),
    ]
    assert versions([("u", "A", "2024-01-01", 5)], trades) == [
        ("u", "A", "HOLDS", 5, "2024-01-01", "2024-01-01"),
        ("u", "A", "HOLDS", 7, "2024-02-01", "2024-02-01"),
        ("u", "A", "HELD", 0, "2024-03-01", "2024-03-01"),
        ("u", "A", "HOLDS", 4, "2024-04-01", "2024-04-01"),
    ]


def test_a_later_statement_overrules_the_transactions_before_it() -> None:
    statements = [("u", "A", "2024-01-01", 5), ("u", "A", "2024-06-01", 9)]
    trades = [("u", "A", "2024-02-01", "buy", 1), ("u", "A", "2024-07-01", "sell", 2)]
    assert [row[3:5] for row in versions(statements, trades)] == [
        (5, "2024-01-01"),
        (6, "2024-02-01"),
        (9, "2024-06-01"),
        (7, "2024-07-01"),
    ]


def test_a_purchase_that_the_next_statement_does_not_list_was_sold_again() -> None:
    statements = [("u", "B", "2024-01-01", 2), ("u", "B", "2024-06-01", 2)]
    trades = [
        ("u", "A", "2024-02-01", "buy", 1),
        ("u", "C", "2024-06-01", "buy", 1),
        ("u", "D", "2024-06-02", "buy", 1),
    ]
    assert [(row[1], row[2], row[4]) for row in versions(statements, trades)] == [
        ("A", "HOLDS", "2024-02-01"),
        ("A", "HELD", "2024-06-01"),
        ("B", "HOLDS", "2024-01-01"),
        ("C", "HELD", "2024-06-01"),
        ("D", "HOLDS", "2024-06-02"),
    ]


def test_sales_of_what_was_bought_before_the_records_begin_close_the_position() -> None:
    trades = [
        ("u", "A", "2024-01-01", "sell", 5),
        ("u", "A", "2024-02-01", "buy", 2),
        ("u", "A", "2024-03-01", "buy", 4),
    ]
    assert [row[2:4] for row in versions([], trades)] == [("HELD", 0), ("HOLDS", 1)]


def test_a_late_statement_of_an_older_day_hides_nothing() -> None:
    """Whoever asks on 1 March knows December 2025 alone; on 20 March its history has been filed as well."""
    statements = [("u", "X", "2025-12-31", 5, "2026-02-02"), ("u", "X", "2024-12-31", 5, "2026-03-18")]
    found = versions(statements)
    assert found == [
        ("u", "X", "HOLDS", 5, "2024-12-31", "2026-03-18"),
        ("u", "X", "HOLDS", 5, "2025-12-31", "2026-02-02"),
    ]
    assert [newest(found, day) for day in ("2026-02-01", "2026-03-01", "2026-03-20")] == [
        {}, {("u", "X"): ("HOLDS", 5)}, {("u", "X"): ("HOLDS", 5)}
    ]  # fmt: skip


def test_a_late_statement_of_an_older_day_closes_nothing_newer() -> None:
    """It tells that Y was held, and so that Y was gone a year later; of Z, which it does not list, nothing."""
    statements = [
        ("u", "X", "2025-12-31", 5, "2026-02-02"),
        ("u", "Z", "2025-12-31", 1, "2026-02-02"),
        ("u", "X", "2024-12-31", 4, "2026-03-18"),
        ("u", "Y", "2024-12-31", 2, "2026-03-18"),
    ]
    assert versions(statements) == [
        ("u", "X", "HOLDS", 4, "2024-12-31", "2026-03-18"),
        ("u", "X", "HOLDS", 5, "2025-12-31", "2026-02-02"),
        ("u", "Y", "HOLDS", 2, "2024-12-31", "2026-03-18"),
        ("u", "Y", "HELD", 0, "2025-12-31", "2026-03-18"),
        ("u", "Z", "HOLDS", 1, "2025-12-31", "2026-02-02"),
    ]


def test_transactions_are_added_anew_to_a_statement_that_is_known_later() -> None:
    """The statement of December is filed in February; until then the purchase of January is all that is known."""
    statements = [("u", "A", "2024-12-31", 5, "2025-02-14")]
    trades = [("u", "A", "2025-01-10", "buy", 1)]
    assert [row[3:] for row in versions(statements, trades)] == [
        (5, "2024-12-31", "2025-02-14"),
        (1, "2025-01-10", "2025-01-10"),
        (6, "2025-01-10", "2025-02-14"),
    ]


def test_a_corrected_statement_is_a_version_of_its_own() -> None:
    statements = [("u", "A", "2024-12-31", 5, "2025-02-14"), ("u", "A", "2024-12-31", 6, "2025-03-01")]
    assert [row[3:] for row in versions(statements)] == [
        (5, "2024-12-31", "2025-02-14"),
        (6, "2024-12-31", "2025-03-01"),
    ]


def test_an_amendment_tells_of_its_own_assets_alone() -> None:
    """A is left as it was, B is taken out, C is added; C was first thought to be gone since the statement before."""
    statements = [
        ("u", "C", "2023-12-31", 1),
        ("u", "A", "2024-12-31", 5, "2025-02-14"),
        ("u", "B", "2024-12-31", 2, "2025-02-14"),
        ("u", "B", "2024-12-31", 0, "2025-03-01"),
        ("u", "C", "2024-12-31", 3, "2025-03-01"),
    ]
    assert versions(statements) == [
        ("u", "A", "HOLDS", 5, "2024-12-31", "2025-02-14"),
        ("u", "B", "HOLDS", 2, "2024-12-31", "2025-02-14"),
        ("u", "B", "HELD", 0, "2024-12-31", "2025-03-01"),
        ("u", "C", "HOLDS", 1, "2023-12-31", "2023-12-31"),
        ("u", "C", "HELD", 0, "2024-12-31", "2025-02-14"),
        ("u", "C", "HOLDS", 3, "2024-12-31", "2025-03-01"),
    ]


def test_amounts_without_units_tell_open_from_closed() -> None:
    """A value or a weight says that something is held; how many units is then not known."""
    positions = pd.DataFrame({"user_id": "u", "asset_id": ["A", "B", "C"], "as_of": "2024-01-01"})
    positions = positions.assign(value=[10, None, None], weight=[None, 0.5, None])
    found = position_versions(typed_table("positions", positions), typed_table("transactions", pd.DataFrame()))
    assert found["relation"].tolist() == ["HOLDS"] * 3
    assert found["units"].isna().all()


def test_money_is_of_the_statement_that_tells_it() -> None:
    """A statement that values the same units otherwise is a version; a transaction does not say what all is worth."""
    positions = pd.DataFrame({"user_id": "u", "asset_id": "A", "units": 2, "as_of": ["2024-01-01", "2024-02-01"]})
    trade = {"user_id": ["u"], "asset_id": "A", "date": "2024-03-01", "side": "buy", "units": 1, "value": 9}
    positions = typed_table("positions", positions.assign(value=[10.0, 12.0]))
    found = position_versions(positions, typed_table("transactions", pd.DataFrame(trade)))
    assert found["units"].tolist() == [2, 2, 3]
    assert found["amount"].tolist()[:2] == [10, 12]
    assert pd.isna(found["amount"].iloc[2])


def test_no_rows_give_no_versions() -> None:
    assert versions() == []


# -- a reference that reads the rows anew for each day --------------------------------------------------------

DAYS = [f"2024-01-{day:02d}" for day in range(1, 10)]
days = st.integers(0, 6)
pairs = st.tuples(st.sampled_from("uv"), st.sampled_from("AB"))
statement_rows = st.dictionaries(st.tuples(pairs, days, st.sampled_from([0, 0, 1, 2])), st.integers(0, 3), max_size=9)
trade_rows = st.lists(st.tuples(pairs, days, st.sampled_from(["buy", "sell"]), st.integers(1, 3)), max_size=8)

Versions = list[tuple[str, str, str, float, str, str]]
State = dict[tuple[str, str], tuple[str, float]]


def newest(found: Versions, known: str, day: str = "9999") -> State:
    """The state of each pair on `day`, as it is known on `known`, by the rule of the graph."""
    seen = [row for row in found if row[4] <= min(day, known) and row[5] <= known]
    return {row[:2]: (row[2], row[3]) for row in sorted(seen, key=lambda row: row[4:])}


def told(statements: list[Row], trades: list[Row], known: str, day: str = "9999") -> State:
    """The same from the rows: the last statement known then, plus the trades after it."""
    rows = [row for row in statements if row[2] <= min(day, known) and row[4] <= known]
    orders = [row for row in trades if row[2] <= min(day, known)]
    state = {}
    for user, asset in {row[:2] for row in rows + orders}:
        last = max((row[2] for row in rows if row[0] == user), default="")
        listed = sorted((row[4], row[3]) for row in rows if row[:3] == (user, asset, last))
        units = listed[-1][1] if listed else 0
        units += sum(
            row[4] * (1 if row[3] == "buy" else -1) for row in orders if row[:2] == (user, asset) and row[2] > last
        )
        state[user, asset] = ("HOLDS" if units > 0 else "HELD", max(units, 0))
    return state


@settings(max_examples=30, deadline=None)
@given(statement_rows, trade_rows, st.sampled_from(DAYS), st.randoms())
def test_every_day_is_as_its_rows_tell_it(
    statements: dict[tuple[tuple[str, str], int, int], int],
    trades: list[tuple[tuple[str, str], int, str, int]],
    then: str,
    random: Random,
) -> None:
    """On every day D, of every day up to it: also what was known in the past of the past."""
    rows: list[Row] = [(*pair, DAYS[at], units, DAYS[at + lag]) for (pair, at, lag), units in statements.items()]
    orders: list[Row] = [(*pair, DAYS[at], side, units) for pair, at, side, units in trades]
    found = versions(rows, orders)
    for known in DAYS:
        for day in DAYS:
            assert newest(found, known, day) == told(rows, orders, known, day), (known, day)
    by_then = versions([row for row in rows if row[4] <= then], [row for row in orders if row[2] <= then])
    assert sorted(by_then) == sorted(row for row in found if row[5] <= then)  # no later row changes anything
    random.shuffle(rows)
    random.shuffle(orders)
    assert versions(rows, orders) == found


@pytest.mark.realdata
def test_the_manager_who_filed_an_older_year_last(real_data: Path) -> None:
    """Danske Bank filed 2024 in March 2026, after 2025: on the first of March all 148 holdings of 2025 are known."""
    tables = read_folder(real_data / "us-2025")
    rows = tables.positions[tables.positions["user_id"] == "0000800177"]
    assert rows.groupby("as_of")["known_at"].first().astype(str).to_dict() == {
        pd.Timestamp("2024-12-31"): "2026-03-18", pd.Timestamp("2025-12-31"): "2026-02-02"
    }  # fmt: skip
    listed = set(rows.loc[rows["as_of"] == "2025-12-31", "asset_id"])
    earlier = set(rows.loc[rows["as_of"] == "2024-12-31", "asset_id"])
    assert len(listed) == 148
    for day, gone in ((date(2026, 3, 1), set()), (date(2026, 3, 18), earlier - listed)):
        graph = assemble_graph(tables, day)
        user = graph.row(NodeKind.USER, "0000800177")
        assert set(graph.nodes.id[graph.outgoing(Relation.HOLDS).of(user)]) == listed
        assert set(graph.nodes.id[graph.outgoing(Relation.HELD).of(user)]) == gone
    assert any("0000800177" in note for note in tables.notes)
