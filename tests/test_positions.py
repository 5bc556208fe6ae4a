"""From statements and transactions to the dated versions of a position, each case derived by hand."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.positions import position_versions
from kg.tables import typed_table

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


def test_a_version_is_known_no_earlier_than_what_it_builds_on() -> None:
    """The statement of December is filed in February; the purchase of January shows its units only then."""
    statements = [("u", "A", "2024-12-31", 5, "2025-02-14")]
    trades = [("u", "A", "2025-01-10", "buy", 1)]
    assert [row[3:] for row in versions(statements, trades)] == [
        (5, "2024-12-31", "2025-02-14"),
        (6, "2025-01-10", "2025-02-14"),
    ]


def test_a_corrected_statement_is_a_version_of_its_own() -> None:
    statements = [("u", "A", "2024-12-31", 5, "2025-02-14"), ("u", "A", "2024-12-31", 6, "2025-03-01")]
    assert [row[3:] for row in versions(statements)] == [
        (5, "2024-12-31", "2025-02-14"),
        (6, "2024-12-31", "2025-03-01"),
    ]


def test_amounts_without_units_tell_open_from_closed() -> None:
    """A value or a weight says that something is held; how many units is then not known."""
    positions = pd.DataFrame({"user_id": "u", "asset_id": ["A", "B", "C"], "as_of": "2024-01-01"})
    positions = positions.assign(value=[10, None, None], weight=[None, 0.5, None])
    found = position_versions(typed_table("positions", positions), typed_table("transactions", pd.DataFrame()))
    assert found["relation"].tolist() == ["HOLDS"] * 3
    assert found["units"].isna().all()


def test_no_rows_give_no_versions() -> None:
    assert versions() == []


days = st.sampled_from([f"2024-01-0{day}" for day in range(1, 8)])
pairs = st.tuples(st.sampled_from("uv"), st.sampled_from("AB"))
statement_rows = st.dictionaries(st.tuples(pairs, days), st.integers(0, 3), max_size=8)
trade_rows = st.lists(st.tuples(pairs, days, st.sampled_from(["buy", "sell"]), st.integers(1, 3)), max_size=8)


def units_by_replay(
    statements: dict[tuple[tuple[str, str], str], int], trades: list[tuple[tuple[str, str], str, str, int]], day: str
) -> dict[tuple[str, str], int]:
    """Units on the evening of `day`, by the rule as it is told: last statement, plus the trades after it."""
    units = {}
    for user, asset in {pair for pair, _ in statements} | {pair for pair, *_ in trades}:
        dates = [date for (who, _), date in statements if who == user and date <= day]
        named = {date: held for (pair, date), held in statements.items() if pair == (user, asset) and date <= day}
        first = min([*named, *(date for pair, date, *_ in trades if pair == (user, asset))], default="9999")
        if first > day:
            continue
        touched = [*named, *(date for pair, date, *_ in trades if pair == (user, asset))]
        relevant = [date for date in dates if any(earlier <= date for earlier in touched)]
        start = max(relevant, default="")
        held = named.get(start, 0)
        for pair, date, side, amount in trades:
            if pair == (user, asset) and start < date <= day:
                held += amount if side == "buy" else -amount
        units[user, asset] = held
    return units


@settings(max_examples=35, deadline=None)
@given(statement_rows, trade_rows, st.randoms())
def test_versions_replay_every_day(
    statements: dict[tuple[tuple[str, str], str], int],
    trades: list[tuple[tuple[str, str], str, str, int]],
    random: object,
) -> None:
    rows = [(*pair, day, units) for (pair, day), units in statements.items()]
    orders = [(*pair, day, side, units) for pair, day, side, units in trades]
    found = versions(rows, orders)
    random.shuffle(rows)  # type: ignore[attr-defined]
    random.shuffle(orders)  # type: ignore[attr-defined]
    assert versions(rows, orders) == found
    for day in (f"2024-01-0{day}" for day in range(1, 8)):
        newest = {(user, asset): (relation, units) for user, asset, relation, units, as_of, _ in found if as_of <= day}
        expected = {
            pair: ("HOLDS" if units > 0 else "HELD", max(units, 0))
            for pair, units in units_by_replay(statements, trades, day).items()
        }
        assert newest == expected, day
