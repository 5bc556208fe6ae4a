"""Lists as portfolios: risk that is known beforehand, orders by risk restated, intervals over cuts, the command."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.errors import DataError
from pathfolio.kg.tables import Tables
from pathfolio.recommender.evaluation.frozen import MARKET, OWN_PORTFOLIO
from pathfolio.recommender.evaluation.registry import choose_models
from pathfolio.recommender.evaluation.split import Fold
from pathfolio.recommender.evaluation.worth import NDCG, WorthRow, evaluate_worth
from pathfolio.recommender.portfolio.rerank import Moments, by_sampling, by_variance, half_year, reranked
from pathfolio.web.cli import main
from tests.recommender.eval_world import assets, make_tables, positions, trades, write_folder

CUTS = [Fold(date(2020, 7, 1), date(2020, 12, 31)), Fold(date(2020, 8, 1), date(2020, 12, 31))]
WILD, CALM = 0.02, 0.01
NAMES = [f"W{i:02d}" for i in range(12)] + [f"C{i:02d}" for i in range(12)]


def market() -> Tables:
    """Twelve wild assets that go up and down 2 % together, and twelve calm ones by 1 %; all love the wild ones."""
    days = pd.bdate_range("2019-12-01", "2021-03-01")
    swing = np.where(np.arange(len(days)) % 2, 1.0, -1.0)
    rows = []
    for number, name in enumerate(NAMES):
        step = WILD if name[0] == "W" else CALM * (-1 if number % 2 else 1)
        rows.append(pd.DataFrame({"asset_id": name, "date": days, "close": 100 * np.cumprod(1 + step * swing)}))
    people = [f"u{i:02d}" for i in range(12)]
    held = [f"{user}:W{(i + j) % 12:02d}" for i, user in enumerate(people) for j in range(2)]
    held += [f"{user}:C{i:02d}" for i, user in enumerate(people)]
    bought = [f"2020-09-01 {user} buy W{(i + 2) % 12:02d}" for i, user in enumerate(people)]
    return make_tables(
        assets=assets(*(f"{name} stock S{name[0]} 2019-01-01" for name in NAMES)),
        positions=positions("2020-01-01", *held),
        transactions=trades(*bought),
        prices=pd.concat(rows).to_dict("records"),
    )


@pytest.fixture(scope="module")
def rows() -> list[WorthRow]:
    return evaluate_worth(market(), CUTS, choose_models("popularity"), weights=(1.0,))


def value(rows: list[WorthRow], model: str, metric: str, horizon: int = 90, rerank: str = "") -> WorthRow:
    wanted = (model, metric, horizon, rerank)
    (found,) = [row for row in rows if (row.model, row.metric, row.horizon, row.rerank) == wanted]
    return found


def test_the_volatility_of_a_list_is_that_of_its_assets(rows: list[WorthRow]) -> None:
    """Lists of the wild alone swing 2 % a day, in step; of the calm, half against the other half, hardly at all."""
    wild = value(rows, "popularity", "volatility")
    assert wild.mean == pytest.approx(WILD * 252**0.5, rel=0.02)
    calm = value(rows, "popularity", "volatility", rerank="mean-variance")
    assert calm.mean < 0.2 * wild.mean
    assert calm.reference == "popularity" and calm.difference == pytest.approx(calm.mean - wild.mean)
    assert value(rows, "popularity", NDCG, 0, "mean-variance").mean < value(rows, "popularity", NDCG, 0).mean


def test_lists_stand_beside_the_own_portfolio_and_the_market(rows: list[WorthRow]) -> None:
    own, whole = (value(rows, name, "volatility") for name in (OWN_PORTFOLIO, MARKET))
    assert whole.mean == pytest.approx(WILD / 2 * 252**0.5, rel=0.02)  # half of it is calm and cancels out
    assert whole.mean < own.mean <= WILD * 252**0.5 * 1.02
    assert own.reference == "" and whole.reference == OWN_PORTFOLIO
    assert own.cuts == 2 and own.n == 24 and own.low <= own.mean <= own.high
    assert {row.horizon for row in rows} == {0, 30, 90, 180}


def test_greedy_order_restated() -> None:
    rng = np.random.default_rng(1)
    n, weight = 6, 0.4
    shape = rng.normal(size=(n, n))
    moments = Moments(np.ones(n, bool), np.zeros(n), shape @ shape.T)
    scores, at = np.sort(rng.normal(size=n))[::-1], rng.permutation(n)
    made: list[int] = []
    while len(made) < n:
        rest = [i for i in range(n) if i not in made]
        lists = [[at[j] for j in [*made, i]] for i in rest]
        risk = np.array([np.full(len(x), 1 / len(x)) @ moments.covariance[np.ix_(x, x)] @ np.full(len(x), 1 / len(x))
                         for x in lists])  # fmt: skip
        scaled = [(v - v.min()) / max(np.ptp(v), 1e-300) for v in (scores[rest], risk)]
        made.append(rest[int(np.argmax((1 - weight) * scaled[0] - weight * scaled[1]))])
    assert by_variance(scores, at, np.array([], int), moments, weight).tolist() == at[made].tolist()
    assert by_variance(scores, at, np.array([], int), moments, 0.0).tolist() == at.tolist()


def test_sampling_order_by_hand() -> None:
    """Asset 0 is held; 1 moves with it, 2 against it; the paper's y is (mu / 2 - cov / 2) / variance."""
    covariance = np.array([[4.0, 3.0, -3.0], [3.0, 4.0, -2.0], [-3.0, -2.0, 4.0]])
    moments = Moments(np.ones(3, bool), np.array([0.0, 2.0, 0.0]), covariance)
    held, both = np.array([0]), np.array([1, 2])
    scores = np.array([2.0, 1.0])
    # y = (1 - 1.5) / 4 for asset 1, (0 + 1.5) / 4 for asset 2
    assert by_sampling(scores, both, held, moments, 0.6).tolist() == [2, 1]
    assert by_sampling(scores, both, held, moments, 0.4).tolist() == [1, 2]
    assert by_sampling(scores, both, np.array([], int), moments, 1.0).tolist() == [1, 2]  # by mu alone
    made = reranked(
        np.array([[1, 2, -1]]), np.array([[0.0, 2.0, 1.0]]), np.eye(3, dtype=bool)[:1], moments, by_sampling, 1
    )
    assert made.tolist() == [[2, 1, -1]]


def test_risk_is_told_from_what_was_before_the_day() -> None:
    tables = market()
    graph = assemble_graph(tables, CUTS[0].train_end)
    whole, before = (
        half_year(graph, tables.prices),
        half_year(graph, tables.prices[tables.prices["date"] <= "2020-07-01"]),
    )
    assert whole is not None and before is not None
    np.testing.assert_array_equal(whole.moments.covariance, before.moments.covariance)
    assert half_year(graph, tables.prices[tables.prices["date"] > "2020-06-01"]) is None


def test_a_market_without_prices_is_refused() -> None:
    tables = make_tables(
        assets=assets("A stock X 2019-01-01", "B stock X 2019-01-01"),
        positions=positions("2020-01-01", "ann:A", "bob:B"),
        transactions=trades("2020-09-01 ann buy B"),
    )
    with pytest.raises(DataError, match="no closes in the half year before 2020-07-01 or none after it: add prices"):
        evaluate_worth(tables, CUTS[:1], choose_models("popularity"))


def test_the_command_writes_table_and_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    write_folder(market(), folder)
    (folder / "users.csv").unlink()
    market().prices[["asset_id", "date", "close"]].to_csv(folder / "prices.csv", index=False)
    out = tmp_path / "worth.json"
    fold = ["--fold", CUTS[0].name, "--models", "popularity", "--out", str(out), "--plots", str(tmp_path / "plots")]
    assert main(["evaluate", str(folder), "--worth", *fold]) == 0
    shown = capsys.readouterr().out
    assert "own portfolio" in shown and "pfotgnrec:0.5" in shown and "volatility 90d" in shown
    assert {"model", "rerank", "weight", "horizon", "metric", "mean", "low"} <= set(json.loads(out.read_text())[0])
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {"tradeoff.png", "tradeoff.svg"}
    assert main(["evaluate", str(folder), "--worth"]) == 2
    assert "name one or more with --fold" in capsys.readouterr().err
