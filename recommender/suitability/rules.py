"""A market's suitability rules as immutable values; `rulefile` beside reads them from TOML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from pathfolio.kg.languages.names import Names
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.recommender.suitability.rule import Rule

FORMAT: Final = 1
"""The version of the rule files' own layout."""

DERIVED: Final = ("risk_class", "complexity")
"""What a file may derive of assets whose source states nothing."""

RESTRICTABLE: Final = MappingProxyType(
    {
        "asset": None,
        "issuer": (NodeKind.ISSUER, Relation.ISSUED_BY),
        "industry": (NodeKind.INDUSTRY, Relation.IN_INDUSTRY),
        "country": (NodeKind.COUNTRY, Relation.IN_COUNTRY),
        "category": (NodeKind.CATEGORY, Relation.IN_CATEGORY),
    }
)
"""What a restriction may name, with the node and relation by which it finds its assets; None: the asset itself."""


@dataclass(frozen=True)
class Derivation:
    """A class for assets whose source states none; the first that fits is taken, and marked as derived.

    An asset fits if its kind is among `kinds` (empty: any) and one of `words` occurs in its category, sector,
    industry or name (empty: always); case does not matter.

    Attributes:
        least: the lowest class that measured prices may give what this line fits; `value` where it says nothing.
        most: the highest class that is possible while prices are not measured; `value` where it says nothing.
    """

    target: str
    value: int
    least: int
    most: int
    kinds: tuple[NodeKind, ...] = ()
    words: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class VolatilityScale:
    """How far prices varied, as a risk class.

    Attributes:
        window_days: the days up to the market's newest price that count.
        fewest: weekly returns below which nothing is measured.
        limits: rising fractions a year; the class is 1 below the first, 2 below the second, and so on.
    """

    window_days: int
    fewest: int
    limits: tuple[float, ...]


@dataclass(frozen=True)
class Restriction:
    """What may not be bought: an asset by id, or all of an issuer, industry, country or category."""

    kind: str
    value: str
    reason: str
    starts: date | None = None
    ends: date | None = None
    line: int = 0

    def holds_on(self, day: date) -> bool:
        """Whether it is in force."""
        return (self.starts is None or self.starts <= day) and (self.ends is None or day <= self.ends)


@dataclass(frozen=True)
class RuleSet:
    """All rules of one market, as one file states them.

    Attributes:
        market, version, title: what the file calls itself.
        base_currency: the currency in which concentration by currency is not limited.
        purchase_share: the fraction of the portfolio that a purchase is taken to be.
        equal_weights: whether positions without values are taken to be equally large (marked as derived).
        levels: by the tables of the kinds of rules about a level: an investor's level, in lower case, to the highest
            class; for horizon: an objective to years.
        tables: what a kind of rule reads beside that (`Rule.tables`), by name.
        ratings: an asset's stated rating, in lower case, to its risk class.
        holding_years: risk class to the years for which such an asset should be held at least.
        stop_metrics: metrics that, above zero, mean that an asset cannot be bought.
        volatility: how prices make a risk class where the source states none; None: they do not.
        foreign_class: the lowest derived class of what trades in another currency than `base_currency`; 0: any.
        sha256: of the file's bytes.
    """

    market: str
    version: str
    title: Names
    base_currency: str
    purchase_share: float
    equal_weights: bool
    levels: dict[str, dict[str, float]]
    tables: dict[str, dict[str, float]]
    ratings: dict[str, int]
    holding_years: dict[int, float]
    stop_metrics: tuple[str, ...]
    derivations: tuple[Derivation, ...]
    restrictions: tuple[Restriction, ...]
    rules: tuple[Rule, ...]
    sha256: str
    text: str
    volatility: VolatilityScale | None = None
    foreign_class: int = 0

    @property
    def source(self) -> str:
        """How facts that the rule file itself states or derives name their source."""
        return f"rules {self.market} {self.version}"
