"""That the asset came to market lately."""

from __future__ import annotations

from collections.abc import Iterator

from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.kind import ReasonKind, Subject, of_facts
from pathfolio.kg.graph import NO_DAY, to_date


class NewlyListed(ReasonKind):
    """The day of its listing; it weighs as much as the base's term for that."""

    subject = Subject.NEWS
    triggers = ("newly_listed",)
    same_for_all = True

    def claims(self, case: Case) -> Iterator[Claim]:
        """Of assets just listed only."""
        fact = case.facts.listed(case.asset)
        if fact is not None and case.is_new:
            age = (case.graph.as_of - fact.as_of).days
            pull = dict(case.explanation.base).get("new_issue", 0.0)
            yield of_facts(case, "newly_listed", (fact,), day=fact.as_of, age=age, weight=pull)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Look the day up."""
        day = int(view.graph.nodes.listed[view.asset])
        if day == NO_DAY:
            return ["the graph does not know when it was listed"]
        age = (view.graph.as_of - to_date(day)).days
        right = said.day("day") == to_date(day) and said.count("age") == age >= 0
        return [] if right else [f"it was listed on {to_date(day)}, {age} days before"]
