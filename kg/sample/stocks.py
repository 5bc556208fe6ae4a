"""The companies of the sample market: what they are called, where they trade and how their prices move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.sample.industries import INDUSTRIES
from pathfolio.kg.sample.names import COUNTRIES, CURRENCIES, TAIWAN, US, isin, names
from pathfolio.kg.sample.size import Calendar, Dates, SampleSize, stream

MARKETS: Final = (("TWSE", "TPEx"), ("NASDAQ", "NYSE"))
"""Per country: the two exchanges."""

NEW_ISSUE_DAYS: Final = 45
"""Assets listed within as many days of the end count as new issues."""

_TAIWAN_FIRST_TICKER: Final = 9201

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stocks:
    """s companies.

    Attributes:
        frame: one row per company with columns of the contract's assets table.
        industry: (s,) int64, positions in `INDUSTRIES`.
        country: (s,) int64, positions in `COUNTRIES`.
        cap: (s,) float64, market value at the start of the history, million USD.
        beta, volatility, pe, roe, payout: (s,) float64, as in `Industry`, the company's own.
        listed: (s,) datetime64[D].
    """

    frame: pd.DataFrame
    industry: Ints
    country: Ints
    cap: Floats
    beta: Floats
    volatility: Floats
    pe: Floats
    roe: Floats
    payout: Floats
    listed: Dates


def draw_stocks(size: SampleSize, calendar: Calendar, seed: int) -> Stocks:
    """The companies; half of them of Taiwan."""
    rng = stream(seed, "stocks")
    shares = np.array([[i.taiwan, i.us] for i in INDUSTRIES]).T
    counts = [_apportion(s, size.stocks // 2 + (size.stocks % 2) * (c == US)) for c, s in enumerate(shares)]
    country = np.repeat([TAIWAN, US], [counts[TAIWAN].sum(), counts[US].sum()])
    industry = np.concatenate([np.repeat(np.arange(len(INDUSTRIES)), c) for c in counts])
    cap = np.exp(rng.normal(np.where(country == US, 8.6, 7.2), 1.3))
    listed = listing_days(rng, len(country), calendar, new_issues=max(2, len(country) // 50))
    frame = _frame(rng, country, industry, cap).assign(listed=listed)
    return Stocks(frame, industry, country, cap, *_characters(rng, industry, cap), listed)


def _apportion(shares: Floats, total: int) -> Ints:
    """Whole numbers in the ratio of `shares` that add up to `total`: largest remainders."""
    exact = shares / shares.sum() * total
    counts: Ints = np.floor(exact).astype(np.int64)
    counts[np.argsort(counts - exact, kind="stable")[: total - counts.sum()]] += 1
    return counts


def listing_days(rng: np.random.Generator, n: int, calendar: Calendar, new_issues: int) -> Dates:
    """(n,) datetime64[D]: most long ago, a tenth within the history, `new_issues` in the last 45 days."""
    ages = np.where(rng.random(n) < 0.1, rng.uniform(NEW_ISSUE_DAYS, 365 * calendar.years, n), 0)
    ages = np.where(ages == 0, 365 * calendar.years + rng.uniform(1200, 10000, n), ages)
    ages[rng.permutation(n)[:new_issues]] = rng.uniform(12, NEW_ISSUE_DAYS - 4, new_issues)
    days: Dates = np.busday_offset(calendar.days[-1] - ages.astype(np.int64), 0, roll="forward")
    return days


def _characters(rng: np.random.Generator, industry: Ints, cap: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """beta, volatility, pe, roe and payout of each company, around its industry's; small companies move more."""
    n = len(industry)
    typical = np.array([(i.beta, i.volatility, i.pe, i.roe, i.payout) for i in INDUSTRIES])[industry].T
    beta = typical[0] * rng.normal(1, 0.15, n).clip(0.5, 1.6)
    volatility = typical[1] * np.exp(rng.normal(0, 0.15, n)) * (cap / np.median(cap)) ** -0.06
    pe = typical[2] * np.exp(rng.normal(0, 0.30, n))
    roe = typical[3] + rng.normal(0, 0.05, n)
    payout = (typical[4] * np.exp(rng.normal(0, 0.35, n))).clip(0, 0.95)
    return beta, volatility, pe, roe, payout


def _frame(rng: np.random.Generator, country: Ints, industry: Ints, cap: Floats) -> pd.DataFrame:
    english, chinese, tickers = _identities(rng, country, industry)
    # The larger companies of Taiwan are on its main board; in the US technology leans to NASDAQ.
    tech = np.array([i.sector in ("Information Technology", "Health Care") for i in INDUSTRIES])[industry]
    second = np.where(country == US, rng.random(len(country)) > np.where(tech, 0.85, 0.25), cap < 900)
    numbers = [
        f"000{t}00" if c == TAIWAN else f"99{k:07d}" for k, (c, t) in enumerate(zip(country, tickers, strict=True))
    ]
    return pd.DataFrame(
        {
            "asset_id": [f"{t}.{'US' if c == US else 'TW'}" for c, t in zip(country, tickers, strict=True)],
            "kind": "stock",
            "name": english,
            "name_local": chinese,
            "ticker": tickers,
            "isin": [isin(c, number) for c, number in zip(country, numbers, strict=True)],
            "market": np.array(MARKETS, dtype=object)[country, second.astype(int)],
            "currency": np.array(CURRENCIES, dtype=object)[country],
            "country": np.array(COUNTRIES, dtype=object)[country],
            "sector": np.array([i.sector for i in INDUSTRIES], dtype=object)[industry],
            "industry": np.array([i.name for i in INDUSTRIES], dtype=object)[industry],
        }
    )


def _identities(rng: np.random.Generator, country: Ints, industry: Ints) -> tuple[list[str], list[str], list[str]]:
    """English names, Chinese names and tickers; a brand is used again only where there are more companies."""
    english, chinese = [], []
    orders = [rng.permutation(len(names().brands(c))) for c in (TAIWAN, US)]
    turn = np.where(country == US, np.cumsum(country == US), np.cumsum(country == TAIWAN)) - 1
    draw = rng.random(len(country))
    brands = [names().brands(c)[orders[c][t % len(orders[c])]] for c, t in zip(country, turn, strict=True)]
    for at, (c, k) in enumerate(zip(country, industry, strict=True)):
        endings = (c == US and INDUSTRIES[k].us_endings) or INDUSTRIES[k].endings
        ending = endings[int(draw[at] * len(endings))]
        english.append(f"{brands[at][0]} {ending[0]}")
        chinese.append(f"{brands[at][1]}{ending[1]}")
    letters = [b[2] + ("A" if t >= len(orders[US]) else "") for b, t in zip(brands, turn, strict=True) if len(b) > 2]
    return english, chinese, _taiwan_tickers(industry[country == TAIWAN]) + letters


def _taiwan_tickers(industry: Ints) -> list[str]:
    """Four digits in blocks by industry, from a range that no exchange of Taiwan uses."""
    tickers = []
    number = _TAIWAN_FIRST_TICKER
    for at, k in enumerate(industry):
        if at and industry[at - 1] != k:
            number += -number % 5 + 1
        tickers.append(str(number))
        number += 1
    return tickers
