"""Whether paths are in the graph, and add up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from pathfolio.explain.checker.view import SMALLEST_TOLD, Snapshot
from pathfolio.kg.errors import PathfolioError
from pathfolio.kg.graph import to_date
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Row
from pathfolio.recommender.suitability.investor import TOLD

_TOLERANCE: Final = 1e-6


def check_paths(view: Snapshot) -> list[str]:
    """What is wrong with the paths and sums of the explanation."""
    problems = [f"path {path['id']}: {p}" for path in view.data["paths"] for p in _check_path(view, path)]
    for channel in view.data["channels"]:
        parts = sum(p["contribution"] for p in view.data["paths"] if p["channel"] == channel["name"])
        if abs(channel["value"] - parts - channel["remainder"]) > _TOLERANCE:
            problems.append(f"channel {channel['name']}: parts do not add up to {channel['value']}")
    total = sum(part["value"] for part in [*view.data["base"], *view.data["channels"]])
    if abs(view.data["score"] - total) > _TOLERANCE:
        problems.append(f"score {view.data['score']} is not the sum of its parts, {total}")
    return problems


def _check_path(view: Snapshot, path: Mapping[str, Any]) -> list[str]:
    nodes = path["nodes"]
    try:
        rows = [None if node["id"] is None else view.row(node) for node in nodes]
    except (PathfolioError, ValueError) as error:
        return [str(error)]
    if rows[0] != view.user or rows[-1] != view.asset or len(nodes) != len(path["edges"]) + 1:
        return ["does not lead from the investor to the asset"]
    problems: list[str] = []
    for start, end, edge in zip(rows, rows[1:], path["edges"], strict=False):
        problems += _check_summed(edge) if start is None or end is None else _check_edge(view, start, end, edge)
    if any(node["kind"] == "User" and node["id"] is not None for node in nodes[1:]):
        problems.append("shows another investor")
    return problems + _check_count(view, rows, path)


def _check_edge(view: Snapshot, start: Row, end: Row, edge: Mapping[str, Any]) -> list[str]:
    graph = view.graph
    for head, tail in ((start, end), (end, start)):
        if (str(graph.nodes.id[head]), str(graph.nodes.id[tail])) != (edge["head"], edge["tail"]):
            continue
        at = graph.edge(head, Relation(edge["relation"]), tail)
        if at is None:
            continue
        days = (to_date(graph.edges.as_of[at]), to_date(graph.edges.known_at[at]))
        weight = float(graph.edges.weight[at])
        same_weight = edge["weight"] is None if math.isnan(weight) else edge["weight"] == weight
        said = tuple(date.fromisoformat(edge[name]) for name in ("as_of", "known_at"))
        if said == days and edge["source"] == graph.edges.source[at] and same_weight:
            return []
    return _check_told(view, start, edge) if edge["source"] == TOLD else [f"the graph has no such edge: {dict(edge)}"]


def _check_told(view: Snapshot, start: Row, edge: Mapping[str, Any]) -> list[str]:
    """What the investor is said to have told is what they told, on that day."""
    fact = view.told_here.get((edge["relation"], edge["tail"]))
    day = None if fact is None else fact.day.isoformat()
    if start == view.user and edge["head"] == view.data["user_id"] and day == edge["as_of"] == edge["known_at"]:
        return []
    return [f"the investor told no such thing: {dict(edge)}"]


def _check_summed(edge: Mapping[str, object]) -> list[str]:
    return ["gives a weight for other investors"] if edge["weight"] is not None or edge["head"] is not None else []


def _check_count(view: Snapshot, rows: list[Row | None], path: Mapping[str, Any]) -> list[str]:
    """Single paths count 1; others count the investors who have both of what stands beside them."""
    if None not in rows:
        return [] if path["count"] == 1 else ["counts more than itself"]
    at = rows.index(None)
    left, right = rows[at - 1], rows[at + 1]
    if left is None or right is None:
        return ["goes through other investors twice"]
    relations = [edge["relation"] for edge in path["edges"]]
    true = view.others(relations[at - 1], left, relations[at], right)
    problems = [] if path["count"] == true else [f"counts {path['count']} other investors, the graph has {true}"]
    named = str(path["count"]) in path["nodes"][at]["name"].replace(",", "")
    problems += [] if named else ["does not name the count of other investors"]
    return problems if path["count"] >= SMALLEST_TOLD else [*problems, "shows a group that is too small"]
