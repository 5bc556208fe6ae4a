"""How the companies of the sample market are linked, and what analysts say about them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from pathfolio.kg.sample.industries import INDUSTRIES
from pathfolio.kg.sample.names import COUNTRIES, names
from pathfolio.kg.sample.prices import Prices
from pathfolio.kg.sample.size import Calendar, stream
from pathfolio.kg.sample.stocks import MARKETS, Floats, Ints, Stocks

SUPPLY_CHAIN: Final = (
    ("Semiconductors", "Computer Hardware"),
    ("Semiconductors", "Communication Equipment"),
    ("Semiconductors", "Automobiles & Parts"),
    ("Electronic Components", "Computer Hardware"),
    ("Electronic Components", "Communication Equipment"),
    ("Electronic Components", "Medical Devices"),
    ("Chemicals", "Semiconductors"),
    ("Chemicals", "Textiles & Apparel"),
    ("Steel", "Automobiles & Parts"),
    ("Steel", "Machinery"),
    ("Steel", "Construction & Engineering"),
    ("Construction Materials", "Real Estate Development"),
    ("Machinery", "Aerospace & Defense"),
    ("Oil & Gas", "Electric Utilities"),
    ("Food Products", "Specialty Retail"),
    ("Beverages", "Hotels & Leisure"),
    ("Biotechnology", "Pharmaceuticals"),
)
"""Industries that sell to each other: (supplier, customer)."""

RATINGS: Final = ("Sell", "Hold", "Buy")
_SOURCE: Final = "sample supply-chain survey"
_COMPETITORS: Final = "sample industry review"


def relations_table(stocks: Stocks, calendar: Calendar, seed: int) -> pd.DataFrame:
    """The contract's relations table: exchanges in their countries, suppliers with their customers, competitors."""
    rng = stream(seed, "links")
    places = [
        (market, "IN_COUNTRY", country)
        for country, markets in zip(COUNTRIES, MARKETS, strict=True)
        for market in markets
    ]
    ids = stocks.frame["asset_id"].to_numpy()
    chain = _dated(_supplies(stocks, rng), "SUPPLIES", ids, _SOURCE, stocks, calendar, rng)
    rivals = _dated(_competitors(stocks, rng), "COMPETES_WITH", ids, _COMPETITORS, stocks, calendar, rng)
    markets = pd.DataFrame(places, columns=["source_id", "relation", "target_id"]).assign(source="sample exchanges")
    table = pd.concat([markets, chain, rivals])
    table = table[~(table["known_at"] > pd.Timestamp(calendar.days[-1]))]  # nothing from after the last day
    return table.sort_values(["relation", "source_id", "target_id"]).reset_index(drop=True)


def _dated(
    pairs: tuple[Ints, Ints, Floats],
    relation: str,
    ids: np.ndarray[tuple[int], np.dtype[np.object_]],
    source: str,
    stocks: Stocks,
    calendar: Calendar,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Rows known some days after their date, and never before both companies are listed."""
    heads, tails, weight = pairs
    age = rng.integers(60, 365 * calendar.years, len(heads))
    later = np.maximum(stocks.listed[heads], stocks.listed[tails])
    as_of = np.maximum(calendar.days[-1] - age, later)
    return pd.DataFrame(
        {
            "source_id": ids[heads],
            "relation": relation,
            "target_id": ids[tails],
            "weight": weight,
            "as_of": as_of,
            "known_at": np.busday_offset(as_of + rng.integers(5, 12, len(heads)), 0, roll="forward"),
            "source": source,
        }
    )


def _supplies(stocks: Stocks, rng: np.random.Generator) -> tuple[Ints, Ints, Floats]:
    """One or two customers of each company in a supplying industry, the large ones more often."""
    number = {industry.name: k for k, industry in enumerate(INDUSTRIES)}
    pairs: list[tuple[int, int]] = []
    for supplier, customer in SUPPLY_CHAIN:
        buyers = np.flatnonzero(stocks.industry == number[customer])
        if not len(buyers):
            continue
        chances = stocks.cap[buyers] / stocks.cap[buyers].sum()
        for seller in np.flatnonzero(stocks.industry == number[supplier]):
            if rng.random() < 0.5:
                pairs.append((int(seller), int(rng.choice(buyers, p=chances))))
    found = np.array(sorted(set(pairs)), dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1], np.round(rng.uniform(0.02, 0.35, len(found)), 3)


def _competitors(stocks: Stocks, rng: np.random.Generator) -> tuple[Ints, Ints, Floats]:
    """The neighbours by market value within an industry, stronger where they are of one country."""
    order = np.lexsort((stocks.cap, stocks.industry))
    near = np.concatenate([np.stack([order[:-k], order[k:]], axis=1) for k in (1, 2)])
    pairs = np.sort(near[stocks.industry[near[:, 0]] == stocks.industry[near[:, 1]]], axis=1)
    pairs = np.unique(pairs, axis=0)
    same = stocks.country[pairs[:, 0]] == stocks.country[pairs[:, 1]]
    return pairs[:, 0], pairs[:, 1], np.round(np.where(same, 0.6, 0.3) + rng.uniform(-0.2, 0.3, len(pairs)), 2)


def ratings_table(stocks: Stocks, prices: Prices, per_usd: Floats, calendar: Calendar, seed: int) -> pd.DataFrame:
    """The contract's analyst_ratings table: a few opinions a year on two of three companies.

    The target is the price of the day times 1 + (opinion - 1) * 15% and noise, where the opinion is 0 to 2.
    """
    rng = stream(seed, "analysts")
    firms = np.array([firm[0] for firm in names().analyst_firms], dtype=object)
    covered = np.flatnonzero(rng.random(len(stocks.cap)) < 0.66)
    n = len(covered) * 4 * calendar.years
    asset = covered[rng.integers(0, len(covered), n)]
    day = rng.integers(calendar.month_ends[0], len(calendar.days), n)
    opinion = np.searchsorted((0.15, 0.5), rng.random(n))
    target = prices.close[day, asset] / per_usd[asset] * (1 + 0.15 * (opinion - 1) + rng.normal(0.03, 0.05, n))
    table = pd.DataFrame(
        {
            "asset_id": stocks.frame["asset_id"].to_numpy()[asset],
            "date": calendar.days[day],
            "analyst_firm": firms[rng.integers(0, len(firms), n)],
            "rating": np.array(RATINGS, dtype=object)[opinion],
            "target_price_usd": target,
        }
    )
    table = table[calendar.days[day] >= stocks.listed[asset] + 20]
    key = ["asset_id", "date", "analyst_firm"]
    return table.sort_values(key).drop_duplicates(key).reset_index(drop=True)
