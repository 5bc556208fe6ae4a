"""What was said of a portfolio: its weights, and each figure as a dated fact with its formula, in an entry of its own.

The list that would be bought has a record of its own, which the entry names; what it adds is how much of what, and what
that makes of return and risk. `pathfolio.explain.checker.portfolios` computes the figures again from the weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from types import MappingProxyType
from typing import ClassVar, Final

import msgspec
from msgspec.structs import replace

from pathfolio.explain.ledger.payloads import ADVICE_CLASS, Payload
from pathfolio.explain.ledger.writer import Receipt
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.records.serve import tags_of
from pathfolio.recommender.portfolio.book import BeforeAndAfter
from pathfolio.recommender.portfolio.figures import PortfolioFigures

PORTFOLIO: Final = "portfolio"

FORMULAS: Final = MappingProxyType(
    {
        "annual_return": ("fraction", "product of all days' (1 + return) ^ (1/3) - 1"),
        "volatility": ("fraction", "standard deviation of the days' returns * square root of their number in a year"),
        "sharpe": ("ratio", "(mean of the days' returns - rate without risk) / standard deviation, annualised"),
        "max_drawdown": ("fraction", "lowest value / highest value before it - 1"),
        "value_at_risk": ("fraction", "the return of a day that 5% of the days are below, between two days in line"),
    }
)
"""Each figure's unit and formula; a day's return is the sum of weight times return of the assets that are counted."""


MIX_FORMULA: Final = (
    "sum of weight times what of the asset belongs to the group, funds looked through to what they hold"
)
"""How each part of a mix is made; `LOOK_THROUGH_DEPTH` says how far funds of funds are followed."""


class PortfolioWeight(msgspec.Struct, frozen=True, array_like=True):
    """An asset's fraction of the portfolio now and as it would be; `counted` where it has three years of closes."""

    asset_id: str
    now: float
    then: float
    counted: bool


class PortfolioFact(msgspec.Struct, frozen=True):
    """A figure of the portfolio, as a fact: of the day of the last close, which is when it could be known."""

    metric: str
    value: float
    unit: str
    as_of: date
    known_at: date
    source: str


class PortfolioMix(msgspec.Struct, frozen=True):
    """What the portfolio consists of by one kind of group, as a fact of the snapshot's day.

    Attributes:
        group: class, currency, industry or issuer.
        parts: name of a group, and its fraction of the portfolio now and as it would be; what belongs to none has no
            name.
    """

    group: str
    as_of: date
    known_at: date
    source: str
    parts: tuple[tuple[str, float, float], ...]


class PortfolioEntry(Payload, frozen=True, kw_only=True):
    """What a page said of a portfolio.

    Attributes:
        page: portfolio or plan.
        of_list: id of the record of the list that would be bought.
        split: how the sum is divided.
        budget: percent of what the portfolio is worth; 0 where the whole is divided anew.
        weights: those that are held first.
        now, then: the figures of the portfolio as it is, and as it would be; none where too little has closes.
        mixes: what it consists of; none in entries from before they were facts.
    """

    entry_kind: ClassVar[str] = PORTFOLIO
    retention: ClassVar[str] = ADVICE_CLASS
    who: str
    through: str
    user_id: str
    page: str
    of_list: str
    split: str
    budget: int
    weights: tuple[PortfolioWeight, ...] = ()
    now: tuple[PortfolioFact, ...] = ()
    then: tuple[PortfolioFact, ...] = ()
    mixes: tuple[PortfolioMix, ...] = ()


def record_portfolio(desk: Desk, asked: PortfolioEntry, found: BeforeAndAfter) -> Receipt:
    """Put what is to be shown of a portfolio into the ledger, sealed with the investor's key.

    Args:
        asked: the entry without weights, figures and mixes.

    Raises:
        LedgerError: it could not be recorded, so it may not be shown.
    """
    graph, unpriced = desk.adviser.build.graph, set(found.unpriced.tolist())
    rows = zip(found.weights.at.tolist(), found.weights.before.tolist(), found.weights.after.tolist(), strict=True)
    weights = (PortfolioWeight(str(graph.asset_ids[at]), now, then, at not in unpriced) for at, now, then in rows)
    now, then = tuple(_facts(found.before)), tuple(_facts(found.after))
    mixes = tuple(
        PortfolioMix(
            mix.group, graph.as_of, graph.as_of, MIX_FORMULA, tuple((p.name, p.before, p.after) for p in mix.parts)
        )
        for mix in found.mixes
    )
    entry = replace(asked, weights=tuple(weights), now=now, then=then, mixes=mixes)
    return desk.ledger.note(entry, person=asked.user_id, tags=tags_of(desk.adviser))


def _facts(found: PortfolioFigures | None) -> Iterator[PortfolioFact]:
    if found is None:
        return
    day = found.last_day
    for metric, (unit, formula) in FORMULAS.items():
        value = getattr(found, metric)
        if value is not None:
            rate = f"; {100 * found.rate:.10g}% a year without risk" if metric == "sharpe" and found.rate else ""
            source = f"{found.days} days' returns from {found.first_day} to {day}, by weight; {formula}{rate}"
            yield PortfolioFact(f"portfolio_{metric}", value, unit, day, day, source)
