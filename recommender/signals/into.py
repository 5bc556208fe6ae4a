"""Signals put among a market's facts before its graph is made, and the history that charts of them show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from pathfolio.kg.errors import DataError
from pathfolio.kg.tables import Tables, typed_table
from pathfolio.recommender.signals.facts import Signal, facts_of, signal_of
from pathfolio.recommender.signals.read import clean_panel

_EVERY: Final = 5
"""The history has every fifth trading day, the last one among them."""

_BAND: Final = (0.1, 0.9)
"""What came was within the band in four of five cases of the year before."""

HISTORY: Final = ("asset_id", "signal", "model", "horizon", "date", "forecast", "low", "high", "came")


def with_signals(tables: Tables, names: Sequence[str], as_of: date) -> tuple[Tables, pd.DataFrame]:
    """The tables with the facts of some signals on a day, and the history of these signals until then.

    Returns:
        The tables, and rows of `HISTORY`: of each asset and day what was told on it, within which band what came was to
        be expected by what earlier forecasts were worth, and what came, null where that was not over.

    Raises:
        DataError: no prices, or not enough of them by that day.
    """
    if tables.prices.empty:
        raise DataError(f"{tables.name}: no prices in it, which signals are made of: add a table prices")
    panel = clean_panel(tables.name, tables.prices)
    signals = [signal_of(panel, name, as_of) for name in names]
    rows = facts_of(signals, industries(tables, as_of), tables.source_of("prices"))
    facts = pd.concat([tables.facts, typed_table("facts", rows)], ignore_index=True)
    return replace(tables, facts=facts), pd.concat([history_of(signal) for signal in signals], ignore_index=True)


def industries(tables: Tables, as_of: date) -> dict[str, str]:
    """Each asset's industry as of a day, where it has one."""
    known = tables.assets[~(tables.assets["as_of"] > pd.Timestamp(as_of))].dropna(subset=["industry"])
    newest = known.sort_values("as_of", kind="stable", na_position="first").drop_duplicates("asset_id", keep="last")
    return dict(zip(newest["asset_id"].astype(str), newest["industry"].astype(str), strict=True))


def history_of(signal: Signal) -> pd.DataFrame:
    """Rows of `HISTORY`, sorted by asset and day.

    The band of a day is its forecast times, for volatility, or plus, for beta, quantiles of what came relative to the
    forecasts whose days were over by then; a day before any was over has none.
    """
    is_ratio = signal.metric == "modelled_volatility"
    with np.errstate(invalid="ignore", divide="ignore"):
        off = signal.truth / signal.forecast if is_ratio else signal.truth - signal.forecast
    off[~np.isfinite(off)] = np.nan
    frames = []
    told = np.flatnonzero(np.isfinite(signal.forecast).any(axis=1))
    for row in told[::-1][::_EVERY][::-1].tolist():
        over = off[: max(row - signal.horizon + 1, 0)]
        known = over[np.isfinite(over)]
        low, high = np.quantile(known, _BAND) if len(known) else (np.nan, np.nan)
        forecast = signal.forecast[row]
        assets = np.flatnonzero(np.isfinite(forecast))
        value = forecast[assets]
        frames.append(
            pd.DataFrame(
                {
                    "asset_id": signal.panel.assets[assets],
                    "date": signal.panel.days[row],
                    "forecast": value,
                    "low": value * low if is_ratio else value + low,
                    "high": value * high if is_ratio else value + high,
                    "came": signal.truth[row, assets],
                }
            )
        )
    made = pd.concat(frames, ignore_index=True)
    made = made.assign(signal=signal.name, model=signal.model.name, horizon=signal.horizon)
    return made[list(HISTORY)].sort_values(["asset_id", "date"], kind="stable", ignore_index=True)
