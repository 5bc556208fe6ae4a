"""Figures that follow from an asset's closes: its last price, returns, how much it varied, and a fund's rank.

Each is a fact of the asset, of the day of its last close, with a source that tells the closes, the formula and what
they are adjusted for. Nothing after the snapshot's day is looked at. What cannot be told is not told: a year without a
close about its first day, three years with a gap, a ratio where the price never moved, or what a split would spoil.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.graph import FloatArray, KnowledgeGraph, to_days
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.terms import MarketTerms

Closes = npt.NDArray[np.float64]
CloseDays = npt.NDArray[np.datetime64]

FIGURES: Final = MappingProxyType(
    {
        "last_close": "close",
        "return_1d": "close / close of the trading day before - 1",
        "return_1y": "close / close a year before - 1",
        "return_3y": "close / close three years before - 1",
        "annual_return_3y": "(close / close three years before) ^ (1/3) - 1",
        "volatility_3y": "standard deviation of three years' returns * square root of their number in a year",
        "sharpe_3y": "(mean of three years' returns - rate without risk) / standard deviation, annualised",
        "max_drawdown_3y": "lowest close / highest close before it - 1, within three years",
        "category_rank_1y": "place by one-year return among the funds of its category, the highest first",
    }
)
"""Each figure's metric and formula; where returns are meant, they are from close to close."""

STALE_DAYS: Final = 10
"""A close that is older by more days than this when the snapshot is taken is no price of today."""

NEAREST_DAYS: Final = 7
"""A close counts for a day where it is of that day, or of so many days before it at most."""

LONGEST_GAP: Final = 31
"""Days between two closes beyond which nothing is said of how much the price varied."""

FEWEST_RETURNS: Final = 100
"""Of fewer returns in three years nothing is said; funds that are priced weekly have about 156."""

FEWEST_RANKED: Final = 3
"""A rank among fewer funds says nothing."""

SPLIT: Final = 2.0
"""A close of more than twice the one before, or less than half, may be a split where closes are not adjusted for it."""

_DIGITS: Final = 10
"""Figures are rounded to so many decimals, so that processors that add up in another order agree."""

_COLUMNS: Final = ("asset_id", "metric", "value", "unit", "as_of", "known_at", "source")


@dataclass(frozen=True, slots=True)
class PriceFigures:
    """What one asset's closes say; NaN where it cannot be told. Returns are fractions, of which 0.1 is 10%.

    Attributes:
        day: of the last close, and so of all figures.
        last_close: in the asset's currency.
        return_1d: since the trading day before.
        return_1y, return_3y: over the year, or the three years, up to `day`.
        annual_return_3y: the same return in each of three years.
        volatility_3y: a year's standard deviation.
        sharpe_3y: excess over the rate without risk, a year, over the volatility; needs the currency's rate.
        max_drawdown_3y: from a high to the low after it, at most 0.
    """

    day: date
    last_close: float
    return_1d: float = np.nan
    return_1y: float = np.nan
    return_3y: float = np.nan
    annual_return_3y: float = np.nan
    volatility_3y: float = np.nan
    sharpe_3y: float = np.nan
    max_drawdown_3y: float = np.nan


def figures_of(days: CloseDays, closes: Closes, terms: MarketTerms, currency: str = "") -> PriceFigures:
    """The figures of one asset.

    Args:
        days: (n,) ascending, each once; at least one.
        closes: (n,) above zero.
        terms: what the closes mean.
        currency: of the closes, for the rate without risk.

    >>> days = np.array(["2025-06-30", "2026-06-29", "2026-06-30"], "datetime64[D]")
    >>> found = figures_of(days, np.array([80.0, 110.0, 100.0]), MarketTerms())
    >>> found.last_close, found.return_1y, found.return_3y
    (100.0, 0.25, nan)
    """
    import empyrical

    found: dict[str, float] = {"last_close": float(closes[-1])}
    last = pd.Timestamp(days[-1])
    if len(days) > 1 and days[-1] - days[-2] <= np.timedelta64(NEAREST_DAYS, "D"):
        found |= _over(closes[-2:], terms, "return_1d")
    year = _window(days, last - pd.DateOffset(years=1))
    found |= {} if year is None else _over(closes[year:], terms, "return_1y")
    three = _window(days, last - pd.DateOffset(years=3))
    if three is not None:
        found |= _over(closes[three:], terms, "return_3y")
    if three is not None and "return_3y" in found:
        returns = empyrical.simple_returns(closes[three:])
        a_year = len(returns) / 3
        found["annual_return_3y"] = empyrical.cagr(returns, annualization=a_year)
        longest = np.diff(days[three:]).max().astype(np.int64)
        if len(returns) >= FEWEST_RETURNS and longest <= LONGEST_GAP:
            found |= _risk(returns, a_year, terms.risk_free.get(currency))
    rounded = {name: round(float(value), _DIGITS) for name, value in found.items() if np.isfinite(value)}
    return PriceFigures(last.date(), **rounded)


def _window(days: CloseDays, since: pd.Timestamp) -> int | None:
    """Where the close of `since` stands, or of `NEAREST_DAYS` before at most; None where there is none."""
    first = np.datetime64(since, "D")
    at = int(np.searchsorted(days, first, side="right")) - 1
    return at if at >= 0 and first - days[at] <= np.timedelta64(NEAREST_DAYS, "D") else None


def _over(closes: Closes, terms: MarketTerms, name: str) -> dict[str, float]:
    """The return over `closes`, unless one of their steps may be a split."""
    steps = closes[1:] / closes[:-1]
    if terms.has_splits and np.maximum(steps, 1 / steps).max(initial=1.0) > SPLIT:
        return {}
    return {name: float(closes[-1] / closes[0] - 1)}


def _risk(returns: Closes, a_year: float, risk_free: float | None) -> dict[str, float]:
    """How much returns of `a_year` in a year varied; no Sharpe ratio where they never did, or no rate is known."""
    import empyrical

    found = {
        "volatility_3y": empyrical.annual_volatility(returns, annualization=a_year),
        "max_drawdown_3y": empyrical.max_drawdown(returns),
    }
    if risk_free is not None and np.ptp(returns) > 0:
        each = (1 + risk_free) ** (1 / a_year) - 1
        found["sharpe_3y"] = empyrical.sharpe_ratio(returns, risk_free=each, annualization=a_year)
    return found


@dataclass(frozen=True, slots=True)
class ReturnMeasures:
    """What returns of anything say, a portfolio's for one; fractions, as in `PriceFigures`.

    Attributes:
        annual_return: the same return in each year.
        volatility: a year's standard deviation.
        sharpe: None where no rate without risk is given, or the returns are all the same.
        max_drawdown: from a high to the low after it, at most 0.
        value_at_risk: the return that one in twenty is below.
    """

    annual_return: float
    volatility: float
    sharpe: float | None
    max_drawdown: float
    value_at_risk: float


TAIL: Final = 0.05
"""The part of all returns that lies beyond the value at risk."""


def measures_of(returns: Closes, a_year: float, risk_free: float | None) -> ReturnMeasures:
    """The measures of returns (n,), two at least.

    Args:
        returns: from close to close, fractions.
        a_year: so many of them are a year.
        risk_free: yearly rate without risk.

    >>> found = measures_of(np.array([0.1, -0.5, 0.2]), 3, 0.0)
    >>> round(found.annual_return, 4), round(found.max_drawdown, 4)
    (-0.34, -0.5)
    """
    import empyrical

    sharpe = None
    if risk_free is not None and np.ptp(returns) > 0:
        each = (1 + risk_free) ** (1 / a_year) - 1
        sharpe = round(float(empyrical.sharpe_ratio(returns, risk_free=each, annualization=a_year)), _DIGITS)
    return ReturnMeasures(
        round(float(empyrical.cagr(returns, annualization=a_year)), _DIGITS),
        round(float(empyrical.annual_volatility(returns, annualization=a_year)), _DIGITS),
        sharpe,
        round(float(empyrical.max_drawdown(returns)), _DIGITS),
        round(float(empyrical.value_at_risk(returns, cutoff=TAIL)), _DIGITS),
    )


def figure_column(graph: KnowledgeGraph, metric: str, within: int | None = None) -> FloatArray:
    """(assets,) float64: the newest fact of that name of each of a snapshot's assets, NaN where there is none.

    Args:
        within: how many days before the snapshot's date a fact may be of; None for any.
    """
    out = np.full(len(graph.assets), np.nan)
    node = graph.find(NodeKind.METRIC, metric)
    if node is not None:
        edges = graph.edges_between(Relation.HAS_FACT)
        kept = (graph.edges.tail[edges] == node) & graph.current[edges]
        if within is not None:
            kept &= graph.edges.as_of[edges] >= to_days(graph.as_of) - within
        edges = edges[kept]
        out[graph.asset_span.position(graph.edges.head[edges])] = graph.edges.value[edges]
    return out


def risk_of(returns: Closes, a_year: float) -> tuple[Closes, Closes, Closes]:
    """Yearly volatility, Sharpe ratio without a rate, and drawdown (n,) of n portfolios' returns (d, n), two at least.

    The ratio is NaN where returns are all the same; all three are where a return is not known. Drawdowns are at most 0.

    >>> [round(float(value[0]), 4) for value in risk_of(np.array([[0.1], [-0.5], [0.2]]), 3)]
    [0.6557, -0.305, -0.5]
    """
    import empyrical

    out = np.full((3, returns.shape[1]), np.nan)
    some = np.flatnonzero(~np.isnan(returns).any(axis=0))
    if len(some):
        known = np.ascontiguousarray(returns[:, some])
        out[0, some] = empyrical.annual_volatility(known, annualization=a_year)
        out[2, some] = empyrical.max_drawdown(known)
        moved = np.ptp(known, axis=0) > 0
        if moved.any():
            out[1, some[moved]] = empyrical.sharpe_ratio(known[:, moved], annualization=a_year)
    return out[0], out[1], out[2]


def figure_facts(
    prices: pd.DataFrame, assets: pd.DataFrame, as_of: date, terms: MarketTerms, source: str
) -> pd.DataFrame:
    """The figures of all assets as rows of the contract's table of facts, sorted by asset.

    Args:
        prices: asset_id, date, close of any period; what is after `as_of`, or no close above zero, is left out.
        assets: asset_id, kind, category, currency: one row for each asset to make figures of.
        source: of the prices.
    """
    known = prices[(prices["date"] <= pd.Timestamp(as_of)) & (prices["close"] > 0)]
    known = known[known["asset_id"].isin(assets["asset_id"])].sort_values(["asset_id", "date"], kind="stable")
    ids, start = np.unique(known["asset_id"].to_numpy(dtype=object).astype(str), return_index=True)
    days = known["date"].to_numpy("datetime64[D]")
    closes = known["close"].to_numpy(np.float64)
    currency = assets.set_index("asset_id")["currency"].fillna("")
    found = {
        str(asset): figures_of(days[low:high], closes[low:high], terms, str(currency[asset]))
        for asset, low, high in zip(ids, start.tolist(), np.append(start, len(known))[1:].tolist(), strict=True)
    }
    rows = _rows(found, currency, terms, source) + _ranks(found, assets, terms, source)
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    days_of = pd.to_datetime(frame["as_of"]).astype("datetime64[s]")
    return frame.assign(as_of=days_of, known_at=days_of, value=frame["value"].astype("float64"))


def _rows(
    found: dict[str, PriceFigures], currency: pd.Series[Any], terms: MarketTerms, source: str
) -> list[tuple[Any, ...]]:
    names = [field.name for field in fields(PriceFigures) if field.name in FIGURES]
    out = []
    for asset, figures in found.items():
        money = str(currency[asset])
        units = {"last_close": money, "sharpe_3y": "ratio"}
        for name in names:
            value = getattr(figures, name)
            if not np.isnan(value):
                said = _source(source, name, terms, money)
                out.append((asset, name, value, units.get(name, "fraction"), figures.day, figures.day, said))
    return out


def _ranks(
    found: dict[str, PriceFigures], assets: pd.DataFrame, terms: MarketTerms, source: str
) -> list[tuple[Any, ...]]:
    """Each fund's rank by one-year return among those of its category whose last close is of about the same day."""
    out: list[tuple[Any, ...]] = []
    funds = assets[(assets["kind"] == "fund") & assets["category"].notna() & assets["asset_id"].isin(found)]
    said = _source(source, "category_rank_1y", terms, "")
    for _, ids in sorted(funds.groupby("category")["asset_id"]):
        ranked = {asset: found[asset] for asset in ids if not np.isnan(found[asset].return_1y)}
        for asset, own in ranked.items():
            peers = [f.return_1y for f in ranked.values() if abs((f.day - own.day).days) <= LONGEST_GAP]
            if len(peers) >= FEWEST_RANKED:
                rank = 1 + sum(value > own.return_1y for value in peers)
                out.append((asset, "category_rank_1y", rank, f"of {len(peers)}", own.day, own.day, said))
    return out


def _source(source: str, metric: str, terms: MarketTerms, currency: str) -> str:
    """Whose closes, by which formula, adjusted for what, and above which rate."""
    parts = [source, FIGURES[metric], terms.said]
    if metric == "sharpe_3y":
        parts.append(f"{100 * terms.risk_free[currency]:g}% a year without risk in {currency}")
    return "; ".join(parts)
