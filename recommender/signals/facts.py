"""Signals as facts: what a model tells of each asset on a day, its rank among its peers, and its record until then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.cross_section import daily_rank_ic
from pathfolio.recommender.signals.evaluate import SignalTest, walked
from pathfolio.recommender.signals.inference import SeriesMean, series_mean
from pathfolio.recommender.signals.labels import TRADING_DAYS, Labels, Target, labels_of
from pathfolio.recommender.signals.model import SignalModel
from pathfolio.recommender.signals.models.beta import ShrunkBeta
from pathfolio.recommender.signals.models.ewma import Ewma
from pathfolio.recommender.signals.panel import Panel

HORIZON: Final = 63
"""Trading days that a fact of volatility or beta is about: a quarter."""

STALE: Final = 10
"""A forecast of an asset that had no close for so many days is not told."""

FEWEST_RECORD: Final = 20
"""Days of which both forecast and what came are known, before a record is told."""

SIGNALS: Final = MappingProxyType[str, SignalModel]({"volatility": Ewma(), "beta": ShrunkBeta()})
"""What can be asked for by name, and the model that tells it. Returns are not among them: on the markets that were
measured no model foretells them after costs."""

_YEARS: Final = 3
"""So far back forecasts are told; the record is of the last year's alone."""

_COLUMNS: Final = ["asset_id", "metric", "value", "unit", "as_of", "known_at", "source"]
_DIGITS: Final = 10


@dataclass(frozen=True, eq=False)
class Signal:
    """What one model tells on a day, and told before.

    Attributes:
        name: of `SIGNALS`.
        model, horizon: who tells it, over how many trading days.
        panel: up to the day.
        forecast: (T, N), of each day from what was known on it; as shown (`shown`).
        truth: (T, N) what followed each day, as shown; NaN where it is not over.
        record: the rank correlation of the last year's forecasts whose days are over with what followed.
        since, until: the first and the last of those days; None where there are too few.
    """

    name: str
    model: SignalModel
    horizon: int
    panel: Panel
    forecast: FloatArray
    truth: FloatArray
    record: SeriesMean | None
    since: date | None
    until: date | None

    @property
    def metric(self) -> str:
        """What its facts are called."""
        return f"modelled_{self.name}"


def chosen_signals(text: str) -> list[str]:
    """The names of a list like `volatility,beta`.

    Raises:
        UsageError: no such signal.
    """
    names = list(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in SIGNALS:
            raise UsageError(f"no signal {name!r}: name some of {', '.join(SIGNALS)}")
    return names


def signal_of(panel: Panel, name: str, as_of: date, model: SignalModel | None = None, horizon: int = HORIZON) -> Signal:
    """A signal at the end of a day; later days are not looked at.

    Raises:
        DataError: the panel begins later.
    """
    model = SIGNALS[name] if model is None else model
    known = replace(panel.until(as_of), market_id="", liquid_share=1.0)  # of every asset a fact is told
    labels = labels_of(known, model.target, horizon)
    days = len(known.days)
    first = min(max(0, days - _YEARS * TRADING_DAYS - labels.ends), days - 1)
    forecast = walked(known, model, labels, horizon, (first, days), SignalTest())
    record, since, until = _record(known, forecast, labels)
    return Signal(
        name,
        model,
        horizon,
        known,
        shown(forecast, model.target),
        shown(labels.values, model.target),
        record,
        since,
        until,
    )


def shown(values: FloatArray, target: Target) -> FloatArray:
    """A daily variance as a yearly volatility; others as they are."""
    return np.sqrt(values * TRADING_DAYS) if target is Target.VOLATILITY else values


def _record(panel: Panel, forecast: FloatArray, labels: Labels) -> tuple[SeriesMean | None, date | None, date | None]:
    """Of the year of forecasts whose last day is over."""
    series = daily_rank_ic(forecast, labels.values, panel.universe)[-(TRADING_DAYS + labels.ends) :]
    days = panel.days[-(TRADING_DAYS + labels.ends) :][np.isfinite(series)]
    if len(days) < FEWEST_RECORD:
        return None, None, None
    return series_mean(series, labels.ends), days[0].item(), days[-1].item()


def signal_facts(panel: Panel, names: Sequence[str], as_of: date, groups: dict[str, str], source: str) -> pd.DataFrame:
    """Rows for the contract's table of facts, sorted by signal and asset.

    `modelled_volatility` (a yearly fraction) and `modelled_beta`; `…_rank` among the assets of the same group, 1 for
    the lowest, its unit `of n`; `…_record`, the rank correlation of last year's forecasts with what followed, one for
    the market, with its interval as `…_record_low` and `…_record_high`; `modelled_beta_market`, of how many assets the
    market is the mean. The source of each names model, paper, horizon and record.

    Args:
        groups: an asset's industry, where it has one.
        source: of the prices.

    Raises:
        DataError: nothing can be told of any asset.
    """
    return facts_of([signal_of(panel, name, as_of) for name in names], groups, source)


def facts_of(signals: Sequence[Signal], groups: dict[str, str], source: str) -> pd.DataFrame:
    """As `signal_facts`, of signals that are made already."""
    rows = pd.concat([_facts(signal, groups, source) for signal in signals], ignore_index=True)
    if rows.empty:
        panel, names = signals[0].panel, ", ".join(signal.name for signal in signals)
        raise DataError(f"{panel.name}: no asset has enough closes by {panel.days[-1]} for {names}: name a later day")
    return rows


def _facts(signal: Signal, groups: dict[str, str], source: str) -> pd.DataFrame:
    value, at = latest(signal)
    told = np.flatnonzero(np.isfinite(value)).tolist()
    unit = "fraction" if signal.model.target is Target.VOLATILITY else "ratio"
    said = said_source(signal, source)
    days = signal.panel.days.astype(object)
    of_market = int(signal.panel.universe[-1].sum())
    members: dict[str, list[int]] = {}
    for asset in told:
        members.setdefault(groups.get(str(signal.panel.assets[asset]), ""), []).append(asset)
    rows: list[tuple[Any, ...]] = []
    for asset in told:
        name, day = str(signal.panel.assets[asset]), days[at[asset]]
        rows.append((name, signal.metric, round(float(value[asset]), _DIGITS), unit, day, day, said))
        group = groups.get(name, "")
        if group and len(members[group]) > 1:
            rank = 1 + int((value[members[group]] < value[asset]).sum())
            rows.append((name, f"{signal.metric}_rank", rank, f"of {len(members[group])}", day, day, said))
        if signal.model.target is Target.BETA:
            rows.append((name, f"{signal.metric}_market", of_market, "assets", day, day, said))
        if signal.record is not None:
            found = signal.record
            for ending, part in (("", found.mean), ("_low", found.low), ("_high", found.high)):
                told_record = round(part, _DIGITS)
                rows.append((name, f"{signal.metric}_record{ending}", told_record, "rank correlation", day, day, said))
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    dates = pd.to_datetime(frame["as_of"]).astype("datetime64[s]")
    return frame.assign(as_of=dates, known_at=dates, value=frame["value"].astype("float64"))


def latest(signal: Signal) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """(N,) each asset's forecast of its last close, and its row; NaN where that is older than `STALE` rows."""
    known = np.isfinite(signal.panel["close"])
    last = len(known) - 1 - np.argmax(known[::-1], axis=0)
    value = signal.forecast[last, np.arange(known.shape[1])]
    return np.where(len(known) - 1 - last <= STALE, value, np.nan), last


def said_source(signal: Signal, source: str) -> str:
    """Model, horizon, record and whose prices: what stands as `source` of the facts.

    >>> "; ".join(["ewma (J.P. Morgan 1996)", "63 trading days ahead"])
    'ewma (J.P. Morgan 1996); 63 trading days ahead'
    """
    model, found = signal.model, signal.record
    parts = [f"{model.name} ({model.paper})", f"{signal.horizon} trading days ahead"]
    if found is None or signal.since is None or signal.until is None or not math.isfinite(found.mean):
        parts.append("no record yet")
    else:
        parts.append(
            f"rank correlation with what followed {found.mean:.2f} ({found.low:.2f} to {found.high:.2f}) over {found.n}"
            f" days from {signal.since} to {signal.until}"
        )
    return "; ".join([*parts, source])
