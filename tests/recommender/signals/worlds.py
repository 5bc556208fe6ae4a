"""A made-up market whose returns have a planted cause, for tests of signals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.panel import FIELDS, Panel, panel_of

DAYS = 700
ASSETS = 40


def rows(seed: int = 0, reverts: float = 0.0) -> pd.DataFrame:
    """Days × assets of bars: volatility clusters and differs by asset, betas differ, and a part of returns reverts."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.008, DAYS)
    betas = np.linspace(0.3, 1.8, ASSETS)
    level = np.linspace(0.006, 0.03, ASSETS)
    state = np.zeros((DAYS, ASSETS))
    for day in range(1, DAYS):
        state[day] = 0.97 * state[day - 1] + rng.normal(0, 0.12, ASSETS)
    own = level * np.exp(state)
    returns = betas * market[:, None] + own * rng.normal(size=(DAYS, ASSETS))
    for day in range(7, DAYS):
        returns[day] -= reverts * returns[day - 6 : day - 1].sum(axis=0)
    close = 50 * np.exp(np.cumsum(returns, axis=0))
    width = own * np.abs(rng.normal(1.2, 0.3, returns.shape))
    opened = close * np.exp(-0.5 * returns)
    days = pd.bdate_range("2020-01-01", periods=DAYS)
    return pd.DataFrame(
        {
            "asset_id": np.tile([f"S{n:02d}" for n in range(ASSETS)], DAYS),
            "date": np.repeat(days, ASSETS),
            "open": opened.ravel(),
            "high": (np.maximum(close, opened) * np.exp(width / 2)).ravel(),
            "low": (np.minimum(close, opened) * np.exp(-width / 2)).ravel(),
            "close": close.ravel(),
            "volume": rng.uniform(1e5, 2e5, close.size),
        }
    )


def panel(seed: int = 0, reverts: float = 0.0) -> Panel:
    """That market."""
    return panel_of("made up", rows(seed, reverts))


def changed_after(market: Panel, cut: int, values: FloatArray) -> Panel:
    """The market with other values in the rows after `cut`."""
    made = market.values.copy()
    made[cut + 1 :] = values
    return replace(market, values=made)


def shuffled_after(market: Panel, cut: int, seed: int = 1) -> Panel:
    """The market whose rows after `cut` are dealt to other days, and to other assets."""
    rng = np.random.default_rng(seed)
    later = market.values[cut + 1 :]
    dealt = later[rng.permutation(len(later))][:, rng.permutation(later.shape[1])]
    return changed_after(market, cut, dealt)


RETURN = FIELDS.index("return")
