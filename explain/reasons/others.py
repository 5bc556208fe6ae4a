"""What other investors hold: told of groups that are large enough, and by numbers alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pathfolio.explain.checker.parts import check_holdings
from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import SMALLEST_TOLD, Snapshot
from pathfolio.explain.evidence import Path
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.kind import PathReason, ReasonKind, Subject, of_facts, of_paths
from pathfolio.kg.graph import NO_DAY, to_days
from pathfolio.kg.schema import ASSET_KINDS, POSITION_CODES, PROFILE_KINDS, NodeKind, Relation, profile_relation
from pathfolio.recommender.account import HOLDS_OR_HELD
from pathfolio.recommender.beginners import LATELY
from pathfolio.recommender.channels.earlier_issues import EARLIER_ISSUES
from pathfolio.recommender.groups import SMALLEST_GROUP
from pathfolio.recommender.new_issues import NEW_ISSUE_DAYS
from pathfolio.recommender.scorer import FIRST_CHOICES


def _through_others(path: Path) -> bool:
    """Whether it is investor - holding or level - other investors - asset."""
    return len(path.nodes) == 4 and path.nodes[2].id is None


class HeldTogether(PathReason):
    """How many others hold or held both the asset and a holding."""

    subject = Subject.OTHERS
    triggers = ("co_investment",)

    def claim(self, case: Case, path: Path) -> Claim | None:
        """Of investor - holding - others - asset."""
        if _through_others(path) and path.nodes[1].kind in ASSET_KINDS:
            return of_paths(case, "co_investment", [path], n=path.count)
        return None

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Count them."""
        rows, problems = check_holdings(view, said)
        true = view.others(HOLDS_OR_HELD, rows[0], HOLDS_OR_HELD, view.asset) if len(rows) == 1 else -1
        right = true == said.count("n") >= SMALLEST_TOLD
        return problems + ([] if right else [f"{true} other investors are told to hold or have held both"])


class EarlierIssue(PathReason):
    """How many others hold or held both a holding and an earlier issue of the new one's class."""

    subject = Subject.OTHERS
    triggers = ("earlier_issue",)

    def claim(self, case: Case, path: Path) -> Claim | None:
        """Of investor - holding - others - earlier issue - class - asset."""
        if path.channel != EARLIER_ISSUES:
            return None
        issue, group = path.nodes[3:5]
        return of_paths(case, "earlier_issue", [path], n=path.count, label=issue, group=group)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Count them, and look up what the earlier issue is."""
        rows, problems = check_holdings(view, said)
        if len(rows) != 1 or not said.paths or len(said.paths[0]["nodes"]) != 6:
            return [*problems, "it does not speak of one holding and one earlier issue"]
        issue = view.row(said.paths[0]["nodes"][3])
        graph, today = view.graph, to_days(view.graph.as_of)
        true = view.others(HOLDS_OR_HELD, rows[0], HOLDS_OR_HELD, issue)
        problems += [] if true == said.count("n") >= SMALLEST_TOLD else [f"{true} others are told to hold both"]
        problems += [] if view.name(issue, said.lang) == said.text("label") else ["the earlier issue is another"]
        classes = [row for row in view.tails(issue, "IN_CLASS") if row in view.tails(view.asset, "IN_CLASS")]
        named = [view.name(row, said.lang) for row in classes]
        problems += [] if said.text("group") in named else [f"the class of both is {named}"]
        ages = [today - int(graph.nodes.listed[row]) for row in (view.asset, issue)]
        known = all(graph.nodes.listed[row] != NO_DAY for row in (view.asset, issue))
        return problems if known and 0 <= ages[0] <= 45 < ages[1] else [*problems, f"their ages in days are {ages}"]


class ProfilePeers(PathReason):
    """How many others with the investor's level of something hold the asset."""

    subject = Subject.OTHERS
    triggers = ("profile_peers",)

    def claim(self, case: Case, path: Path) -> Claim | None:
        """Of investor - level - others - asset."""
        if _through_others(path) and path.nodes[1].kind in PROFILE_KINDS:
            level = path.nodes[1]
            ever = path.edges[-1].relation == HOLDS_OR_HELD
            return of_paths(case, "profile_peers", [path], n=path.count, level=level, level_kind=level.kind, ever=ever)
        return None

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Whether the level is the investor's, and how many others of it hold the asset."""
        relation = profile_relation(NodeKind(said.text("level_kind"))).value
        levels = [row for row in view.tails(view.user, relation) if view.name(row, said.lang) == said.text("level")]
        if not levels or not said.paths or view.row(said.paths[0]["nodes"][1]) != levels[0]:
            return [f"{said.text('level')!r} is not the investor's {relation}"]
        true = view.others(relation, levels[0], HOLDS_OR_HELD, view.asset)
        return [] if true == said.count("n") >= SMALLEST_TOLD else [f"{true} other investors of that level hold it"]


class EarlyHolders(ReasonKind):
    """How many others who hold a new issue have bought early before, as the investor has."""

    subject = Subject.OTHERS
    triggers = ("early_buyers",)

    def claims(self, case: Case) -> Iterator[Claim]:
        """Of assets just listed only, and where the group may be told."""
        own = case.lookups.early.of(case.user, case.asset) if case.is_new else 0
        count = case.lookups.early.among_holders(case.asset, case.user) if own else None
        if count is not None:
            facts = (
                case.facts.own(case.explanation.user_id, "early_purchases", own, "assets", about_user=True),
                case.facts.own(case.explanation.asset_id, "early_holders", count, "investors"),
            )
            ever = case.lookups.groups.by_calendar
            yield of_facts(case, "early_buyers", facts, n=count, days=NEW_ISSUE_DAYS, ever=ever)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Of the others who hold the asset, those whose first position in another one is as old as its listing."""
        most_days = 45
        early = _early_investors(view, 45)
        holders = view.members(HOLDS_OR_HELD, view.asset)
        known = {user: max(day, early[user]) for user, day in holders.items() if user in early}
        problems = [] if view.user in early else ["the investor has bought no other asset early"]
        told = view.told(known.values())
        true = (told - (view.user in known), most_days)
        rest = view.told(holders.values()) - told
        right = (said.count("n"), said.count("days")) == true and told > SMALLEST_TOLD and rest > SMALLEST_TOLD
        return problems if right else [*problems, f"(such holders, days) is {true}"]


def _early_investors(view: Snapshot, most_days: int) -> dict[int, int]:
    """Rows of who bought another asset within so many days of its listing, and the day on which that was known."""
    graph = view.graph
    first: dict[tuple[int, int], tuple[int, int]] = {}
    at = np.flatnonzero(np.isin(graph.edges.relation, POSITION_CODES))
    columns = (graph.edges.head, graph.edges.tail, graph.edges.as_of, graph.edges.known_at)
    for user, asset, day, known in zip(*(column[at].tolist() for column in columns), strict=True):
        before = first.get((user, asset), (day, max(day, known)))
        first[user, asset] = (min(day, before[0]), min(max(day, known), before[1]))
    listed = graph.nodes.listed
    found: dict[int, int] = {}
    for (user, asset), (day, known) in first.items():
        if asset != view.asset and listed[asset] != NO_DAY and 0 <= day - listed[asset] <= most_days:
            found[user] = min(known, found.get(user, known))
    return found


class BeganWith(ReasonKind):
    """How many who began lately bought the asset first, told to those who have no positions."""

    subject = Subject.OTHERS
    triggers = ("began_with",)

    def claims(self, case: Case) -> Iterator[Claim]:
        """Where it is part of the score."""
        weight = dict(case.explanation.base).get(FIRST_CHOICES, 0.0)
        if weight:
            count = int(case.lookups.first_choices[case.graph.asset_span.position(case.asset)])
            fact = case.facts.own(case.explanation.asset_id, "first_choices", count, "investors")
            yield of_facts(case, "began_with", (fact,), n=count, days=LATELY, weight=weight)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Count those whose first day is not their source's first statement, and had two assets at most."""
        began = began_with(view)
        today = to_days(view.graph.as_of)
        told = view.told(began.values(), after=today - 182)
        rest = view.told(view.members(HOLDS_OR_HELD, view.asset).values()) - told
        listed = int(view.graph.nodes.listed[view.asset])
        is_old = listed == NO_DAY or not 0 <= today - listed <= 182
        right = (said.count("n"), said.count("days")) == (told, 182) and told > SMALLEST_TOLD and is_old
        return [] if right and not 0 < rest <= SMALLEST_TOLD else [f"{told} investors are told to have begun with it"]


def began_with(view: Snapshot) -> dict[int, int]:
    """Rows of who bought the asset on their first day, with one other at most, and the day on which that was known."""
    edges = view.graph.edges
    at = np.flatnonzero(np.isin(edges.relation, POSITION_CODES))
    columns = (edges.as_of, edges.head, edges.tail, np.maximum(edges.as_of, edges.known_at), edges.qualifier)
    rows = sorted(zip(*(column[at].tolist() for column in columns), strict=True))
    oldest: dict[tuple[int, int], tuple[int, str]] = {}
    known: dict[tuple[int, int], int] = {}
    for day, user, asset, seen, qualifier in rows:
        oldest.setdefault((user, asset), (day, qualifier))
        known[user, asset] = min(seen, known.get((user, asset), seen))
    opening = next((row[0] for row in rows if row[-1] == "statement"), 0)
    first: dict[int, int] = {}
    for (user, _), (day, _) in oldest.items():
        first[user] = min(day, first.get(user, day))
    began: dict[int, list[int]] = {}
    for (user, asset), (day, qualifier) in oldest.items():
        if day == first[user] and not (qualifier == "statement" and day <= opening):
            began.setdefault(user, []).append(asset)
    return {
        user: known[user, view.asset] for user, assets in began.items() if len(assets) <= 2 and view.asset in assets
    }


class WidelyHeld(ReasonKind):
    """How many others hold the asset, told where no path speaks for it: the base, which is demand, does so alone."""

    subject = Subject.OTHERS
    triggers = ("widely_held",)

    def claims(self, case: Case) -> Iterator[Claim]:
        """Where no path speaks, and the group may be told."""
        count = 0 if case.paths else _others_who_hold(case)
        if count >= SMALLEST_GROUP:
            fact = case.facts.own(case.explanation.asset_id, "holders", count, "investors")
            yield of_facts(case, "widely_held", (fact,), n=count, ever=case.lookups.groups.by_calendar)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Count them."""
        holders = view.members(HOLDS_OR_HELD, view.asset)
        true = view.told(holders.values()) - (view.user in holders)
        return [] if said.count("n") == true >= SMALLEST_TOLD else [f"{true} others are told to hold or have held it"]


def _others_who_hold(case: Case) -> int:
    """At least how many others hold or held the asset; in builds of before, how many hold it."""
    groups = case.lookups.groups
    if not groups.by_calendar:
        holders = case.graph.incoming(Relation.HOLDS).of(case.asset)
        return len(holders) - int(case.user in holders)
    graph = case.graph
    asset = graph.asset_span.position(case.asset)
    is_one = case.user >= 0 and bool(groups.interactions.ever[graph.user_span.position(case.user), asset])
    return int(groups.holders[asset]) - is_one
