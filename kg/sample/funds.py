"""The funds of the sample market: their themes, their houses and what they hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.sample.names import COUNTRIES, CURRENCIES, TAIWAN, US, isin, names
from pathfolio.kg.sample.size import Calendar, Dates, SampleSize, stream
from pathfolio.kg.sample.stocks import Floats, Ints, listing_days
from pathfolio.kg.sample.themes import THEMES, Theme


@dataclass(frozen=True)
class Funds:
    """f funds.

    Attributes:
        frame: one row per fund with columns of the contract's assets table.
        theme: the theme of each.
        country: (f,) int64, where the house is.
        fee: (f,) float64, per year, as a fraction.
        passive: (f,) bool, True for exchange-traded funds.
        listed: (f,) datetime64[D].
    """

    frame: pd.DataFrame
    theme: tuple[Theme, ...]
    country: Ints
    fee: Floats
    passive: npt.NDArray[np.bool_]
    listed: Dates


def draw_funds(size: SampleSize, calendar: Calendar, seed: int) -> Funds:
    """The funds, half of each country's houses; every theme is offered once before any is offered again."""
    rng = stream(seed, "funds")
    country = np.arange(size.funds) % 2
    offers = [_offers(rng, c, int((country == c).sum())) for c in (TAIWAN, US)]
    chosen = [offers[c][k // 2] for k, c in enumerate(country)]
    passive = rng.random(size.funds) < 0.45
    equity = np.array([theme.equity for _, theme in chosen])
    fee = np.where(passive, rng.uniform(0.0010, 0.0060, size.funds), rng.uniform(0.0070, 0.0160, size.funds))
    fee = np.round(fee * (0.35 + 0.65 * equity), 4)
    listed = listing_days(rng, size.funds, calendar, new_issues=max(1, size.funds // 30))
    frame = _frame(chosen, country, passive, fee).assign(listed=listed)
    return Funds(frame, tuple(theme for _, theme in chosen), country, fee, passive, listed)


def _offers(rng: np.random.Generator, country: int, n: int) -> list[tuple[list[str], Theme]]:
    """n different (house, theme) pairs."""
    themes = [theme for theme in THEMES if country in theme.houses]
    houses = names().houses(country)
    shift = rng.permutation(len(houses))
    rounds, turns = np.divmod(np.arange(n), len(themes))
    return [(houses[h], themes[t]) for h, t in zip((turns + shift[rounds]) % len(houses), turns, strict=True)]


def _frame(
    chosen: list[tuple[list[str], Theme]], country: Ints, passive: npt.NDArray[np.bool_], fee: Floats
) -> pd.DataFrame:
    endings = [("ETF", " ETF") if p else ("Fund", "基金") for p in passive]
    numbers = [f"000T{k:03d}00" if c == TAIWAN else f"992{k:06d}" for k, c in enumerate(country)]
    houses = [("Investment Trust" if c == TAIWAN else "Funds") for c in country]
    return pd.DataFrame(
        {
            "asset_id": [f"{'US' if c == US else 'TW'}-FUND-{k:03d}" for k, c in enumerate(country)],
            "kind": "fund",
            "name": [f"{h[0]} {t.name} {e[0]}" for (h, t), e in zip(chosen, endings, strict=True)],
            "name_local": [f"{h[1]}{t.name_local}{e[1]}" for (h, t), e in zip(chosen, endings, strict=True)],
            "isin": [isin(int(c), number) for c, number in zip(country, numbers, strict=True)],
            "market": [("TWSE", "NYSE")[c] if p else None for c, p in zip(country, passive, strict=True)],
            "currency": [CURRENCIES[c] for c in country],
            "country": [COUNTRIES[c] for c in country],
            "category": [t.category for _, t in chosen],
            "issuer": [f"{h[0]} {kind}" for (h, _), kind in zip(chosen, houses, strict=True)],
            "expense_ratio": fee,
        }
    )
