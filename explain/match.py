"""How well an asset meets what an investor wants, dimension by dimension: a figure, a rule, and what comes of it.

Risk and horizon are as the suitability rules found them; the others compare figures by the thresholds that stand here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from pathfolio.explain.facts import FEWEST_PEERS, FactBook
from pathfolio.explain.scales import is_income
from pathfolio.kg.span import Row
from pathfolio.recommender.suitability.investor import InvestorFacts
from pathfolio.recommender.suitability.verdict import Outcome, RuleResult

DIMENSIONS: Final = ("risk", "horizon", "objective", "interests", "performance", "cost", "diversification")

THIRD: Final = 1 / 3
"""The best part of the peers fits, the worst speaks against, what is between fits partly."""

APART: Final = 0.3
TOGETHER: Final = 0.7
"""A correlation with what is held up to the one fits, beyond the other it speaks against."""

APART_DAYS: Final = 400
"""Figures of all assets of a kind are compared where they are of about a year: expenses are told once in one."""

LONG: Final = 10
"""Years from which an objective is one of growth, by which assets are compared by return; shorter ones by how
little they move, those of an income by what they yield."""


class Fit(StrEnum):
    """What comes of a cell."""

    FITS = "fits"
    PARTLY = "partly"
    AGAINST = "against"
    OPEN = "open"


@dataclass(frozen=True)
class MatchCell:
    """One asset in one dimension.

    Attributes:
        rule: which text says how it was compared; with `Fit.OPEN` why it could not be.
        value, limit: the figure, and what it was compared with; None where there is none.
        rank, of: its place among peers, the best first; 0 where it has none.
    """

    dimension: str
    fit: Fit
    rule: str
    value: float | None = None
    limit: float | None = None
    rank: int = 0
    of: int = 0


_OF_EFFECT: Final = {Outcome.PASS: Fit.FITS, Outcome.WARN: Fit.PARTLY, Outcome.REJECT: Fit.AGAINST}


def ruled(dimension: str, kind: str, results: Iterable[RuleResult]) -> MatchCell:
    """A dimension that a suitability rule of a kind has found about."""
    found = next((result for result in results if result.kind == kind), None)
    if found is None:
        return MatchCell(dimension, Fit.OPEN, "no_rule")
    if found.measured is None or found.limit is None:
        return MatchCell(dimension, Fit.OPEN, f"{dimension}_unknown", found.measured, found.limit)
    fit = Fit.OPEN if found.outcome is Outcome.UNKNOWN else _OF_EFFECT[found.effect]
    return MatchCell(dimension, fit, dimension, found.measured, found.limit)


def objective(facts: FactBook, row: Row, investor: InvestorFacts) -> MatchCell:
    """By yield for an income, by return for a long goal, else by how little it moves."""
    level = investor.levels.get("horizon")
    if level is None or not level.name:
        return MatchCell("objective", Fit.OPEN, "objective_unknown")
    if is_income(level.name):
        return among_peers("objective", "objective_income", facts, row, "dividend_yield")
    if level.limit is None:
        return MatchCell("objective", Fit.OPEN, "objective_unknown")
    if level.limit >= LONG:
        return among_peers("objective", "objective_growth", facts, row, "annual_return_3y")
    return among_peers("objective", "objective_calm", facts, row, "volatility_3y", smallest=True)


def among_peers(
    dimension: str, rule: str, facts: FactBook, row: Row, metric: str, *, smallest: bool = False
) -> MatchCell:
    """By the asset's place among its peers, or where these are too few among all of its kind; the smallest value is the
    best, if asked for."""
    fact = facts.of(row).get(metric)
    if fact is None:
        return MatchCell(dimension, Fit.OPEN, f"{dimension}_no_figure")
    value = float(fact.value)
    peers = facts.peers(row, metric)
    values = facts.of_kind(row, metric, APART_DAYS) if peers is None else peers.values
    if len(values) < FEWEST_PEERS:
        return MatchCell(dimension, Fit.OPEN, "few_peers", value)
    better = int((values < value).sum() if smallest else (values > value).sum())
    part = (better + 1) / len(values)
    fit = Fit.FITS if part <= THIRD else Fit.PARTLY if part <= 2 * THIRD else Fit.AGAINST
    among = rule if peers is not None else f"{rule}_kind"
    return MatchCell(dimension, fit, among, value, float(np.median(values)), better + 1, len(values))


def interest(named: int, held: int) -> MatchCell:
    """By groups of the asset that the investor named as of interest, and those of which they hold others."""
    if named:
        return MatchCell("interests", Fit.FITS, "interests_named", named)
    if held:
        return MatchCell("interests", Fit.PARTLY, "interests_held", held)
    return MatchCell("interests", Fit.OPEN, "interests_none")


def diversification(found: float | None, holds_any: bool) -> MatchCell:
    """By the correlation with what is held."""
    if not holds_any:
        return MatchCell("diversification", Fit.OPEN, "diversification_nothing_held")
    if found is None:
        return MatchCell("diversification", Fit.OPEN, "diversification_no_figure")
    fit = Fit.FITS if found <= APART else Fit.PARTLY if found <= TOGETHER else Fit.AGAINST
    return MatchCell("diversification", fit, "diversification", found, APART)
