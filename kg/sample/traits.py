"""What an asset of the sample market is to an investor: its risk, income, industries, region and style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.sample.bonds import Bonds
from pathfolio.kg.sample.funds import Funds
from pathfolio.kg.sample.holdings import Statements
from pathfolio.kg.sample.industries import INDUSTRIES
from pathfolio.kg.sample.size import stream
from pathfolio.kg.sample.stocks import Floats, Ints, Stocks

STOCK = 0
FUND = 1
BOND = 2
STYLES: Final = 5
_FULL_RISK: Final = 0.45
"""Volatility per year at which the risk scale ends."""

_RATING_BOUNDS: Final = (0.02, 0.06, 0.165, 0.36)
"""Volatilities per year that divide RR1 to RR5."""


@dataclass(frozen=True)
class Traits:
    """Of m assets: stocks, then funds, then bonds.

    Attributes:
        kind: (m,) int64: STOCK, FUND or BOND.
        risk: (m,) float64 in [0, 1]: volatility over 45% a year.
        rating: (m,) str, RR1 to RR5.
        income: (m,) float64: yield per year, standardised.
        mix: (m, industries) float64: a stock's own industry, a fund's share in each.
        region: (m, 2) float64: share in Taiwan and the US.
        prominence: (m,) float64: how well known it is; standardised log market value for stocks.
        style: (m, 5) float64: a character that no table shows; only what people hold together tells it.
        house: (m,) int64: number of the fund house, -1 for others.
    """

    kind: Ints
    risk: Floats
    rating: npt.NDArray[np.object_]
    income: Floats
    mix: Floats
    region: Floats
    prominence: Floats
    style: Floats
    house: Ints


def draw_traits(
    stocks: Stocks, funds: Funds, bonds: Bonds, statements: Statements, log_returns: Floats, seed: int
) -> Traits:
    """The traits; those of funds follow from their last statement.

    Args:
        log_returns: (days, m) float64 of the history.
    """
    rng = stream(seed, "traits")
    parts = statements.latest()
    counts = (len(stocks.cap), len(funds.fee), len(bonds.rate))
    kind = np.repeat([STOCK, FUND, BOND], counts)
    volatility = log_returns.std(axis=0) * np.sqrt(252)
    own_income = np.concatenate([stocks.payout / stocks.pe, bonds.rate])
    fame = np.log(stocks.cap)
    prominence = [(fame - fame.mean()) / fame.std(), rng.normal(0.4, 0.8, counts[1]), rng.normal(-0.3, 0.5, counts[2])]
    income = _with_funds(own_income[:, None], parts, counts)[:, 0]
    return Traits(
        kind=kind,
        risk=np.minimum(volatility / _FULL_RISK, 1),
        rating=np.array([f"RR{r}" for r in np.searchsorted(_RATING_BOUNDS, volatility) + 1], dtype=object),
        income=(income - income.mean()) / income.std(),
        mix=_with_funds(_industry_mix(stocks, bonds), parts, counts),
        region=_with_funds(np.eye(2)[np.concatenate([stocks.country, bonds.country])], parts, counts),
        prominence=np.concatenate(prominence),
        style=rng.normal(0, STYLES**-0.5, (len(kind), STYLES)),
        house=np.concatenate([np.full(counts[0], -1), funds.frame["issuer"].factorize()[0], np.full(counts[2], -1)]),
    )


def _industry_mix(stocks: Stocks, bonds: Bonds) -> Floats:
    return np.concatenate([np.eye(len(INDUSTRIES))[stocks.industry], np.zeros((len(bonds.rate), len(INDUSTRIES)))])


def _with_funds(own: Floats, parts: Floats, counts: tuple[int, int, int]) -> Floats:
    """Rows of stocks and bonds, with the funds' weighted means between them."""
    funds = parts @ own / np.maximum(parts.sum(axis=1, keepdims=True), 1e-9)
    return np.concatenate([own[: counts[0]], funds, own[counts[0] :]])
