"""What reasons about figures have in common: a fresh figure, its place among peers, and both computed again."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import Final

from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.evidence import Fact
from pathfolio.explain.facts import Peers
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim, Value
from pathfolio.explain.reasons.kind import of_facts
from pathfolio.kg.graph import to_date
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.span import Row

STALE_DAYS: Final = 400
"""Figures older than this are not spoken of."""


def fresh_fact(case: Case, metric: str) -> Fact | None:
    """The asset's figure, if it is not older than `STALE_DAYS`."""
    fact = case.facts.of(case.asset).get(metric)
    return fact if fact is not None and (case.graph.as_of - fact.as_of).days <= STALE_DAYS else None


def compared_with_peers(case: Case, trigger: str, facts: tuple[Fact, ...], peers: Peers, **values: float) -> Claim:
    """A claim about the first of `facts` and its place among the peers, which is the second."""
    claim = of_facts(case, trigger, facts, value=float(facts[0].value), day=facts[0].as_of)
    group: dict[str, Value] = {"n": len(peers), "group": case.node(peers.group), "group_relation": peers.relation.value}
    return replace(claim, values={**claim.values, **values, **group})


# -- computed again ------------------------------------------------------------------------------------------


def figure_of(view: Snapshot, asset: Row, metric: str) -> tuple[float, int]:
    """An asset's figure and its edge; NaN and -1 where there is none."""
    node = view.graph.find(NodeKind.METRIC, metric)
    found = [at for at in view.edges(asset, "HAS_FACT") if view.graph.edges.tail[at] == node]
    return (float(view.graph.edges.value[found[0]]), found[0]) if found else (math.nan, -1)


def check_figure(view: Snapshot, said: Said, metric: str, *, sign: float = 1.0) -> list[str]:
    """Whether the sentence's value and day are those of the figure."""
    value, at = figure_of(view, view.asset, metric)
    if at < 0:
        return [f"the asset has no {metric}"]
    problems = [] if said.figure("value").is_of(sign * value) else [f"{metric} is {value}"]
    day = to_date(view.graph.edges.as_of[at])
    return problems if said.day("day") == day else [*problems, f"{metric} is of {day}"]


def peer_values(view: Snapshot, said: Said, metric: str) -> list[float]:
    """The figure of every asset of the same kind and group, of about the same day."""
    relation = said.text("group_relation")
    label = said.text("group")
    groups = {row for row in view.tails(view.asset, relation) if view.name(row, said.lang) == label}
    return values_of_group(view, groups, relation, metric)


def values_of_group(view: Snapshot, groups: set[Row], relation: str, metric: str) -> list[float]:
    """The figure of every asset of the same kind that has one of the groups, of about the same day."""
    own_day = to_date(view.graph.edges.as_of[figure_of(view, view.asset, metric)[1]])
    out = []
    for asset in view.graph.assets.tolist():
        value, at = figure_of(view, asset, metric)
        if at < 0 or math.isnan(value) or view.graph.kind_of(asset) != view.kind:
            continue
        near = abs(to_date(view.graph.edges.as_of[at]) - own_day) <= timedelta(days=31)
        if near and groups & set(view.tails(asset, relation)):
            out.append(value)
    return out


def of_kind_lately(view: Snapshot, metric: str) -> list[float]:
    """The figure of every asset of the same kind whose day is one of the last 31 before the snapshot's."""
    first = view.graph.as_of - timedelta(days=31)
    of_kind = [row for row in view.graph.assets.tolist() if view.graph.kind_of(row) == view.kind]
    found = [figure_of(view, asset, metric) for asset in of_kind]
    return [value for value, at in found if at >= 0 and to_date(view.graph.edges.as_of[at]) >= first]


def check_peers(said: Said, values: list[float]) -> list[str]:
    """Whether the sentence counts as many peers."""
    return [] if len(values) == said.count("n") else [f"there are {len(values)} such assets"]
