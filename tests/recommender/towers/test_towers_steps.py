"""Steps of training the towers: what is hidden, what it is ranked against, and the losses restated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from pathfolio.recommender.towers.batches import (
    NONE,
    TrainingStep,
    candidates,
    hard_negatives,
    steps,
    target_weights,
    whole,
)
from pathfolio.recommender.towers.inputs import TowerInputs, Vocabulary
from pathfolio.recommender.towers.options import TowerOptions
from tests.recommender.towers.world import FAST

pytest.importorskip("talib", reason="TA-Lib is not installed: pip install 'pathfolio[baselines]'")


def one_pass(inputs: TowerInputs, options: TowerOptions = FAST, seed: int = 0) -> Iterator[TrainingStep]:
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


def test_losses_by_their_formulas() -> None:
    import torch

    from pathfolio.recommender.towers.train import purchase_loss

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
