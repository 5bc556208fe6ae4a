"""`pathfolio bench growth`: the market that it generates, and what it says a stage took."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.errors import PathfolioError
from pathfolio.kg.tables import Tables
from pathfolio.recommender.interactions import Interactions
from pathfolio.web.benchmarks.broker import END, STATEMENT, Broker
from pathfolio.web.benchmarks.growth import Grown, StageCost, cost_of, exponents, table
from pathfolio.web.cli import main

BROKER = Broker(60, 30)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("broker")
    BROKER.write(folder)
    return read_folder(folder)


def test_market_keeps_the_contract_and_says_that_it_is_generated(market: Tables) -> None:
    assert market.rejected.empty
    assert market.is_sample
    assert (len(market.users), len(market.assets)) == (60, 30)


def test_purchases_are_dated_and_statements_agree_with_them(market: Tables) -> None:
    graph = assemble_graph(market, END)
    interactions = Interactions(graph)
    assert interactions.dated.all()
    trades = market.transactions
    assert (trades["date"].dt.date <= END).all()
    sold = trades.loc[(trades["side"] == "sell") & (trades["date"].dt.date <= STATEMENT), ["user_id", "asset_id"]]
    assert market.positions.merge(sold).empty


def test_same_seed_gives_the_same_market_and_another_does_not() -> None:
    def bought(broker: Broker) -> object:
        return broker.tables()["transactions"]["asset_id"].to_pylist()

    assert bought(BROKER) == bought(Broker(60, 30))
    assert bought(BROKER) != bought(Broker(60, 30, seed=8))


def test_popularity_is_uneven_and_investors_have_tastes() -> None:
    broker = Broker(4000, 400)
    user, asset, _ = broker._bought
    holders = np.sort(np.bincount(asset, minlength=400))[::-1]
    assert holders[:40].sum() > 0.3 * holders.sum()
    many = np.bincount(user, minlength=4000) >= 8
    of_user = np.zeros((4000, 20))
    np.add.at(of_user, (user, asset // 20), 1)
    top_two = np.sort(of_user[many], axis=1)[:, -2:].sum(axis=1) / of_user[many].sum(axis=1)
    assert top_two.mean() > 0.5


def test_a_stage_has_the_processor_time_and_memory_of_its_own_process() -> None:
    work = """
import sys, time
held = bytearray(int(sys.argv[1]))
while time.process_time() < 0.3: pass
time.sleep(0.5)
"""  # to be given its memory may have taken more than the .3 s: without the sleep nobody may have looked since
    found = cost_of("work", [str(600_000_000)], code=work)
    assert 0.3 <= found.seconds < 2
    assert 580 < found.peak_mb < 700


def test_workers_that_nobody_waits_for_count() -> None:
    work = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
ours, theirs = os.pipe()
if os.fork():
    os.close(theirs)
    os.read(ours, 1)
else:
    while time.process_time() < 0.3: pass
    time.sleep(0.3)
"""
    assert 0.25 < cost_of("work", [], code=work).seconds < 1


def test_a_stage_that_fails_says_so(tmp_path: Path) -> None:
    with pytest.raises(PathfolioError, match=r"build ended with 3: .*no such folder"):
        cost_of("build", ["build", tmp_path / "none", "--as-of", END - timedelta(days=1), "--out", tmp_path / "out"])


def test_exponent_is_the_slope_of_the_logarithms() -> None:
    sizes = (100, 1000, 10_000)
    grown = [Grown(n, n, n, (StageCost("build", n**1.5, 1, 1), StageCost("  seal", 0.0, 1, 1))) for n in sizes]
    assert exponents(grown) == pytest.approx({"build": 1.5})
    assert exponents(grown[:1]) == {}
    assert "positions^1.50" in table(grown)


@pytest.mark.parametrize("words", [["--investors", "5"], ["--investors", "20,30", "--assets", "20,30,40"], ["lists"]])
def test_wrong_sizes_are_refused(words: list[str]) -> None:
    try:
        assert main(["bench", "growth", *words]) == 2
    except SystemExit as refused:
        assert refused.code == 2
