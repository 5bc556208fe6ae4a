"""Who may learn from which days: walking forward, or hv-blocked; a label that reaches into a test teaches nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from pathfolio.kg.errors import UsageError
from pathfolio.recommender.signals.panel import Days, Mask

EMBARGO: Final = 5
"""Days that are left out beside those whose labels overlap a test."""

FOLDS: Final = 6
"""Of the hv-blocked split."""

_RANDOM: Final = (
    "random k-fold is refused: days beside each other share their labels and their stocks' states, which on Taiwan's "
    "panel made a rank correlation of .16 to .19 of one of .005: name walk-forward or hv-block"
)


@dataclass(frozen=True, eq=False)
class SignalFold:
    """Days to learn from, and days to be asked for.

    Attributes:
        train, test: (T,) bool, apart.
        known: days up to this index may be read at all when fitting: the last before the test where one walks forward.
    """

    train: Mask
    test: Mask
    known: int


Splitter = Callable[[Days, int, int, int], Iterator[SignalFold]]
"""split(days, first, stop, ends): folds that test the days [first, stop), of labels that end `ends` days later."""


def walk_forward(days: Days, first: int, stop: int, ends: int) -> Iterator[SignalFold]:
    """A fold for each calendar year: learns from all days whose labels ended before it, less an embargo."""
    at = np.arange(len(days))
    years = days.astype("datetime64[Y]")
    for year in np.unique(years[first:stop]):
        test = (years == year) & (at >= first) & (at < stop)
        begin = int(np.flatnonzero(test)[0])
        yield SignalFold(at + ends + EMBARGO < begin, test, begin - 1)


def hv_block(days: Days, first: int, stop: int, ends: int) -> Iterator[SignalFold]:
    """Racine (2000): each of `FOLDS` blocks is tested by what is learned from all others, less gaps at both sides.

    It learns from later days too, so it says how stable a relation is; it is no track record.
    """
    at = np.arange(len(days))
    gap = ends + EMBARGO
    for block in np.array_split(at[first:stop], FOLDS):
        if len(block):
            test = (at >= block[0]) & (at <= block[-1])
            yield SignalFold((at < block[0] - gap) | (at > block[-1] + gap), test, len(days) - 1)


SPLITS: Final = MappingProxyType[str, Splitter]({"walk-forward": walk_forward, "hv-block": hv_block})


def splitter_of(name: str) -> Splitter:
    """A split by its name.

    Raises:
        UsageError: no such split, or one that lets the future in.

    >>> splitter_of("walk-forward") is walk_forward
    True
    """
    if name in SPLITS:
        return SPLITS[name]
    if name in ("random", "k-fold", "kfold", "random-k-fold"):
        raise UsageError(_RANDOM)
    raise UsageError(f"no split {name!r}: name {' or '.join(SPLITS)}")
