"""Alpha101: the formulas of prices and volume, and a linear sum of their ranks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pathfolio.recommender.signals.model import option
from pathfolio.recommender.signals.models.ridge import Ridge


@dataclass(frozen=True)
class Alpha101(Ridge):
    """The paper gives formulas, and no way to add them up: here their weights are those of a ridge regression."""

    name: ClassVar[str] = "alpha101"
    about: ClassVar[str] = "a linear sum of the 82 of 101 formulas that need no industry and no capitalisation"
    paper: ClassVar[str] = "Kakushadze 2016, Wilmott 84 (arXiv 1601.00991)"

    inputs: str = option("alphas", "what is read: alphas, features (28 of price and volume) or both")
