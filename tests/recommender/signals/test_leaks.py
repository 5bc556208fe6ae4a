"""No model sees the future: what comes after a day changes nothing that was told on it or before."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from pathfolio.recommender.signals.cross_section import daily_rank_ic
from pathfolio.recommender.signals.evaluate import SignalTest, walked
from pathfolio.recommender.signals.facts import signal_facts
from pathfolio.recommender.signals.labels import Target, labels_of
from pathfolio.recommender.signals.model import SignalModel
from pathfolio.recommender.signals.panel import Panel
from pathfolio.recommender.signals.registry import SIGNAL_MODELS, chosen_models, is_available
from tests.recommender.signals.worlds import RETURN, changed_after, panel, shuffled_after

FIRST, CUT = 530, 590
"""A single calendar year is tested, so that each model learns once for it."""
SLOW = ("alpha101", "mlp", "gru", "lstm", "transformer", "master", "lstm-qlike", "ginn", "deepar")
"""They take longest, so that one horizon has to do: the one whose labels reach further."""

_SMALL = {"epochs": "1", "hidden": "8", "rate": "0.03", "days": "4", "every": "3"}
QUICK = {
    "lightgbm": {"trees": "20", "fewest": "50"},
    "mlp": {"epochs": "1", "hidden": "8", "rate": "0.03"},
    **dict.fromkeys(("gru", "lstm", "transformer", "master"), _SMALL),
    **{name: {"epochs": "1", "hidden": "8", "days": "4"} for name in ("lstm-qlike", "ginn")},
    "deepar": {"epochs": "1", "hidden": "8", "days": "4", "paths": "3"},
    "momentum": {"days": "60"},
    "beta-vasicek": {"days": "60"},
}
_INSTALLED = {name: model for name, model in SIGNAL_MODELS.items() if is_available(model)}
models = pytest.mark.parametrize("name", _INSTALLED)
of_returns = pytest.mark.parametrize("name", [n for n, m in _INSTALLED.items() if m.target is Target.RETURN])
"""Of volatility and beta the past does tell the future, so that what they know of it proves nothing."""


def made(name: str) -> SignalModel:
    return chosen_models(name, {name: QUICK.get(name, {})})[0]


@cache
def told(market: Panel, name: str, horizon: int = 5) -> np.ndarray:
    model = made(name)
    labels = labels_of(market, model.target, horizon)
    return walked(market, model, labels, horizon, (FIRST, len(market.days)), SignalTest())


@pytest.fixture(scope="module")
def market() -> Panel:
    return panel()


@pytest.mark.parametrize(
    ("name", "horizon"), [(name, horizon) for name in _INSTALLED for horizon in ((5,) if name in SLOW else (1, 5))]
)
def test_shuffled_future(market: Panel, name: str, horizon: int) -> None:
    before = told(market, name, horizon)[FIRST : CUT + 1]
    after = told(shuffled_after(market, CUT), name, horizon)[FIRST : CUT + 1]
    assert np.isfinite(before).mean() > 0.9
    np.testing.assert_array_equal(before, after)


@models
def test_a_changed_day_changes_nothing_before_it(market: Panel, name: str) -> None:
    """And it does change what is told of the day itself or later, so the test can fail."""
    values = market.values[CUT + 1 :].copy()
    values[0] *= np.float32(1.3)
    other = changed_after(market, CUT, values)
    before, after = told(market, name), told(other, name)
    np.testing.assert_array_equal(before[: CUT + 1], after[: CUT + 1])
    assert not np.array_equal(before[CUT + 1 :], after[CUT + 1 :], equal_nan=True)


@pytest.mark.parametrize("name", ["reversal", "ridge", "lightgbm", "mlp", "gru", "lstm", "transformer", "master"])
def test_a_planted_signal_is_found(name: str) -> None:
    if not is_available(SIGNAL_MODELS[name]):
        pytest.skip(f"{SIGNAL_MODELS[name].needs} is not installed")
    market = panel(reverts=0.15)
    labels = labels_of(market, Target.RETURN, 1)
    found = daily_rank_ic(told(market, name, 1), labels.values, market.universe)
    assert np.nanmean(found) > 0.1


@of_returns
def test_a_planted_future_is_not_used(name: str) -> None:
    """Bars that show their own day's return tell nothing of the days before: who reads a row too far would profit."""
    market = panel(seed=3)
    values = market.values.copy()
    values[:, :, RETURN + 1 :] *= np.exp(20 * values[:, :, RETURN, None])
    planted = replace(market, values=values)
    labels = labels_of(planted, Target.RETURN, 1)
    found = daily_rank_ic(told(planted, name, 1), labels.values, planted.universe)
    assert abs(np.nanmean(found)) < 0.05


def test_facts_of_a_day_are_the_same_whatever_follows(market: Panel) -> None:
    day = market.days[CUT].item()
    names = ["volatility", "beta"]
    before = signal_facts(market, names, day, {}, "made up")
    after = signal_facts(shuffled_after(market, CUT), names, day, {}, "made up")
    assert len(before) == 9 * len(market.assets)
    assert before.equals(after)
