"""What an equal-weighted list would have earned after the cut, beside the investor's own portfolio and the market."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.figures import risk_of
from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Positions

HORIZONS: Final = (30, 90, 180)
"""Calendar days after the cut."""

TRADING_DAYS: Final = 252
LIST_SHARE: Final = 0.2
"""The fraction of the portfolio that goes into the list where both are combined."""

_LATEST_START: Final = 7
_MISSING_END: Final = 7
_FEWEST_DAYS: Final = 5


@dataclass(frozen=True)
class PricePaths:
    """Closing prices after the cut, each relative to the asset's first one: what 1 put in has become.

    Attributes:
        days: (t,) datetime64[D], the trading days after the cut, ascending; money goes in at the first one's close.
        value: (t, assets) float64, NaN for assets without a price in the first week; a day without a close keeps
            the last one.
        last: the last day that the prices reach.
    """

    days: npt.NDArray[np.datetime64]
    value: FloatArray
    cut: date
    last: date

    def until(self, horizon: int) -> FloatArray:
        """(t', assets) the paths up to `horizon` calendar days after the cut; empty where prices end a week earlier."""
        end = self.cut + timedelta(days=horizon)
        if self.last < end - timedelta(days=_MISSING_END):
            return self.value[:0]
        return np.asarray(self.value[self.days <= np.datetime64(end)], np.float64)


def price_paths(prices: pd.DataFrame, graph: KnowledgeGraph, longest: int = HORIZONS[-1]) -> PricePaths | None:
    """The paths of the snapshot's assets after its date; None where there are no prices then.

    Args:
        prices: asset_id, date, close of any period.
        longest: calendar days after the snapshot's date.
    """
    cut = pd.Timestamp(graph.as_of)
    rows = prices[(prices["date"] > cut) & (prices["date"] <= cut + pd.Timedelta(days=longest)) & (prices["close"] > 0)]
    if rows.empty:
        return None
    table = rows.pivot_table(index="date", columns="asset_id", values="close", aggfunc="last").sort_index()
    table = table.reindex(columns=graph.asset_ids)
    week = table[table.index <= table.index[0] + pd.Timedelta(days=_LATEST_START)]
    first = week.bfill().iloc[0].to_numpy(np.float64)
    value = table.ffill().to_numpy(np.float64) / first[None, :]
    value[np.isnan(value) & ~np.isnan(first)[None, :]] = 1.0  # days before the asset's first close
    days = table.index.to_numpy().astype("datetime64[D]")
    return PricePaths(days, value, graph.as_of, table.index[-1].date())


def equal_weights(lists: Positions, assets: int) -> FloatArray:
    """(n, assets) fractions: the same for every entry of a list, rows of zeros for empty lists."""
    weights = np.zeros((len(lists), assets))
    row, place = np.nonzero(lists >= 0)
    np.add.at(weights, (row, lists[row, place]), 1.0)
    return np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), 1.0), np.float64)


def portfolio_weights(graph: KnowledgeGraph, users: Positions, close: FloatArray) -> FloatArray:
    """(len(users), assets) fractions of what each investor holds now; rows of zeros where nothing is known.

    Weights are those of the statement where it gives them, else units times `close`, else equal.

    Args:
        users: (n,) positions of investors, -1 for unknown ones.
        close: (assets,) last close on or before the snapshot's date, NaN where there is none.
    """
    holds = graph.outgoing(Relation.HOLDS)
    weights = np.zeros((len(users), len(graph.assets)))
    for number, user in enumerate(users.tolist()):
        if user < 0:
            continue
        row = graph.user_span.row(user)
        asset = graph.asset_span.position(holds.of(row))
        edge = holds.edges_of(row)
        weights[number, asset] = _shares(graph.edges.weight[edge], graph.edges.value[edge] * close[asset])
    return weights


def _shares(stated: FloatArray, valued: FloatArray) -> FloatArray:
    for amounts in (stated, valued):
        if len(amounts) and not np.isnan(amounts).any() and amounts.clip(min=0).sum() > 0:
            return np.asarray(amounts.clip(min=0) / amounts.clip(min=0).sum(), np.float64)
    return np.full(len(stated), 1.0 / max(len(stated), 1))


def last_close(prices: pd.DataFrame, graph: KnowledgeGraph) -> FloatArray:
    """(assets,) the last close on or before the snapshot's date, NaN where there is none."""
    rows = prices[prices["date"] <= pd.Timestamp(graph.as_of)].sort_values("date", kind="stable")
    return rows.groupby("asset_id")["close"].last().reindex(graph.asset_ids).to_numpy(np.float64)


def performance(weights: FloatArray, paths: FloatArray, horizon: int) -> dict[str, FloatArray]:
    """How portfolios that are bought and held do, each (n,) float64; NaN where nothing in one has a price.

    With V the portfolio's value from day to day and r its daily returns: roi = (V_end / V_0)^(30 / horizon) - 1, the
    return per 30 days; return = (V_end / V_0)^(252 / days) - 1; volatility = std(r) sqrt(252) (n - 1 in the
    denominator); sharpe = mean(r) / std(r) sqrt(252), without a riskless rate (Sharpe 1994); drawdown =
    max(1 - V / running maximum of V); priced = the part of the weights that has a price. Fractions, not percents.

    Args:
        weights: (n, assets) fractions; what has no price is left out and the rest scaled up.
        paths: (t, assets) as from `PricePaths.until`, t of 3 at least.
        horizon: calendar days that the paths cover.
    """
    priced = ~np.isnan(paths[0])
    part = weights * priced[None, :]
    total = part.sum(axis=1)
    value = (part / np.where(total > 0, total, np.nan)[:, None]) @ np.where(priced[None, :], paths, 0.0).T
    daily = value[:, 1:] / value[:, :-1] - 1.0
    growth = value[:, -1]
    volatility, sharpe, drawdown = risk_of(daily.T, TRADING_DAYS)
    return {
        "roi": growth ** (30.0 / horizon) - 1.0,
        "return": growth ** (TRADING_DAYS / daily.shape[1]) - 1.0,
        "volatility": volatility,
        "sharpe": sharpe,
        "drawdown": -drawdown,
        "priced": total / np.maximum(weights.sum(axis=1), 1e-12),
    }


@dataclass(frozen=True)
class Backtest:
    """Everything that lists of one fold are held against.

    Attributes:
        paths: prices after the cut.
        own: (n, assets) the investors' portfolios at the cut; rows of zeros where there is none.
    """

    paths: PricePaths
    own: FloatArray

    def of_lists(self, lists: Positions, rows: npt.NDArray[np.bool_]) -> dict[int, dict[str, FloatArray]]:
        """Horizon to metric to one value per list.

        `sharpe_before` is that of the investor's portfolio as it was, `sharpe_after` with a fifth of it in the list.

        Args:
            lists: (m, k) asset positions.
            rows: (n,) bool, whose lists they are; m of them.
        """
        chosen = equal_weights(lists, self.own.shape[1])
        own = self.own[rows]
        both = np.where(own.any(axis=1, keepdims=True), (1.0 - LIST_SHARE) * own + LIST_SHARE * chosen, 0.0)
        before, after, found = (self._measured(weights) for weights in (own, both, chosen))
        return {h: found[h] | {"sharpe_before": before[h]["sharpe"], "sharpe_after": after[h]["sharpe"]} for h in found}

    def of_portfolios(self, rows: npt.NDArray[np.bool_]) -> dict[int, dict[str, FloatArray]]:
        """The same for the investors' own portfolios."""
        return self._measured(self.own[rows])

    def of_market(self, rows: npt.NDArray[np.bool_]) -> dict[int, dict[str, FloatArray]]:
        """The same for all assets with a price in equal parts, once per investor."""
        return self._measured(np.full((int(rows.sum()), self.own.shape[1]), 1.0 / self.own.shape[1]))

    def _measured(self, weights: FloatArray) -> dict[int, dict[str, FloatArray]]:
        paths = {horizon: self.paths.until(horizon) for horizon in HORIZONS}
        return {h: performance(weights, path, h) for h, path in paths.items() if len(path) >= _FEWEST_DAYS}


def prepare_backtest(prices: pd.DataFrame, graph: KnowledgeGraph, users: Positions) -> Backtest | None:
    """The backtest of a snapshot's investors; None where no price follows its date.

    Args:
        prices: asset_id, date, close of any period.
        users: (n,) positions of investors, -1 for unknown ones.
    """
    paths = price_paths(prices, graph)
    return None if paths is None else Backtest(paths, portfolio_weights(graph, users, last_close(prices, graph)))
