"""The tables of the data contract, from a generated market."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from pathfolio.kg.sample.facts import company_facts, draw_earnings, fund_facts, market_facts
from pathfolio.kg.sample.holdings import PROSPECTUS_DAYS, REPORT_DAYS
from pathfolio.kg.sample.investors import users_table
from pathfolio.kg.sample.links import ratings_table, relations_table
from pathfolio.kg.sample.market import SampleMarket
from pathfolio.kg.sample.size import stream

CHANNELS: Final = ("online", "app", "branch")
_CHANNEL_EDGES: Final = (0.45, 0.85)


def market_tables(market: SampleMarket) -> dict[str, pd.DataFrame]:
    """Table name to frame, rows sorted, columns of `pathfolio.kg.tables.COLUMNS` (those that the sample has)."""
    return {
        "users": users_table(market.investors, market.calendar, market.seed),
        "assets": market.assets.sort_values("asset_id").reset_index(drop=True),
        "positions": _positions(market),
        "transactions": _transactions(market),
        "fund_holdings": _fund_holdings(market),
        "prices": _prices(market),
        "facts": _facts(market),
        "relations": relations_table(market.stocks, market.calendar, market.seed),
        "analyst_ratings": ratings_table(market.stocks, market.prices, market.per_usd, market.calendar, market.seed),
    }


def _transactions(market: SampleMarket) -> pd.DataFrame:
    trades = market.history.trades
    calendar = market.calendar
    channel = np.searchsorted(_CHANNEL_EDGES, stream(market.seed, "channels").random(len(trades.user)))
    # Investors' ids are in the order of their numbers, those of assets are not.
    order = np.lexsort((market.assets["asset_id"].argsort().argsort()[trades.asset], trades.user, trades.day))
    units = np.abs(trades.units[order]).astype(np.float64)
    user = trades.user[order]
    asset = trades.asset[order]
    day = trades.day[order]
    return pd.DataFrame(
        {
            "user_id": market.investors.ids[user],
            "asset_id": market.assets["asset_id"].to_numpy()[asset],
            "date": calendar.days[day],
            "side": np.where(trades.units[order] > 0, "buy", "sell"),
            "units": units,
            "value": units * market.prices.close[day, asset],
            "channel": np.array(CHANNELS, dtype=object)[channel[order]],
        }
    )


def _positions(market: SampleMarket) -> pd.DataFrame:
    """Statements of every half year; weights are fractions of all that the investor holds, in one currency."""
    ids = market.assets["asset_id"].to_numpy()
    calendar = market.calendar
    parts = []
    for s in market.history.statements:
        value = s.units * market.prices.close[calendar.month_ends[s.month], s.asset]
        dollars = value / market.per_usd[s.asset]
        total = np.bincount(s.user, weights=dollars, minlength=len(market.investors.ids))
        parts.append(
            pd.DataFrame(
                {
                    "user_id": market.investors.ids[s.user],
                    "asset_id": ids[s.asset],
                    "as_of": calendar.months[s.month],
                    "known_at": calendar.months[s.month],
                    "units": s.units.astype(np.float64),
                    "value": value,
                    "weight": dollars / total[s.user],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _fund_holdings(market: SampleMarket) -> pd.DataFrame:
    """Regular statements since a fund's first day, and one of that day, which is known at once."""
    parts = np.concatenate([market.stocks.frame["asset_id"], market.bonds.frame["asset_id"]])
    dates = market.statements.dates
    listed = market.funds.listed
    following = np.append(dates[1:], market.calendar.days[-1] + 1)
    number, fund, part = np.nonzero(market.statements.weights * (following[:, None] > listed)[:, :, None])
    as_of = np.maximum(dates[number], listed[fund])
    regular = as_of == dates[number]
    table = pd.DataFrame(
        {
            "fund_id": market.funds.frame["asset_id"].to_numpy()[fund],
            "asset_id": parts[part],
            "as_of": as_of,
            "weight": market.statements.weights[number, fund, part],
            "known_at": as_of + np.where(regular, REPORT_DAYS, PROSPECTUS_DAYS),
        }
    )
    return table.sort_values(["fund_id", "as_of", "asset_id"]).reset_index(drop=True)


def _prices(market: SampleMarket) -> pd.DataFrame:
    calendar = market.calendar
    prices = market.prices
    days = np.arange(calendar.price_start, len(calendar.days))
    ids = market.assets["asset_id"]
    order = ids.argsort().to_numpy()
    column, row = np.nonzero(prices.first[order][:, None] <= days)
    asset = order[column]
    day = days[row]
    return pd.DataFrame(
        {
            "asset_id": pd.Categorical.from_codes(asset, categories=pd.Index(ids.astype("str"))),
            "date": calendar.days[day],
            "close": prices.close[day, asset],
            "volume": prices.volume[day, asset],
        }
    )


def _facts(market: SampleMarket) -> pd.DataFrame:
    n = len(market.stocks.cap)
    f = len(market.funds.fee)
    calendar = market.calendar
    close = market.prices.close
    peers = market.assets["industry"].fillna(market.assets["category"])
    earnings = draw_earnings(market.stocks, close[:, :n], calendar, market.seed)
    table = pd.concat(
        [
            *market_facts(market.assets, market.prices, peers, calendar),
            *company_facts(market.stocks, earnings, close[:, :n], calendar),
            *fund_facts(market.funds, close[:, n : n + f], calendar, market.seed),
        ]
    )
    return table.sort_values(["asset_id", "metric", "as_of"]).reset_index(drop=True)
