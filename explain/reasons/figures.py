"""Figures of the asset among those of its peers: return, valuation, income and costs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import fmean, median, pstdev
from typing import Final

from pathfolio.explain.checker.parts import check_label
from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.evidence import Fact
from pathfolio.explain.facts import FEWEST_PEERS, Peers
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim, Value
from pathfolio.explain.reasons.kind import ReasonKind, Subject, of_facts
from pathfolio.explain.scales import is_income
from pathfolio.kg.graph import to_date
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Row
from pathfolio.recommender.momentum import MOST_DEVIATIONS

TOP_SHARES: Final = (0.10, 0.20, 0.25)
"""A rank is praised where it is within one of these shares of the peers."""

STALE_DAYS: Final = 400
"""Figures older than this are not spoken of."""

_CLEARLY_RISEN: Final = 0.5
"""Standard deviations above the mean of its kind."""

_CLEARLY: Final = 0.1
"""A figure is below or above a median where it differs by a tenth of it."""


def _fresh(case: Case, metric: str) -> Fact | None:
    fact = case.facts.of(case.asset).get(metric)
    return fact if fact is not None and (case.graph.as_of - fact.as_of).days <= STALE_DAYS else None


def _has_closes(case: Case) -> bool:
    """Whether the snapshot has figures of closes; a return alone is not told of those of before, whose records
    are computed again word by word."""
    return case.graph.find(NodeKind.METRIC, "last_close") is not None


def _compared(case: Case, trigger: str, facts: tuple[Fact, Fact], peers: Peers, **values: float) -> Claim:
    """A claim about the first of `facts` and its place among the peers, which is the second."""
    claim = of_facts(case, trigger, facts, value=float(facts[0].value), day=facts[0].as_of)
    group: dict[str, Value] = {"n": len(peers), "group": case.node(peers.group), "group_relation": peers.relation.value}
    return replace(claim, values={**claim.values, **values, **group})


class Loss(ReasonKind):
    """The asset lost over a year."""

    subject = Subject.FIGURES
    triggers = ("loss",)
    same_for_all = True

    def claims(self, case: Case) -> Iterator[Claim]:
        """A caution."""
        fact = _fresh(case, "return_1y")
        if fact is not None and float(fact.value) < 0:
            yield of_facts(case, "loss", (fact,), is_caution=True, value=-float(fact.value), day=fact.as_of)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Look the return up."""
        return _check_figure(view, said, "return_1y", sign=-1.0)


class Performance(ReasonKind):
    """The asset's return is among the highest of its peers."""

    subject = Subject.FIGURES
    triggers = ("performance",)
    same_for_all = True

    def claims(self, case: Case) -> Iterator[Claim]:
        """Its rank, within the smallest of `TOP_SHARES` that holds it."""
        fact = _fresh(case, "return_1y")
        peers = case.facts.peers(case.asset, "return_1y") if fact is not None and float(fact.value) >= 0 else None
        if fact is None or peers is None:
            return
        rank = peers.rank(float(fact.value))
        top = next((share for share in TOP_SHARES if rank <= share * len(peers)), None)
        if top is not None:
            place = case.facts.derived(fact, "rank_by_return_1y", rank, f"of {len(peers)}", peers)
            yield _compared(case, "performance", (fact, place), peers, rank=rank, top=top)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Rank it among the peers."""
        problems = _check_figure(view, said, "return_1y")
        if problems:
            return problems
        value, _ = _figure(view, view.asset, "return_1y")
        values = _peer_values(view, said, "return_1y")
        rank = 1 + sum(other > value for other in values)
        problems += _check_peers(said, values)
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
        fact = _fresh(case, "return_1y") if case.lookups.momentum > 0 else None
        above = float(case.lookups.standing[case.graph.asset_span.position(case.asset)])
        if fact is not None and float(fact.value) > 0 and above >= _CLEARLY_RISEN:
            place = case.facts.own(case.explanation.asset_id, "standing_1y", above, "standard deviations")
            value, at_least = float(fact.value), above >= MOST_DEVIATIONS
            facts, day = (fact, place), fact.as_of
            yield of_facts(case, "momentum", facts, value=value, day=day, above=above, at_least=at_least)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Compute it from the returns of its kind in the last month's facts."""
        problems = _check_figure(view, said, "return_1y")
        if problems:
            return problems
        logs = [math.log1p(value) for value in _of_kind_lately(view, "return_1y") if value > -1]
        spread = pstdev(logs) if len(logs) >= 10 else 0.0
        value, _ = _figure(view, view.asset, "return_1y")
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
        fact = _fresh(case, self.metric)
        peers = case.facts.peers(case.asset, self.metric) if fact is not None and float(fact.value) > 0 else None
        if fact is None or peers is None or peers.median <= 0:
            return
        ratio = float(fact.value) / peers.median
        if ratio <= 1 - _CLEARLY if self.below else ratio >= 1 + _CLEARLY:
            middle = case.facts.derived(fact, f"median_{self.metric}", peers.median, fact.unit, peers)
            found = _compared(case, self.trigger, (fact, middle), peers, median=peers.median)
            yield replace(found, is_caution=self.is_caution)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Compute the median of the peers."""
        problems = _check_figure(view, said, self.metric)
        if problems:
            return problems
        values = _peer_values(view, said, self.metric)
        problems = _check_peers(said, values)
        true = median(values) if values else math.nan
        problems += [] if said.figure("median").is_of(true) else [f"the median is {true}"]
        value, _ = _figure(view, view.asset, self.metric)
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
        year, place = _fresh(case, "return_1y"), _fresh(case, "category_rank_1y")
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
        problems = _check_figure(view, said, "return_1y") + check_label(view, said, view.asset, "IN_CATEGORY", "group")
        if problems:
            return problems
        value, _ = _figure(view, view.asset, "return_1y")
        values = _values_of(view, set(view.tails(view.asset, "IN_CATEGORY")), "IN_CATEGORY", "return_1y")
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
        earned, varied, fell = (_fresh(case, f"{name}_3y") for name in ("annual_return", "volatility", "max_drawdown"))
        if earned is None or varied is None or fell is None:
            return
        value, volatility, fall = float(earned.value), float(varied.value), -float(fell.value)
        facts, day = (earned, varied, fell), earned.as_of
        yield of_facts(case, "track_record", facts, value=value, day=day, volatility=volatility, fall=fall)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Look all three up."""
        problems = _check_figure(view, said, "annual_return_3y")
        for name, metric, sign in (("volatility", "volatility_3y", 1.0), ("fall", "max_drawdown_3y", -1.0)):
            value = sign * _figure(view, view.asset, metric)[0]
            problems += [] if said.figure(name).is_of(value) else [f"the {name} is {value}"]
        return problems


class YearReturn(ReasonKind):
    """What the asset earned in a year, where nothing else of it is told; what it lost, `Loss` tells."""

    subject = Subject.FIGURES
    triggers = ("year_return",)
    same_for_all = True

    def claims(self, case: Case) -> Iterator[Claim]:
        """The return."""
        fact = _fresh(case, "return_1y") if _has_closes(case) else None
        if fact is None or float(fact.value) < 0 or _fresh(case, "volatility_3y") is not None:
            return
        if not any(Performance().claims(case)) and not any(CategoryPlace().claims(case)):
            yield of_facts(case, "year_return", (fact,), value=float(fact.value), day=fact.as_of)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Look it up."""
        return _check_figure(view, said, "return_1y")


class IncomeSought(ReasonKind):
    """The asset yields something, and the investor seeks an income; told where the yield is not compared."""

    subject = Subject.GOAL
    triggers = ("income_sought",)

    def claims(self, case: Case) -> Iterator[Claim]:
        """The yield and the objective."""
        fact = _fresh(case, "dividend_yield")
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
        problems = _check_figure(view, said, "dividend_yield")
        return problems + check_label(view, said, view.user, "SEEKS", "level")


# -- computed again ------------------------------------------------------------------------------------------


def _figure(view: Snapshot, asset: Row, metric: str) -> tuple[float, int]:
    """An asset's figure and its edge; NaN and -1 where there is none."""
    node = view.graph.find(NodeKind.METRIC, metric)
    found = [at for at in view.edges(asset, "HAS_FACT") if view.graph.edges.tail[at] == node]
    return (float(view.graph.edges.value[found[0]]), found[0]) if found else (math.nan, -1)


def _check_figure(view: Snapshot, said: Said, metric: str, *, sign: float = 1.0) -> list[str]:
    value, at = _figure(view, view.asset, metric)
    if at < 0:
        return [f"the asset has no {metric}"]
    problems = [] if said.figure("value").is_of(sign * value) else [f"{metric} is {value}"]
    day = to_date(view.graph.edges.as_of[at])
    return problems if said.day("day") == day else [*problems, f"{metric} is of {day}"]


def _peer_values(view: Snapshot, said: Said, metric: str) -> list[float]:
    """The figure of every asset of the same kind and group, of about the same day."""
    relation = said.text("group_relation")
    label = said.text("group")
    groups = {row for row in view.tails(view.asset, relation) if view.name(row, said.lang) == label}
    return _values_of(view, groups, relation, metric)


def _values_of(view: Snapshot, groups: set[Row], relation: str, metric: str) -> list[float]:
    own_day = to_date(view.graph.edges.as_of[_figure(view, view.asset, metric)[1]])
    out = []
    for asset in view.graph.assets.tolist():
        value, at = _figure(view, asset, metric)
        if at < 0 or math.isnan(value) or view.graph.kind_of(asset) != view.kind:
            continue
        near = abs(to_date(view.graph.edges.as_of[at]) - own_day) <= timedelta(days=31)
        if near and groups & set(view.tails(asset, relation)):
            out.append(value)
    return out


def _of_kind_lately(view: Snapshot, metric: str) -> list[float]:
    """The figure of every asset of the same kind whose day is one of the last 31 before the snapshot's."""
    first = view.graph.as_of - timedelta(days=31)
    of_kind = [row for row in view.graph.assets.tolist() if view.graph.kind_of(row) == view.kind]
    found = [_figure(view, asset, metric) for asset in of_kind]
    return [value for value, at in found if at >= 0 and to_date(view.graph.edges.as_of[at]) >= first]


def _check_peers(said: Said, values: list[float]) -> list[str]:
    return [] if len(values) == said.count("n") else [f"there are {len(values)} such assets"]
