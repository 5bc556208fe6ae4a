"""The two towers: indicators by hand, nothing after the cut, steps and losses restated, training, what is served."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from embeddings.train import VectorOptions, train_vectors
from kg.assemble import assemble_graph
from kg.contract import read_folder
from kg.errors import DataError, UsageError
from kg.graph import KnowledgeGraph
from kg.schema import ASSET_KINDS
from kg.tables import Tables
from recommender.baselines.popularity import fit_popularity
from recommender.evaluate import evaluate_fold
from recommender.interactions import Interactions
from recommender.registry import MODELS, ModelSpec
from recommender.split import Fold
from recommender.stranger import with_stranger
from recommender.towers.batches import NONE, Step, candidates, hard_negatives, steps, target_weights, whole
from recommender.towers.figures import figures_of, ranked
from recommender.towers.indicators import INDICATORS, STALE_DAYS, WINDOW, closes_by_asset, indicators, log_returns
from recommender.towers.inputs import TowerInputs, Vocabulary, tower_inputs, vocabulary_of
from recommender.towers.model import TowerVectors, TwoTowers, fit_two_towers, score
from recommender.towers.options import TowerOptions
from tests.eval_world import two_tastes

pytest.importorskip("talib", reason="TA-Lib is not installed: pip install 'pathfolio[baselines]'")

ROOT = Path(__file__).resolve().parents[1]
DAY = date(2026, 3, 31)
FAST = TowerOptions(dimension=16, hidden=24, memory=8, batch=64, popular=16, even=16, max_epochs=3, patience=2)


@pytest.fixture(scope="module")
def tables(sample_folder: Path) -> Tables:
    return read_folder(sample_folder)


@pytest.fixture(scope="module")
def graph(tables: Tables) -> KnowledgeGraph:
    return assemble_graph(tables, DAY)


@pytest.fixture(scope="module")
def known(tables: Tables) -> pd.DataFrame:
    return tables.prices[tables.prices["date"] <= pd.Timestamp(DAY)]


@pytest.fixture(scope="module")
def trained(graph: KnowledgeGraph, known: pd.DataFrame) -> TwoTowers:
    return fit_two_towers(graph, 0, known, FAST)


@pytest.fixture(scope="module")
def read(trained: TwoTowers, graph: KnowledgeGraph, known: pd.DataFrame) -> tuple[Vocabulary, TowerInputs]:
    parts = trained.parts
    return parts.vocabulary, tower_inputs(graph, parts.vocabulary, parts.vectors, known)


# -- figures -------------------------------------------------------------------------------------------------


def test_indicators_by_their_formulas() -> None:
    """Each restated in a line over a random walk of 300 closes."""
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, 300)))
    found = dict(zip(INDICATORS, indicators(closes), strict=True))
    last = closes[-1]
    assert found["ma_20"] == pytest.approx(last / closes[-20:].mean() - 1)
    assert found["ma_60"] == pytest.approx(last / closes[-60:].mean() - 1)
    middle, deviation = closes[-20:].mean(), closes[-20:].std()
    assert found["bollinger_width"] == pytest.approx(4 * deviation / middle)
    assert found["bollinger_place"] == pytest.approx((last - middle + 2 * deviation) / (4 * deviation))
    gain, loss = (np.maximum(sign * np.diff(closes), 0) for sign in (1, -1))
    up, down = gain[:14].mean(), loss[:14].mean()  # Wilder's smoothing from the first fourteen moves
    for rise, fall in zip(gain[14:], loss[14:], strict=True):
        up, down = (13 * up + rise) / 14, (13 * down + fall) / 14
    assert found["rsi_14"] == pytest.approx(100 * up / (up + down))
    assert found["return_63"] == pytest.approx(last / closes[-64] - 1)
    assert found["drawdown_252"] == pytest.approx(1 - last / closes[-252:].max())
    assert found["volatility_63"] == pytest.approx(np.diff(np.log(closes[-64:])).std())
    fast, slow = (pd.Series(closes).ewm(span=n, adjust=False).mean() for n in (12, 26))
    line = fast - slow
    expected = (line - line.ewm(span=9, adjust=False).mean()).iloc[-1] / last
    assert found["macd"] == pytest.approx(expected, abs=1e-6)


def test_a_short_series_leaves_gaps_and_a_flat_one_divides_by_nothing() -> None:
    found = dict(zip(INDICATORS, indicators(np.linspace(10, 11, 30)), strict=True))
    assert np.isfinite(found["ma_20"])
    assert np.isnan([found["ma_60"], found["return_63"], found["volatility_63"]]).all()
    flat = dict(zip(INDICATORS, indicators(np.full(300, 5.0)), strict=True))
    assert np.isnan(flat["bollinger_place"])
    assert flat["return_252"] == 0
    assert (log_returns(np.full(10, 5.0)) == np.zeros(WINDOW)).all()


def test_prices_after_the_day_and_stale_ones_are_not_read() -> None:
    days = pd.date_range("2026-01-01", periods=90)
    frame = pd.concat(
        [
            pd.DataFrame({"asset_id": "A", "date": days, "close": np.arange(1.0, 91.0)}),
            pd.DataFrame({"asset_id": "B", "date": days[:20], "close": 1.0}),
        ]
    )
    day = days[59]
    found = closes_by_asset(frame, np.array(["A", "B", "C"], object), day)
    assert list(found) == [0]  # the last close of B is older than STALE_DAYS
    assert (day - days[19]).days > STALE_DAYS
    assert found[0][-1] == 60.0


def test_ranks_have_no_units() -> None:
    values = np.array([[1.0, 5.0], [100.0, np.nan], [3.0, 5.0]])
    ranks, there = ranked(values)
    # thirds of the way: 1/3, 3/3, 2/3 -> -1/3, 1, 1/3; two equal ones share places 1 and 2 of 2: 0.75 -> 0.5
    np.testing.assert_allclose(ranks, [[-1 / 3, 0.5], [1.0, 0.0], [1 / 3, 0.5]], atol=1e-6)
    assert there.tolist() == [[True, True], [True, False], [True, True]]
    np.testing.assert_array_equal(ranked(values * 1000)[0], ranks)


def test_peers_share_a_category_or_an_industry(graph: KnowledgeGraph, known: pd.DataFrame) -> None:
    table = figures_of(graph, known).table
    assert {"rating", "raters", "target", "fact expense_ratio", "days_listed", *INDICATORS} <= set(table.columns)
    own = table["peer rank of return_126"].dropna()
    assert own.between(0, 1, inclusive="right").all()
    from kg.schema import Relation

    industry = graph.outgoing(Relation.IN_INDUSTRY)
    asset = next(int(a) for a in own.index if len(industry.of(int(graph.assets[a]))))
    node = int(industry.of(int(graph.assets[asset]))[0])
    same = [a for a in range(len(graph.assets)) if node in industry.of(int(graph.assets[a])).tolist()]
    returns = table["return_126"].iloc[same].dropna()
    expected = (returns < returns[asset]).mean() + ((returns == returns[asset]).sum() + 1) / 2 / len(returns)
    assert own[asset] == pytest.approx(expected)


# -- nothing after the cut -----------------------------------------------------------------------------------


def test_nothing_after_the_cut_changes_a_vector(tables: Tables, trained: TwoTowers) -> None:
    """Later prices tenfold, later transactions and statements gone, later facts multiplied: the same bits."""
    day = pd.Timestamp(DAY)
    prices, facts = tables.prices.copy(), tables.facts.copy()
    prices.loc[prices["date"] > day, "close"] *= 10
    facts.loc[facts["known_at"].fillna(facts["as_of"]) > day, "value"] *= 10
    assert not prices.equals(tables.prices)
    altered = replace(
        tables,
        prices=prices,
        facts=facts,
        transactions=tables.transactions[tables.transactions["date"] <= day],
        positions=tables.positions[tables.positions["known_at"].fillna(tables.positions["as_of"]) <= day],
    )
    other = fit_two_towers(assemble_graph(altered, DAY), 0, altered.prices, FAST)
    np.testing.assert_array_equal(other.served.users, trained.served.users)
    np.testing.assert_array_equal(other.served.assets, trained.served.assets)


def test_the_registry_takes_later_prices_away(graph: KnowledgeGraph, tables: Tables) -> None:
    seen: list[pd.DataFrame | None] = []

    def spy(graph: KnowledgeGraph, seed: int, prices: pd.DataFrame | None) -> TwoTowers:
        seen.append(prices)
        return fit_popularity(graph)  # type: ignore[return-value]  # any model will do

    ModelSpec("spy", fit_popularity, "", fit_priced=spy).fitted(graph, 0, tables.prices)
    assert seen[0] is not None
    assert seen[0]["date"].max() <= pd.Timestamp(DAY) < tables.prices["date"].max()


# -- steps ---------------------------------------------------------------------------------------------------


def one_pass(inputs: TowerInputs, options: TowerOptions = FAST, seed: int = 0) -> Iterator[Step]:
    return steps(inputs, options, np.random.default_rng(seed))


def test_what_is_asked_is_not_shown(read: tuple[Vocabulary, TowerInputs]) -> None:
    """Every pair is hidden and asked for, or shown; each investor is asked for something, in the order of time."""
    _, inputs = read
    asked_of = 0
    for step in one_pass(inputs, replace(FAST, memory=200)):
        for row in range(len(step.theirs)):
            hidden = set(step.asset[step.row == row].tolist())
            shown = step.readers.history[row][step.readers.history[row] != NONE].tolist()
            assert hidden
            assert not hidden & set(shown)
            assert hidden | set(shown) == set(np.flatnonzero(step.theirs[row]).tolist())
            asked_of += 1
        assert set(step.asset.tolist()) <= set(step.candidates.tolist())
    assert asked_of == int((np.diff(inputs.start) > 0).sum())


def test_history_is_in_the_order_of_time(read: tuple[Vocabulary, TowerInputs]) -> None:
    _, inputs = read
    user = int(np.argmax(np.diff(inputs.start)))
    low, high = inputs.start[user], inputs.start[user + 1]
    assert (np.diff(inputs.since[low:high]) >= 0).all()
    history = whole(inputs, np.array([user]), FAST).history[0]
    assert history.tolist() == inputs.asset[low:high][-FAST.memory :].tolist()
    nobody = int(np.argmin(np.diff(inputs.start)))
    assert inputs.start[nobody] == inputs.start[nobody + 1]
    assert (whole(inputs, np.array([nobody]), FAST).history == NONE).all()


def test_the_chance_of_a_candidate_is_what_it_happens_to_be() -> None:
    """How often each asset is among the candidates of many steps, against the chance that corrects its logit.

    Six assets, bought with chances of 1/2 to 1/32; steps of 3 purchases, 2 more drawn by popularity and 1 evenly.
    """
    chance = np.array([16, 8, 4, 2, 1, 1]) / 32
    options, rng, runs = replace(FAST, popular=2, even=1), np.random.default_rng(0), 20_000
    counts, said = np.zeros(6), np.zeros(6)
    for _ in range(runs):
        chosen, log_chance = candidates(rng.choice(6, 3, p=chance), chance, options, rng)
        counts[chosen] += 1
        said[chosen] = np.exp(log_chance)
    # exactly 1 - (1 - chance)^5 * (1 - 1/6); said is its limit for many draws, 1 - exp(-5 chance - 1/6)
    np.testing.assert_allclose(counts / runs, 1 - (1 - chance) ** 5 * 5 / 6, atol=0.015)
    np.testing.assert_allclose(said, 1 - np.exp(-5 * chance - 1 / 6), rtol=1e-5)
    np.testing.assert_allclose(said[2:], counts[2:] / runs, atol=0.04)


def test_recent_purchases_weigh_more(read: tuple[Vocabulary, TowerInputs]) -> None:
    _, inputs = read
    weight = target_weights(inputs, replace(FAST, recent=3.0))
    late = inputs.since > inputs.today - FAST.horizon_days
    assert set(weight[late].tolist()) == {3.0}
    assert set(weight[~late].tolist()) == {1.0}


def test_hard_negatives_are_near_misses() -> None:
    scores = np.arange(20, dtype=np.float32)[None].repeat(3, axis=0)
    theirs = np.zeros((3, 20), bool)
    theirs[:, 15:] = True
    drawn = hard_negatives(scores, theirs, replace(FAST, hard=50, hard_from=4), np.random.default_rng(0))
    assert set(drawn.ravel().tolist()) == {11, 12, 13, 14}  # the four best that they do not have


# -- losses and scores ---------------------------------------------------------------------------------------


def test_losses_by_their_formulas() -> None:
    import torch

    from recommender.towers.train import purchase_loss

    own, others = np.array([1.0, 0.5, -1.0]), np.array([[0.2, -np.inf], [0.4, 2.0]])
    row, weight = np.array([0, 1, 1]), np.array([1.0, 2.0, 1.0])

    def sigmoid(x: float) -> float:
        return 1 / (1 + np.exp(-x))

    softmax = [-np.log(np.exp(o) / (np.exp(o) + np.exp(others[r]).sum())) for o, r in zip(own, row, strict=True)]
    bpr = [np.mean([-np.log(sigmoid(o - x)) for x in others[r] if x > -np.inf]) for o, r in zip(own, row, strict=True)]
    shared = [-np.log(1 - sigmoid(others[r][others[r] > -np.inf])).sum() / (row == r).sum() for r in row]
    bce = [-np.log(sigmoid(o)) + s for o, s in zip(own, shared, strict=True)]
    for kind, losses in (("softmax", softmax), ("bpr", bpr), ("bce", bce)):
        tensors = [torch.as_tensor(part) for part in (own, others, row, weight)]
        assert float(purchase_loss(kind, *tensors)) == pytest.approx(np.average(losses, weights=weight)), kind


def test_scores_are_products_by_kind() -> None:
    users = np.array([[[1, 0, 1], [0, 2, 1]]], np.float32)
    assets = np.array([[3, 4, 0.5], [5, 6, 0.25]], np.float32)
    assert score(users, assets, np.array([0, 1])).tolist() == [[3.5, 12.25]]


@pytest.mark.parametrize("sequence", ["gru", "transformer"])
@pytest.mark.parametrize("price_encoder", ["cnn", "transformer"])
def test_the_network_scores_as_it_is_served(
    read: tuple[Vocabulary, TowerInputs], sequence: str, price_encoder: str
) -> None:
    import torch

    from recommender.towers.network import AssetView, Towers, products
    from recommender.towers.train import vectors_of

    vocabulary, inputs = read
    torch.manual_seed(0)
    network = Towers(vocabulary, inputs, replace(FAST, sequence=sequence, price_encoder=price_encoder)).eval()
    users = np.arange(12)
    with torch.no_grad():
        assets, past = network.assets([AssetView.of(part) for part in inputs.kinds])
        investors = network.investors(whole(inputs, users, network.options), past)
        expected = products(investors, assets, torch.as_tensor(inputs.kind_of)).numpy()
    served = vectors_of(network, inputs, users)
    np.testing.assert_allclose(score(*served, inputs.kind_of), expected, rtol=1e-4, atol=1e-5)
    assert expected.std() > 0


@pytest.mark.parametrize("sequence", ["gru", "transformer"])
def test_the_order_of_purchases_matters(read: tuple[Vocabulary, TowerInputs], sequence: str) -> None:
    import torch

    from recommender.towers.network import AssetView, Towers

    vocabulary, inputs = read
    torch.manual_seed(0)
    network = Towers(vocabulary, inputs, replace(FAST, sequence=sequence)).eval()
    user = np.array([int(np.argmax(np.diff(inputs.start)))])
    readers = whole(inputs, user, network.options)
    turned = replace(readers, history=readers.history[:, ::-1].copy())
    with torch.no_grad():
        _, past = network.assets([AssetView.of(part) for part in inputs.kinds])
        one, two = (network.investors(each, past) for each in (readers, turned))
    assert float((one - two).abs().max()) > 1e-4


# -- training ------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_vectors(graph: KnowledgeGraph, known: pd.DataFrame, trained: TwoTowers) -> None:
    again = fit_two_towers(graph, 0, known, FAST)
    np.testing.assert_array_equal(again.served.users, trained.served.users)
    np.testing.assert_array_equal(again.served.assets, trained.served.assets)
    assert (again.parts.epochs, again.parts.ndcg) == (trained.parts.epochs, trained.parts.ndcg)


@pytest.mark.parametrize("loss", ["softmax", "bpr", "bce"])
def test_it_learns_two_tastes(loss: str) -> None:
    """Half of the investors like A, half B: what they do not have of their own taste is ranked before the other's."""
    tables = two_tastes(users=80)
    graph = assemble_graph(tables, date(2020, 5, 31))
    options = replace(FAST, loss=loss, max_epochs=12, patience=12, batch=16, hidden_share=0.4)
    towers = fit_two_towers(graph, 0, None, options)
    ever = Interactions(graph).ever.toarray() > 0
    scores = towers.scores(np.arange(len(graph.users)))
    right = []
    for user, row in enumerate(graph.users):
        taste = "AB"[int(str(graph.nodes.id[row])[1:]) % 2]
        own = np.array([str(key).startswith(taste) for key in graph.nodes.id[graph.assets]])
        mine, other = own & ~ever[user], ~own & ~ever[user]
        right.append((scores[user][mine][:, None] > scores[user][other]).mean())
    assert np.mean(right) > 0.9


def test_it_is_evaluated_beside_the_baselines() -> None:
    fold = Fold(date(2020, 5, 31), date(2020, 12, 31))
    options = replace(FAST, batch=16, max_epochs=12, patience=12)
    spec = replace(MODELS["two-tower"], fit_priced=lambda g, seed, p: fit_two_towers(g, seed, p, options))
    result = evaluate_fold(two_tastes(), fold, [spec, MODELS["random"]])
    assert result.cell("two-tower").ndcg > result.cell("random").ndcg


def test_without_purchases_in_the_inner_window_it_trains_all_the_same() -> None:
    """One statement only: a random fifth of the positions validates."""
    graph = assemble_graph(two_tastes(), date(2020, 1, 15))
    assert np.isfinite(fit_two_towers(graph).scores(np.arange(3))).all()


@pytest.mark.parametrize("field", ["sequence", "price_encoder", "loss"])
def test_unknown_options(field: str) -> None:
    with pytest.raises(UsageError, match=f"no {field} 'x' of the two towers: choose "):
        TowerOptions(**{field: "x"})  # type: ignore[arg-type]


# -- later days, and what is served --------------------------------------------------------------------------


def test_refreshing_the_same_day_changes_nothing(graph: KnowledgeGraph, trained: TwoTowers) -> None:
    again = trained.refresh(graph)
    np.testing.assert_array_equal(again.served.users, trained.served.users)
    np.testing.assert_array_equal(again.served.assets, trained.served.assets)


def test_a_stranger_and_a_later_day_are_scored(tables: Tables, graph: KnowledgeGraph, trained: TwoTowers) -> None:
    """Strangers get a list, and so does what was listed after training; known assets keep their vectors."""
    strange = trained.refresh(with_stranger(graph))
    assert np.isfinite(strange.scores(np.array([0]))).all()
    later = assemble_graph(tables, date(2026, 6, 30))
    refreshed = trained.refresh(later)
    new = [i for i, key in enumerate(later.nodes.id[later.assets]) if key not in trained.parts.vocabulary.assets]
    assert new
    assert (np.linalg.norm(refreshed.served.assets[new], axis=1) > 0).all()
    assert refreshed.scores(np.arange(5)).shape == (5, len(later.assets))


def test_what_is_saved_serves_without_torch(trained: TwoTowers, tmp_path: Path) -> None:
    trained.served.save(tmp_path / "a.npz")
    trained.served.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    code = (
        "import json, sys; from pathlib import Path; import numpy as np;"
        "from recommender.towers.model import TowerVectors;"
        "served = TowerVectors.load(Path(sys.argv[1]));"
        "print(json.dumps([served.scores(np.arange(4)).tolist(), sorted({'torch', 'talib'} & set(sys.modules))]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.npz")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    scores, loaded = json.loads(done.stdout)
    assert loaded == []
    np.testing.assert_allclose(scores, trained.scores(np.arange(4)), rtol=1e-6)
    with pytest.raises(DataError, match="train them again"):
        TowerVectors.load(tmp_path / "none.npz")


def test_the_top_is_the_top_of_the_scores(trained: TwoTowers) -> None:
    users = np.arange(0, len(trained.graph.users), 11)
    scores = trained.served.scores(users)
    for k in (10, scores.shape[1] + 3):
        position, product = trained.served.top(users, k)
        expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        np.testing.assert_array_equal(position[:, : expected.shape[1]], expected)
        np.testing.assert_allclose(product[:, : expected.shape[1]], np.take_along_axis(scores, expected, 1), rtol=1e-5)
        assert (position[:, expected.shape[1] :] == -1).all()


def test_each_kind_has_figures_of_its_own(read: tuple[Vocabulary, TowerInputs]) -> None:
    vocabulary, inputs = read
    stock, fund, bond = vocabulary.columns
    assert "fact pe_ratio" in stock
    assert "fact pe_ratio" not in fund
    assert "fact expense_ratio" in fund
    assert "fact expense_ratio" not in stock
    assert bond == ()  # four bonds are fewer than FEWEST: their towers read categories and the graph alone
    assert len(inputs.kinds) == len(ASSET_KINDS)
    assert sum(len(part.at) for part in inputs.kinds) == len(inputs.kind_of)


def test_vectors_of_a_later_snapshot_are_read_by_the_same_vocabulary(tables: Tables, graph: KnowledgeGraph) -> None:
    """Codes and columns are fixed in training: an unknown category reads 0, a figure that is gone reads unknown."""
    vocabulary = vocabulary_of(graph, None)
    vectors = train_vectors(graph, VectorOptions(model="DistMult", dimension=8, max_epochs=1))
    later = assemble_graph(tables, date(2026, 6, 30))
    one, two = (tower_inputs(each, vocabulary, vectors, None) for each in (graph, later))
    for a, b in zip(one.kinds, two.kinds, strict=True):
        assert a.numbers.shape[1] == b.numbers.shape[1]
        assert set(np.unique(b.categories)) <= {0, *vocabulary.codes.values()}
    assert list(islice(vocabulary.assets.values(), 2)) == [1, 2]
