"""`SampleMarket`: everything that a seed and a size decide, before it is written as tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.sample.bonds import Bonds, bond_log_returns, draw_bonds
from pathfolio.kg.sample.funds import Funds, draw_funds
from pathfolio.kg.sample.holdings import Statements, draw_statements, fund_log_returns
from pathfolio.kg.sample.investors import SampleInvestors, draw_investors
from pathfolio.kg.sample.prices import Prices, stock_levels, stock_log_returns, to_prices, volumes
from pathfolio.kg.sample.size import Calendar, SampleSize
from pathfolio.kg.sample.stocks import Floats, Stocks, draw_stocks
from pathfolio.kg.sample.trading import History, Scene, simulate
from pathfolio.kg.sample.traits import Traits, draw_traits
from pathfolio.kg.sample.utility import true_utility

TWD_PER_USD = 32.0
"""A constant rate: the sample has no currency risk."""


@dataclass(frozen=True)
class SampleMarket:
    """A generated market; assets are stocks, then funds, then bonds, everywhere.

    Attributes:
        assets: one row per asset with columns of the contract's assets table.
    """

    seed: int
    calendar: Calendar
    stocks: Stocks
    funds: Funds
    bonds: Bonds
    statements: Statements
    prices: Prices
    traits: Traits
    assets: pd.DataFrame
    investors: SampleInvestors

    @staticmethod
    def generate(seed: int, size: SampleSize) -> SampleMarket:
        """The market of a seed; the same on every call."""
        calendar = Calendar.of(size)
        stocks, bonds = draw_stocks(size, calendar, seed), draw_bonds(size, calendar, seed)
        funds = draw_funds(size, calendar, seed)
        base = int(calendar.month_ends[0])
        moves = stock_log_returns(stocks, calendar, seed)
        stock_close = to_prices(moves, stock_levels(stocks, seed), base)
        statements = draw_statements(funds, stocks, bonds, stock_close, calendar, seed)
        bond_moves = bond_log_returns(bonds, len(calendar.days), seed)
        fund_moves = fund_log_returns(funds, statements, np.hstack([moves, bond_moves]), calendar)
        returns = np.hstack([moves, fund_moves, bond_moves])
        traits = draw_traits(stocks, funds, bonds, statements, returns[base:], seed)
        assets = pd.concat([stocks.frame, funds.frame, bonds.frame], ignore_index=True)
        assets = assets.assign(risk_rating=traits.rating)
        prices = _prices(stocks, funds, bonds, stock_close, (fund_moves, bond_moves), calendar, seed)
        investors = draw_investors(size, calendar, int(traits.house.max()) + 1, seed)
        return SampleMarket(seed, calendar, stocks, funds, bonds, statements, prices, traits, assets, investors)

    @cached_property
    def per_usd(self) -> Floats:
        """(m,) float64: units of each asset's currency for a dollar."""
        return np.where(self.assets["currency"] == "TWD", TWD_PER_USD, 1.0)

    @cached_property
    def utility(self) -> npt.NDArray[np.float32]:
        """(n, m) float32: the lasting preferences of each investor."""
        return true_utility(self.investors, self.traits)

    @cached_property
    def history(self) -> History:
        """What the investors traded."""
        return simulate(Scene(self.investors, self.utility, self.prices, self.per_usd, self.calendar), self.seed)


def _prices(
    stocks: Stocks,
    funds: Funds,
    bonds: Bonds,
    stock_close: Floats,
    other_moves: tuple[Floats, Floats],
    calendar: Calendar,
    seed: int,
) -> Prices:
    fund_moves, bond_moves = other_moves
    base = int(calendar.month_ends[0])
    fund_level = np.where(funds.country == 1, 40.0, 20.0) * (1 + np.arange(len(funds.fee)) % 7 / 5)
    close = np.hstack(
        [
            stock_close,
            to_prices(fund_moves, fund_level, base),
            to_prices(bond_moves, np.full(len(bonds.rate), 100.0), base),
        ]
    )
    listed = np.concatenate([stocks.listed, funds.listed, bonds.listed])
    # About 0.3% of a company's shares change hands in a day.
    shares = stocks.cap * 1e6 * np.where(stocks.country == 1, 1, TWD_PER_USD) / stock_close[base]
    typical = np.concatenate(
        [0.003 * shares, np.where(funds.passive, 40_000.0, 3_000.0), np.full(len(bonds.rate), 400.0)]
    )
    return Prices(close, volumes(close, typical, seed), np.searchsorted(calendar.days, listed))
