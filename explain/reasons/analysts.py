"""What analysts say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.kind import ReasonKind, Subject, of_facts
from pathfolio.explain.scales import opinion
from pathfolio.kg.graph import to_date, to_days
from pathfolio.kg.schema import Relation

FEWEST_FIRMS: Final = 3
RATING_DAYS: Final = 365


class Analysts(ReasonKind):
    """What a clear majority of the firms say that rated the asset within a year."""

    subject = Subject.NEWS
    triggers = ("analysts_buy", "analysts_sell")
    same_for_all = True

    def claims(self, case: Case) -> Iterator[Claim]:
        """At least three fifths of at least three firms."""
        adjacency = case.graph.outgoing(Relation.RATED_BY)
        edges = case.graph.edges
        oldest = to_days(case.graph.as_of) - RATING_DAYS
        recent = [at for at in adjacency.edges_of(case.asset).tolist() if edges.as_of[at] > oldest]
        opinions = [opinion(str(edges.qualifier[at])) for at in recent]
        for side, trigger in ((1, "analysts_buy"), (-1, "analysts_sell")):
            count = opinions.count(side)
            if len(recent) >= FEWEST_FIRMS and count * 5 >= len(recent) * 3:
                asset = case.explanation.asset_id
                facts = (
                    case.facts.own(asset, trigger, count, "analyst firms"),
                    case.facts.own(asset, "analysts", len(recent), "analyst firms"),
                )
                day = to_date(max(int(edges.as_of[at]) for at in recent))
                yield of_facts(case, trigger, facts, is_caution=side < 0, count=count, n=len(recent), day=day)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Count the firms."""
        edges = view.graph.edges
        side = 1 if said.trigger == "analysts_buy" else -1
        dated = [(to_date(edges.as_of[at]), str(edges.qualifier[at])) for at in view.edges(view.asset, "RATED_BY")]
        recent = [(day, word) for day, word in dated if view.graph.as_of - day < timedelta(days=365)]
        same = sum(opinion(word) == side for _, word in recent)
        claimed = (said.count("count"), said.count("n"), said.day("day"))
        true = (same, len(recent), max((day for day, _ in recent), default=None))
        return [] if claimed == true else [f"(firms, of all, latest) is {true}"]
