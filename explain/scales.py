"""Words of the data that stand for a place on a scale: levels, objectives and analysts' ratings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from types import MappingProxyType


def is_income(objective: str) -> bool:
    """Whether an investor with this objective seeks an income."""
    return objective.strip().casefold() in _scale("objectives")


def opinion(rating: str) -> int:
    """1 for an analyst's word that means buy, -1 for sell, 0 for all others.

    >>> opinion("Overweight"), opinion("Hold"), opinion("Underperform")
    (1, 0, -1)
    """
    word = rating.strip().casefold()
    return int(word in _scale("buy")) - int(word in _scale("sell"))


def in_order(levels: Sequence[str], limits: Mapping[str, float] = MappingProxyType({})) -> tuple[str, ...]:
    """Levels of one question from the lowest to the highest.

    By the words that we know; where one of them is not known, by what the rules make of them, by the amounts that they
    name, or by their names.

    Args:
        limits: what the rules make of a level, by its name in lower case.

    >>> in_order(["Balanced", "Aggressive", "Conservative"])
    ('Conservative', 'Balanced', 'Aggressive')
    >>> in_order(["CAP_30K_80K", "CAP_GT300K", "CAP_LT30K", "CAP_80K_300K"])
    ('CAP_LT30K', 'CAP_30K_80K', 'CAP_80K_300K', 'CAP_GT300K')
    >>> in_order(["B", "A"], {"a": 5.0, "b": 2.0})
    ('B', 'A')
    """
    place = _scale("levels")
    ways: tuple[Callable[[str], float | None], ...] = (place.get, limits.get, _amount)
    for way in ways:
        found = [way(level.casefold()) for level in levels]
        if None not in found:
            keys = dict(zip(levels, found, strict=True))
            return tuple(sorted(levels, key=lambda level: (keys[level], level)))
    return tuple(sorted(levels))


def _amount(level: str) -> float | None:
    """The first number in the level's name, a little less or more where it is a bound."""
    number = re.search(r"\d+", level)
    if number is None:
        return None
    before = level[: number.start()]
    bound = -0.5 if re.search(r"lt|under|below", before) else 0.5 if re.search(r"gt|over|above", before) else 0.0
    return float(number.group()) + bound


@cache
def _scale(name: str) -> MappingProxyType[str, int]:
    text = resources.files("pathfolio.explain").joinpath("scales.toml").read_text(encoding="utf-8")
    return MappingProxyType({str(word).casefold(): int(place) for word, place in tomllib.loads(text)[name].items()})
