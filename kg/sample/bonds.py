"""A few government and corporate bonds of the sample market."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from pathfolio.kg.sample.names import COUNTRIES, CURRENCIES, TAIWAN, US, isin
from pathfolio.kg.sample.size import END, Calendar, Dates, SampleSize, stream
from pathfolio.kg.sample.stocks import Floats, Ints

GOVERNMENT: Final = "Government Bonds"
CORPORATE: Final = "Corporate Bonds"


@dataclass(frozen=True)
class BondIssuer:
    """Who issues bonds: the issuer's name, the bond's name in English and Chinese, and its spread over government."""

    name: str
    bond: str
    bond_local: str
    spread: float
    sector: str


ISSUERS: Final = (
    (
        BondIssuer("Central Government (sample)", "Central Government Bond", "中央政府公債", 0.0, "Sovereign"),
        BondIssuer("Strait Harbor Power", "Strait Harbor Power Bond", "峽港電力公司債", 0.004, "Utilities"),
        BondIssuer("Chiayang Rail", "Chiayang Rail Bond", "嘉洋鐵道公司債", 0.005, "Industrials"),
        BondIssuer("Yuling Leasing", "Yuling Leasing Bond", "裕嶺租賃公司債", 0.009, "Financials"),
    ),
    (
        BondIssuer("U.S. Treasury (sample)", "Treasury Note", "美國公債", 0.0, "Sovereign"),
        BondIssuer("Tri-Canyon Power", "Tri-Canyon Power Bond", "三峽谷電力公司債", 0.009, "Utilities"),
        BondIssuer("Larkspur Valley Water", "Larkspur Valley Water Bond", "拉克斯珀谷水務公司債", 0.007, "Utilities"),
        BondIssuer("Old Ferry Financial", "Old Ferry Financial Bond", "老渡口金融公司債", 0.016, "Financials"),
    ),
)
"""Per country; every second bond is the government's."""

GOVERNMENT_YIELD: Final = (0.014, 0.041)
_YIELD_MOVE: Final = (0.00012, 0.00042)
"""Standard deviation of a day's change of the yield, per country."""


@dataclass(frozen=True)
class Bonds:
    """b bonds.

    Attributes:
        frame: one row per bond with columns of the contract's assets table.
        country: (b,) int64.
        duration: (b,) float64, years.
        rate: (b,) float64, yield at issue per year, as a fraction.
        listed: (b,) datetime64[D].
    """

    frame: pd.DataFrame
    country: Ints
    duration: Floats
    rate: Floats
    listed: Dates


def draw_bonds(size: SampleSize, calendar: Calendar, seed: int) -> Bonds:
    """The bonds, half of each country, with maturities from 2 to 25 years after the end of the history."""
    rng = stream(seed, "bonds")
    country = np.arange(size.bonds) % 2
    turn = np.arange(size.bonds) // 2
    number = np.where(turn % 2 == 0, 0, 1 + (turn // 2) % 3)
    issuers = [ISSUERS[c][i] for c, i in zip(country, number, strict=True)]
    years = _maturities(rng, country, number)
    spread = np.array([i.spread for i in issuers])
    rate = np.array(GOVERNMENT_YIELD)[country] + spread + 0.0004 * years
    rate = np.round(rate * 800) / 800
    duration = (1 - (1 + rate) ** -years) / rate
    listed = np.busday_offset(calendar.start - rng.integers(100, 1500, size.bonds), 0, roll="forward")
    return Bonds(_frame(issuers, country, rate, years).assign(listed=listed), country, duration, rate, listed)


def _maturities(rng: np.random.Generator, country: Ints, number: Ints) -> Floats:
    """(b,) float64 years, different for the bonds of one issuer; each one's first bond is short."""
    years = np.empty(len(country))
    for c in (TAIWAN, US):
        for i in range(len(ISSUERS[c])):
            at = np.flatnonzero((country == c) & (number == i))
            years[at] = np.append(2 + i, rng.permutation(np.arange(3 + i, 23 + i)))[: len(at)]
    return years


def _frame(issuers: list[BondIssuer], country: Ints, rate: Floats, years: Floats) -> pd.DataFrame:
    terms = [
        f"{100 * r:.3f}".rstrip("0").rstrip(".") + f"% {END.year + int(y)}" for r, y in zip(rate, years, strict=True)
    ]
    numbers = [f"0B0{k:04d}00" if c == TAIWAN else f"991{k:06d}" for k, c in enumerate(country)]
    return pd.DataFrame(
        {
            "asset_id": [f"{'US' if c == US else 'TW'}-BOND-{k:03d}" for k, c in enumerate(country)],
            "kind": "bond",
            "name": [f"{i.bond} {t}" for i, t in zip(issuers, terms, strict=True)],
            "name_local": [f"{i.bond_local} {t}" for i, t in zip(issuers, terms, strict=True)],
            "isin": [isin(int(c), number) for c, number in zip(country, numbers, strict=True)],
            "market": [("TPEx", "NYSE")[c] for c in country],
            "currency": [CURRENCIES[c] for c in country],
            "country": [COUNTRIES[c] for c in country],
            "sector": [i.sector for i in issuers],
            "category": [CORPORATE if i.spread else GOVERNMENT for i in issuers],
            "issuer": [i.name for i in issuers],
        }
    )


def bond_log_returns(bonds: Bonds, days: int, seed: int) -> Floats:
    """(days, b) float64: carry less duration times the yield's change, and a little noise.

    r_t = rate / 252 - duration * dy_t + 0.0003 e_t, with one yield curve per country.
    """
    rng = stream(seed, "yields")
    moves = rng.normal(0, 1, (days, 2)) * np.array(_YIELD_MOVE)
    noise = rng.normal(0, 0.0003, (days, len(bonds.country)))
    returns: Floats = bonds.rate / 252 - bonds.duration * moves[:, bonds.country] + noise
    return returns
