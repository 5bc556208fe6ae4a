"""Groups of ten without whoever looks: tables by hand and by slow counts, and a score that nothing else can change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.explain.explainer import Explainer
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.graph import Edges, IntArray, KnowledgeGraph
from pathfolio.kg.schema import PROFILE_RELATIONS, RELATION_CODE, NodeKind, Relation
from pathfolio.recommender.build import Build
from pathfolio.recommender.channels.base import HoldingChannel
from pathfolio.recommender.channels.co_investment import ease, ease_weights
from pathfolio.recommender.channels.profile import SharedProfile
from pathfolio.recommender.groups import Groups, disclosed
from pathfolio.recommender.groups_at_once import CELLS, GroupsAtOnce
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.scorer import Scorer, assemble_scorer
from tests.explain.explain_world import BUILD, DAY, tables_of
from tests.kg.random_market import ever_holders, lively_market

POSITIONS = (Relation.HOLDS, Relation.HELD)
TOLD = 11
"""Ten and whoever looks: the fewest that are counted, and the fewest that are left out of a count."""


# -- by hand -------------------------------------------------------------------------------------------------


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


def positions_of(graph: KnowledgeGraph) -> Iterator[tuple[int, int]]:
    """Investor and asset of every version of every position, sold ones included."""
    at = np.isin(graph.edges.relation, [RELATION_CODE[relation] for relation in POSITIONS])
    yield from zip(graph.edges.head[at].tolist(), graph.edges.tail[at].tolist(), strict=True)


# -- against slow counts -------------------------------------------------------------------------------------


def dated(seed: int) -> KnowledgeGraph:
    """A lively market whose positions were bought on all sorts of days."""
    graph = lively_market(seed, users=100, assets=18)
    rng, as_of = np.random.default_rng(seed), graph.edges.as_of.copy()
    for relation in POSITIONS:
        edges = graph.edges_between(relation)
        as_of[edges] = (
            as_of[edges] + 30 - rng.choice([0, 2, 6, 7, 12, 20, 29, 45, 75, 90, 91, 150, 181, 300], len(edges))
        )
    return replace(graph, edges=replace(graph.edges, as_of=as_of))


def slow_told(members: dict[int, int], today: int, first: int = 0, length: int = 2**16) -> tuple[set[int], set[int]]:
    """Who of those that came in an interval are told, and who wait, by the definition."""
    here = {user: day for user, day in members.items() if first <= day < first + length}
    told: set[int] = set()
    waiting = set(here)
    if len(here) > 1 and length > 1:
        halves = [slow_told(here, today, first + at, length // 2) for at in (0, length // 2)]
        told, waiting = (halves[0][which] | halves[1][which] for which in (0, 1))
    return (told | waiting, set()) if len(waiting) >= TOLD and first + length - 1 <= today else (told, waiting)


def slow_people(graph: KnowledgeGraph, members: dict[int, int]) -> set[int]:
    return slow_told(members, (graph.as_of - date(1970, 1, 1)).days)[0]


def slow_count(graph: KnowledgeGraph, members: dict[int, int]) -> int:
    return len(slow_people(graph, members))


def slow_members(graph: KnowledgeGraph, node: int, *relations: Relation) -> dict[int, int]:
    """Investors who have or had a relation to a node, and since when snapshots show it."""
    found: dict[int, int] = {}
    codes = {RELATION_CODE[relation] for relation in relations}
    edges = graph.edges
    columns = (
        edges.relation.tolist(),
        edges.head.tolist(),
        edges.tail.tolist(),
        np.maximum(edges.as_of, edges.known_at),
    )
    for code, user, tail, day in zip(*columns, strict=True):
        if code in codes and tail == node:
            found[user] = min(day, found.get(user, day))
    return found


def both(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
    return {user: max(one[user], other[user]) for user in one.keys() & other.keys()}


def slow_pair(graph: KnowledgeGraph, first: int, second: int) -> int:
    a, b = (slow_members(graph, asset, *POSITIONS) for asset in (first, second))
    told = min(slow_count(graph, both(a, b)), slow_count(graph, a) - TOLD, slow_count(graph, b) - TOLD)
    return told if told >= TOLD and first != second else 0


def slow_levels(graph: KnowledgeGraph, relation: Relation, asset: int) -> dict[int, int]:
    holders, told = slow_members(graph, asset, *POSITIONS), {}
    number = slow_count(graph, holders)
    for level in np.unique(graph.edges.tail[graph.edges_between(relation)]).tolist():
        members = slow_members(graph, level, relation)
        count = min(slow_count(graph, both(members, holders)), slow_count(graph, members) - TOLD)
        told[level] = count if count >= TOLD and number else 0
    if 0 < number - sum(told.values()) < TOLD and any(told.values()):
        told[min((level for level in told if told[level]), key=told.__getitem__)] = 0
    return told


def slow_daily(ages: list[int]) -> list[float]:
    closed: list[list[tuple[int, int]]] = []
    cells: list[tuple[int, int]] = []
    for start, end in pairwise((0, *CELLS)):
        cells.append((end - start, sum(start <= age < end for age in ages)))
        if sum(buyers for _, buyers in cells) >= TOLD:
            closed.append(cells)
            cells = []
    if not closed:
        return [0.0] * len(CELLS)
    closed[-1] += cells
    return [sum(n for _, n in part) / sum(days for days, _ in part) for part in closed for _ in part]


def slow_disclosed(graph: KnowledgeGraph, user: int) -> set[int]:
    members = {asset: slow_members(graph, asset, *POSITIONS) for asset in graph.assets.tolist()}
    assets = [asset for asset, of in members.items() if user in of]
    kept: list[int] = []
    for asset in sorted(assets, key=lambda row: (-slow_count(graph, members[row]), row)):
        ties = (both(members[asset], members[other]) for other in kept)
        told = all(user in slow_people(graph, people) for people in (members[asset], *ties))
        if told and all(slow_pair(graph, asset, other) for other in kept):
            kept.append(asset)
    return set(kept)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_tables_are_slow_counts(seed: int) -> None:
    graph = dated(seed)
    groups, assets = Groups(Interactions(graph)), graph.assets.tolist()
    assert groups.holders.tolist() == [slow_count(graph, slow_members(graph, asset, *POSITIONS)) for asset in assets]
    assert groups.together.toarray().tolist() == [[slow_pair(graph, a, b) for b in assets] for a in assets]
    for position, asset in enumerate(assets):
        slow = {k: n for relation in PROFILE_RELATIONS for k, n in slow_levels(graph, relation, asset).items()}
        assert dict(zip(groups.levels.tolist(), groups.of_level_and_asset[:, position].tolist(), strict=True)) == slow


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_tables_of_builds_of_before_are_slow_counts(seed: int) -> None:
    graph = dated(seed)
    groups, assets = GroupsAtOnce(Interactions(graph)), graph.assets.tolist()
    holders = [ever_holders(graph, asset) for asset in assets]
    assert groups.holders.tolist() == [len(of) if len(of) >= TOLD else 0 for of in holders]
    for position, asset in enumerate(assets):
        told = [min(len(of & holders[position]), len(of) - TOLD, len(holders[position]) - TOLD) for of in holders]
        together = groups.together[:, [position]].toarray().ravel().tolist()
        assert together == [n if n >= TOLD and at != position else 0 for at, n in enumerate(told)]
        edges = [
            edge for relation in POSITIONS for edge in graph.edges_between(relation) if graph.edges.tail[edge] == asset
        ]
        ages = [(DAY - date(1970, 1, 1)).days - int(graph.edges.as_of[edge]) for edge in edges]
        np.testing.assert_allclose(groups.daily[:, position], slow_daily(ages))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_disclosed_positions_are_those_of_a_slow_count(seed: int) -> None:
    graph = dated(seed)
    kept = set(positions_of(disclosed(graph)))
    assert kept == {(user, asset) for user in graph.users.tolist() for asset in slow_disclosed(graph, user)}


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_from_one_day_to_the_next_a_count_moves_by_none_or_by_eleven(seed: int) -> None:
    graph = dated(seed)
    days = [DAY - timedelta(days=back) for back in range(40, -1, -1)]
    worlds = [Groups(Interactions(part_of(graph, day))) for day in days]
    moved = set()
    for table in (told_holders, told_together, told_of_level_and_asset):
        counts = np.stack([np.asarray(table(groups)).ravel() for groups in worlds])
        steps = np.diff(counts, axis=0)
        assert ((steps == 0) | (steps >= TOLD)).all()
        moved.add(bool(steps.any()))
    assert True in moved


def part_of(graph: KnowledgeGraph, day: date) -> KnowledgeGraph:
    """What was known on a day, with all nodes, that tables are of one shape."""
    edges, limit = graph.edges, (day - date(1970, 1, 1)).days
    kept = (edges.as_of <= limit) & (edges.known_at <= limit)
    return graph.part(np.ones(len(graph), bool), kept, day, graph.name)


def told_holders(groups: Groups) -> IntArray:
    return groups.holders


def told_together(groups: Groups) -> IntArray:
    """Who has both, before it is lowered so that enough are left out."""
    of, assets = groups.interactions.ever.indices.astype(np.int64), groups.interactions.shape[1]
    pairs = [of[first] * assets + of[second] for first, second in groups.told_pairs()]
    return np.bincount(np.concatenate([np.zeros(0, np.int64), *pairs]), minlength=assets**2)


def told_of_level_and_asset(groups: Groups) -> IntArray:
    """Who has a level of risk and an asset, by the slow count."""
    graph = groups.interactions.graph
    levels = graph.rows(NodeKind.RISK_LEVEL).tolist()[:2]
    members = [slow_members(graph, level, Relation.HAS_RISK) for level in levels]
    holders = [slow_members(graph, asset, *POSITIONS) for asset in graph.assets.tolist()[:4]]
    return np.array([slow_count(graph, both(one, other)) for one in members for other in holders])


# -- nothing else is told ------------------------------------------------------------------------------------


def rewritten(graph: KnowledgeGraph, edges: IntArray, heads: IntArray) -> KnowledgeGraph:
    """The snapshot in which the positions at `edges` are those of the investors at rows `heads`."""
    head = graph.edges.head.copy()
    head[edges] = heads
    return _sorted(graph, replace(graph.edges, head=head))


def with_copy(graph: KnowledgeGraph, edge: int, tail: int) -> KnowledgeGraph:
    """The snapshot in which who has the position at `edge` has one like it of the asset at row `tail` too."""
    edges = graph.edges.take(np.append(np.arange(len(graph.edges)), edge))
    tails = edges.tail.copy()
    tails[-1] = tail
    return _sorted(graph, replace(edges, tail=tails))


def _sorted(graph: KnowledgeGraph, edges: Edges) -> KnowledgeGraph:
    key = (edges.known_at, edges.as_of, edges.tail, edges.head, edges.relation)
    return replace(graph, edges=edges.take(np.lexsort(key)))


def told_tables(groups: Groups) -> list[bytes]:
    counts = (groups.holders, groups.together.toarray(), groups.levels, groups.of_level, groups.of_level_and_asset)
    told = groups.purchases
    return [table.tobytes() for table in (*counts, told.asset, told.buyers, told.begin, told.end)]


Changed = tuple[KnowledgeGraph, set[int]]


def rare_asset_added(graph: KnowledgeGraph, rng: np.random.Generator) -> Changed:
    """An investor has one asset more, which at most nine others hold or held."""
    it = Interactions(graph)
    rare = int(rng.choice(graph.assets[it.holders <= 9]))
    edges = graph.edges_between(Relation.HOLDS)
    edge = int(rng.choice(edges[~np.isin(graph.edges.head[edges], list(ever_holders(graph, rare)))]))
    return with_copy(graph, edge, rare), {int(graph.edges.head[edge])}


def assets_swapped(graph: KnowledgeGraph, rng: np.random.Generator) -> Changed:
    """Two investors have exchanged an asset that many hold, with its days; the pairs that it makes are rare."""
    it, edges = Interactions(graph), graph.edges
    positions = np.concatenate([graph.edges_between(relation) for relation in POSITIONS])
    codes = [RELATION_CODE[relation] for relation in POSITIONS]
    while True:
        one, other = rng.choice(positions, 2, replace=False).tolist()
        users, assets = edges.head[[one, other]].tolist(), edges.tail[[one, other]].tolist()
        owners = [ever_holders(graph, asset) for asset in assets]
        if users[0] in owners[1] or users[1] in owners[0] or it.holders[assets - graph.assets[0]].min() < TOLD:
            continue
        versions = [
            np.flatnonzero(np.isin(edges.relation, codes) & (edges.head == user) & (edges.tail == asset))
            for user, asset in zip(users, assets, strict=True)
        ]
        heads = np.repeat(users[::-1], [len(part) for part in versions])
        return rewritten(graph, np.concatenate(versions), heads), set(users)


def untold_change(graph: KnowledgeGraph, kind: str, seed: int) -> Changed:
    """A change of positions that no table tells of."""
    change, rng = {"added": rare_asset_added, "swapped": assets_swapped}[kind], np.random.default_rng(seed)
    before = told_tables(Groups(Interactions(graph)))
    for _ in range(300):
        changed, users = change(graph, rng)
        if told_tables(Groups(Interactions(changed))) == before:
            return changed, users
    raise AssertionError("no change found that is not told")


def numbers(scorer: Scorer) -> list[bytes]:
    """All that the score is made of beside the investor's own row, to the last bit."""
    demand = scorer.demand
    arrays = [scorer.co_investment_weights, demand.factor, demand.recent, demand.issue, demand.holders]
    arrays += [*scorer.base.values(), scorer.channel(SharedProfile).lift]
    arrays += [channel.kernel() for channel in scorer.channels if isinstance(channel, HoldingChannel)]
    return [np.ascontiguousarray(array).tobytes() for array in arrays]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["added", "swapped"])
def test_what_no_table_tells_changes_no_score_and_no_explanation_of_others(
    kind: str, seed: int, small_build: Build
) -> None:
    graph, learned, options = small_build.graph, small_build.scorer.learned, small_build.scorer.options
    changed, users = untold_change(graph, kind, seed)
    before, after = (assemble_scorer(world, learned, options) for world in (graph, changed))
    assert not np.array_equal(ease(before.interactions.ever), ease(after.interactions.ever))
    assert numbers(before) == numbers(after)
    others = np.flatnonzero(~np.isin(graph.users, list(users)))
    assert before.scores(others).tobytes() == after.scores(others).tobytes()
    explainers = [Explainer(world, BUILD) for world in (graph, changed)]
    rng, told = np.random.default_rng(seed), 0
    for user in others.tolist():
        for asset in rng.choice(len(graph.assets), 3, replace=False).tolist():
            pages = [e.explain(s.account(user, asset), 1) for e, s in zip(explainers, (before, after), strict=True)]
            assert pages[0].to_json() == pages[1].to_json()
            told += any(path.through_others for path in pages[0].paths)
    assert told > 20


@pytest.mark.parametrize("seed", range(3))
def test_a_rare_asset_more_changes_nothing_that_models_learn_from(seed: int, small_build: Build) -> None:
    changed, _ = untold_change(small_build.graph, "added", seed)
    before, after = (disclosed(graph).edges for graph in (small_build.graph, changed))
    assert len(changed.edges) == len(small_build.graph.edges) + 1
    for name in ("relation", "head", "tail", "as_of", "known_at"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def test_what_tables_tell_does_change_the_score(small_build: Build) -> None:
    """The same comparison finds one holder less of an asset, of those who are told: it could fail."""
    graph = small_build.graph
    groups = Groups(Interactions(graph))
    asset = int(graph.assets[np.argmax(groups.holders)])
    edges = graph.edges
    gone = min(slow_people(graph, slow_members(graph, asset, *POSITIONS)))
    kept = ~((edges.tail == asset) & (edges.head == gone))
    changed = replace(graph, edges=edges.take(kept))
    learned, options = small_build.scorer.learned, small_build.scorer.options
    assert numbers(assemble_scorer(graph, learned, options)) != numbers(assemble_scorer(changed, learned, options))
