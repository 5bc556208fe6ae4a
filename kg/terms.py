"""`MarketTerms`: what a market says of its prices and of money, which its figures rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

ADJUSTMENTS: Final = ("splits", "dividends")
"""What closes may be adjusted for."""

_NO_RATES: Final[Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True)
class MarketTerms:
    """What closes mean, and what money earns without risk.

    Attributes:
        adjusted_for: what the closes are adjusted for, in the order of `ADJUSTMENTS`; None where nobody says.
        risk_free: ISO 4217 code to the yearly rate without risk, as a fraction; no Sharpe ratio of an asset in
            another currency is made.
    """

    adjusted_for: tuple[str, ...] | None = None
    risk_free: Mapping[str, float] = field(default_factory=lambda: _NO_RATES)

    @property
    def said(self) -> str:
        """How the closes are adjusted, as it stands in the source of a figure.

        >>> MarketTerms(("splits", "dividends")).said, MarketTerms().said
        ('closes adjusted for splits and dividends', 'closes as given')
        """
        if self.adjusted_for is None:
            return "closes as given"
        return f"closes adjusted for {' and '.join(self.adjusted_for)}" if self.adjusted_for else "closes not adjusted"

    @property
    def has_splits(self) -> bool:
        """Whether a split may stand in the closes as if the price had fallen."""
        return "splits" not in (self.adjusted_for or ())


def terms_of(about: Mapping[str, Any]) -> MarketTerms:
    """The terms that a market states: `adjusted_for`, a list of `ADJUSTMENTS`, and `risk_free`, rates by currency.

    Raises:
        ValueError: they are written otherwise; the message says how to write them.

    >>> terms_of({"adjusted_for": ["splits"], "risk_free": {"TWD": 0.014}}).risk_free["TWD"]
    0.014
    """
    adjusted = about.get("adjusted_for")
    known = adjusted is None or (isinstance(adjusted, list) and set(adjusted) <= set(ADJUSTMENTS))
    if not known:
        raise ValueError(f'"adjusted_for" as a list of {", ".join(ADJUSTMENTS)}')
    rates = about.get("risk_free", {})
    if not isinstance(rates, dict) or not all(map(_is_rate, rates.values())):
        raise ValueError('"risk_free" as {"TWD": 0.014}: a fraction a year by currency')
    in_order = None if adjusted is None else tuple(word for word in ADJUSTMENTS if word in adjusted)
    return MarketTerms(in_order, MappingProxyType({str(code): float(rate) for code, rate in rates.items()}))


def _is_rate(rate: object) -> bool:
    return isinstance(rate, int | float) and not isinstance(rate, bool) and -1 < rate < 1
