"""Training the towers: it learns, nothing after the cut counts, the same seed gives the same bits."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.progress import Progress
from pathfolio.kg.tables import Tables
from pathfolio.recommender.baselines.popularity import fit_popularity
from pathfolio.recommender.evaluation.frozen import evaluate_fold
from pathfolio.recommender.evaluation.registry import MODELS, ModelSpec
from pathfolio.recommender.evaluation.split import Fold
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.towers.batches import steps
from pathfolio.recommender.towers.inputs import TowerInputs, Vocabulary
from pathfolio.recommender.towers.model import TwoTowers, fit_two_towers
from pathfolio.recommender.towers.options import TowerOptions
from tests.recommender.eval_world import two_tastes
from tests.recommender.towers.world import DAY, FAST

pytest.importorskip("talib", reason="TA-Lib is not installed: pip install 'pathfolio[baselines]'")


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


def _after_two_epochs(read: tuple[Vocabulary, TowerInputs], options: TowerOptions) -> dict[str, np.ndarray]:
    from pathfolio.recommender.towers.train import TowerTraining

    run = TowerTraining.start(*read, options)
    run.epoch()
    run.epoch()
    return {name: value.numpy().copy() for name, value in run.kept.state_dict().items()}


@pytest.fixture(scope="module")
def usual(read: tuple[Vocabulary, TowerInputs]) -> dict[str, np.ndarray]:
    return _after_two_epochs(read, FAST)


CHANGED = {
    "seed": 5, "dimension": 8, "hidden": 8, "sequence": "transformer", "memory": 3, "price_encoder": "transformer",
    "loss": "bpr", "batch": 32, "popular": 4, "even": 4, "hard": 1, "hard_from": 5, "hard_weight": 1.0, "recent": 5.0,
    "hidden_share": 0.2, "unseen": 0.6, "rate": 0.01, "rate_decay": 0.3, "penalty": 0.1, "dropout": 0.6,
    "averaging": 0.5, "horizon_days": 40,
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_every_option_of_training_does_something(
    read: tuple[Vocabulary, TowerInputs], usual: dict[str, np.ndarray], name: str
) -> None:
    """Two epochs with the one option changed leave other weights, or weights of another shape."""
    found = _after_two_epochs(read, replace(FAST, **{name: CHANGED[name]}))
    same = found.keys() == usual.keys() and all(np.array_equal(found[key], usual[key]) for key in usual)
    assert not same


def test_no_option_is_left_out_of_these_tests() -> None:
    of_the_search = {"max_epochs", "patience", "validation"}
    assert {field.name for field in fields(TowerOptions)} == set(CHANGED) | of_the_search


@pytest.mark.parametrize(
    ("patience", "most", "passes", "best"),
    [(2, 9, 4, 2), (3, 9, 5, 2), (4, 9, 9, 6), (4, 5, 5, 2), (2, 1, 1, 1)],
)
def test_the_search_stops_early_by_validation_ndcg(
    graph: KnowledgeGraph,
    read: tuple[Vocabulary, TowerInputs],
    monkeypatch: pytest.MonkeyPatch,
    patience: int,
    most: int,
    passes: int,
    best: int,
) -> None:
    """nDCG@10 after each epoch is .1 .3 .2 .2 .2 .4 .1 .1 .1: with a patience of 2 the fourth pass is the last."""
    from pathfolio.recommender.gat.split import inner_split
    from pathfolio.recommender.towers import train

    reached, asked = iter([0.1, 0.3, 0.2, 0.2, 0.2, 0.4, 0.1, 0.1, 0.1]), []

    def validate(run: train.TowerTraining, users: np.ndarray, relevant: np.ndarray) -> float:
        asked.append(len(users))
        return next(reached)

    monkeypatch.setattr(train.TowerTraining, "validate", validate)
    monkeypatch.setattr(train.TowerTraining, "epoch", lambda run: None)
    options = replace(FAST, patience=patience, max_epochs=most, validation=7)
    split = inner_split(graph, options.horizon_days, np.random.default_rng(0))
    found, _ = train._search(read[1], split, read[0], options, Progress(out=None))
    assert (len(asked), found) == (passes, best)
    assert set(asked) == {7}


def test_the_chance_of_being_drawn_corrects_the_loss(read: tuple[Vocabulary, TowerInputs]) -> None:
    """The same step, as if all candidates had been sure to be there: another loss."""
    import torch

    from pathfolio.recommender.towers.train import TowerTraining

    losses = []
    for corrected in (True, False):
        run = TowerTraining.start(*read, replace(FAST, hard=0, dropout=0.0, unseen=0.0))
        step = next(iter(steps(read[1], run.options, np.random.default_rng(0))))
        step = step if corrected else replace(step, log_chance=np.zeros_like(step.log_chance))
        with torch.no_grad():
            losses.append(float(run._loss(step)))
    assert abs(losses[0] - losses[1]) > 1e-3
