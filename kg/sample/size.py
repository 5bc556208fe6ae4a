"""How large a sample market is, and the days that it covers."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.errors import UsageError

END: Final = date(2026, 6, 30)
"""The last day of every sample market; a constant, so that a build of it can be repeated."""

WARM_UP_YEARS: Final = 3
"""Years simulated before the first price that is written, so that three-year returns exist from the start."""

Dates = npt.NDArray[np.datetime64]

_LIMITS: Final = {
    "investors": (1, 1_000_000),
    "stocks": (40, 720),
    "funds": (4, 210),
    "bonds": (4, 80),
    "years": (1, 10),
}


@dataclass(frozen=True)
class SampleSize:
    """How many investors, stocks, funds and bonds to make, and how many years of history.

    Raises:
        UsageError: a number is outside of what the lists of names and the history allow.
    """

    investors: int = 2000
    stocks: int = 300
    funds: int = 60
    bonds: int = 12
    years: int = 3

    def __post_init__(self) -> None:
        for name, (least, most) in _LIMITS.items():
            given = getattr(self, name)
            if not least <= given <= most:
                raise UsageError(f"SampleSize.{name} is {given}: choose a number from {least} to {most}")


@dataclass(frozen=True)
class Calendar:
    """Monday to Friday, without holidays.

    Attributes:
        days: (d,) datetime64[D], the business days from the warm-up to `END`.
        years: the years of history that are written.
    """

    days: Dates
    years: int

    @staticmethod
    def of(size: SampleSize) -> Calendar:
        """The calendar of a market of this size."""
        end = np.datetime64(END, "D")
        first = np.datetime64(END.replace(year=END.year - size.years - WARM_UP_YEARS), "D") - 70
        days = np.arange(first, end + 1)
        return Calendar(days[np.is_busday(days)], size.years)

    def at(self, day: np.datetime64) -> int:
        """Position of the last business day up to and including `day`."""
        return int(np.searchsorted(self.days, day, side="right")) - 1

    @cached_property
    def months(self) -> Dates:
        """(12 * years + 1,) datetime64[D]: calendar month-ends, the first one being the day the history starts."""
        last = np.datetime64(END, "M")
        starts = np.arange(last - 12 * self.years, last + 1) + 1
        return starts.astype("datetime64[D]") - 1

    @cached_property
    def month_ends(self) -> npt.NDArray[np.int64]:
        """(12 * years + 1,) int64: positions in `days` of each month's last business day."""
        return np.searchsorted(self.days, self.months, side="right") - 1

    def month_ends_before(self, at: npt.NDArray[np.int64], months: int) -> npt.NDArray[np.int64]:
        """Positions of the last business day of the month that is `months` before that of each day `at`."""
        starts = self.days[at].astype("datetime64[M]") - months + 1
        return np.searchsorted(self.days, starts.astype("datetime64[D]") - 1, side="right") - 1

    @cached_property
    def quarter_ends(self) -> npt.NDArray[np.int64]:
        """(q,) int64: positions of the last business day of each March, June, September and December."""
        quarter = self.days.astype("datetime64[M]").astype(np.int64) // 3
        return np.flatnonzero(np.append(np.diff(quarter) > 0, True))

    @cached_property
    def price_start(self) -> int:
        """Position of the first day whose price is written: a month before the history, for three full years."""
        return int(self.month_ends_before(self.month_ends[:1], 1)[0])

    @property
    def start(self) -> np.datetime64:
        """The day on which the history starts: investors' first statements."""
        return np.datetime64(self.months[0], "D")


def stream(seed: int, part: str) -> np.random.Generator:
    """The random numbers of one part of the market: the same for a seed, whatever the other parts draw."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(part.encode())])))
