"""Whether the time of some work grows about as its input does, on a machine that does other things, too."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

STEP: Final = 4
"""By so much the input grows: work that takes its square takes sixteen times as long, linear work four times."""

MOST: Final = 9.0
"""By so much the time may grow; (9 ** (1 / 2) = 3 for twice the input)."""

TOO_SHORT: Final = 0.02
"""Seconds of processor time below which nobody waits, and nothing can be measured."""

_TRIES: Final = 5


def growth(work: Callable[[str], object], text_of: Callable[[int], str], size: int) -> float:
    """By how much the thread's processor time grows as `text_of` grows from `size / STEP` to `size`; 0: too short.

    The least of several runs counts, since only other work can make one longer.
    """
    large = _seconds(work, text_of(size), 1)
    if large < TOO_SHORT:
        return 0.0
    small = _seconds(work, text_of(size // STEP), _TRIES)
    return min(large, _seconds(work, text_of(size), 2)) / small


def _seconds(work: Callable[[str], object], text: str, tries: int) -> float:
    taken = []
    for _ in range(tries):
        begun = time.thread_time()
        work(text)
        taken.append(time.thread_time() - begun)
    return min(taken)
