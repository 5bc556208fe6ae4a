"""Technical indicators of an asset's closes on one day, by TA-Lib: moving averages, RSI, MACD, Bollinger bands."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray, Text

INDICATORS: Final = (
    "ma_20", "ma_60", "rsi_14", "macd", "bollinger_place", "bollinger_width",
    "return_21", "return_63", "return_126", "return_252", "volatility_63", "drawdown_252",
)  # fmt: skip
"""Columns of `indicators`; all but rsi_14 (0 to 100) and bollinger_place (0 lower band, 1 upper) are fractions."""

WINDOW: Final = 128
"""Daily log returns that the price encoder reads."""

STALE_DAYS: Final = 30
"""An asset whose last close is older has no indicators: it is not traded any more."""

_LONGEST: Final = 300


def check_indicators() -> None:
    """Raise UsageError where TA-Lib is not installed."""
    if find_spec("talib") is None:
        raise UsageError("indicators of prices need TA-Lib: pip install 'pathfolio[baselines]'")


def closes_by_asset(prices: pd.DataFrame, ids: Text, day: pd.Timestamp) -> dict[int, FloatArray]:
    """Position in `ids` to the last closes dated `day` or earlier, oldest first; nothing later is read.

    Args:
        prices: asset_id, date, close.
        ids: (assets,) asset ids.
    """
    known = prices[(prices["date"] <= day) & (prices["close"] > 0)]
    known = known.assign(at=pd.Index(ids, dtype=object).get_indexer(pd.Index(known["asset_id"].astype(object))))
    known = known[known["at"] >= 0].sort_values(["at", "date"], kind="stable")
    last = known.groupby("at")["date"].transform("max")
    known = known[last >= day - pd.Timedelta(days=STALE_DAYS)]
    found = known.groupby("at")["close"]
    return {int(str(at)): values.to_numpy(np.float64)[-_LONGEST:] for at, values in found}


def indicators(closes: FloatArray) -> FloatArray:
    """(len(INDICATORS),) of one series of closes, oldest first; NaN where the series is too short.

    >>> row = indicators(np.linspace(100.0, 200.0, 300))
    >>> float(row[INDICATORS.index("rsi_14")]), float(row[INDICATORS.index("drawdown_252")])
    (100.0, 0.0)
    """
    import talib

    last = closes[-1]
    upper, middle, lower = (_last(band) for band in talib.BBANDS(closes, timeperiod=20))
    width = upper - lower
    return np.array(
        [
            last / _last(talib.SMA(closes, timeperiod=20)) - 1,
            last / _last(talib.SMA(closes, timeperiod=60)) - 1,
            _last(talib.RSI(closes, timeperiod=14)),
            _last(talib.MACD(closes)[2]) / last,
            (last - lower) / width if width > 0 else np.nan,
            width / middle,
            *(_return(closes, days) for days in (21, 63, 126, 252)),
            float(np.diff(np.log(closes[-64:])).std()) if len(closes) >= 64 else np.nan,
            1 - last / closes[-252:].max(),
        ]
    )


def log_returns(closes: FloatArray) -> npt.NDArray[np.float32]:
    """(WINDOW,) the last daily log returns in units of 2%, zero before the series begins."""
    out = np.zeros(WINDOW, np.float32)
    moves = np.clip(np.diff(np.log(closes[-WINDOW - 1 :])) / 0.02, -5, 5)
    out[WINDOW - len(moves) :] = moves
    return out


def _last(series: FloatArray) -> float:
    return float(series[-1])


def _return(closes: FloatArray, days: int) -> float:
    return float(closes[-1] / closes[-1 - days] - 1) if len(closes) > days else float("nan")
