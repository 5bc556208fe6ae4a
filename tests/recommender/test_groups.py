"""Groups of ten without whoever looks, by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.disclosed import disclosed
from pathfolio.recommender.ease import ease, ease_weights
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.groups_at_once import CELLS, GroupsAtOnce
from pathfolio.recommender.interactions import Interactions
from tests.explain.explain_world import DAY, tables_of
from tests.recommender.slow_groups import (
    positions_of,
)


def holding(pairs: Iterable[tuple[str, str]], **of_users: list[tuple[str, str]]) -> Groups:
    """Groups of a market whose investors hold these assets; `of_users` are (investor, level) by profile column."""
    held = pd.DataFrame(list(pairs), columns=["user_id", "asset_id"]).assign(as_of="2020-01-01", units=1.0)
    users = pd.DataFrame({"user_id": sorted({*held["user_id"], *(u for of in of_users.values() for u, _ in of)})})
    users = users.assign(**{column: users["user_id"].map(dict(of)) for column, of in of_users.items()})
    return groups_of(users=users.assign(as_of="2020-01-01"), positions=held)


def groups_of(**frames: pd.DataFrame) -> Groups:
    keys = {key for frame in frames.values() if "asset_id" in frame for key in frame["asset_id"]}
    assets = pd.DataFrame({"asset_id": sorted(keys)}).assign(kind="stock", name="A")
    return Groups(Interactions(assemble_graph(tables_of(assets=assets, **frames), DAY)))


def people(asset: str, start: int, stop: int) -> list[tuple[str, str]]:
    """Investors u<start> to u<stop - 1>, each with the asset."""
    return [(f"u{number}", asset) for number in range(start, stop)]


def at(groups: Groups, asset: str) -> int:
    graph = groups.interactions.graph
    return graph.asset_row(asset) - int(graph.assets[0])


def test_ten_holders_are_none_and_eleven_are_eleven_be_it_now_or_before() -> None:
    rows = [*people("eleven", 0, 11), *people("ten", 0, 10)]
    positions = pd.DataFrame(rows, columns=["user_id", "asset_id"]).assign(as_of="2020-01-01", units=1.0)
    sold = pd.DataFrame({"user_id": ["u10"], "asset_id": ["eleven"], "as_of": ["2020-06-01"], "units": [0.0]})
    groups = groups_of(positions=pd.concat([positions, sold]))
    assert (groups.holders[at(groups, "ten")], groups.holders[at(groups, "eleven")]) == (0, 11)
    assert GroupsAtOnce(groups.interactions).holders_by_level.tolist() == [0, 0]  # u10 sold


@pytest.mark.parametrize(
    ("both", "only_first", "only_second", "told"),
    [
        (11, 11, 11, 11),
        (10, 11, 11, 0),  # without the viewer nine may be left
        (11, 10, 11, 0),  # eleven of the first's 21 are left out, so ten could be told, which is too few
        (11, 11, 10, 0),
        (12, 10, 30, 11),
        (30, 0, 0, 19),  # all of them: whoever holds the one would be known to hold the other
        (30, 5, 40, 24),
        (15, 40, 40, 15),
    ],
)
def test_pairs_leave_eleven_of_either_assets_holders_out(
    both: int, only_first: int, only_second: int, told: int
) -> None:
    pairs = [*people("A", 0, both), *people("B", 0, both)]
    pairs += [*people("A", both, both + only_first), *people("B", 500, 500 + only_second)]
    groups = holding(pairs)
    np.testing.assert_array_equal(groups.together.toarray(), [[0, told], [told, 0]])
    assert (ease_weights(groups, 1.0) != 0).any() == (told > 0)


def held_together(both: int, *more: tuple[str, str]) -> Groups:
    """`both` of the 30 who hold A (u0 to u29) and of the 30 who hold B hold both."""
    return holding([*people("A", 0, 30), *people("B", 30 - both, 60 - both), *more])


def test_weights_are_the_closed_form_of_the_told_table() -> None:
    """A and B are held by 30, both by 25: 19 are told; C by 45, of whom 25 hold A and 20 hold B; D by ten."""
    groups = held_together(25, *people("C", 0, 25), *people("C", 100, 120), *people("D", 200, 210))
    together = np.array([[30.0, 19.0, 19.0], [19.0, 30.0, 19.0], [19.0, 19.0, 45.0]])
    np.testing.assert_array_equal(groups.together.toarray()[:3, :3] + np.diag(groups.holders[:3]), together)
    p = np.linalg.inv(together * (1 + np.diag([0.25] * 3)) + 5 * np.eye(3))  # dropout .2: 1 / 4 of the diagonal
    expected = np.pad(-p / np.diag(p) * (1 - np.eye(3)), (0, 1))
    np.testing.assert_allclose(ease_weights(groups, 5.0, 0.2), expected, rtol=1e-5)


def test_how_many_of_those_left_out_hold_both_changes_no_weight() -> None:
    """19 of 30 and 30 are told, be it 20 or 29 who hold both."""
    weights = [ease_weights(held_together(both), 5.0) for both in (20, 25, 29)]
    raw = [ease(held_together(both).interactions.ever, 5.0) for both in (20, 25, 29)]
    assert weights[0].tobytes() == weights[1].tobytes() == weights[2].tobytes()
    assert raw[0].tobytes() != raw[1].tobytes() != raw[2].tobytes()


@pytest.mark.parametrize(
    ("low", "high", "unknown", "told"),
    [
        (50, 12, 0, (50, 12)),  # none are left out
        (50, 12, 1, (50, 0)),  # the one of no known level would be found by subtraction
        (50, 12, 10, (50, 0)),  # if one of the ten looks, nine are left
        (50, 12, 11, (50, 12)),
        (50, 11, 0, (50, 11)),
        (50, 10, 1, (50, 0)),
        (50, 10, 0, (0, 0)),  # ten are too few, and could be subtracted, so fifty are not told either
        (10, 10, 0, (0, 0)),
        (11, 11, 0, (11, 11)),
    ],
)
def test_levels_are_told_where_those_left_out_are_none_or_eleven(
    low: int, high: int, unknown: int, told: tuple[int, int]
) -> None:
    """Low's, High's and others' investors who hold B; of each level another eleven do not."""
    levels = [*people("Low", 0, low), *people("High", 100, 100 + high)]
    pairs = [(user, "B") for user, _ in [*levels, *people("", 200, 200 + unknown)]]
    levels += [*people("Low", 300, 311), *people("High", 400, 411)]
    groups = holding(pairs, risk_level=levels, segment=[(user, "Mass") for user, _ in pairs])
    graph = groups.interactions.graph
    rows = [graph.row(NodeKind.RISK_LEVEL, level) for level in ("Low", "High")]
    counts = dict(zip(groups.levels.tolist(), groups.of_level_and_asset[:, 0].tolist(), strict=True))
    assert tuple(counts[row] for row in rows) == told
    assert counts[graph.row(NodeKind.SEGMENT, "Mass")] == max(0, len(pairs) - 11) * (len(pairs) >= 22)


def test_levels_leave_eleven_who_do_not_hold_the_asset() -> None:
    """30 of 33 Low investors hold B: 22 are told, if eleven and more then remain of B's holders."""
    for others, told in ((2, 0), (3, 22)):
        groups = holding(people("B", 0, 30 + others), risk_level=[*people("Low", 0, 30), *people("Low", 50, 53)])
        assert (groups.of_level.tolist(), groups.of_level_and_asset.tolist()) == ([33], [[told]])


def bought(*purchases: tuple[str, int, int]) -> Groups:
    """Purchases as (asset, days before the snapshot, buyers)."""
    rows = [
        (f"{asset}{days}-{number}", asset, (DAY - timedelta(days=days)).isoformat())
        for asset, days, buyers in purchases
        for number in range(buyers)
    ]
    trades = pd.DataFrame(rows, columns=["user_id", "asset_id", "date"]).assign(side="buy", units=1.0)
    return groups_of(transactions=trades)


def test_purchases_are_told_in_cells_of_eleven_buyers() -> None:
    """12 in the first five days make a cell; 4 and 8 up to the 21st day another, to which the last 3 are added.

    So builds told before counts waited for the calendar.
    """
    groups = bought_at_once(
        ("A", 3, 12), ("A", 10, 4), ("A", 20, 8), ("A", 100, 3), ("B", 3, 10), ("C", 5, 10), ("C", 100, 1)
    )
    first, rest = 12 / 5, (4 + 8 + 3) / (182 - 5)
    np.testing.assert_allclose(groups.daily[:, at(groups, "A")], [first if end <= 5 else rest for end in CELLS])
    np.testing.assert_allclose(groups.daily[:, at(groups, "B")], 0.0)
    np.testing.assert_allclose(groups.daily[:, at(groups, "C")], 11 / 182)
    for days, of_a, of_c in ((7, 12 + 2 * rest, 77 / 182), (30, 12 + 25 * rest, 330 / 182), (182, 27, 11)):
        np.testing.assert_allclose(groups.bought_within(days), [of_a, 0, of_c])


def bought_at_once(*purchases: tuple[str, int, int]) -> GroupsAtOnce:
    return GroupsAtOnce(bought(*purchases).interactions)


def test_purchases_are_told_of_the_interval_that_has_eleven_buyers() -> None:
    """12 buy A two days before, in a day of their own; of B six buy on the third day before and six on the seventh,
    both in the eight days from 20624 = 8 * 2578. Ten wait, be it since today or yesterday.
    """
    assert (DAY - date(1970, 1, 1)).days == 20634
    groups = bought(("A", 2, 12), ("A", 0, 10), ("B", 3, 6), ("B", 7, 6), ("C", 0, 11), ("D", 1, 10))
    told = groups.purchases
    by_asset = zip(told.asset.tolist(), told.buyers.tolist(), told.begin.tolist(), told.end.tolist(), strict=True)
    assert sorted(by_asset) == [(0, 12, 20631, 20632), (1, 12, 20623, 20631), (2, 11, 20633, 20634)]
    assert groups.holders.tolist() == [12, 12, 11, 0]
    np.testing.assert_allclose(groups.bought_within(7), [12, 12 * 4 / 8, 11, 0])
    np.testing.assert_allclose(groups.bought_within(30), [12, 12, 11, 0])


def test_purchases_that_statements_date_are_in_the_newest_cell_they_may_be_of() -> None:
    """Eleven who first hold B in the statement of 30 June and did not in that of 1 January: 11 in 180 days.

    Three who bought it on that day, as trades tell, belong to the same group, which statements tell for the most part.
    """
    first = [(user, asset, "2026-01-01") for user, asset in people("A", 0, 11)]
    rows = first + [(user, asset, "2026-06-30") for user, asset in people("B", 0, 11)]
    positions = pd.DataFrame(rows, columns=["user_id", "asset_id", "as_of"]).assign(units=1.0)
    np.testing.assert_allclose(groups_of(positions=positions).bought_within(30), [0.0, 11 * 30 / 180])
    cells = GroupsAtOnce(groups_of(positions=positions).interactions)
    np.testing.assert_allclose(cells.bought_within(30), [0.0, 11 * 30 / 182])
    trades = pd.DataFrame(people("B", 50, 53), columns=["user_id", "asset_id"])
    trades = trades.assign(date="2026-06-30", side="buy", units=1.0)
    np.testing.assert_allclose(groups_of(positions=positions, transactions=trades).bought_within(30), [0, 14 / 6])


def test_models_learn_from_positions_that_eleven_have_together() -> None:
    """30 hold A and B; C is held by 25, three of whom hold A and B too and have sold it; D is held by four."""
    pairs = [*people("A", 0, 50), *people("B", 0, 30), *people("B", 50, 70), *people("C", 100, 122)]
    now = pd.DataFrame([*pairs, *people("D", 0, 4)], columns=["user_id", "asset_id"]).assign(
        as_of="2020-01-01", units=1.0
    )
    few = pd.DataFrame(people("C", 0, 3), columns=["user_id", "asset_id"])
    sold = pd.concat([few.assign(as_of="2020-01-01", units=1.0), few.assign(as_of="2020-06-01", units=0.0)])
    graph = groups_of(positions=pd.concat([now, sold])).interactions.graph
    seen = disclosed(graph)
    kept = {(str(graph.nodes.id[head]), str(graph.nodes.id[tail])) for head, tail in positions_of(seen)}
    assert kept == set(pairs)
    assert seen.nodes is graph.nodes
    attributes, still = (len(g.edges) - len(list(positions_of(g))) for g in (graph, seen))
    assert attributes == still > 0
