"""Figures of the asset among those of its peers: return, valuation, income and costs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import fmean, median, pstdev
from typing import Final

from pathfolio.explain.checker.parts import check_label
from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.facts import FEWEST_PEERS
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.figure_parts import (
    check_figure,
    check_peers,
    compared_with_peers,
    figure_of,
    fresh_fact,
    of_kind_lately,
    peer_values,
    values_of_group,
)
from pathfolio.explain.reasons.kind import ReasonKind, Subject, of_facts
from pathfolio.explain.scales import is_income
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Row
from pathfolio.recommender.momentum import MOST_DEVIATIONS

TOP_SHARES: Final = (0.10, 0.20, 0.25)
"""A rank is praised where it is within one of these shares of the peers."""

_CLEARLY_RISEN: Final = 0.5
"""Standard deviations above the mean of its kind."""

_CLEARLY: Final = 0.1
"""A figure is below or above a median where it differs by a tenth of it."""


def _has_closes(case: Case) -> bool:
    """Whether the snapshot has figures of closes; a return alone is not told of those of before, whose records
    are computed again word by word."""
    return case.graph.find(NodeKind.METRIC, "last_close") is not None


class Loss(ReasonKind):
    """The asset lost over a year."""

    subject = Subject.FIGURES
    triggers = ("loss",)
    same_for_all = True

    def claims(self, case: Case) -> Iterator[Claim]:
        """A caution."""
        fact = fresh_fact(case, "return_1y")
        if fact is not None and float(fact.value) < 0:
            yield of_facts(case, "loss", (fact,), is_caution=True, value=-float(fact.value), day=fact.as_of)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Look the return up."""
        return check_figure(view, said, "return_1y", sign=-1.0)


class Performance(ReasonKind):
    """The asset's return is among the highest of its peers."""

    subject = Subject.FIGURES
    triggers = ("performance",)
    same_for_all = True

    def claims(self, case: Case) -> Iterator[Claim]:
        """Its rank, within the smallest of `TOP_SHARES` that holds it."""
        fact = fresh_fact(case, "return_1y")
        peers = case.facts.peers(case.asset, "return_1y") if fact is not None and float(fact.value) >= 0 else None
        if fact is None or peers is None:
            return
        rank = peers.rank(float(fact.value))
        top = next((share for share in TOP_SHARES if rank <= share * len(peers)), None)
        if top is not None:
            place = case.facts.derived(fact, "rank_by_return_1y", rank, f"of {len(peers)}", peers)
            yield compared_with_peers(case, "performance", (fact, place), peers, rank=rank, top=top)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Rank it among the peers."""
        problems = check_figure(view, said, "return_1y")
        if problems:
            return problems
        value, _ = figure_of(view, view.asset, "return_1y")
        values = peer_values(view, said, "return_1y")
        rank = 1 + sum(other > value for other in values)
        problems += check_peers(said, values)
        problems += [] if said.count("rank") == rank else [f"its rank is {rank}"]
        smallest = next((share for share in (0.10, 0.20, 0.25) if rank <= (share + 1e-9) * len(values)), math.nan)
        return problems if said.figure("top").is_of(smallest) else [*problems, f"it is among the top {smallest:.0%}"]


class Momentum(ReasonKind):
    """The asset rose more than most of its kind, where the score gives more weight to what has risen."""

    subject = Subject.FIGURES
    triggers = ("momentum",)
    same_for_all = True

    def claims(self, case: Case) -> Iterator[Claim]:
        """Its return, and how far it stands above the others'."""
        fact = fresh_fact(case, "return_1y") if case.lookups.momentum > 0 else None
        above = float(case.lookups.standing[case.graph.asset_span.position(case.asset)])
        if fact is not None and float(fact.value) > 0 and above >= _CLEARLY_RISEN:
            place = case.facts.own(case.explanation.asset_id, "standing_1y", above, "standard deviations")
            value, at_least = float(fact.value), above >= MOST_DEVIATIONS
            facts, day = (fact, place), fact.as_of
            yield of_facts(case, "momentum", facts, value=value, day=day, above=above, at_least=at_least)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Compute it from the returns of its kind in the last month's facts."""
        problems = check_figure(view, said, "return_1y")
        if problems:
            return problems
        logs = [math.log1p(value) for value in of_kind_lately(view, "return_1y") if value > -1]
        spread = pstdev(logs) if len(logs) >= 10 else 0.0
        value, _ = figure_of(view, view.asset, "return_1y")
        true = min((math.log1p(value) - fmean(logs)) / spread, 3.0) if spread > 0 else math.nan
        return [] if said.figure("above").is_of(true) and true >= 0.5 else [f"it stands {true} above the others"]


@dataclass(frozen=True)
class AgainstMedian(ReasonKind):
    """A figure is clearly below or above the median of its peers; only positive figures can be compared."""

    subject = Subject.FIGURES
    trigger: str
    metric: str
    below: bool = False
    is_caution: bool = False
    same_for_all = True

    @property
    def triggers(self) -> tuple[str, ...]:
        """One."""
        return (self.trigger,)

    def claims(self, case: Case) -> Iterator[Claim]:
        """The figure, the median, and of how many."""
        fact = fresh_fact(case, self.metric)
        peers = case.facts.peers(case.asset, self.metric) if fact is not None and float(fact.value) > 0 else None
        if fact is None or peers is None or peers.median <= 0:
            return
        ratio = float(fact.value) / peers.median
        if ratio <= 1 - _CLEARLY if self.below else ratio >= 1 + _CLEARLY:
            middle = case.facts.derived(fact, f"median_{self.metric}", peers.median, fact.unit, peers)
            found = compared_with_peers(case, self.trigger, (fact, middle), peers, median=peers.median)
            yield replace(found, is_caution=self.is_caution)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Compute the median of the peers."""
        problems = check_figure(view, said, self.metric)
        if problems:
            return problems
        values = peer_values(view, said, self.metric)
        problems = check_peers(said, values)
        true = median(values) if values else math.nan
        problems += [] if said.figure("median").is_of(true) else [f"the median is {true}"]
        value, _ = figure_of(view, view.asset, self.metric)
        return problems if (value < true if self.below else value > true) else [*problems, "is on its other side"]


VALUATION: Final = AgainstMedian("valuation", "pe_ratio", below=True)
INCOME: Final = AgainstMedian("income", "dividend_yield")
COSTS: Final = AgainstMedian("costs", "expense_ratio", is_caution=True)
GROWTH: Final = AgainstMedian("growth", "annual_return_3y")
SHARPE: Final = AgainstMedian("sharpe", "sharpe_3y")
STEADINESS: Final = AgainstMedian("steadiness", "volatility_3y", below=True)


class CategoryPlace(ReasonKind):
    """A fund's place by the year in its category, in the better half of few; of many, `Performance` tells."""

    subject = Subject.FIGURES
    triggers = ("category_place",)
    same_for_all = True

    def claims(self, case: Case) -> Iterator[Claim]:
        """The place, of how many, and the return."""
        year, place = fresh_fact(case, "return_1y"), fresh_fact(case, "category_rank_1y")
        category = case.graph.outgoing(Relation.IN_CATEGORY).of(case.asset).tolist()
        if year is None or place is None or year.as_of != place.as_of or not category:
            return
        value, rank, n = float(year.value), int(place.value), int(place.unit.removeprefix("of "))
        if 2 * rank <= n < FEWEST_PEERS and value >= 0:
            group = case.node(Row(category[0]))
            facts = (year, place)
            yield of_facts(case, "category_place", facts, value=value, day=year.as_of, rank=rank, n=n, group=group)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Rank it among the funds of its category."""
        problems = check_figure(view, said, "return_1y") + check_label(view, said, view.asset, "IN_CATEGORY", "group")
        if problems:
            return problems
        value, _ = figure_of(view, view.asset, "return_1y")
        values = values_of_group(view, set(view.tails(view.asset, "IN_CATEGORY")), "IN_CATEGORY", "return_1y")
        true = (1 + sum(other > value for other in values), len(values))
        claimed = (said.count("rank"), said.count("n"))
        return [] if claimed == true else [f"(its rank, of how many) is {true}"]


class TrackRecord(ReasonKind):
    """What three years were like: earned, varied, and lost at worst."""

    subject = Subject.FIGURES
    triggers = ("track_record",)
    same_for_all = True

    def claims(self, case: Case) -> Iterator[Claim]:
        """Where all three figures are known."""
        earned, varied, fell = (
            fresh_fact(case, f"{name}_3y") for name in ("annual_return", "volatility", "max_drawdown")
        )
        if earned is None or varied is None or fell is None:
            return
        value, volatility, fall = float(earned.value), float(varied.value), -float(fell.value)
        facts, day = (earned, varied, fell), earned.as_of
        yield of_facts(case, "track_record", facts, value=value, day=day, volatility=volatility, fall=fall)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Look all three up."""
        problems = check_figure(view, said, "annual_return_3y")
        for name, metric, sign in (("volatility", "volatility_3y", 1.0), ("fall", "max_drawdown_3y", -1.0)):
            value = sign * figure_of(view, view.asset, metric)[0]
            problems += [] if said.figure(name).is_of(value) else [f"the {name} is {value}"]
        return problems


class YearReturn(ReasonKind):
    """What the asset earned in a year, where nothing else of it is told; what it lost, `Loss` tells."""

    subject = Subject.FIGURES
    triggers = ("year_return",)
    same_for_all = True

    def claims(self, case: Case) -> Iterator[Claim]:
        """The return."""
        fact = fresh_fact(case, "return_1y") if _has_closes(case) else None
        if fact is None or float(fact.value) < 0 or fresh_fact(case, "volatility_3y") is not None:
            return
        if not any(Performance().claims(case)) and not any(CategoryPlace().claims(case)):
            yield of_facts(case, "year_return", (fact,), value=float(fact.value), day=fact.as_of)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Look it up."""
        return check_figure(view, said, "return_1y")


class IncomeSought(ReasonKind):
    """The asset yields something, and the investor seeks an income; told where the yield is not compared."""

    subject = Subject.GOAL
    triggers = ("income_sought",)

    def claims(self, case: Case) -> Iterator[Claim]:
        """The yield and the objective."""
        fact = fresh_fact(case, "dividend_yield")
        goal = case.investor.profile.get(Relation.SEEKS)
        if fact is None or goal is None or float(fact.value) <= 0 or any(INCOME.claims(case)):
            return
        level = goal[1]
        if is_income(str(case.graph.nodes.id[level])):
            facts = (fact, case.level_fact(Relation.SEEKS, "objective"))
            node = case.node(level)
            yield of_facts(case, "income_sought", facts, value=float(fact.value), day=fact.as_of, level=node)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Look both up."""
        problems = check_figure(view, said, "dividend_yield")
        return problems + check_label(view, said, view.user, "SEEKS", "level")
