"""Whether paths are in the graph, add up, and prove the sentences that cite them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from pathfolio.explain.checker.view import SMALLEST_GROUP, Parsed, Snapshot
from pathfolio.kg.errors import PathfolioError
from pathfolio.kg.graph import to_date
from pathfolio.kg.schema import Relation

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
        problems += (
            _check_summed(edge) if None in (start, end) else _check_edge(view, int(start or 0), int(end or 0), edge)
        )
    if any(node["kind"] == "User" and node["id"] is not None for node in nodes[1:]):
        problems.append("shows another investor")
    return problems + _check_count(view, rows, path)


def _check_edge(view: Snapshot, start: int, end: int, edge: Mapping[str, Any]) -> list[str]:
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
    return [f"the graph has no such edge: {dict(edge)}"]


def _check_summed(edge: Mapping[str, Any]) -> list[str]:
    return ["gives a weight for other investors"] if edge["weight"] is not None or edge["head"] is not None else []


def _check_count(view: Snapshot, rows: list[int | None], path: Mapping[str, Any]) -> list[str]:
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
    return problems if path["count"] >= SMALLEST_GROUP else [*problems, "shows a group that is too small"]


# -- sentences -----------------------------------------------------------------------------------------------


def _holdings(view: Snapshot, parsed: Parsed) -> tuple[list[int], list[str]]:
    """Rows of the holdings that the sentence names, and what is wrong with them."""
    rows = list(dict.fromkeys(view.row(path["nodes"][1]) for path in parsed.paths))
    problems = [] if parsed.paths else ["cites no path"]
    if rows and view.listed_names(rows, parsed.lang) != parsed.words["held"]:
        problems.append(
            f"names {parsed.words['held']!r}, the paths begin with {view.listed_names(rows, parsed.lang)!r}"
        )
    problems += [
        f"{view.name(row, parsed.lang)} is not {parsed.words['still']} by the investor"
        for row in rows
        if not view.has(view.user, parsed.words["still"], row)
    ]
    return rows, problems + [f"{p['id']} speaks against the asset" for p in parsed.paths if p["contribution"] <= 0]


def _co_investment(view: Snapshot, parsed: Parsed) -> list[str]:
    rows, problems = _holdings(view, parsed)
    relation = "HOLDS|HELD"
    true = view.others(relation, rows[0], relation, view.asset) if len(rows) == 1 else -1
    right = true == parsed.words["n"] >= SMALLEST_GROUP
    return problems + ([] if right else [f"{true} other investors have {relation} to both"])


def _profile_peers(view: Snapshot, parsed: Parsed) -> list[str]:
    relation = parsed.words["level_kind"]
    levels = [row for row in view.tails(view.user, relation) if view.name(row, parsed.lang) == parsed.words["level"]]
    if not levels or not parsed.paths or view.row(parsed.paths[0]["nodes"][1]) != levels[0]:
        return [f"{parsed.words['level']!r} is not the investor's {relation}"]
    true = view.others(relation, levels[0], "HOLDS", view.asset)
    return [] if true == parsed.words["n"] >= SMALLEST_GROUP else [f"{true} other investors of that level hold it"]


def _shared(relation: str) -> Callable[[Snapshot, Parsed], list[str]]:
    def check(view: Snapshot, parsed: Parsed) -> list[str]:
        rows, problems = _holdings(view, parsed)
        labels = [
            row for row in view.tails(view.asset, relation) if view.name(row, parsed.lang) == parsed.words["label"]
        ]
        if not labels:
            return [*problems, f"the asset has no {relation} {parsed.words['label']!r}"]
        return problems + [
            f"{view.name(row, parsed.lang)} has another {relation}"
            for row in rows
            if not set(labels) & set(view.tails(row, relation))
        ]

    return check


def _shared_country(view: Snapshot, parsed: Parsed) -> list[str]:
    rows, problems = _holdings(view, parsed)
    named = {row for row in _countries(view, view.asset) if view.name(row, parsed.lang) == parsed.words["label"]}
    if not named:
        return [*problems, f"the asset is not in {parsed.words['label']!r}"]
    return problems + [
        f"{view.name(row, parsed.lang)} is in another country" for row in rows if not named & _countries(view, row)
    ]


def _countries(view: Snapshot, asset: int) -> set[int]:
    """The asset's own country, else its market's."""
    own = view.tails(asset, "IN_COUNTRY")
    return set(own) or {row for market in view.tails(asset, "LISTED_ON") for row in view.tails(market, "IN_COUNTRY")}


def _look_through(view: Snapshot, parsed: Parsed) -> list[str]:
    rows, problems = _holdings(view, parsed)
    if len(rows) != 1 or not view.has(rows[0], "INVESTS_IN", view.asset):
        return [*problems, "no such fund invests in the asset"]
    weight = view.edge_value("weight", rows[0], "INVESTS_IN", view.asset)
    problems += _check_fraction(parsed, "weight", weight)
    own = view.edge_value("weight", view.user, "HOLDS", rows[0])
    if "part" in parsed.words:
        problems += _check_fraction(parsed, "part", own * weight)
    return problems


def _check_fraction(parsed: Parsed, name: str, true: float) -> list[str]:
    if math.isnan(true):
        return [f"states a {name} that the graph does not have"] if name in parsed.words else []
    right = name in parsed.words and parsed.words[name].is_of(true)
    return [] if right else [f"the {name} is {true}"]


def _held_by_this_fund(view: Snapshot, parsed: Parsed) -> list[str]:
    rows, problems = _holdings(view, parsed)
    if len(rows) != 1 or not view.has(view.asset, "INVESTS_IN", rows[0]):
        return [*problems, "the fund does not invest in that"]
    return problems + _check_fraction(parsed, "weight", view.edge_value("weight", view.asset, "INVESTS_IN", rows[0]))


def _overlap(view: Snapshot, parsed: Parsed) -> list[str]:
    rows, problems = _holdings(view, parsed)
    common = [view.row(path["nodes"][2]) for path in parsed.paths]
    if not common or view.listed_names(common, parsed.lang) != parsed.words["common"]:
        problems.append("names other common holdings than its paths")
    both = [fund for fund in (*rows, view.asset) for row in common if not view.has(fund, "INVESTS_IN", row)]
    return problems + [f"{view.name(fund, parsed.lang)} does not invest in all of them" for fund in both]


def _business(relation: str, *, held_first: bool | None) -> Callable[[Snapshot, Parsed], list[str]]:
    def check(view: Snapshot, parsed: Parsed) -> list[str]:
        rows, problems = _holdings(view, parsed)
        ways = {True: [(rows[0], view.asset)], False: [(view.asset, rows[0])]} if rows else {}
        asked = [pair for way, pairs in ways.items() if held_first in (None, way) for pair in pairs]
        there = any(view.has(head, relation, tail) for head, tail in asked)
        return problems if there else [*problems, f"no {relation} between the two"]

    return check


def _learned(view: Snapshot, parsed: Parsed) -> list[str]:
    _, problems = _holdings(view, parsed)
    wrong = [path for path in parsed.paths if path["channel"] != parsed.words["channel"]]
    return problems + [f"{path['id']} belongs to {path['channel']}" for path in wrong]


PATH_CHECKS: Final = {
    "co_investment": _co_investment,
    "profile_peers": _profile_peers,
    "shared_industry": _shared("IN_INDUSTRY"),
    "shared_sector": _shared("IN_SECTOR"),
    "shared_category": _shared("IN_CATEGORY"),
    "shared_issuer": _shared("ISSUED_BY"),
    "shared_market": _shared("LISTED_ON"),
    "shared_country": _shared_country,
    "shared_theme": _shared("IN_CONCEPT"),
    "shared_class": _shared("IN_CLASS"),
    "look_through": _look_through,
    "held_by_this_fund": _held_by_this_fund,
    "overlap": _overlap,
    "competitor": _business("COMPETES_WITH", held_first=None),
    "customer": _business("SUPPLIES", held_first=True),
    "supplier": _business("SUPPLIES", held_first=False),
    "learned": _learned,
}
"""Trigger to the check of its sentence."""
