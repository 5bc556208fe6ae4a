"""Axes of the larger charts: round numbers to write, and where values lie in the picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pathfolio.explain.wording import Wording

WIDTH: Final = 720
HEIGHT: Final = 400
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 14, 46
_STEPS: Final = (1, 2, 2.5, 5, 10)
_MOST_TICKS: Final = 6
_WHOLE: Final = 1e-6


@dataclass(frozen=True)
class Tick:
    """A number on an axis, and where it stands."""

    at: float
    value: float


@dataclass(frozen=True)
class Axis:
    """A range of values on a range of the picture, `start` for `low` and `end` for `high`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value lies."""
        part = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + part * (self.end - self.start), 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Round numbers within the range."""
        step = _round_step((self.high - self.low) / _MOST_TICKS)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(Tick(self.at(n * step), round(n * step, 10)) for n in range(first, last + 1))


def across(low: float, high: float) -> Axis:
    """From left to right."""
    return Axis(low, high, LEFT, WIDTH - RIGHT)


def upwards(low: float, high: float) -> Axis:
    """From below to above."""
    return Axis(low, high, HEIGHT - BOTTOM, TOP)


def percents(ticks: Iterable[Tick], words: Wording) -> list[str]:
    """The fractions of ticks as they are written, with a decimal where one needs it."""
    values = [tick.value for tick in ticks]
    digits = 0 if all(abs(100 * value - round(100 * value)) < _WHOLE for value in values) else 1
    return [words.percent(value, digits) for value in values]


def _round_step(size: float) -> float:
    """The smallest of 1, 2, 2.5, 5 and 10 times a power of ten that is not below `size`.

    >>> _round_step(0.013), _round_step(30)
    (0.02, 50.0)
    """
    power = 10 ** math.floor(math.log10(size)) if size > 0 else 1.0
    return float(round(next(step for step in _STEPS if step * power >= size * (1 - 1e-9)) * power, 10))
