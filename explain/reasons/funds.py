"""What funds invest in: a fund held that has the asset, the asset, a fund, that has a holding, or what both have."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from pathfolio.explain.checker.parts import check_holdings
from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.evidence import Path
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.kind import MOST_NAMES, PathReason, ReasonKind, Subject, of_paths
from pathfolio.kg.schema import Relation

SMALLEST_PART: Final = 0.00005
"""Smaller parts of a portfolio, 0.00% when rounded, are not spoken of."""


def _invests_directly(path: Path) -> bool:
    return len(path.nodes) == 3 and path.edges[1].relation == Relation.INVESTS_IN


class LookThrough(PathReason):
    """A fund held invests in the asset."""

    subject = Subject.LINKS
    triggers = ("look_through",)

    def claim(self, case: Case, path: Path) -> Claim | None:
        """Of investor - fund - asset; the weights multiplied are the part of the portfolio."""
        if not _invests_directly(path) or not path.walks_forward(1):
            return None
        position, holding = path.edges
        part = None
        if position.relation == Relation.HOLDS and position.weight and holding.weight:
            part = position.weight * holding.weight
        part = part if part is not None and part >= SMALLEST_PART else None
        return of_paths(case, "look_through", [path], weight=holding.weight, part=part)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Look the two weights up, and multiply them."""
        rows, problems = check_holdings(view, said)
        if len(rows) != 1 or not view.has(rows[0], "INVESTS_IN", view.asset):
            return [*problems, "no such fund invests in the asset"]
        weight = view.edge_value("weight", rows[0], "INVESTS_IN", view.asset)
        problems += _check_fraction(said, "weight", weight)
        if said.has("part"):
            problems += _check_fraction(said, "part", view.edge_value("weight", view.user, "HOLDS", rows[0]) * weight)
        return problems


class HeldByThisFund(PathReason):
    """The asset, a fund, invests in a holding."""

    subject = Subject.LINKS
    triggers = ("held_by_this_fund",)

    def claim(self, case: Case, path: Path) -> Claim | None:
        """Of investor - holding - fund."""
        if not _invests_directly(path) or path.walks_forward(1):
            return None
        return of_paths(case, "held_by_this_fund", [path], weight=path.edges[1].weight)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Look the weight up."""
        rows, problems = check_holdings(view, said)
        if len(rows) != 1 or not view.has(view.asset, "INVESTS_IN", rows[0]):
            return [*problems, "the fund does not invest in that"]
        return problems + _check_fraction(said, "weight", view.edge_value("weight", view.asset, "INVESTS_IN", rows[0]))


def _check_fraction(said: Said, name: str, true: float) -> list[str]:
    if math.isnan(true):
        return [f"states a {name} that the graph does not have"] if said.has(name) else []
    right = said.has(name) and said.figure(name).is_of(true)
    return [] if right else [f"the {name} is {true}"]


class Overlap(ReasonKind):
    """What a fund held and the asset, a fund too, both invest in."""

    subject = Subject.LINKS
    triggers = ("overlap",)

    def claims(self, case: Case) -> Iterator[Claim]:
        """One claim per fund held."""
        invests = Relation.INVESTS_IN
        groups: dict[str | None, list[Path]] = {}
        for path in case.stated:
            if len(path.nodes) != 4 or path.edges[1].relation != invests or path.edges[2].relation != invests:
                continue
            if path.walks_forward(1) and not path.walks_forward(2):
                groups.setdefault(path.nodes[1].id, []).append(path)
        for group in groups.values():
            shown = group[:MOST_NAMES]
            in_both = tuple(path.nodes[2] for path in shown)
            yield of_paths(case, "overlap", shown, held=(shown[0].nodes[1],), common=in_both)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Whether each of the two invests in each of them."""
        rows, problems = check_holdings(view, said)
        common = [view.row(path["nodes"][2]) for path in said.paths]
        if not common or view.listed_names(common, said.lang) != said.text("common"):
            problems.append("names other common holdings than its paths")
        lacks = [fund for fund in (*rows, view.asset) for row in common if not view.has(fund, "INVESTS_IN", row)]
        return problems + [f"{view.name(fund, said.lang)} does not invest in all of them" for fund in lacks]
