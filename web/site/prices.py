"""`PriceBook`: closing prices by asset, up to the snapshot's date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.graph import FloatArray

SHOWN_DAYS: Final = 365
FEWEST_PRICES: Final = 20
"""Fewer closes than these make no line."""


@dataclass(frozen=True)
class PriceHistory:
    """An asset's closes, oldest first, in the asset's currency.

    Attributes:
        dates: (n,) datetime64[D].
        closes: (n,) float64.
        currency: ISO 4217, empty where unknown.
    """

    dates: npt.NDArray[np.datetime64]
    closes: FloatArray
    currency: str

    @property
    def first_day(self) -> date:
        """The day of the first close."""
        return pd.Timestamp(self.dates[0]).date()

    @property
    def last_day(self) -> date:
        """The day of the last close."""
        return pd.Timestamp(self.dates[-1]).date()

    @property
    def change(self) -> float:
        """From the first close to the last, as a fraction."""
        return float(self.closes[-1] / self.closes[0] - 1)

    def to_json(self) -> dict[str, object]:
        """Days and closes."""
        return {
            "dates": np.datetime_as_string(self.dates).tolist(),
            "closes": self.closes.tolist(),
            "currency": self.currency,
        }


@dataclass(frozen=True)
class PriceBook:
    """All closes, sorted by asset and day.

    Attributes:
        bounds: asset id to where its closes begin and end.
        dates: (n,) datetime64[D].
        closes: (n,) float64.
    """

    bounds: dict[str, tuple[int, int]]
    dates: npt.NDArray[np.datetime64]
    closes: FloatArray

    @classmethod
    def of(cls, prices: pd.DataFrame | None, as_of: date) -> PriceBook:
        """The closes of `prices` (asset_id, date, close) known on `as_of`; an empty book for None."""
        if prices is None:
            return cls({}, np.empty(0, "datetime64[D]"), np.empty(0))
        known = prices[(prices["date"] <= pd.Timestamp(as_of)) & (prices["close"] > 0)]
        known = known.sort_values(["asset_id", "date"], kind="stable")
        ids, start = np.unique(known["asset_id"].to_numpy(dtype=object).astype(str), return_index=True)
        ends = np.append(start, len(known))[1:].tolist()
        bounds = {str(key): (low, high) for key, low, high in zip(ids, start.tolist(), ends, strict=True)}
        return cls(bounds, known["date"].to_numpy("datetime64[D]"), known["close"].to_numpy(np.float64))

    def history(self, asset_id: str, currency: str, days: int = SHOWN_DAYS) -> PriceHistory | None:
        """The last `days` days up to the asset's last close; None where there are too few closes."""
        low, high = self.bounds.get(asset_id, (0, 0))
        if high - low < FEWEST_PRICES:
            return None
        oldest = self.dates[high - 1] - np.timedelta64(timedelta(days=days))
        low += int(np.searchsorted(self.dates[low:high], oldest))
        if high - low < FEWEST_PRICES:
            return None
        return PriceHistory(self.dates[low:high], self.closes[low:high], currency)
