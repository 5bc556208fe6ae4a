"""Daily rolling: what a morning knows, which events there are, and that no day sees its own purchases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.tables import Tables
from pathfolio.recommender.evaluation.mornings import morning, prepare_rolling
from pathfolio.recommender.evaluation.registry import MODELS, ModelSpec, choose_models
from pathfolio.recommender.evaluation.rolling import RollingResult, evaluate_rolling
from pathfolio.recommender.evaluation.split import Fold
from pathfolio.recommender.evaluation.stranger import STRANGER_ID, with_stranger
from pathfolio.recommender.evaluation.table import metric_table
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.model import Model
from tests.recommender.eval_world import assets, make_tables, positions, trades, two_tastes

CUT = date(2020, 1, 31)
WINDOW = Fold(CUT, date(2020, 3, 31))
HALF_YEAR = Fold(date(2020, 6, 30), date(2020, 12, 31))
WORLD = make_tables(
    users=[
        {"user_id": "ann", "risk_level": "High", "as_of": "2019-01-01"},
        {"user_id": "dan", "risk_level": "Low", "as_of": "2020-02-10"},
    ],
    assets=assets("A stock X 2019-01-01", "B stock X 2019-01-01", "N stock Y 2020-02-10", "L stock Y 2020-02-20"),
    positions=positions("2020-01-01", "ann:A", "bob:A") + positions("2020-03-01", "ann:A", "ann:B", "ann:L"),
    transactions=trades(
        "2020-02-10 ann buy N",  # a new issue, on its first day
        "2020-02-10 dan buy A",  # a new customer, known since this morning
        "2020-02-11 eve buy L",  # L is listed nine days later, and eve is in no table
        "2020-02-12 bob sell B",  # no event, but B is not new to bob any more
        "2020-02-13 bob buy B",
        "2020-02-13 ann sell L",
        "2020-02-13 ann buy L",
        "2020-03-30 bob buy N",  # 49 days after its listing
        "2020-03-30 bob buy L",  # 39 days
    ),
)


def known(graph: KnowledgeGraph) -> tuple[set[str], set[str], set[tuple[str, str]]]:
    """Investors, assets and pairs of a snapshot."""
    names, ever = graph.nodes.id, Interactions(graph).ever.tocoo()
    held = {(names[graph.users[u]], names[graph.assets[a]]) for u, a in zip(*ever.coords, strict=True)}
    return set(names[graph.users]), set(names[graph.assets]), held


@pytest.fixture(scope="module")
def world() -> KnowledgeGraph:
    return prepare_rolling(WORLD, WINDOW).world


class TestMorning:
    def test_attributes_of_the_day_are_known_its_positions_are_not(self, world: KnowledgeGraph) -> None:
        start = {("ann", "A"), ("bob", "A")}
        assert known(morning(world, date(2020, 2, 9))) == ({"ann", "bob"}, {"A", "B"}, start)
        assert known(morning(world, date(2020, 2, 10))) == ({"ann", "bob", "dan"}, {"A", "B", "N"}, start)
        tenth = start | {("ann", "N"), ("dan", "A")}
        assert known(morning(world, date(2020, 2, 11))) == ({"ann", "bob", "dan"}, {"A", "B", "N"}, tenth)
        # L is known from its first purchase on, eve too; that is what the day after says
        eleventh = tenth | {("eve", "L")}
        assert known(morning(world, date(2020, 2, 12))) == (
            {"ann", "bob", "dan", "eve"},
            {"A", "B", "N", "L"},
            eleventh,
        )

    def test_later_statements_are_not_used(self, world: KnowledgeGraph) -> None:
        assert ("ann", "B") not in known(morning(world, date(2020, 3, 31)))[2]

    def test_it_equals_the_snapshot_of_the_evening_before_where_nothing_is_dated_today(
        self, world: KnowledgeGraph
    ) -> None:
        for day in (date(2020, 2, 12), date(2020, 2, 14), date(2020, 3, 30)):
            before, now = world.at(day - timedelta(days=1)), morning(world, day)
            assert now.as_of == day
            assert replace(now, as_of=before.as_of).content_hash == before.content_hash

    def test_rows_of_nodes_stay_sorted_and_edges_valid(self, world: KnowledgeGraph) -> None:
        now = morning(world, date(2020, 2, 11))
        keys = list(zip(now.nodes.kind.tolist(), now.nodes.id.tolist(), strict=True))
        assert keys == sorted(keys)
        assert max(now.edges.head.max(), now.edges.tail.max()) < len(now)
        assert now.find(NodeKind.USER, "eve") is None and now.row(NodeKind.USER, "dan") == 2


def test_the_stranger_comes_first_and_moves_everything_else_by_one() -> None:
    graph = assemble_graph(WORLD, CUT)
    more = with_stranger(graph)
    assert more.nodes.id[more.users].tolist() == [STRANGER_ID, *graph.nodes.id[graph.users].tolist()]
    assert Interactions(more).ever.toarray()[1:].tolist() == Interactions(graph).ever.toarray().tolist()
    assert not Interactions(more).ever.toarray()[0].any()
    assert (more.edges.head == graph.edges.head + 1).all()


def test_events_by_hand() -> None:
    data = prepare_rolling(WORLD, WINDOW)
    events = [
        (f"{row.date:%m-%d}", row.user_id, bool(row.first), bool(row.new_issue), row.bought)
        for row in data.events.itertuples()
    ]
    assert events == [
        ("02-10", "ann", False, True, 1),
        ("02-10", "dan", True, False, 1),
        ("02-11", "eve", True, False, 1),
        ("02-13", "ann", False, False, 1),  # sold and bought on one day: new on that day; not listed yet
        ("03-30", "bob", False, True, 2),
    ]


def test_a_day_ranks_what_is_there_in_the_morning() -> None:
    result = evaluate_rolling(WORLD, WINDOW.train_end, WINDOW.test_end, [MODELS["popularity"]])
    lists = [[asset for asset in made if asset] for made in result.lists["popularity"]]
    assert lists == [
        ["B", "N"],  # ann has A; nobody has the others yet
        ["A", "B", "N"],
        ["A", "N", "B"],  # eve is a stranger; ann has N since yesterday; L is not there
        ["B", "L"],  # ann has A and N; bob has B, eve has L: a tie, in the order of ids
        ["L", "N"],  # bob has A and B
    ]
    assert result.values["popularity"]["mrr@10"].tolist() == [0.5, 1.0, 0.0, 0.5, 1.0]
    assert result.mean("popularity", "first", "mrr@10") == 0.5
    assert result.mean("popularity", "new issues", "hit@10") == 1.0


def test_windows_without_purchases_or_positions_are_refused() -> None:
    with pytest.raises(DataError, match="no transaction in 2020-04-01:2020-05-01 buys anything for the first time"):
        prepare_rolling(WORLD, Fold(date(2020, 4, 1), date(2020, 5, 1)))
    with pytest.raises(DataError, match="no position is known on 2019-12-01: choose a later CUT"):
        prepare_rolling(WORLD, Fold(date(2019, 12, 1), date(2020, 3, 1)))


def altered_from(tables: Tables, day: date) -> Tables:
    """The same tables with every purchase on or after `day` of something else, and other amounts."""
    rows = tables.transactions.copy()
    late = rows["date"] >= pd.Timestamp(day)
    other = {name: f"{'BA'[name[0] == 'B']}{name[1:]}" for name in rows["asset_id"].unique()}
    rows.loc[late, "asset_id"] = rows.loc[late, "asset_id"].map(other)
    rows.loc[late, "units"] = 99.0
    return replace(tables, transactions=rows)


DAYS = (date(2020, 8, 15), date(2020, 10, 9))  # on the first somebody buys who is in no table


def mornings_until(tables: Tables, day: date) -> list[KnowledgeGraph]:
    """The snapshot of the cut, those of the two event days before `day`, and that of its own morning."""
    data = prepare_rolling(tables, HALF_YEAR)
    before = [one.graph for one in data.mornings() if one.day < day][-2:]
    return [data.graph, *before, with_stranger(morning(data.world, day))]


@pytest.fixture(scope="module")
def unaltered() -> dict[date, list[KnowledgeGraph]]:
    return {day: mornings_until(two_tastes(), day) for day in DAYS}


@pytest.fixture(scope="module")
def altered() -> dict[date, list[KnowledgeGraph]]:
    """The same days, with their own and all later transactions altered."""
    return {day: mornings_until(altered_from(two_tastes(), day), day) for day in DAYS}


def scores_of_everybody(model: Model, mornings: list[KnowledgeGraph]) -> FloatArray:
    """Whether they buy on that day or not."""
    for graph in mornings[1:]:
        model = model.refresh(graph)
    return model.scores(np.arange(len(mornings[-1].users)))


@pytest.mark.parametrize("spec", choose_models("all", rolling=True), ids=lambda spec: spec.name)
def test_altering_the_transactions_of_a_day_or_later_leaves_its_lists_as_they_were(
    spec: ModelSpec, unaltered: dict[date, list[KnowledgeGraph]], altered: dict[date, list[KnowledgeGraph]]
) -> None:
    model = spec.fit(unaltered[DAYS[0]][0], 0)
    for day in DAYS:
        assert altered[day][0].content_hash == model.graph.content_hash
        scores = [scores_of_everybody(model, world[day]) for world in (unaltered, altered)]
        np.testing.assert_array_equal(*scores)


def test_the_alteration_is_one_and_earlier_ones_do_change_lists(unaltered: dict[date, list[KnowledgeGraph]]) -> None:
    tables, day = two_tastes(), DAYS[1]
    assert not altered_from(tables, day).transactions.equals(tables.transactions)
    other = mornings_until(altered_from(tables, day - timedelta(days=60)), day)
    model = MODELS["ease"].fit(other[0], 0)
    assert not np.array_equal(*(scores_of_everybody(model, graphs) for graphs in (unaltered[day], other)))


@pytest.fixture(scope="module")
def result() -> RollingResult:
    chosen = choose_models("popularity,recent,recent-segment,ease,ease-weekly")
    return evaluate_rolling(two_tastes(), date(2020, 6, 30), date(2020, 12, 31), chosen)


def test_seeds_are_averaged_day_by_day() -> None:
    result = evaluate_rolling(two_tastes(), HALF_YEAR.train_end, HALF_YEAR.test_end, [MODELS["random"]], seeds=(1, 2))
    first, second = (one["ndcg@10"] for one in result.by_seed["random"])
    assert not np.array_equal(first, second)
    np.testing.assert_allclose(result.values["random"]["ndcg@10"], (first + second) / 2)
    rows = metric_table([result]).set_index(["group", "metric"])
    spread = np.std([first[result.group("known")].mean(), second[result.group("known")].mean()])
    assert rows.loc[("known", "ndcg@10"), "spread"] == pytest.approx(spread)


def test_the_dump_holds_every_list_and_can_be_scored_by_others(result: RollingResult) -> None:
    dump = result.dump("ease")
    assert list(dump.columns) == ["date", "user_id", "rank", "asset_id"]
    bought = defaultdict(set)
    for row in prepare_rolling(two_tastes(), result.window).purchases.itertuples():
        bought[f"{row.date:%Y-%m-%d}", row.user_id].add(row.asset_id)
    gains: dict[tuple[str, str], float] = defaultdict(float)
    for day, user, rank, asset in dump.itertuples(index=False):
        gains[day, user] += (asset in bought[day, user]) / np.log2(rank + 1)
    ideal = {key: sum(1 / np.log2(r + 2) for r in range(min(10, len(own)))) for key, own in bought.items()}
    ours = np.mean([gains[key] / ideal[key] for key in bought])
    assert ours == pytest.approx(result.values["ease"]["ndcg@10"].mean())


def test_intervals_draw_an_investors_events_together(result: RollingResult) -> None:
    table = metric_table([result])
    assert set(table["group"]) == {"known", "new issues", "others", "first"} and set(table["mode"]) == {"rolling"}
    rows = table[(table["group"] == "known") & (table["metric"] == "ndcg@10")].set_index("model")
    assert rows.loc["ease", "n"] == (~result.events["first"]).sum()
    assert rows.loc["ease", "mean"] == pytest.approx(result.mean("ease"))


# -- an independent computation on real data -------------------------------------------------------------------


def far_trans_days(folder: Path, cut: str, end: str) -> Iterator[tuple[pd.Timestamp, pd.DataFrame]]:
    rows = pd.read_csv(folder / "transactions.csv", keep_default_na=False)
    yield from (
        (pd.Timestamp(d), g) for d, g in rows[(rows.timestamp > cut) & (rows.timestamp <= end)].groupby("timestamp")
    )


def scored_by_hand(folder: Path, cut: str, end: str) -> dict[str, float]:
    """Mean strict nDCG@10 of known investors for popularity, EASE of the cut and EASE fitted weekly."""
    about = pd.read_csv(folder / "asset_information.csv", keep_default_na=False)
    listed = about.groupby("ISIN")["timestamp"].min().map(pd.Timestamp)
    start = pd.read_csv(folder / "positions" / f"{cut}.csv", keep_default_na=False)
    days = list(far_trans_days(folder, cut, end))
    items = sorted(set(start.ISIN) | set(listed.index) | {i for _, g in days for i in g.ISIN})
    users = sorted(set(start.customerID) | {u for _, g in days for u in g.customerID})
    row, column = {u: n for n, u in enumerate(users)}, {i: n for n, i in enumerate(items)}
    X = np.zeros((len(users), len(items)))
    X[start.customerID.map(row), start.ISIN.map(column)] = 1

    def ease() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        P = np.linalg.inv(X.T @ X + 200 * np.eye(len(items)))
        return np.where(np.eye(len(items)) > 0, 0, -P / np.diag(P))

    frozen, fitted, weekly, found = ease(), None, None, defaultdict(list)
    for day, trades_ in days:
        new = defaultdict(set)
        for u, i in trades_[trades_.transactionType == "Buy"][["customerID", "ISIN"]].to_numpy():
            if not X[row[u], column[i]]:
                new[row[u]].add(column[i])
        if new and (fitted is None or (day - fitted).days >= 7):
            fitted, weekly = day, ease()
        popular = X.sum(0)
        there = np.array([listed.get(i, pd.Timestamp.max) <= day for i in items]) | (popular > 0)
        for u, bought in new.items():
            if X[u].any():
                for name, scores in (("popularity", popular), ("ease", X[u] @ frozen), ("ease-weekly", X[u] @ weekly)):
                    best = np.argsort(-np.where(there & (X[u] == 0), scores, -np.inf), kind="stable")[:10]
                    gain = sum((i in bought) / np.log2(r + 2) for r, i in enumerate(best))
                    found[name].append(gain / sum(1 / np.log2(r + 2) for r in range(min(10, len(bought)))))
        for u, i in trades_[["customerID", "ISIN"]].to_numpy():
            X[row[u], column[i]] = 1
    return {name: float(np.mean(values)) for name, values in found.items()}


@pytest.mark.realdata
def test_far_trans_agrees_with_a_computation_of_its_own(real_data: Path) -> None:
    folder = real_data / "far-trans"
    expected = scored_by_hand(folder, "2021-07-01", "2021-07-16")
    models = choose_models("popularity,ease,ease-weekly")
    found = evaluate_rolling(read_folder(folder), date(2021, 7, 1), date(2021, 7, 16), models)
    assert set(expected) == {"popularity", "ease", "ease-weekly"}
    for name, value in expected.items():
        assert found.mean(name) == pytest.approx(value, abs=5e-5)
