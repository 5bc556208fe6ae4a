"""Words of the data that stand for a place on a scale: objectives and analysts' ratings."""

from __future__ import annotations

import tomllib
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


@cache
def _scale(name: str) -> MappingProxyType[str, int]:
    text = resources.files("pathfolio.explain").joinpath("scales.toml").read_text(encoding="utf-8")
    return MappingProxyType({str(word).casefold(): int(place) for word, place in tomllib.loads(text)[name].items()})
