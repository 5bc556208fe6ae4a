"""Meta-learners: tasks by hand, formulas restated, and a planted market in which first positions tell the taste."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np
import pytest
import torch

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.tables import Tables
from pathfolio.recommender.baselines.meta.assets import AssetTable
from pathfolio.recommender.baselines.meta.coordinates import preprocessed
from pathfolio.recommender.baselines.meta.joint import Joint
from pathfolio.recommender.baselines.meta.learned_optimiser import LearnedOptimiser
from pathfolio.recommender.baselines.meta.learner import Lectures, MetaLearner
from pathfolio.recommender.baselines.meta.lstm_learner import LstmLearner
from pathfolio.recommender.baselines.meta.maml import Maml
from pathfolio.recommender.baselines.meta.pair_model import (
    PairTask,
    query_features,
    start_theta,
    support_features,
    support_loss,
    task_tensors,
)
from pathfolio.recommender.baselines.meta.prototypical import Prototypical
from pathfolio.recommender.baselines.meta.reptile import Reptile
from pathfolio.recommender.baselines.meta.tasks import Lesson, lessons
from pathfolio.recommender.evaluation.frozen import evaluate_fold
from pathfolio.recommender.evaluation.registry import MODELS
from pathfolio.recommender.evaluation.split import Fold
from pathfolio.web.cli import main
from tests.recommender.eval_world import assets, make_tables, positions, trades

CUT = date(2020, 7, 1)


def planted() -> Tables:
    """Four tastes of eight assets; whoever has one asset of a taste goes on to buy of it, and tastes are equally liked.

    So the most popular assets are wrong for three investors of four, and one position tells which are right.
    """
    rng = np.random.default_rng(3)
    held, traded = [], []
    for number in range(160):
        taste, user = "ABCD"[number % 4], f"u{number:03d}"
        own = [f"{taste}{i}" for i in rng.permutation(8)]
        begin = number // 4 % 3  # how many positions there are at first
        held += [f"{user}:{asset}" for asset in own[:begin]]
        early = number % 8 < 6  # the others begin after the cut
        days = [f"2020-{month:02d}-10" for month in ((3, 5, 9, 11) if early else (9, 10, 11, 12))]
        traded += [f"{day} {user} buy {asset}" for day, asset in zip(days, own[begin:], strict=False)]
    names = [f"{taste}{i} stock Sector{taste} 2019-01-01" for taste in "ABCD" for i in range(8)]
    return make_tables(assets=assets(*names), positions=positions("2020-01-01", *held), transactions=trades(*traded))


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return assemble_graph(planted(), CUT)


@pytest.fixture(scope="module")
def lectures(graph: KnowledgeGraph) -> Lectures:
    return Lectures.of(lessons(graph, AssetTable.of(graph)))


def task_of(lesson: Lesson, size: int) -> PairTask:
    """The first investor who had `size` assets when the lesson began."""
    user = np.flatnonzero(np.diff(lesson.known.indptr) == size)[:1]
    return PairTask(*(part[0] for part in task_tensors(lesson.of(user))))


def test_a_lesson_knows_what_was_held_before_and_asks_for_what_was_bought_since(graph: KnowledgeGraph) -> None:
    tables = make_tables(
        assets=assets(*(f"{a} stock X 2019-01-01" for a in "ABCD")),
        positions=positions("2019-06-01", "ann:A", "ann:B", "bob:C"),
        transactions=trades(
            "2019-07-01 ann buy C",
            "2020-02-01 ann buy D",  # nobody had D when the window began: it cannot be found
            "2020-02-01 bob buy A",
            "2020-03-01 new buy B",
            "2020-08-01 bob buy B",  # after the cut
        ),
    )
    known = assemble_graph(tables, CUT)
    lesson = lessons(known, AssetTable.of(known))[0]
    names, users = known.asset_ids.tolist(), known.user_ids.tolist()
    first = {
        user: "".join(names[a] for a in row if a >= 0) for user, row in zip(users, lesson.first.tolist(), strict=True)
    }
    query = {user: [names[a] for a in lesson.bought[[row]].indices] for row, user in enumerate(users)}
    assert first == {"ann": "ABC", "bob": "C", "new": ""}
    assert query == {"ann": [], "bob": ["A"], "new": ["B"]}
    assert [users[row] for row in lesson.buyers] == ["bob", "new"]


@pytest.mark.parametrize("name", ["maml", "prototypical"])
def test_first_positions_tell_the_taste_where_popularity_does_not(name: str) -> None:
    quick = replace(MODELS[name], fit=partial(MODELS[name].fit, steps=60))
    result = evaluate_fold(planted(), Fold(CUT, date(2020, 12, 31)), [quick, MODELS["popularity"]], by_history=True)
    thin = "2 to 5 positions"
    assert {cell.group for cell in result.cells} == {"0 positions", "1 position", thin}
    assert result.cell(name, group=thin).ndcg > 2 * result.cell("popularity", group=thin).ndcg > 0
    assert (
        len(result.cell(name, group="0 positions").user_ids) == 14
        and not result.cell(name, group="1 position").ndcg < 1e-9
    )


def learners(width: int) -> list[MetaLearner]:
    theta = start_theta(width, torch.Generator().manual_seed(1))
    return [Maml(), Reptile(), LstmLearner(), LearnedOptimiser(theta)]


def test_who_has_nothing_is_scored_by_the_start(lectures: Lectures) -> None:
    nobody, assets_ = task_of(lectures.made[0], 0), lectures.assets[0]
    for learner in learners(lectures.width):
        weights = learner.start(lectures.width, torch.Generator().manual_seed(1))
        start = {"theta": weights.get("theta", getattr(learner, "theta", None))}
        expected = Joint().scores(start, assets_, nobody)
        torch.testing.assert_close(learner.scores(weights, assets_, nobody), expected)


def test_maml_steps_down_the_slope_of_the_support(lectures: Lectures) -> None:
    task, assets_ = task_of(lectures.made[0], 2), lectures.assets[0]
    weights = Maml().start(lectures.width, torch.Generator().manual_seed(1))
    theta = weights["theta"].clone().requires_grad_()
    (slope,) = torch.autograd.grad(support_loss(theta, assets_, task), theta)
    once = Maml(inner_steps=1).adapted(weights, assets_, task)
    torch.testing.assert_close(once, weights["theta"] - 0.05 * slope)
    assert support_loss(once, assets_, task) < support_loss(weights["theta"], assets_, task)


def test_prototypes_are_means_and_scores_differences_of_squared_distances(lectures: Lectures) -> None:
    task, assets_ = task_of(lectures.made[0], 2), lectures.assets[0]
    weights = Prototypical().start(lectures.width, torch.Generator().manual_seed(1))
    W = weights["theta"].numpy()
    width = lectures.width

    def f(x: torch.Tensor) -> np.ndarray:
        hidden = np.maximum(x.numpy() @ W[: 32 * width].reshape(width, 32) + W[32 * width : 32 * width + 32], 0)
        return np.asarray(hidden @ weights["embed"].numpy())

    pairs, own = f(query_features(assets_, task)), f(support_features(assets_, task))[:2, 0]
    near = (weights["prior"].numpy() + own.sum(0)) / 3
    far = pairs[assets_.contrasts.numpy()].mean(0)
    expected = ((pairs - far) ** 2).sum(1) - ((pairs - near) ** 2).sum(1)
    np.testing.assert_allclose(Prototypical().scores(weights, assets_, task).numpy(), expected, rtol=1e-3, atol=1e-4)


def test_gradients_of_all_sizes_are_told_apart() -> None:
    found = preprocessed(torch.tensor([1.0, -np.exp(-5.0), 1e-6])).numpy()
    np.testing.assert_allclose(found, [[0, 1], [-0.5, -1], [-1, np.exp(10.0) * 1e-6]], rtol=1e-5)


def test_groups_by_history_are_of_folds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "nowhere", "--rolling", "2020-07-01:2020-08-01", "--history"]) == 2
    assert "--history groups the investors of --fold" in capsys.readouterr().err
