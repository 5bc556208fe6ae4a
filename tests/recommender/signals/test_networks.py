"""Networks: their cells and windows, losses against other ways to compute them, and runs that are gone on with."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch

from pathfolio.kg.errors import UsageError
from pathfolio.recommender.signals import trainer
from pathfolio.recommender.signals.cells import return_cells
from pathfolio.recommender.signals.evaluate import SignalTest, walked
from pathfolio.recommender.signals.features import features_of
from pathfolio.recommender.signals.labels import Target, labels_of
from pathfolio.recommender.signals.model import SignalLesson
from pathfolio.recommender.signals.models.deepar import DeepAr
from pathfolio.recommender.signals.models.mlp import Mlp
from pathfolio.recommender.signals.torch_losses import TORCH_LOSSES, VALIDATIONS, CrossSection
from pathfolio.recommender.signals.trading import TradingTerms, liquid_return
from tests.recommender.signals.worlds import ASSETS, DAYS, panel


def test_a_network_goes_on_from_its_checkpoint_and_ends_the_same(tmp_path: Path) -> None:
    """Of a run that is stopped after an epoch and gone on with, and of one that is not: the same to the last bit."""
    market = panel(reverts=0.15).until(date(2021, 6, 30))
    labels, between = labels_of(market, Target.RETURN, 1), (len(market.days) - 20, len(market.days))
    whole = walked(market, Mlp(epochs=2, patience=9, hidden=8), labels, 1, between, SignalTest())
    keep = SignalTest(checkpoints=tmp_path)
    stopped = trainer._kept

    class StoppedError(Exception):
        pass

    def kept_once(network: object, optimiser: object, state: dict, *rest: object) -> None:
        stopped(network, optimiser, state, *rest)
        if state["epoch"] == 1:
            raise StoppedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "_kept", kept_once)
        with pytest.raises(StoppedError):
            walked(market, Mlp(epochs=2, patience=9, hidden=8), labels, 1, between, keep)
    np.testing.assert_array_equal(walked(market, Mlp(epochs=2, patience=9, hidden=8), labels, 1, between, keep), whole)
    with pytest.raises(UsageError, match="--checkpoints"):
        walked(market, Mlp(epochs=2, patience=9, hidden=8, seed=2), labels, 1, between, keep)
    with pytest.raises(UsageError, match="no loss"):
        walked(market, Mlp(loss="x"), labels, 1, between, SignalTest())
    with pytest.raises(UsageError, match="features, alphas or both"):
        walked(market, Mlp(inputs="x"), labels, 1, between, SignalTest())
    with pytest.raises(UsageError, match="no validation"):
        walked(market, Mlp(validation="x"), labels, 1, between, SignalTest())


def day_of(truth: torch.Tensor, came: torch.Tensor | None = None) -> CrossSection:
    """All equally liquid, unless the test says otherwise."""
    return CrossSection(truth, truth if came is None else came, torch.ones(len(truth)), torch.full((len(truth),), 1e7))


RANKED = ("mse", "ic", "wpcc", "liq-wpcc")


@pytest.mark.parametrize("name", RANKED)
def test_losses_are_least_where_the_order_is_right(name: str) -> None:
    loss, truth = TORCH_LOSSES[name], torch.linspace(-0.5, 0.5, 30)
    day = day_of(truth)
    assert loss(truth, day) < loss(truth + 0.3 * torch.sin(9 * truth), day) < loss(-truth, day)
    flat = torch.ones(30, requires_grad=True)
    loss(flat, day).backward()
    assert torch.isfinite(flat.grad).all()


@pytest.mark.parametrize("name", ["wpcc", "liq-wpcc"])
def test_weighted_losses_mind_the_best_more_than_the_worst(name: str) -> None:
    truth = torch.linspace(-0.5, 0.5, 30)
    top, low = truth.clone(), truth.clone()
    top[-3:] = 0.0  # the best three are missed
    low[:3] = 0.0  # the worst three are
    loss = TORCH_LOSSES[name]
    assert loss(top, day_of(truth)) > loss(low, day_of(truth))


def test_weighted_losses_are_numpy_s_weighted_correlation() -> None:
    rng = np.random.default_rng(0)
    forecast, came, liquid = rng.normal(size=(3, 12))
    place = (-came).argsort().argsort()
    liquid = liquid.argsort().argsort() / 11
    weights = {
        "wpcc": 0.5 ** (place / 11),
        "liq-wpcc": 0.5 + 0.5 / (1 + np.exp(-40 * liquid * came / 10)),
    }
    for name, weight in weights.items():
        both = np.cov(forecast, came, aweights=weight)
        expected = -both[0, 1] / np.sqrt(both[0, 0] * both[1, 1])
        parts = [torch.from_numpy(part) for part in (came, came / 10, liquid, liquid)]
        found = TORCH_LOSSES[name](torch.from_numpy(forecast), CrossSection(*parts))
        assert float(found) == pytest.approx(expected, abs=1e-6)


def test_validation_by_a_budget_is_what_the_evaluator_says() -> None:
    market = panel()
    labels, forecast = labels_of(market, Target.RETURN, 5), market["return"]
    lesson = SignalLesson(market, labels.values, np.ones(DAYS, bool), np.ones(DAYS, bool), 5)
    expected = liquid_return(market, forecast, labels.values, market.universe, TradingTerms())
    cells = return_cells(lesson)
    for day in (300, 500):
        part = np.flatnonzero(cells.day == day)
        told = torch.from_numpy(forecast[day, cells.asset[part]])
        found = VALIDATIONS["liquid"](told, cells.cross_section(part))
        assert float(found) == pytest.approx(-expected[day], abs=1e-6)


def test_qlike_s_least_is_the_mean_of_variance() -> None:
    truth = torch.tensor([0.5, 1.0, 4.5])
    losses = {level: float(TORCH_LOSSES["qlike"](torch.full((3,), level).log(), day_of(truth))) for level in (1, 2, 3)}
    assert min(losses, key=lambda level: losses[level]) == 2


def test_networks_read_alphas_beside_features() -> None:
    market = panel()
    lesson = SignalLesson(market, np.zeros((DAYS, ASSETS)), np.ones(DAYS, bool), np.ones(DAYS, bool), 5)
    assert [return_cells(lesson, inputs=name).figures for name in ("features", "alphas", "both")] == [28, 82, 110]


def test_student_s_likelihood_is_scipy_s() -> None:
    returns, variance, freedom = np.array([0.3, -1.0, 2.5]), np.array([0.5, 1.0, 2.0]), np.array([2.5, 4.0, 9.0])
    scale = np.sqrt(variance * (freedom - 2) / freedom)
    expected = -scipy.stats.t.logpdf(returns, freedom, scale=scale).mean()
    forecast = torch.from_numpy(np.column_stack([np.log(variance), freedom - 2]))
    found = TORCH_LOSSES["student"](forecast, day_of(torch.from_numpy(returns**2)))
    assert float(found) == pytest.approx(expected)


def test_deepar_s_paths_of_a_day_have_no_draw_and_of_more_settle_near_it() -> None:
    torch.manual_seed(0)
    network = DeepAr(hidden=8).network(1).eval()
    window = torch.randn(5, 60, 1)
    with torch.no_grad():
        expected = network(window)[:, :1].exp()
        torch.testing.assert_close(network.mean_variance(window, 1, 9), expected)
        longer = network.mean_variance(window, 10, 200)
    assert ((longer / expected - 1).abs() < 0.5).all()
    assert (longer != expected).all()


def test_a_window_ends_on_its_day_and_is_empty_where_an_asset_was_no_cell() -> None:
    market = panel()
    lesson = SignalLesson(market, np.zeros((DAYS, ASSETS)), np.ones(DAYS, bool), np.ones(DAYS, bool), 5)
    cells = return_cells(lesson, 4, np.arange(DAYS, dtype=float)[:, None])
    first, later = np.flatnonzero(cells.asset == 7)[[0, 50]]
    found = cells.inputs(np.array([first, later])).numpy()
    assert found.shape == (2, 4, 30)
    np.testing.assert_array_equal(found[0, :3, :-1], 0)
    assert found[0, 3, -2] == 1
    np.testing.assert_array_equal(found[1, :, -1], cells.day[later] + np.arange(-3, 1))
    np.testing.assert_array_equal(found[1, :, :28], features_of(market).values[cells.asset == 7][47:51])
