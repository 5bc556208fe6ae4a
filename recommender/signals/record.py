"""The record of one model at one horizon: all figures of its forecasts, and the series that they are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals.cross_section import daily_ic, daily_rank_ic
from pathfolio.recommender.signals.inference import (
    SeriesMean,
    deflated_sharpe,
    expected_best_sharpe,
    newey_west,
    series_mean,
)
from pathfolio.recommender.signals.labels import TRADING_DAYS, Labels, Target
from pathfolio.recommender.signals.losses import LOSSES
from pathfolio.recommender.signals.panel import Mask, Panel
from pathfolio.recommender.signals.trading import TradingTerms, drawdown, earned, liquid_return, sharpe, yearly

_NO_SERIES: Final = np.zeros(0)


@dataclass(frozen=True, eq=False)
class SignalRecord:
    """What came of a model's forecasts.

    Attributes:
        model, target, horizon: whose, of what, and over how many trading days.
        metrics: name to value.
        rank_ic: (T,) of each day.
        spread, net: (T,) daily returns of top less bottom decile, and of the top one after costs; empty for risks.
        losses: by name (T,) means over the assets of a day; empty for returns.
        forecast: (T, N).
        seconds: that it took.
    """

    model: str
    target: Target
    horizon: int
    metrics: dict[str, float]
    rank_ic: FloatArray
    spread: FloatArray
    net: FloatArray
    losses: dict[str, FloatArray]
    forecast: FloatArray
    seconds: float


@dataclass(frozen=True, eq=False)
class Tested:
    """What a record is about.

    Attributes:
        panel, labels: of the market.
        among: (T, N) the cells that count: the universe on the days of the test.
    """

    panel: Panel
    labels: Labels
    among: Mask


def record_of(
    name: str, target: Target, horizon: int, forecast: FloatArray, tested: Tested, terms: TradingTerms, seconds: float
) -> SignalRecord:
    """The record of forecasts (T, N); of days and assets outside of the test nothing is looked at."""
    forecast = np.where(tested.among, forecast, np.nan)
    truth, among, ends = tested.labels.values, tested.among, tested.labels.ends
    linear, ranked = daily_ic(forecast, truth, among), daily_rank_ic(forecast, truth, among)
    metrics = _of_ic("rank_ic", series_mean(ranked, ends)) | _of_ic("ic", series_mean(linear, ends))
    metrics["days"] = float(np.isfinite(ranked).sum())
    cells = among & np.isfinite(truth)
    metrics["coverage"] = float((cells & np.isfinite(forecast)).sum() / max(cells.sum(), 1))
    spread = net = _NO_SERIES
    losses: dict[str, FloatArray] = {}
    if target is Target.RETURN:
        made = earned(tested.panel, forecast, among, horizon, terms)
        spread, net = made.spread, made.net
        metrics |= {
            "top_decile": yearly(made.gross),
            "top_decile_net": yearly(net),
            "turnover": made.turnover * TRADING_DAYS,
            "information_ratio": sharpe(made.gross),
            "sharpe_net": sharpe(net),
            "drawdown_net": drawdown(net),
            "decile_spread": yearly(spread),
        }
        liquid = liquid_return(tested.panel, forecast, truth, among, terms)
        metrics["liquidity_weighted"] = yearly(liquid) / horizon
    else:
        names = list(LOSSES) if target is Target.VOLATILITY else ["mse"]
        losses = {each: _by_day(LOSSES[each](forecast, truth), cells) for each in names}
        metrics |= {each: _mean(series) for each, series in losses.items()}
        metrics |= _calibration(forecast[cells], truth[cells], target)
    return SignalRecord(name, target, horizon, metrics, ranked, spread, net, losses, forecast, seconds)


def _of_ic(name: str, found: SeriesMean) -> dict[str, float]:
    ratio = found.mean / found.deviation if found.deviation > 0 else math.nan
    return {
        name: found.mean,
        f"{name}_se": found.error,
        f"{name}_low": found.low,
        f"{name}_high": found.high,
        f"{name}ir": ratio,
    }


def _by_day(loss: FloatArray, cells: Mask) -> FloatArray:
    """(T,): the mean over assets."""
    known = cells & np.isfinite(loss)
    n = known.sum(axis=1)
    return np.where(n > 0, np.where(known, loss, 0.0).sum(axis=1) / np.maximum(n, 1), np.nan)


def _mean(series: FloatArray) -> float:
    known = series[np.isfinite(series)]
    return float(known.mean()) if len(known) else math.nan


def _calibration(forecast: FloatArray, truth: FloatArray, target: Target) -> dict[str, float]:
    """Mincer and Zarnowitz (1969): truth = a + b forecast; a = 0 and b = 1 where nothing is to be mended."""
    known = np.isfinite(forecast)
    x, y = forecast[known], truth[known]
    if len(x) < 3 or np.ptp(x) == 0:
        return {"mz_intercept": math.nan, "mz_slope": math.nan, "mz_r2": math.nan}
    slope = float(np.cov(x, y)[0, 1] / x.var(ddof=1))
    unit = 1e4 if target is Target.VOLATILITY else 1.0
    level = float(y.mean() - slope * x.mean()) * unit
    return {"mz_intercept": level, "mz_slope": slope, "mz_r2": float(np.corrcoef(x, y)[0, 1] ** 2)}


def compared(records: list[SignalRecord], baseline: str, trials: int) -> list[SignalRecord]:
    """The records of one horizon, with what can be told of them only together.

    Diebold and Mariano's statistic (1995) of each loss against the baseline, negative where the model is better; and
    the deflated Sharpe ratio of what returns earn after costs, with so many trials.
    """
    found = {record.model: record for record in records}
    ratios = np.array([r.metrics["sharpe_net"] / math.sqrt(TRADING_DAYS) for r in records if "sharpe_net" in r.metrics])
    chance = expected_best_sharpe(ratios, trials)
    for record in records:
        base = found.get(baseline)
        if record.losses and base is not None and base is not record and base.target is record.target:
            for name, loss in record.losses.items():
                difference = loss - base.losses[name]
                record.metrics[f"dm_{name}"] = _diebold_mariano(difference[np.isfinite(difference)], record.horizon)
        if len(record.net):
            record.metrics["deflated_sharpe"] = deflated_sharpe(record.net, chance)
            record.metrics["trials"] = float(trials)
    return records


def _diebold_mariano(difference: FloatArray, horizon: int) -> float:
    if len(difference) < 3:
        return math.nan
    error = newey_west(difference, max(horizon, math.floor(4 * (len(difference) / 100) ** (2 / 9))))
    return float(difference.mean() / error) if error > 0 else math.nan
