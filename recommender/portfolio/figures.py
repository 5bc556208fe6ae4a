"""What a portfolio would have returned in three years, and how far it would have moved, if held as it is all the time.

Each day's return is the sum of weight times return, so the weights are as if restored every day. All figures are
empyrical-reloaded's, as those of single assets are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from pathfolio.kg.figures import measures_of
from pathfolio.kg.graph import FloatArray
from pathfolio.kg.span import Positions
from pathfolio.recommender.portfolio.panel import ReturnPanel

LEAST_COVERED: Final = 0.5
"""Where closes of less than this part of a portfolio are known, nothing is said of it."""

_DIGITS: Final = 10
_RATE_WORDS: Final = "% a year without risk in "


@dataclass(frozen=True)
class PortfolioFigures:
    """Returns and risk; fractions, of which 0.1 is 10%.

    Attributes:
        annual_return: the same return in each of three years.
        volatility: a year's standard deviation.
        sharpe: excess over the rate without risk, a year, over the volatility; None where a rate is not known, or
            nothing moved.
        rate: what was taken for free of risk, by the currencies' parts; None where it is not known.
        max_drawdown: from a high to the low after it, at most 0.
        value_at_risk: the return of a day that one day in twenty was below.
        covered: which part of the portfolio this is of; the rest has no three years of closes.
        first_day, last_day: between which closes.
        days: how many returns that are.
    """

    annual_return: float
    volatility: float
    sharpe: float | None
    rate: float | None
    max_drawdown: float
    value_at_risk: float
    covered: float
    first_day: date
    last_day: date
    days: int


def daily_returns(panel: ReturnPanel, assets: Positions, weight: FloatArray) -> tuple[FloatArray, float]:
    """(d,) the returns of those assets whose closes are known, by weight, and which part of the whole these are."""
    known = panel.has(assets) & (weight > 0)
    covered = float(weight[known].sum())
    if covered <= 0:
        return panel.returns[:0, 0], 0.0
    returns: FloatArray = panel.of(Positions(assets[known])) @ (weight[known] / covered)
    return returns, covered


def portfolio_figures(
    panel: ReturnPanel, assets: Positions, weight: FloatArray, currency: Iterable[str], rates: Mapping[str, float]
) -> PortfolioFigures | None:
    """The figures of a portfolio; None where too little of it has closes.

    Args:
        assets, weight: (h,) positions, and fractions of the portfolio that sum to 1 at most.
        currency: (h,) of each asset.
        rates: yearly rate without risk by currency.
    """
    returns, covered = daily_returns(panel, assets, weight)
    if covered < LEAST_COVERED:
        return None
    a_year = panel.a_year
    shares = dict.fromkeys(currency, 0.0)
    for code, part, known in zip(currency, weight.tolist(), panel.has(assets).tolist(), strict=True):
        shares[code] += part / covered if known else 0.0
    held = {code: part for code, part in shares.items() if part > 0}
    rate = sum(part * rates[code] for code, part in held.items()) if set(held) <= set(rates) else None
    found = measures_of(returns, a_year, rate)
    return PortfolioFigures(
        annual_return=found.annual_return,
        volatility=found.volatility,
        sharpe=found.sharpe,
        rate=None if rate is None else round(rate, _DIGITS),
        max_drawdown=found.max_drawdown,
        value_at_risk=found.value_at_risk,
        covered=round(covered, _DIGITS),
        first_day=panel.first_day,
        last_day=panel.last_day,
        days=len(panel.returns),
    )


def rates_told(sources: Iterable[str]) -> dict[str, float]:
    """The yearly rates without risk that Sharpe ratios were made with, by currency, as their sources tell them.

    >>> rates_told(["a bank; closes as given; 1.4% a year without risk in TWD", "a bank; closes as given"])
    {'TWD': 0.014}
    """
    found = {}
    for source in dict.fromkeys(sources):
        number, said, currency = source.rpartition("; ")[2].partition(_RATE_WORDS)
        if said:
            found[currency] = round(float(number) / 100, _DIGITS)
    return found
