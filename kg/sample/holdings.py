"""What the sample market's funds hold, statement by statement, and their net asset values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.sample.bonds import GOVERNMENT, Bonds
from pathfolio.kg.sample.funds import Funds
from pathfolio.kg.sample.industries import INDUSTRIES
from pathfolio.kg.sample.size import Calendar, Dates, stream
from pathfolio.kg.sample.stocks import Floats, Stocks
from pathfolio.kg.sample.themes import Theme

REPORT_DAYS: Final = 20
"""Days after its date on which a statement of holdings is published."""

PROSPECTUS_DAYS: Final = 2
"""The same for what a new fund holds on its first day."""

_MOST_STOCKS: Final = 30
_MOST_WEIGHT: Final = 0.20
_INVESTED: Final = 0.96
_SEASONED_DAYS: Final = 30
"""A fund buys no company that was listed more recently than this."""


@dataclass(frozen=True)
class Statements:
    """What the funds hold.

    Attributes:
        dates: (p,) datetime64[D], the dates of the regular statements, ascending.
        weights: (p, f, s + b) float64, fractions of a fund's assets in each stock, then each bond, four decimals;
            a row adds up to at most 1 (the rest is cash).
    """

    dates: Dates
    weights: Floats

    def latest(self) -> Floats:
        """(f, s + b) float64: the last statement."""
        last: Floats = self.weights[-1]
        return last


def statement_dates(calendar: Calendar) -> Dates:
    """(p,) datetime64[D]: 31 March and 30 September, from the March before the history starts to the last March."""
    last = np.datetime64(calendar.days[-1], "Y").astype(int) + 1970
    years = range(last - calendar.years, last + 1)
    days = [f"{year}-{day}" for year in years for day in ("03-31", "09-30")]
    return np.array(days[:-1], dtype="datetime64[D]")


def draw_statements(
    funds: Funds, stocks: Stocks, bonds: Bonds, stock_close: Floats, calendar: Calendar, seed: int
) -> Statements:
    """The statements: companies that fit a fund's theme, weighted by market value and the manager's own view.

    weight_j ~ cap_j^0.6 * exp(view_fj), over the at most 30 companies with the largest such product.
    """
    rng = stream(seed, "fund holdings")
    dates = statement_dates(calendar)
    spread = np.where(funds.passive, 0.15, 0.6)[:, None]
    view = rng.normal(0, 1, (len(funds.fee), len(stocks.cap))) * spread
    base = stock_close[calendar.month_ends[0]]
    rows = []
    for date in dates:
        view = view + rng.normal(0, 0.2, view.shape) * spread
        cap = stocks.cap * stock_close[calendar.at(date)] / base
        young = stocks.listed > date - _SEASONED_DAYS
        rows.append(_one_statement(funds, stocks, bonds, cap, np.where(young, -np.inf, view)))
    return Statements(dates, np.array(rows))


def _one_statement(funds: Funds, stocks: Stocks, bonds: Bonds, cap: Floats, view: Floats) -> Floats:
    """(f, s + b) float64 weights; `view` is minus infinity for companies that cannot be held."""
    out = np.zeros((len(funds.fee), len(stocks.cap) + len(bonds.rate)))
    for row, theme in enumerate(funds.theme):
        if theme.equity:
            fit = np.exp(0.6 * np.log(cap) + view[row]) * _fits(theme, stocks, cap)
            out[row, : len(cap)] = theme.equity * _concentrated(fit)
        if theme.equity < 1:
            out[row, len(cap) :] = (1 - theme.equity) * _shares(_bond_fit(theme, bonds))
    return np.floor(out * _INVESTED * 1e4) / 1e4


def _shares(fit: Floats) -> Floats:
    total = float(fit.sum())
    return fit / total if total else fit


def _concentrated(fit: Floats) -> Floats:
    """Fractions of the best companies, none above a fifth."""
    kept = np.where(fit >= np.sort(fit)[-_MOST_STOCKS], fit, 0) if len(fit) > _MOST_STOCKS else fit
    return np.minimum(_shares(kept), _MOST_WEIGHT)


def _fits(theme: Theme, stocks: Stocks, cap: Floats) -> Floats:
    """(s,) float64: 0 for companies outside of the theme, a preference of about 1 within."""
    inside = np.isin(stocks.country, theme.regions)
    if theme.sectors:
        inside &= np.array([i.sector in theme.sectors for i in INDUSTRIES])[stocks.industry]
    return inside * _preference(theme.tilt, stocks, cap)


def _preference(tilt: str, stocks: Stocks, cap: Floats) -> Floats:
    """(s,) float64 between 0 and about 3."""
    earnings_yield = 1 / stocks.pe
    median_cap = float(np.median(cap))
    by_tilt: dict[str, npt.NDArray[Any]] = {
        "large": cap > median_cap / 4,
        "small": cap < median_cap,
        "dividend": 400 * (stocks.payout * earnings_yield) ** 2,
        "growth": (stocks.pe / 18) ** 1.5 * (stocks.payout < 0.5),
        "value": (earnings_yield / 0.06) ** 1.5,
        "calm": (0.2 / stocks.volatility) ** 4,
    }
    preference: Floats = np.minimum(by_tilt[tilt].astype(np.float64), 3.0)
    return preference


def _bond_fit(theme: Theme, bonds: Bonds) -> Floats:
    """(b,) float64: 1 for bonds that the theme holds."""
    government: npt.NDArray[np.bool_] = (bonds.frame["category"] == GOVERNMENT).to_numpy()
    region = np.isin(bonds.country, theme.regions)
    if theme.bonds == "short":
        shortest = float(bonds.duration[region & government].min())
        return (region & government & (bonds.duration <= shortest)).astype(np.float64)
    kinds = {"any": region, "government": region & government, "corporate": region & ~government}
    return kinds[theme.bonds].astype(np.float64)


def fund_log_returns(
    funds: Funds, statements: Statements, parts: Floats, calendar: Calendar, overnight: float = 0.02
) -> Floats:
    """(days, f) float64: what the holdings of the last statement returned, interest on cash, less the fee.

    Currencies are hedged. Before the first statement its weights are used.

    Args:
        parts: (days, s + b) log returns of stocks, then bonds.
        overnight: interest on cash per year, as a fraction.
    """
    simple = np.expm1(parts)
    bounds = [0, *(calendar.at(d) + 1 for d in statements.dates[1:]), len(parts)]
    pieces = [
        simple[a:b] @ weights.T + (1 - weights.sum(axis=1)) * overnight / 252
        for a, b, weights in zip(bounds[:-1], bounds[1:], statements.weights, strict=True)
    ]
    return np.log1p(np.concatenate(pieces) - funds.fee / 252)
