"""Facts of the sample market: valuation, profitability, yields, returns and ranks, each with the day it was known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from pathfolio.kg.sample.funds import Funds
from pathfolio.kg.sample.industries import INDUSTRIES
from pathfolio.kg.sample.prices import Prices
from pathfolio.kg.sample.size import Calendar, Dates, stream
from pathfolio.kg.sample.stocks import Floats, Ints, Stocks

MARKET_DAYS_LATER: Final = 3
"""Business days after a month's end on which what follows from prices is known."""

REPORT_DAYS_LATER: Final = 45
"""Days after a quarter's end on which companies publish it."""

_LOSS_MAKERS: Final = "Biotechnology"
_SMOOTHING: Final = 1 / 63
"""Earnings follow the price of the last quarter or so: a share's worth is not its price of today."""


@dataclass(frozen=True)
class Earnings:
    """Quarterly accounts of s companies at q quarter ends.

    Attributes:
        ends: (q,) int64, positions in the calendar's days.
        per_share: (q, s) float64, earnings of the last four quarters, in the asset's currency; may be negative.
        roe: (q, s) float64, return on equity, fraction per year.
    """

    ends: Ints
    per_share: Floats
    roe: Floats


def draw_earnings(stocks: Stocks, close: Floats, calendar: Calendar, seed: int) -> Earnings:
    """Earnings such that price / earnings stays around each company's own ratio.

    log E_jq = smoothed log price - log pe_j + noise; a loss-maker's quarter turns it negative.
    """
    rng = stream(seed, "earnings")
    ends = calendar.quarter_ends
    smooth = pd.DataFrame(np.log(close)).ewm(alpha=_SMOOTHING, adjust=False).mean().to_numpy()[ends]
    shape = (len(ends), len(stocks.pe))
    per_share = np.exp(smooth - np.log(stocks.pe) + rng.normal(0, 0.06, shape))
    biotech = np.array([i.name == _LOSS_MAKERS for i in INDUSTRIES])[stocks.industry]
    prone = rng.random(len(stocks.pe)) < np.where(biotech, 0.5, 0.06)
    loss = prone & (rng.random(shape) < 0.6)
    roe = stocks.roe + np.cumsum(rng.normal(0, 0.006, shape), axis=0)
    return Earnings(ends, np.where(loss, -0.4 * per_share, per_share), np.where(loss, -np.abs(roe) * 0.5, roe))


def published(earnings: Earnings, calendar: Calendar, at: Ints) -> Floats:
    """(len(at), s) float64: earnings per share by the last accounts that were public on each day of `at`."""
    public = calendar.days[earnings.ends] + REPORT_DAYS_LATER
    rows = np.searchsorted(public, calendar.days[at], side="right") - 1
    return earnings.per_share[np.maximum(rows, 0)]


def dividend_yields(stocks: Stocks, per_share: Floats, close: Floats) -> Floats:
    """Fraction per year: the share of positive earnings that is paid out, over the price."""
    return np.maximum(stocks.payout * per_share, 0) / close


def market_facts(assets: pd.DataFrame, prices: Prices, peers: pd.Series[str], calendar: Calendar) -> list[pd.DataFrame]:
    """return_1y, return_3y and peer_rank_1y of all assets at month-ends, from the published prices.

    peer_rank_1y is the rank by one-year return among the same industry (stocks) or category (funds, bonds),
    1 for the best, divided by how many of them have such a return: 0.04 is the first of 25.

    Args:
        peers: (m,) the name of each asset's group.
    """
    at = _known_month_ends(calendar)
    back = {n: calendar.month_ends_before(at, 12 * n) for n in (1, 3)}
    returns = {n: np.array([prices.returns(a, b) for a, b in zip(at, days, strict=True)]) for n, days in back.items()}
    ranks = pd.DataFrame(returns[1].T).groupby(peers.to_numpy()).rank(ascending=False, pct=True, method="min")
    ids = assets["asset_id"]
    return [
        _long("return_1y", "fraction", returns[1], ids, at, calendar, "sample price statistics"),
        _long("return_3y", "fraction", returns[3], ids, at, calendar, "sample price statistics"),
        _long("peer_rank_1y", "fraction", ranks.to_numpy().T, ids, at, calendar, "sample price statistics"),
    ]


def company_facts(stocks: Stocks, earnings: Earnings, close: Floats, calendar: Calendar) -> list[pd.DataFrame]:
    """pe_ratio and dividend_yield at month-ends, roe at quarter ends; no ratio where there are no earnings."""
    at = _known_month_ends(calendar)
    per_share = published(earnings, calendar, at)
    listed = stocks.listed <= calendar.days[at][:, None]
    ratio = np.where(listed & (per_share > 0), close[at] / per_share, np.nan)
    yields = np.where(listed, dividend_yields(stocks, per_share, close[at]), np.nan)
    ids = stocks.frame["asset_id"]
    source = "sample company accounts"
    quarters = (earnings.ends >= calendar.month_ends[0]) & (
        calendar.days[earnings.ends] + REPORT_DAYS_LATER <= calendar.days[-1]
    )
    ends = earnings.ends[quarters]
    roe = np.where(stocks.listed <= calendar.days[ends][:, None], earnings.roe[quarters], np.nan)
    quarterly = _long("roe", "fraction", roe, ids, ends, calendar, source)
    quarterly["known_at"] = quarterly["as_of"] + np.timedelta64(REPORT_DAYS_LATER, "D")
    return [
        _long("pe_ratio", "ratio", ratio, ids, at, calendar, source),
        _long("dividend_yield", "fraction", yields, ids, at, calendar, source),
        quarterly,
    ]


def fund_facts(funds: Funds, close: Floats, calendar: Calendar, seed: int) -> list[pd.DataFrame]:
    """aum, in millions of the fund's currency, at month-ends: units that grow or shrink, times their value."""
    rng = stream(seed, "fund sizes")
    at = _known_month_ends(calendar)
    flows = rng.normal(0.004, 0.02, (len(at), len(funds.fee)))
    units = np.exp(rng.normal(np.where(funds.country == 1, 6.3, 9.0), 1.0) + np.cumsum(flows, axis=0))
    level = close[at] / close[at[0]]
    aum = np.where(funds.listed <= calendar.days[at][:, None], units * level, np.nan)
    return [_long("aum", "million", aum, funds.frame["asset_id"], at, calendar, "sample fund reports")]


def _known_month_ends(calendar: Calendar) -> Ints:
    """Month-ends of the history whose facts are known by its last day."""
    return calendar.month_ends[:-1]


def _long(
    metric: str, unit: str, values: Floats, ids: pd.Series[str], at: Ints, calendar: Calendar, source: str
) -> pd.DataFrame:
    """The contract's facts table from a (len(at), assets) array; no row where the value is NaN."""
    row, column = np.nonzero(~np.isnan(values))
    as_of: Dates = calendar.days[at[row]]
    return pd.DataFrame(
        {
            "asset_id": ids.to_numpy()[column],
            "metric": metric,
            "value": values[row, column],
            "unit": unit,
            "as_of": as_of,
            "known_at": np.busday_offset(as_of, MARKET_DAYS_LATER),
            "source": source,
        }
    )
