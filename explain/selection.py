"""Which few paths to show first: large ones that differ from each other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Final

from pathfolio.explain.evidence import Path

SAME_SHAPE: Final = 0.25
"""What a path counts for each chosen one of the same channel and relations, held or held before."""

SAME_HOLDING: Final = 0.75
"""What it counts for each chosen one that begins with the same holding or answer."""


def diverse(paths: Iterable[Path], most: int) -> list[Path]:
    """Up to `most` paths, the largest first, chosen so that each shows what the others do not.

    Greedy: a path counts |contribution| * 0.25^(chosen ones of its shape) * 0.75^(chosen ones of its first node).
    """
    left = sorted(paths, key=lambda path: (-abs(path.contribution), path.id))
    shown: list[Path] = []
    count: Counter[Hashable] = Counter()
    while left and len(shown) < most:
        best = max(left, key=lambda path: _worth(path, count))
        left.remove(best)
        shown.append(best)
        count.update(_features(best))
    return sorted(shown, key=lambda path: (-abs(path.contribution), path.id))


def _features(path: Path) -> tuple[Hashable, Hashable]:
    return (path.channel, path.relations[1:]), (path.nodes[1].kind, path.nodes[1].id)


def _worth(path: Path, count: Counter[Hashable]) -> float:
    shape, holding = _features(path)
    return abs(path.contribution) * SAME_SHAPE ** count[shape] * SAME_HOLDING ** count[holding]


def digits_for(values: Sequence[float]) -> int:
    """How many decimals show the largest of `values` with four significant digits; from 2 to 9.

    >>> digits_for([1.234, 0.5]), digits_for([0.0123]), digits_for([120.0]), digits_for([0.0])
    (3, 5, 2, 3)
    """
    largest = max((abs(value) for value in values), default=0.0)
    return min(9, max(2, 3 - math.floor(math.log10(largest)))) if largest > 0 else 3
