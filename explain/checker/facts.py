"""Whether the graph's facts prove the sentences about figures, risk, the portfolio and analysts."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Final

import numpy as np

from pathfolio.explain.checker.view import Parsed, Snapshot
from pathfolio.explain.scales import opinion
from pathfolio.kg.graph import NO_DAY, to_date
from pathfolio.kg.schema import POSITION_CODES, NodeKind, Relation

_SAME_TIME: Final = timedelta(days=31)
_YEAR: Final = timedelta(days=365)
_EARLY_DAYS: Final = 45
_TOP: Final = (0.10, 0.20, 0.25)


def _figure(view: Snapshot, asset: int, metric: str) -> tuple[float, int]:
    """An asset's figure and its edge; NaN and -1 where there is none."""
    node = view.graph.find(NodeKind.METRIC, metric)
    edges = view.edges(asset, "HAS_FACT")
    found = [at for at in edges if view.graph.edges.tail[at] == node]
    return (float(view.graph.edges.value[found[0]]), found[0]) if found else (math.nan, -1)


def _check_figure(view: Snapshot, parsed: Parsed, metric: str, *, sign: float = 1.0) -> list[str]:
    value, at = _figure(view, view.asset, metric)
    if at < 0:
        return [f"the asset has no {metric}"]
    problems = [] if parsed.words["value"].is_of(sign * value) else [f"{metric} is {value}"]
    day = to_date(view.graph.edges.as_of[at])
    return problems if parsed.words["day"] == day else [*problems, f"{metric} is of {day}"]


def _peer_values(view: Snapshot, parsed: Parsed, metric: str) -> list[float]:
    """The figure of every asset of the same kind and group, of about the same day."""
    own_day = to_date(view.graph.edges.as_of[_figure(view, view.asset, metric)[1]])
    relation, label = parsed.words["group"], parsed.words["label"]
    groups = {row for row in view.tails(view.asset, relation) if view.name(row, parsed.lang) == label}
    out = []
    for asset in view.graph.assets.tolist():
        value, at = _figure(view, asset, metric)
        if at < 0 or math.isnan(value) or view.graph.kind_of(asset) != view.kind:
            continue
        near = abs(to_date(view.graph.edges.as_of[at]) - own_day) <= _SAME_TIME
        if near and groups & set(view.tails(asset, relation)):
            out.append(value)
    return out


def _check_peers(view: Snapshot, parsed: Parsed, values: list[float]) -> list[str]:
    problems = [] if parsed.words["kinds"] == view.kind else ["compares with assets of another kind"]
    return problems if len(values) == parsed.words["n"] else [*problems, f"there are {len(values)} such assets"]


def _performance(view: Snapshot, parsed: Parsed) -> list[str]:
    problems = _check_figure(view, parsed, "return_1y")
    if problems:
        return problems
    value, _ = _figure(view, view.asset, "return_1y")
    values = _peer_values(view, parsed, "return_1y")
    rank = 1 + sum(other > value for other in values)
    problems += _check_peers(view, parsed, values)
    problems += [] if parsed.words["rank"] == rank else [f"its rank is {rank}"]
    within = any(parsed.words["top"].is_of(share) for share in _TOP)
    fits = within and rank <= (parsed.words["top"].value + 1e-9) * len(values)
    return problems if fits else [*problems, f"rank {rank} of {len(values)} is not within that share"]


def _against_median(metric: str, *, below: bool) -> Callable[[Snapshot, Parsed], list[str]]:
    def check(view: Snapshot, parsed: Parsed) -> list[str]:
        problems = _check_figure(view, parsed, metric)
        if problems:
            return problems
        values = _peer_values(view, parsed, metric)
        problems = _check_peers(view, parsed, values)
        true = median(values) if values else math.nan
        problems += [] if parsed.words["median"].is_of(true) else [f"the median is {true}"]
        value, _ = _figure(view, view.asset, metric)
        return problems if (value < true if below else value > true) else [*problems, "is on the other side of it"]

    return check


def _income_sought(view: Snapshot, parsed: Parsed) -> list[str]:
    return _check_figure(view, parsed, "dividend_yield") + _check_label(view, parsed, view.user, "SEEKS", "level")


def _loss(view: Snapshot, parsed: Parsed) -> list[str]:
    return _check_figure(view, parsed, "return_1y", sign=-1.0)


def _check_label(view: Snapshot, parsed: Parsed, row: int, relation: str, word: str) -> list[str]:
    labels = [view.name(tail, parsed.lang) for tail in view.tails(row, relation)]
    return [] if labels == [parsed.words[word]] else [f"the {relation} is {labels}"]


def _risk(*, fits: bool) -> Callable[[Snapshot, Parsed], list[str]]:
    def check(view: Snapshot, parsed: Parsed) -> list[str]:
        problems = _check_label(view, parsed, view.asset, "HAS_RISK_RATING", "rating")
        problems += _check_label(view, parsed, view.user, "HAS_RISK", "level")
        if problems:
            return problems
        rating, level = view.tails(view.asset, "HAS_RISK_RATING")[0], view.tails(view.user, "HAS_RISK")[0]
        words = [str(view.graph.nodes.id[row]).casefold() for row in (rating, level)]
        risk, most = view.rules.ratings.get(words[0]), view.rules.levels["risk"].get(words[1])
        known = risk is not None and most is not None
        return [] if known and (int(risk or 0) <= int(most or 0)) == fits else [f"class {risk}, level up to {most}"]

    return check


def _newly_listed(view: Snapshot, parsed: Parsed) -> list[str]:
    day = int(view.graph.nodes.listed[view.asset])
    if day == NO_DAY:
        return ["the graph does not know when it was listed"]
    age = (view.graph.as_of - to_date(day)).days
    right = parsed.words["day"] == to_date(day) and parsed.words["age"] == age >= 0
    return [] if right else [f"it was listed on {to_date(day)}, {age} days before"]


def _widely_held(view: Snapshot, parsed: Parsed) -> list[str]:
    true = len(set(view.graph.incoming(Relation.HOLDS).of(view.asset).tolist()) - {view.user})
    return [] if parsed.words["n"] == true >= 10 else [f"{true} other investors hold it"]


def _early_buyers(view: Snapshot, parsed: Parsed) -> list[str]:
    """Of the others who hold the asset now, those whose first position in another asset is as old as its listing."""
    graph = view.graph
    first: dict[tuple[int, int], int] = {}
    at = np.flatnonzero(np.isin(graph.edges.relation, POSITION_CODES))
    columns = (graph.edges.head, graph.edges.tail, graph.edges.as_of)
    for user, asset, day in zip(*(column[at].tolist() for column in columns), strict=True):
        first[user, asset] = min(day, first.get((user, asset), day))
    listed = graph.nodes.listed
    early = {
        user
        for (user, asset), day in first.items()
        if asset != view.asset and listed[asset] != NO_DAY and 0 <= day - listed[asset] <= _EARLY_DAYS
    }
    others = set(graph.incoming(Relation.HOLDS).of(view.asset).tolist()) - {view.user}
    problems = [] if view.user in early else ["the investor has bought no other asset early"]
    true = (len(others & early), _EARLY_DAYS)
    right = (parsed.words["n"], parsed.words["days"]) == true and true[0] >= 10 and len(others - early) > 10
    return problems if right else [*problems, f"(such holders, days) is {true}"]


def _spread(relation: str, *, held: bool) -> Callable[[Snapshot, Parsed], list[str]]:
    def check(view: Snapshot, parsed: Parsed) -> list[str]:
        problems = _check_label(view, parsed, view.asset, relation, "label")
        own = view.tails(view.asset, relation)
        holdings = [row for row in view.tails(view.user, "HOLDS") if row != view.asset]
        labels = [tails[0] for tails in (view.tails(row, relation) for row in holdings) if tails]
        same = labels.count(own[0]) if own else -1
        problems += [] if parsed.words["known"] == len(labels) else [f"{len(labels)} holdings have a known {relation}"]
        return (
            problems if parsed.words.get("same", 0) == same and held == (same > 0) else [*problems, f"{same} share it"]
        )

    return check


def _analysts(side: int) -> Callable[[Snapshot, Parsed], list[str]]:
    def check(view: Snapshot, parsed: Parsed) -> list[str]:
        edges = view.graph.edges
        dated = [(to_date(edges.as_of[at]), str(edges.qualifier[at])) for at in view.edges(view.asset, "RATED_BY")]
        recent = [(day, word) for day, word in dated if view.graph.as_of - day < _YEAR]
        same = sum(opinion(word) == side for _, word in recent)
        said = (parsed.words["same"], parsed.words["n"], parsed.words["day"])
        true = (same, len(recent), max((day for day, _ in recent), default=None))
        return [] if said == true else [f"(firms, of all, latest) is {true}"]

    return check


FACT_CHECKS: Final = {
    "performance": _performance,
    "valuation": _against_median("pe_ratio", below=True),
    "income": _against_median("dividend_yield", below=False),
    "costs": _against_median("expense_ratio", below=False),
    "income_sought": _income_sought,
    "loss": _loss,
    "risk_fits": _risk(fits=True),
    "risk_above": _risk(fits=False),
    "newly_listed": _newly_listed,
    "widely_held": _widely_held,
    "early_buyers": _early_buyers,
    "spread_sector": _spread("IN_SECTOR", held=False),
    "spread_category": _spread("IN_CATEGORY", held=False),
    "concentration_sector": _spread("IN_SECTOR", held=True),
    "concentration_category": _spread("IN_CATEGORY", held=True),
    "analysts_buy": _analysts(1),
    "analysts_sell": _analysts(-1),
}
"""Trigger to the check of its sentence."""
