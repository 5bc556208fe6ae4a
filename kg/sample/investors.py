"""The investors of the sample market: what they state about themselves and what they truly prefer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.sample.industries import INDUSTRIES
from pathfolio.kg.sample.names import TAIWAN, US, investor_names
from pathfolio.kg.sample.size import END, Calendar, Dates, SampleSize, stream
from pathfolio.kg.sample.stocks import Floats, Ints
from pathfolio.kg.sample.traits import STYLES

RISK_LEVELS: Final = ("Conservative", "Income", "Balanced", "Aggressive")
OBJECTIVES: Final = ("Capital Preservation", "Income", "Retirement", "Balanced Growth", "Capital Growth")
EXPERIENCES: Final = ("Beginner", "Intermediate", "Experienced")
CAPACITIES: Final = ("under USD 30k", "USD 30k-80k", "USD 80k-300k", "over USD 300k")
SEGMENTS: Final = ("Mass", "Premium", "Professional")
INCOME_BANDS: Final = ("under USD 30k", "USD 30k-60k", "USD 60k-100k", "over USD 100k")
"""Per year."""

_WEALTH: Final = (15e3, 50e3, 150e3, 500e3)
"""USD, of each capacity."""

_LEVEL_BOUNDS: Final = (0.25, 0.48, 0.72)
_OBJECTIVE_ODDS: Final = np.array([[5, 3, 2, 1, 0.3], [2, 4, 3, 3, 1], [0.5, 2, 3, 4, 3], [0.2, 0.5, 1.5, 3, 7]])
_READING_ERROR: Final = 0.05
_NEVER_BUY: Final = 0.06
"""Share of investors who have an account and never buy anything."""

_PER_CIRCLE: Final = 25


@dataclass(frozen=True)
class SampleInvestors:
    """n investors.

    Attributes:
        ids: (n,) str.
        names: (n,) str.
        country: (n,) int64.
        appetite: (n,) float64 in [0, 1]: the risk that each truly wants, on the scale of `Traits.risk`.
        level, objective, experience, capacity: (n,) int64, positions in the tuples above.
        taste: (n, industries) float64: what each thinks of an industry; about 1 to 2 for the three they like.
        home: (n, 2) float64: pull of each country.
        style: (n, 5) float64, as in `Traits`.
        fund_love: (n,) float64: pull of funds over stocks.
        house_love: (n, houses) float64.
        chases: (n,) float64: how strongly each follows recent returns.
        pace: (n,) float64: new assets per month; 0 for those who never buy.
        wealth: (n,) float64, USD.
        circle: (n,) int64: people who hear of each other's purchases.
        opened: (n,) datetime64[D]: the day of the account, and of the first questionnaire.
        birth_year: (n,) int64.
    """

    ids: npt.NDArray[np.object_]
    names: npt.NDArray[np.object_]
    country: Ints
    appetite: Floats
    level: Ints
    objective: Ints
    experience: Ints
    capacity: Ints
    taste: Floats
    home: Floats
    style: Floats
    fund_love: Floats
    house_love: Floats
    chases: Floats
    pace: Floats
    wealth: Floats
    circle: Ints
    opened: Dates
    birth_year: Ints


def draw_investors(size: SampleSize, calendar: Calendar, houses: int, seed: int) -> SampleInvestors:
    """The investors; three of five live in Taiwan.

    Args:
        houses: how many fund houses there are.
    """
    rng = stream(seed, "investors")
    n = size.investors
    country = np.where(rng.random(n) < 0.6, TAIWAN, US)
    appetite = rng.normal(0.52, 0.22, n).clip(0.04, 0.97)
    level = _read_level(appetite, rng)
    experience = np.minimum((rng.random(n) * 2 + appetite).astype(np.int64), 2)
    capacity = np.searchsorted((0.45, 0.75, 0.93), rng.random(n))
    pace = np.where(rng.random(n) < _NEVER_BUY, 0, np.exp(rng.normal(-1.25, 0.6, n)))
    return SampleInvestors(
        ids=np.array([f"INV{k + 1:06d}" for k in range(n)], dtype=object),
        names=investor_names(rng, country),
        country=country,
        appetite=appetite,
        level=level,
        objective=_one_of(_OBJECTIVE_ODDS[level], rng),
        experience=experience,
        capacity=capacity,
        taste=_tastes(n, rng),
        home=np.eye(2)[country] * rng.normal(1.0, 0.7, (n, 1)),
        style=rng.normal(0, 1, (n, STYLES)),
        fund_love=np.array([0.7, 0.1, -0.4])[experience] + rng.normal(0, 0.6, n),
        house_love=rng.normal(0, 0.5, (n, houses)),
        chases=np.abs(rng.normal(0, 0.3, n)),
        pace=pace,
        wealth=np.array(_WEALTH)[capacity] * np.exp(rng.normal(0, 0.35, n)),
        circle=_circles(country, rng),
        opened=_opened(n, calendar, rng),
        birth_year=END.year - (22 + (rng.beta(2, 2.5, n) * 62)).astype(np.int64),
    )


def _read_level(appetite: Floats, rng: np.random.Generator) -> Ints:
    """The level that a questionnaire reads: the appetite, with an error."""
    return np.searchsorted(_LEVEL_BOUNDS, appetite + rng.normal(0, _READING_ERROR, len(appetite)))


def _one_of(odds: Floats, rng: np.random.Generator) -> Ints:
    """(n,) int64: a column per row, drawn with chances in the ratio of `odds` (n, c)."""
    edges = np.cumsum(odds, axis=1)
    drawn: Ints = (rng.random((len(odds), 1)) * edges[:, -1:] > edges).sum(axis=1)
    return drawn


def _tastes(n: int, rng: np.random.Generator) -> Floats:
    """Two or three industries that each likes, the second often of the first one's sector, and one disliked."""
    popular = np.array([i.taiwan + i.us for i in INDUSTRIES])
    sectors = np.array([i.sector for i in INDUSTRIES])
    related = np.where(sectors[:, None] == sectors, popular, popular * 0.05)
    liked = [_one_of(np.broadcast_to(popular, (n, len(popular))), rng)]
    liked += [_one_of(related[liked[0]], rng), _one_of(np.broadcast_to(popular, (n, len(popular))), rng)]
    taste = rng.normal(0, 0.15, (n, len(popular)))
    rows = np.arange(n)
    taste[rows, rng.integers(0, len(popular), n)] = -1.0
    for column in reversed(liked):
        taste[rows, column] = rng.uniform(0.8, 2.0, n)
    return taste


def _circles(country: Ints, rng: np.random.Generator) -> Ints:
    """About 25 people of one country each."""
    order = np.lexsort((rng.random(len(country)), country))
    circle = np.empty(len(country), np.int64)
    circle[order] = np.arange(len(country)) // _PER_CIRCLE
    return circle


def _opened(n: int, calendar: Calendar, rng: np.random.Generator) -> Dates:
    """Three of four accounts are older than the history; the others open evenly over it."""
    span = 365 * calendar.years
    ages = np.where(rng.random(n) < 0.75, span + rng.uniform(1, 1500, n), rng.uniform(2, span, n))
    days: Dates = np.busday_offset(calendar.days[-1] - ages.astype(np.int64), 0, roll="backward")
    return days


def users_table(investors: SampleInvestors, calendar: Calendar, seed: int) -> pd.DataFrame:
    """The contract's users table: the first questionnaire of each, and a second one of every fifth.

    A few answers are missing, as they are in life.
    """
    rng = stream(seed, "questionnaires")
    first = _statement(investors, investors.level, investors.opened)
    days = ((calendar.days[-1] - investors.opened).astype(np.int64) * rng.uniform(0.2, 0.95, len(first))).astype(
        np.int64
    )
    again = _statement(investors, _read_level(investors.appetite, rng), investors.opened + days)
    asked = (rng.random(len(first)) < 0.2) & (days > 200)
    table: pd.DataFrame = pd.concat([first, again[asked]])
    for column in ("experience", "income_band", "objective"):
        table[column] = table[column].mask(rng.random(len(table)) < 0.02)
    return table.sort_values(["user_id", "as_of"]).reset_index(drop=True)


def _statement(investors: SampleInvestors, level: Ints, as_of: Dates) -> pd.DataFrame:
    band = np.minimum(investors.capacity + (investors.birth_year % 3 == 0), 3)
    segment = np.select([investors.capacity == 3, investors.capacity == 2], [2, 1], 0)
    return pd.DataFrame(
        {
            "user_id": investors.ids,
            "name": investors.names,
            "kind": "retail",
            "segment": np.array(SEGMENTS, dtype=object)[segment],
            "risk_level": np.array(RISK_LEVELS, dtype=object)[level],
            "objective": np.array(OBJECTIVES, dtype=object)[investors.objective],
            "experience": np.array(EXPERIENCES, dtype=object)[investors.experience],
            "birth_year": investors.birth_year,
            "income_band": np.array(INCOME_BANDS, dtype=object)[band],
            "capacity": np.array(CAPACITIES, dtype=object)[investors.capacity],
            "as_of": as_of,
        }
    )
