"""The card of a signal: which model tells it, of what data, with which record, and what it is not for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from pathfolio.recommender.signals.facts import Signal, latest
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.model import options_of

_TELLS: Final = MappingProxyType(
    {
        Target.RETURN: "an order of assets by the return that follows; its size means nothing",
        Target.VOLATILITY: "a yearly volatility, as a fraction",
        Target.BETA: "the slope of an asset's daily returns on those of the market",
    }
)

_LIMITS: Final = MappingProxyType(
    {
        Target.RETURN: "no advice: what costs and liquidity leave of it stands in the model's evaluation",
        Target.VOLATILITY: "ranks are worth more than levels: days like none before are told too low",
        Target.BETA: "of the market that the data have: the mean of their assets, equally weighed",
    }
)


@dataclass(frozen=True)
class SignalCard:
    """What whoever reads a signal should know of it.

    Attributes:
        signal, model, target: what it is called, who tells it, and of what.
        about, paper, equation, options: the model's own words, and the values of its options.
        tells, limits: what its numbers are, and what they are not for.
        data: what the prices are called.
        as_of, first_day, days, assets: which of them were read, and of how many assets something is told.
        horizon: trading days that are foretold.
        record, low, high: rank correlation of the last year's forecasts whose days are over with what followed, and its
            95% interval; None where there are too few.
        since, until: of these forecasts.
    """

    signal: str
    model: str
    target: str
    about: str
    paper: str
    equation: str
    options: dict[str, Any]
    tells: str
    limits: str
    data: str
    as_of: str
    first_day: str
    days: int
    assets: int
    horizon: int
    record: float | None
    low: float | None
    high: float | None
    since: str | None
    until: str | None

    def to_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


def card_of(signal: Signal, data: str) -> SignalCard:
    """The card of a signal at the end of its panel.

    Args:
        data: what the prices are called.
    """
    model, panel, found = signal.model, signal.panel, signal.record
    value, _ = latest(signal)
    record, low, high = (None, None, None) if found is None else (found.mean, found.low, found.high)
    return SignalCard(
        signal=signal.name,
        model=model.name,
        target=str(model.target),
        about=model.about,
        paper=model.paper,
        equation=model.equation,
        options={name: getattr(model, name) for name in options_of(type(model))},
        tells=_TELLS[model.target],
        limits=_LIMITS[model.target],
        data=data,
        as_of=str(panel.days[-1]),
        first_day=str(panel.days[0]),
        days=len(panel.days),
        assets=int(np.isfinite(value).sum()),
        horizon=signal.horizon,
        record=_rounded(record),
        low=_rounded(low),
        high=_rounded(high),
        since=_said(signal.since),
        until=_said(signal.until),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _said(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
