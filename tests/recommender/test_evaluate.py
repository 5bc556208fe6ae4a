"""Frozen folds: the truth by hand, nothing after the cut, figures of an independent program, the command."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pathfolio.kg.contract import read_folder
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.tables import Tables
from pathfolio.recommender.evaluation.frozen import MARKET, OWN_PORTFOLIO, FoldResult, evaluate_fold
from pathfolio.recommender.evaluation.output import to_text, writer_for
from pathfolio.recommender.evaluation.plots import plot_tables
from pathfolio.recommender.evaluation.registry import ModelSpec, choose_models
from pathfolio.recommender.evaluation.split import Fold, new_purchases, prepare_fold
from pathfolio.recommender.evaluation.table import metric_table
from pathfolio.web.cli import main
from tests.recommender.eval_world import assets, make_tables, positions, trades, two_tastes, write_folder

FOLD = Fold(date(2020, 6, 30), date(2020, 12, 31))
CHEAP = choose_models("random,popularity,recent,segment,content,item-knn,rp3beta,ease,slim")


def pairs(tables: Tables, window: str) -> list[tuple[str, str]]:
    found = new_purchases(tables, Fold.parse(window))
    return list(zip(found["user_id"], found["asset_id"], strict=True))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2020-01-01", "is not a window"),
        ("2020-01-01:soon", "is not a window"),
        ("2020-01-02:2020-01-02", "ends before it starts"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        Fold.parse(text)


class TestTruth:
    ASSETS = assets(*(f"{a} stock Steel 2019-01-01" for a in "ABCD"))

    def test_transactions_count_if_they_buy_what_was_never_traded_before(self) -> None:
        tables = make_tables(
            assets=self.ASSETS,
            positions=positions("2020-01-01", "ann:A"),
            transactions=trades(
                "2020-01-20 ann buy B",  # before the cut, so B is old to ann
                "2020-02-01 ann buy A",
                "2020-02-02 ann buy B",
                "2020-02-03 ann buy C",
                "2020-02-03 ann buy C",
                "2020-02-04 bob sell D",  # a sale is no purchase
                "2020-01-31 cat buy A",  # the cut itself belongs to what is known
                "2020-03-01 cat buy D",  # the last day belongs to the window
                "2020-03-02 dan buy D",
            ),
        )
        assert pairs(tables, "2020-01-31:2020-03-01") == [("ann", "C"), ("cat", "D")]

    def test_later_statements_count_where_there_are_no_transactions(self) -> None:
        stated = positions("2019-12-31", "ann:A", "bob:B") + positions("2020-12-31", "ann:A", "ann:C", "bob:D")
        late = [row | {"known_at": "2021-02-15"} for row in stated]
        tables = make_tables(assets=self.ASSETS, positions=late)
        assert pairs(tables, "2020-03-01:2020-12-31") == [("ann", "C"), ("bob", "D")]
        assert pairs(tables, "2020-03-01:2020-12-30") == []

    def test_a_statement_is_not_used_for_time_that_transactions_cover(self) -> None:
        tables = make_tables(
            assets=self.ASSETS,
            positions=[
                *positions("2020-01-01", "ann:A"),
                *positions("2020-07-01", "ann:B"),
                *positions("2021-01-01", "ann:B", "ann:C", "ann:D"),
            ],
            transactions=trades("2020-09-01 ann buy C"),
        )
        assert pairs(tables, "2020-01-01:2021-01-01") == [("ann", "B"), ("ann", "C")]
        assert pairs(tables, "2020-10-01:2021-01-01") == [("ann", "D")]

    def test_nothing_to_score_on_or_to_learn_from_is_refused(self) -> None:
        tables = make_tables(assets=self.ASSETS, transactions=trades("2020-02-01 ann buy A"))
        with pytest.raises(DataError, match="nobody newly bought anything in 2020-03-01:2020-04-01: choose a window"):
            prepare_fold(tables, Fold.parse("2020-03-01:2020-04-01"))
        with pytest.raises(DataError, match="no position is known on 2020-01-01: choose a later TRAIN_END"):
            prepare_fold(tables, Fold.parse("2020-01-01:2020-04-01"))


def test_warm_and_cold_investors_by_hand() -> None:
    tables = make_tables(
        users=[{"user_id": "new", "as_of": "2020-01-01"}],
        assets=assets("A stock X 2019-01-01", "B fund X 2019-01-01", "C stock X 2019-01-01", "D stock X 2019-01-01"),
        positions=positions("2020-01-01", "ann:A", "ann:B", "bob:A", "cat:C"),
        transactions=trades(
            "2020-02-02 ann buy D",  # nobody has D by the cut: not in the truth
            "2020-02-02 bob buy B",
            "2020-02-02 bob buy C",
            "2020-02-02 new buy A",
            "2020-02-02 stranger buy C",
        ),
    )
    result = evaluate_fold(
        tables, Fold.parse("2020-01-31:2020-12-31"), choose_models("popularity"), kinds=("all", "stock", "fund")
    )
    warm = result.cell("popularity")
    assert warm.user_ids.tolist() == ["bob"]
    # bob has A; B and C have a holder each, the tie goes to B; both are hits
    assert warm.values["ndcg@10"].tolist() == [1.0] and warm.values["precision@10"].tolist() == [0.2]
    cold = result.cell("popularity", group="cold")
    assert cold.user_ids.tolist() == ["new", "stranger"]
    assert cold.values["mrr@10"].tolist() == [1.0, pytest.approx(1 / 3)]
    assert result.cell("popularity", "fund").user_ids.tolist() == ["bob"]
    assert result.cell("popularity", "fund", "cold").user_ids.tolist() == []
    assert result.cell("popularity", "stock", "cold").values["mrr@10"].tolist() == [1.0, 0.5]


def test_lists_hold_nothing_that_the_investor_had_and_are_of_the_kind_asked_for() -> None:
    data = prepare_fold(two_tastes(), FOLD)
    result = evaluate_fold(data, FOLD, CHEAP, kinds=("all", "fund"))
    ever = data.interactions.ever.toarray() > 0
    funds = np.array([int(a[1:]) % 3 == 0 for a in data.graph.nodes.id[data.graph.assets]])
    for cell in result.cells:
        if cell.group == "warm":
            rows = [data.graph.nodes.id[data.graph.users].tolist().index(user) for user in cell.user_ids]
            shown = [(row, a) for row, made in zip(rows, cell.lists, strict=True) for a in made if a >= 0]
            assert shown and not any(ever[row, a] for row, a in shown)
            assert cell.kind == "all" or all(funds[a] for _, a in shown)


def test_the_dump_of_a_fold_can_be_scored_by_others() -> None:
    """Strict nDCG@10 restated over the file gives what was measured, for warm and cold investors."""
    data = prepare_fold(two_tastes(), FOLD)
    result = evaluate_fold(data, FOLD, choose_models("ease,popularity"))
    lists = result.dump("popularity")
    assert list(lists.columns) == ["user_id", "rank", "asset_id"]
    warm = set(data.graph.nodes.id[data.graph.assets[data.warm_assets]])
    for group in ("warm", "cold"):
        cell, gains = result.cell("popularity", group=group), []
        for user in cell.user_ids:
            bought = set(data.purchases.loc[data.purchases["user_id"] == user, "asset_id"]) & warm
            mine = lists[lists["user_id"] == user]
            gain = sum(1 / np.log2(r + 1) for r, a in zip(mine["rank"], mine["asset_id"], strict=True) if a in bought)
            gains.append(gain / sum(1 / np.log2(place + 2) for place in range(min(10, len(bought)))))
        assert gains and np.mean(gains) == pytest.approx(cell.ndcg)


def test_personal_models_beat_the_others_in_a_world_of_two_tastes() -> None:
    result = evaluate_fold(two_tastes(), FOLD, CHEAP)
    ndcg = {cell.model: cell.ndcg for cell in result.cells if cell.group == "warm"}
    assert min(ndcg["ease"], ndcg["item-knn"], ndcg["slim"]) > max(ndcg["popularity"], ndcg["random"]) + 0.1


def changed_after(tables: Tables, cut: date) -> Tables:
    """The same tables with every fact after `cut` altered: other levels, sectors, positions, trades, prices, names."""
    day = pd.Timestamp(cut)
    users, stocks, held, trades_, prices = (
        frame.copy() for frame in (tables.users, tables.assets, tables.positions, tables.transactions, tables.prices)
    )
    extra = pd.DataFrame(
        {"user_id": ["u001", "u002", "late"], "risk_level": "Other", "as_of": day + pd.Timedelta("1D")}
    )
    users = pd.concat([users, extra.astype({"user_id": "string", "risk_level": "string"})], ignore_index=True)
    rows = stocks[stocks["asset_id"].isin(["A01", "B01"])].assign(
        sector="Elsewhere", name="?", as_of=day + pd.Timedelta("9D")
    )
    stocks = pd.concat([stocks.assign(listed=stocks["listed"]), rows], ignore_index=True)
    late = trades_["date"] > day
    trades_.loc[late, "asset_id"] = "A03"
    trades_.loc[late & (trades_["date"].dt.day % 2 == 0), "side"] = "sell"
    more = positions(str((day + pd.Timedelta("30D")).date()), "u001:A01", "u003:A02", "late:A05")
    held = pd.concat([held, make_tables(positions=more).positions], ignore_index=True)
    prices.loc[prices["date"] > day, "close"] *= 2
    return replace(tables, users=users, assets=stocks, positions=held, transactions=trades_, prices=prices)


@pytest.mark.parametrize("spec", choose_models("all"), ids=lambda s: s.name)
def test_altering_any_fact_after_the_cut_changes_no_score(spec: ModelSpec) -> None:
    tables = two_tastes()
    first, second = (prepare_fold(world, FOLD) for world in (tables, changed_after(tables, FOLD.train_end)))
    assert not first.purchases.equals(second.purchases)
    assert first.graph.content_hash == second.graph.content_hash
    users = np.arange(len(first.graph.users))
    scores = [spec.fit(data.graph, 0).scores(users) for data in (first, second)]
    np.testing.assert_array_equal(*scores)


def test_seeds_are_averaged_and_deterministic_models_fitted_once() -> None:
    fitted = []

    def counted(spec: ModelSpec) -> ModelSpec:
        return replace(spec, fit=lambda graph, seed: (fitted.append((spec.name, seed)), spec.fit(graph, seed))[1])

    chosen = [counted(spec) for spec in choose_models("random,ease")]
    result = evaluate_fold(two_tastes(), FOLD, chosen, seeds=(0, 1, 2))
    assert fitted == [("random", 0), ("random", 1), ("random", 2), ("ease", 0)]
    cell = result.cell("random")
    assert len(set(cell.by_seed["ndcg@10"])) == 3
    assert cell.ndcg == pytest.approx(np.mean(cell.by_seed["ndcg@10"]))
    assert f"{np.std(cell.by_seed['ndcg@10']):.4f} (3)" in to_text(metric_table([result]))


@pytest.fixture(scope="module")
def priced() -> FoldResult:
    """A fold of the two tastes with daily prices: A goes up, B down."""
    days = pd.date_range("2020-06-01", "2021-01-10").astype("datetime64[s]")
    rows = [
        {"asset_id": f"{t}{n:02d}", "date": day, "close": 10 + n + (i % 7) * 0.1 + i * (0.01 if t == "A" else -0.01)}
        for t in "AB"
        for n in range(10)
        for i, day in enumerate(days)
    ]
    tables = replace(two_tastes(), prices=make_tables(prices=rows).prices)
    return evaluate_fold(tables, FOLD, CHEAP, kinds=("all", "stock"))


@pytest.fixture(scope="module")
def table(priced: FoldResult) -> pd.DataFrame:
    return metric_table([priced])


class TestTable:
    def test_differences_are_paired_with_the_best_baseline(self, table: pd.DataFrame) -> None:
        rows = table[(table["metric"] == "ndcg@10") & (table["kind"] == "all") & (table["group"] == "warm")]
        best = rows.loc[rows["mean"].idxmax()]
        assert best["reference"] == "" and np.isnan(best["difference"])
        others = rows[rows["model"] != best["model"]]
        assert (others["reference"] == best["model"]).all()
        assert others["difference"].to_numpy() == pytest.approx(others["mean"].to_numpy() - best["mean"])
        assert (others["difference_low"] <= others["difference"]).all()
        assert (rows["low"] <= rows["mean"]).all() and (rows["mean"] <= rows["high"]).all()

    def test_lists_are_held_against_the_own_portfolio_and_the_market(self, table: pd.DataFrame) -> None:
        rows = table[(table["horizon"] > 0) & (table["kind"] == "all") & (table["group"] == "warm")]
        assert set(rows["horizon"]) == {30, 90, 180}
        assert {OWN_PORTFOLIO, MARKET, "ease"} <= set(rows["model"])
        roi = rows[(rows["metric"] == "roi") & (rows["horizon"] == 90)].set_index("model")["mean"]
        assert abs(roi[MARKET]) < 0.01

    def test_risk_fit_knows_levels_that_the_source_predicted(self, priced: FoldResult, table: pd.DataFrame) -> None:
        rows = table[(table["metric"] == "risk_fit") & (table["group"] == "warm") & (table["kind"] == "stock")]
        # stocks are of class 5: within Aggressive (7, those who like A), above Conservative (3, the others)
        cell = priced.cell("ease", "stock")
        shown = (cell.lists >= 0).sum(axis=1)
        aggressive = shown[[int(user[1:]) % 2 == 0 for user in cell.user_ids]].sum()
        assert 0 < aggressive < shown.sum()
        assert rows["mean"].to_numpy() == pytest.approx(aggressive / shown.sum())

    def test_text_csv_json_and_latex_tell_the_same(self, table: pd.DataFrame) -> None:
        text, as_csv, as_json, latex = (writer_for(Path(f"m{e}"))(table) for e in (".txt", ".csv", ".json", ".tex"))
        rows = json.loads(as_json)["rows"]
        read = list(csv.DictReader(as_csv.splitlines()))
        assert len(rows) == len(read) == len(table)
        for one, other in zip(rows, read, strict=True):
            assert other["metric"] == one["metric"] and other["model"] == one["model"]
            assert float(other["mean"] or "nan") == pytest.approx(
                float("nan") if one["mean"] is None else one["mean"], abs=1e-6, nan_ok=True
            )
        ease = next(
            r for r in rows if (r["model"], r["metric"], r["group"], r["kind"]) == ("ease", "ndcg@10", "warm", "all")
        )
        line = next(line for line in text.splitlines() if line.startswith("ease "))
        assert f"{ease['mean']:.4f}" in line and f"{ease['low']:.4f}..{ease['high']:.4f}" in line
        assert "ease & " in latex and f"{ease['mean']:.4f}" in latex and latex.count(r"\begin{tabular}") == 8

    def test_plots_show_the_ranking_and_what_lists_earned(self, table: pd.DataFrame, tmp_path: Path) -> None:
        rows = table[(table["group"] == "warm") & table["model"].isin(["ease", "random", OWN_PORTFOLIO, MARKET])]
        drawn = plot_tables(rows, tmp_path)
        names = [f"frozen-2020-06-30-2020-12-31-{part}" for part in ("warm", "warm-returns")]
        assert [path.name for path in drawn] == [name + ending for name in names for ending in (".png", ".svg")]
        assert all(path.stat().st_size > 10_000 for path in drawn)

    def test_an_unknown_ending_is_refused(self) -> None:
        with pytest.raises(
            UsageError, match=r"m.xlsx: cannot tell the format: end the name in .json, .csv, .tex, .txt"
        ):
            writer_for(Path("m.xlsx"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world of two tastes as a market folder."""
    return write_folder(two_tastes(), tmp_path_factory.mktemp("market"))


class TestCommand:
    def test_it_prints_the_table_and_writes_every_format_and_the_plots(
        self, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        outs = [tmp_path / f"metrics{ending}" for ending in (".json", ".csv", ".tex", ".txt")]
        call = ["evaluate", str(folder), "--fold", FOLD.name, "--models", "popularity,ease", "--kinds", "all,fund"]
        call += [word for out in outs for word in ("--out", str(out))] + ["--plots", str(tmp_path / "plots")]
        assert main(call) == 0
        printed = capsys.readouterr().out
        table, legend = printed.rsplit("\n\n", 1)
        assert table + "\n" == outs[3].read_text(encoding="utf-8")
        assert legend.splitlines()[1] == "ease        linear item-to-item weights, penalty 200 (Steck 2019)"
        assert "2020-06-30:2020-12-31 frozen, all, warm: 31 investors, best baseline ease" in printed
        rows = json.loads(outs[0].read_text(encoding="utf-8"))["rows"]
        assert {row["kind"] for row in rows} == {"all", "fund"}
        drawn = sorted(path.name for path in (tmp_path / "plots").iterdir())
        assert "frozen-2020-06-30-2020-12-31-warm.png" in drawn and "frozen-2020-06-30-2020-12-31-warm.svg" in drawn
        assert (tmp_path / "plots" / drawn[0]).stat().st_size > 5000

    @pytest.mark.parametrize(
        ("options", "code", "problem"),
        [
            (["--fold", "2020-06-30:2020-12-31", "--models", "eese"], 2, "no model 'eese'"),
            (
                ["--fold", "2020-06-30:2020-12-31", "--models", "ease", "--kinds", "crypto"],
                2,
                "no kind of asset 'crypto'",
            ),
            (["--fold", "2020-06-30"], 2, "is not a window"),
            (["--fold", "2020-06-30:2020-12-31", "--out", "m.xls"], 2, "cannot tell the format"),
            (["--fold", "2020-06-30:2020-12-31", "--models", "ease,slim", "--dump", "d"], 2, "one model's lists"),
            (["--fold", "2020-06-30:2020-09-30", "--fold", "2020-06-30:2020-12-31", "--dump", "d"], 2, "one window"),
            (["--fold", "2019-01-01:2019-02-01", "--models", "ease"], 3, "nobody newly bought anything"),
        ],
    )
    def test_a_wrong_call_is_one_line(
        self, folder: Path, options: list[str], code: int, problem: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["evaluate", str(folder), *options]) == code
        said = capsys.readouterr().err.splitlines()[-1]
        assert said.startswith("pathfolio: ") and problem in said

    def test_a_fold_writes_a_dump(self, folder: Path, tmp_path: Path) -> None:
        dump = tmp_path / "lists.parquet"
        call = ["evaluate", str(folder), "--fold", FOLD.name, "--models", "popularity"]
        assert main([*call, "--dump", str(dump)]) == 0
        expected = evaluate_fold(read_folder(folder), FOLD, choose_models("popularity")).dump("popularity")
        pd.testing.assert_frame_equal(pd.read_parquet(dump), expected)

    def test_rolling_writes_a_dump_that_others_can_score(self, folder: Path, tmp_path: Path) -> None:
        dump = tmp_path / "lists.parquet"
        call = ["evaluate", str(folder), "--rolling", "2020-06-30:2020-12-31", "--models", "ease-weekly"]
        assert main([*call, "--dump", str(dump)]) == 0
        lists = pd.read_parquet(dump)
        assert list(lists.columns) == ["date", "user_id", "rank", "asset_id"]
        assert lists["rank"].between(1, 10).all() and not lists.duplicated(["date", "user_id", "rank"]).any()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("2020-07-01:2020-12-31", {"popularity": 0.3242, "ease": 0.4178, "ease-2000": 0.4210, "cold": 0.3787}),
        ("2021-07-01:2021-12-31", {"popularity": 0.1421, "ease": 0.2530, "ease-2000": 0.2378, "cold": 0.0584}),
    ],
)
def test_far_trans_gives_the_figures_of_an_independent_program(
    real_data: Path, window: str, expected: dict[str, float]
) -> None:
    tables = read_folder(real_data / "far-trans")
    result = evaluate_fold(tables, Fold.parse(window), choose_models("popularity,ease,ease-2000"))
    for model in ("popularity", "ease", "ease-2000"):
        assert round(result.cell(model).ndcg, 4) == expected[model]
    assert round(result.cell("popularity", group="cold").ndcg, 4) == expected["cold"]


@pytest.mark.realdata
def test_statements_of_institutions_can_be_folded(real_data: Path) -> None:
    tables = read_folder(real_data / "us-2025")
    data = prepare_fold(tables, Fold.parse("2025-02-28:2025-12-31"))
    held = tables.positions[tables.positions["as_of"] == "2024-12-31"]
    before = set(zip(held["user_id"], held["asset_id"], strict=True))
    after = tables.positions[tables.positions["as_of"] == "2025-12-31"]
    expected = {pair for pair in zip(after["user_id"], after["asset_id"], strict=True) if pair not in before}
    assert set(zip(data.purchases["user_id"], data.purchases["asset_id"], strict=True)) == expected
    assert data.interactions.ever.nnz <= len(before)  # late filers are not known on the cut
    result = evaluate_fold(data, data.fold, choose_models("popularity"))
    assert result.cell("popularity").returns[180]["priced"].mean() > 0.9
