"""A market's suitability rules as immutable values; `rulefile` beside reads them from TOML."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.suitability.verdict import Outcome

FORMAT: Final = 1
"""The version of the rule files' own layout."""

RULE_KINDS: Final = (
    "risk_level",
    "complexity",
    "horizon",
    "capacity",
    "concentration",
    "restricted",
    "tradable",
    "freshness",
)
CONCENTRATIONS: Final = ("asset", "issuer", "industry", "currency")
FRESH_FACTS: Final = ("profile", "rating", "holdings", "build")
DERIVED: Final = ("risk_class", "complexity")


@dataclass(frozen=True)
class Rule:
    """One rule of a market.

    Attributes:
        name: its id, by which records and reports name it.
        kind: one of `RULE_KINDS`.
        title: language to title.
        basis: language to the law or code that it serves; empty where the file names none.
        unknown: what counts where the facts do not decide; rejects unless the file says otherwise.
        absent: rules about an investor's level: what counts where the data hold no such level of anybody, so that
            it was never asked; as `unknown` unless the file says otherwise.
        fail: what a violation counts as, reject or warn.
        derived: what a violation counts as where it rests on what the rules assume since the source does not state
            it: a class by the kind of asset, positions of equal size; as `fail` unless the file says otherwise.
        uncertain: risk_level and capacity: what counts where the derived class is within the level, but the asset may
            have one that is not; passes unless the file says otherwise.
        predicted: rules about a level, and the age of answers: what counts where the source has predicted the level,
            so that the investor told none; a level that allows the asset is then taken for told unless the file says
            otherwise. What a predicted level forbids is forbidden as by a told one.
        tolerance: risk_level and capacity: how many classes above the level only warn.
        group: concentration: what is added up, one of `CONCENTRATIONS`; freshness: one of `FRESH_FACTS`.
        limit: concentration: the largest fraction of the portfolio after the purchase.
        fund_limit: concentration in one asset: the limit for a fund of which the holdings are not known.
        warn_at: concentration: the fraction from which it warns.
        max_days: freshness and tradable: how old the newest fact may be, in days.
        exempt: segments of investors to whom it does not apply.
        line: where it stands in the file.
    """

    name: str
    kind: str
    title: dict[str, str]
    basis: dict[str, str] = field(default_factory=dict)
    unknown: Outcome = Outcome.REJECT
    absent: Outcome = Outcome.REJECT
    fail: Outcome = Outcome.REJECT
    derived: Outcome = Outcome.REJECT
    uncertain: Outcome = Outcome.PASS
    predicted: Outcome = Outcome.PASS
    tolerance: int = 0
    group: str = ""
    limit: float = 1.0
    fund_limit: float = 1.0
    warn_at: float = 1.0
    max_days: int = 0
    exempt: tuple[str, ...] = ()
    line: int = 0


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
        levels: for risk, capacity and experience: an investor's level, in lower case, to the highest class;
            for horizon: an objective to years.
        ratings: an asset's stated rating, in lower case, to its risk class.
        holding_years: risk class to the years for which such an asset should be held at least.
        stop_metrics: metrics that, above zero, mean that an asset cannot be bought.
        volatility: how prices make a risk class where the source states none; None: they do not.
        foreign_class: the lowest derived class of what trades in another currency than `base_currency`; 0: any.
        sha256: of the file's bytes.
    """

    market: str
    version: str
    title: dict[str, str]
    base_currency: str
    purchase_share: float
    equal_weights: bool
    levels: dict[str, dict[str, float]]
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
