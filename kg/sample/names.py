"""Invented names of companies, fund houses, analysts and investors, in English and Traditional Chinese."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt

TAIWAN: Final = 0
US: Final = 1
COUNTRIES: Final = ("Taiwan", "United States")
CURRENCIES: Final = ("TWD", "USD")

Text = npt.NDArray[np.object_]


@dataclass(frozen=True)
class NameLists:
    """The lists of `names.json`; the first of a pair is English (or Latin script), the second Chinese.

    `us_brands` have a ticker as their third part. None of the names and tickers belongs to a listed company
    that the authors know of.
    """

    taiwan_brands: list[list[str]]
    us_brands: list[list[str]]
    taiwan_surnames: list[list[str]]
    taiwan_given_names: list[list[str]]
    us_first_names: list[str]
    us_last_names: list[str]
    taiwan_houses: list[list[str]]
    us_houses: list[list[str]]
    analyst_firms: list[list[str]]

    def brands(self, country: int) -> list[list[str]]:
        """What companies of a country are called, without their ending."""
        return self.us_brands if country == US else self.taiwan_brands

    def houses(self, country: int) -> list[list[str]]:
        """Fund houses of a country."""
        return self.us_houses if country == US else self.taiwan_houses


@lru_cache(maxsize=1)
def names() -> NameLists:
    """The lists, read once."""
    return NameLists(
        **json.loads(resources.files("pathfolio.kg.sample").joinpath("names.json").read_text(encoding="utf-8"))
    )


def investor_names(rng: np.random.Generator, country: npt.NDArray[np.int64]) -> Text:
    """(n,) str: a name per investor; people in Taiwan have theirs in both scripts ("Ya-Ting Lin 林雅婷")."""
    pools = (_taiwan_people(names()), _us_people(names()))
    out = np.empty(len(country), dtype=object)
    for code, pool in enumerate(pools):
        at = np.flatnonzero(country == code)
        out[at] = rng.permutation(pool)[np.arange(len(at)) % len(pool)]
    return out


def _taiwan_people(lists: NameLists) -> Text:
    pairs = [(s, g) for s in lists.taiwan_surnames for g in lists.taiwan_given_names]
    return np.array([f"{given[0]} {family[0]} {family[1]}{given[1]}" for family, given in pairs], dtype=object)


def _us_people(lists: NameLists) -> Text:
    return np.array([f"{f} {last}" for f in lists.us_first_names for last in lists.us_last_names], dtype=object)


def isin(country: int, number: str) -> str:
    """An ISIN with a right check digit: TW + 10-digit number, or US + a number in CUSIP's block for private use.

    >>> isin(TAIWAN, "000233000")
    'TW0002330008'
    """
    body = ("US" if country == US else "TW") + number
    digits = [int(d) for c in body for d in str(int(c, 36))]
    doubled = (d * (2 - i % 2) for i, d in enumerate(reversed(digits)))
    return f"{body}{-sum(d // 10 + d % 10 for d in doubled) % 10}"
