"""What each kind of rule finds, over many candidates at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from pathfolio.kg.graph import NO_DAY, FloatArray, IntArray, to_days
from pathfolio.kg.schema import UNDATED, Relation
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.exposure import Exposure
from pathfolio.recommender.suitability.investor import InvestorFacts, Level
from pathfolio.recommender.suitability.rules import Rule
from pathfolio.recommender.suitability.verdict import REASON_CODE, Judgement, Outcome

Judge = Callable[[Rule, AssetFacts, InvestorFacts, IntArray], Judgement]

KNOWN_PART: Final = 0.5
"""Concentration is unknown where less than this part of an asset has a known group."""

LEVEL_TABLE: Final = MappingProxyType(
    {"risk_level": "risk", "capacity": "capacity", "complexity": "experience", "horizon": "horizon"}
)
"""Rule kind to the table of levels that it compares with."""

_ROUNDING: Final = 1e-9


def judge(rule: Rule, assets: AssetFacts, investor: InvestorFacts, at: IntArray) -> Judgement:
    """What `rule` finds about the assets at positions `at` for this investor."""
    if is_exempt(rule, investor):
        return Judgement.of(len(at), Outcome.PASS, "exempt")
    return _JUDGES[rule.kind](rule, assets, investor, at)


def is_exempt(rule: Rule, investor: InvestorFacts) -> bool:
    """Whether the rule does not apply to the investor's segment."""
    return investor.segment is not None and investor.segment[0].casefold() in rule.exempt


def same_finding(rule: Rule, investor: InvestorFacts) -> Hashable:
    """What decides the rule's findings beside the assets: investors with the same key get the same ones.

    None where that is the whole portfolio, the day of an answer, or a number of years that a question assumes.
    """
    if is_exempt(rule, investor):
        return "exempt"
    if rule.kind in LEVEL_TABLE:
        level = investor.levels.get(LEVEL_TABLE[rule.kind])
        if level is None:
            return ("level", None)
        return ("level", level.name, level.predicted) if level.name else None
    of_investor = rule.kind == "concentration" or (rule.kind == "freshness" and rule.group == "profile")
    return None if of_investor else "assets"


# -- levels --------------------------------------------------------------------------------------------------


def _at_most(rule: Rule, assets: AssetFacts, investor: InvestorFacts, table: str, need: FloatArray) -> Judgement:
    """Whether what each candidate needs is within the investor's level.

    Where the level is not known, what is within every level of the file still passes: the answer would be the
    same whatever the level was. For the risk level itself that is a warning, since the question stays open.
    """
    level, limits = investor.levels.get(table), assets.rules.levels[table]
    if level is not None and level.limit is not None:
        return _within(rule, need, level, level.limit)
    found = Judgement.of(len(need), Outcome.UNKNOWN, "no_level" if level is None else "level_not_in_file")
    lowest = min(limits.values(), default=-1.0)
    safe = Outcome.WARN if rule.kind == "risk_level" else Outcome.PASS
    return replace(found.where(need <= lowest, safe, "within_every_level"), measured=need)


def _within(rule: Rule, need: FloatArray, level: Level, limit: float) -> Judgement:
    """A level that the source predicted allows as the file says, and forbids as a told one does."""
    guessed = level.predicted and rule.predicted is not Outcome.PASS
    found = Judgement.of(len(need), Outcome.PASS, "within_level")
    if guessed:
        found = Judgement.of(len(need), rule.predicted, "within_predicted_level")
    found = found.where(need > limit, Outcome.WARN, "above_level_tolerated")
    found = found.where(need > limit + rule.tolerance, rule.fail, "above_level")
    found = found.where(np.isnan(need), Outcome.UNKNOWN, "no_class")
    subject = np.zeros(len(need), np.int64)
    return replace(found, measured=need, limit=np.full(len(need), limit), subject=subject, names=(level.name,))


def _risk_level(rule: Rule, assets: AssetFacts, investor: InvestorFacts, at: IntArray) -> Judgement:
    return _derived_apart(rule, assets, _at_most(rule, assets, investor, "risk", assets.risk_class[at]), at)


def _capacity(rule: Rule, assets: AssetFacts, investor: InvestorFacts, at: IntArray) -> Judgement:
    return _derived_apart(rule, assets, _at_most(rule, assets, investor, "capacity", assets.risk_class[at]), at)


def _derived_apart(rule: Rule, assets: AssetFacts, found: Judgement, at: IntArray) -> Judgement:
    """A violation by a derived class counts as the file says, and says how it was derived.

    A derivation that is not certain never lets more through: what is within the level by it alone, and may be above,
    counts as the file says.
    """
    is_derived, measured = assets.risk_edge[at] < 0, ~np.isnan(assets.volatility.value[at])
    above = (found.reason == REASON_CODE["above_level"]) & is_derived
    found = found.where(above, rule.derived, "derived_above_level")
    found = found.where(above & measured, rule.derived, "volatile_above_level")
    if rule.uncertain is Outcome.PASS:
        return found
    within = np.isin(found.outcome, [Outcome.PASS, Outcome.WARN]) & ~above
    doubtful = within & is_derived & (assets.risk_most[at] > found.limit + rule.tolerance)
    priced = assets.volatility.returns[at] > 0
    found = found.where(doubtful & ~priced, rule.uncertain, "kind_alone")
    return found.where(doubtful & priced, rule.uncertain, "few_prices")


def _complexity(rule: Rule, assets: AssetFacts, investor: InvestorFacts, at: IntArray) -> Judgement:
    need = assets.complexity[at]
    found = _at_most(rule, assets, investor, "experience", need)
    return found.where(need == 0, Outcome.PASS, "not_needed")


def _horizon(rule: Rule, assets: AssetFacts, investor: InvestorFacts, at: IntArray) -> Judgement:
    return _at_most(rule, assets, investor, "horizon", assets.holding_years[at])


# -- concentration -------------------------------------------------------------------------------------------


def _concentration(rule: Rule, assets: AssetFacts, investor: InvestorFacts, at: IntArray) -> Judgement:
    """The largest share of one group after the purchase, among the groups that the purchase adds to."""
    if investor.weighting == "unknown":
        return Judgement.of(len(at), Outcome.UNKNOWN, "no_weights")
    exposure = assets.exposure[rule.group]
    before = exposure.of_holdings(investor.held, investor.share)
    share, after, limit, group = _after_purchase(rule, assets, exposure, before, at)
    outcome, reason = np.full(len(at), Outcome.PASS, np.int8), np.full(len(at), REASON_CODE["within_limit"], np.int8)
    if rule.warn_at < rule.limit:
        near = (limit <= rule.limit) & (after >= rule.warn_at)
        outcome[near], reason[near] = Outcome.WARN, REASON_CODE["near_limit"]
    above = after > limit + _ROUNDING
    assumed = investor.weighting == "equal"
    outcome[above] = rule.derived if assumed else rule.fail
    reason[above] = REASON_CODE["derived_above_limit" if assumed else "above_limit"]
    open_part = (share < KNOWN_PART) & ~above
    outcome[open_part], reason[open_part] = Outcome.UNKNOWN, REASON_CODE["no_group"]
    return Judgement(outcome, reason, after, limit, group, exposure.names)


def _after_purchase(
    rule: Rule, assets: AssetFacts, exposure: Exposure, before: FloatArray, at: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
    """Per candidate: its part with known groups, and the share, limit and column of the group nearest its limit.

    after = (1 - p) * before + p * part, with p = `purchase_share`; groups of which the portfolio has relatively
    more than the candidate are diluted by it and left out.
    """
    p, rows = assets.rules.purchase_share, exposure.rows(at)
    group = rows.groups
    after = (1 - p) * before[group] + p * rows.part
    limits = np.where(exposure.is_fund, max(rule.fund_limit, rule.limit), rule.limit)
    counts = rows.part >= before[group] - _ROUNDING
    if rule.group == "currency":
        counts &= (exposure.names != assets.rules.base_currency)[group]
    ratio = np.where(counts, after / limits[group], -1.0)
    chosen = rows.largest(ratio)
    chosen = chosen[ratio[chosen] >= 0]
    measured, nearest = np.full(len(at), np.nan), np.full(len(at), -1, np.int64)
    measured[rows.row[chosen]], nearest[rows.row[chosen]] = after[chosen], group[chosen]
    return rows.known, measured, np.append(limits, rule.limit)[nearest], nearest  # -1: no group, the rule's own limit


# -- the market ----------------------------------------------------------------------------------------------


def _restricted(rule: Rule, assets: AssetFacts, investor: InvestorFacts, at: IntArray) -> Judgement:
    found = Judgement.of(len(at), Outcome.PASS, "not_restricted")
    names = [restriction.reason for restriction in assets.rules.restrictions]
    found = found.where(assets.restriction[at] >= 0, rule.fail, "restricted")
    return replace(found, subject=assets.restriction[at], names=names)


def _tradable(rule: Rule, assets: AssetFacts, investor: InvestorFacts, at: IntArray) -> Judgement:
    """Listed, not stopped, and with a price in the last days of the market."""
    listed = assets.graph.nodes.listed[assets.graph.assets[at]]
    day = assets.price_day[at]
    age = np.where(day == NO_DAY, np.nan, assets.market_day - day.astype(np.float64))
    found = Judgement.of(len(at), Outcome.PASS, "traded")
    found = found.where(np.isnan(age), Outcome.UNKNOWN, "no_price")
    found = found.where(age > rule.max_days, rule.fail, "price_too_old")
    found = found.where(listed > to_days(assets.today), rule.fail, "not_listed_yet")
    found = found.where(assets.stop_edge[at] >= 0, rule.fail, "stopped")
    return replace(found, measured=age, limit=np.full(len(at), float(rule.max_days)))


def _freshness(rule: Rule, assets: AssetFacts, investor: InvestorFacts, at: IntArray) -> Judgement:
    if rule.group == "build":
        return _build_age(rule, assets, at)
    edge = fact_edge(rule, assets, investor, at)
    day = assets.graph.edges.as_of[edge] if len(assets.graph.edges) else np.zeros(len(at), np.int32)
    age = np.where(edge >= 0, to_days(assets.today) - day.astype(np.float64), np.nan)
    age[day == to_days(UNDATED)] = np.nan
    if rule.group == "profile" and answers_are_predicted(rule, investor):
        return Judgement.of(len(at), rule.predicted, "predicted")
    found = Judgement.of(len(at), Outcome.PASS, "fresh")
    found = found.where(age > rule.max_days, rule.fail, "stale")
    found = found.where(np.isnan(age), Outcome.UNKNOWN, "no_date").where(edge < 0, Outcome.PASS, "not_needed")
    return replace(found, measured=age, limit=np.full(len(at), float(rule.max_days)))


def answers_are_predicted(rule: Rule, investor: InvestorFacts) -> bool:
    """Whether there are no answers to have an age, since the source predicted the level, and the rule minds that."""
    level = investor.levels.get("risk")
    return level is not None and level.predicted and rule.predicted is not Outcome.PASS


def _build_age(rule: Rule, assets: AssetFacts, at: IntArray) -> Judgement:
    """How old the snapshot is on the day of asking; one of a later day knows what nobody could know then."""
    age = float(to_days(assets.today) - to_days(assets.graph.as_of))
    found = Judgement.of(len(at), Outcome.PASS, "fresh")
    if age > rule.max_days:
        found = Judgement.of(len(at), rule.fail, "stale")
    elif age < 0:
        found = Judgement.of(len(at), rule.fail, "later_build")
    return replace(found, measured=np.full(len(at), age), limit=np.full(len(at), float(rule.max_days)))


def fact_edge(rule: Rule, assets: AssetFacts, investor: InvestorFacts, at: IntArray) -> IntArray:
    """(len(at),) the edge of the fact whose age `rule` limits, -1 where the candidate needs no such fact."""
    if rule.group == "profile":
        level = investor.levels.get("risk")
        return np.full(len(at), -1 if level is None else level.edge, np.int64)
    return assets.risk_edge[at] if rule.group == "rating" else _newest_holding(assets, at)


def _newest_holding(assets: AssetFacts, at: IntArray) -> IntArray:
    """One edge of each fund's current list of holdings (they share a date), -1 where there is none."""
    out = assets.graph.outgoing(Relation.INVESTS_IN)
    rows = assets.graph.assets[at]
    first, last = out.indptr[rows], out.indptr[rows + 1]
    if not len(out.edge):
        return np.full(len(at), -1, np.int64)
    return np.where(last > first, out.edge[np.minimum(first, len(out.edge) - 1)], -1)


_JUDGES: Final = MappingProxyType(
    {
        "risk_level": _risk_level,
        "capacity": _capacity,
        "complexity": _complexity,
        "horizon": _horizon,
        "concentration": _concentration,
        "restricted": _restricted,
        "tradable": _tradable,
        "freshness": _freshness,
    }
)
