"""`Waterfall`: how a score adds up, as rows with a bar each that begins where the one above it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pathfolio.explain.explanation import Explanation
from pathfolio.explain.selection import digits_for
from pathfolio.explain.wording import Wording

SMALL: Final = 0.004
"""Parts below this share of all parts' absolute values stand together in one row."""


@dataclass(frozen=True)
class ScorePart:
    """A base term, what a channel lays on paths, or what it does not.

    Attributes:
        name: of the term or channel.
        detail: which of them it is; empty for what lies on paths.
        title: both in one line.
    """

    name: str
    detail: str
    title: str
    value: float


@dataclass(frozen=True)
class Bar:
    """One row; `start` and `size` of its bar are in percent of the width."""

    part: ScorePart
    start: float
    size: float


@dataclass(frozen=True)
class Waterfall:
    """The parts of a score in order.

    Attributes:
        rows: they add up to the score; the last may stand for `small` parts.
        digits: decimals that show the largest value with four significant digits.
    """

    rows: tuple[Bar, ...]
    small: tuple[ScorePart, ...]
    digits: int

    @property
    def small_value(self) -> float:
        """What the small parts add up to."""
        return sum(part.value for part in self.small)


def waterfall(explanation: Explanation, words: Wording) -> Waterfall:
    """The score of an explanation, part by part."""
    parts = score_parts(explanation, words)
    limit = SMALL * sum(abs(part.value) for part in parts)
    large = [part for part in parts if abs(part.value) >= limit]
    small = tuple(part for part in parts if abs(part.value) < limit)
    digits = digits_for([explanation.score, *(part.value for part in large)])
    return Waterfall(_rows(large, sum(part.value for part in small)), small, digits)


def score_parts(explanation: Explanation, words: Wording) -> list[ScorePart]:
    """Base terms and channels that are not 0, what lies on paths apart from what does not."""
    base = words.page("base")
    learned = words.page("learned")
    colon = words.language.colon
    parts = []
    for name, value in explanation.base:
        title = words.channel(name)
        parts.append(ScorePart(title, base, f"{base}{colon}{title}", value))
    for channel in explanation.channels:
        title = words.channel(channel.name)
        parts.append(ScorePart(title, "", title, channel.value - channel.remainder))
        parts.append(ScorePart(title, learned, f"{title}{colon}{learned}", channel.remainder))
    return [part for part in parts if part.value]


def _rows(parts: list[ScorePart], rest: float) -> tuple[Bar, ...]:
    """Bars from where the small parts, which come first in the sum and have no bar, leave off."""
    ends = [rest]
    for part in parts:
        ends.append(ends[-1] + part.value)
    low = min(0.0, *ends)
    width = (max(0.0, *ends) - low) or 1.0
    return tuple(
        Bar(part, round(100 * (min(start, end) - low) / width, 2), round(100 * abs(part.value) / width, 2))
        for part, start, end in zip(parts, ends, ends[1:], strict=False)
    )
