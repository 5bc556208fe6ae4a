"""Whether the asset's risk is within what the investor's level allows."""

from __future__ import annotations

from collections.abc import Iterator

from pathfolio.explain.checker.parts import check_label
from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.kind import ReasonKind, Subject, of_facts
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Row


class Risk(ReasonKind):
    """The risk rating beside the risk level, where the rules know both."""

    subject = Subject.GOAL
    triggers = ("risk_fits", "risk_above")

    def claims(self, case: Case) -> Iterator[Claim]:
        """A reason where it fits, a caution where not."""
        own = case.investor.profile.get(Relation.HAS_RISK)
        rating = case.graph.outgoing(Relation.HAS_RISK_RATING)
        if own is None or not len(rating.of(case.asset)):
            return
        rules = case.lookups.rules
        row = Row(int(rating.of(case.asset)[0]))
        most = rules.levels["risk"].get(str(case.graph.nodes.id[own[1]]).casefold())
        risk = rules.ratings.get(str(case.graph.nodes.id[row]).casefold())
        if most is None or risk is None:
            return
        facts = (
            case.facts.statement(int(rating.edges_of(case.asset)[0]), "risk_rating"),
            case.level_fact(Relation.HAS_RISK, "risk_level"),
        )
        trigger = "risk_fits" if risk <= most else "risk_above"
        level = case.node(own[1])
        yield of_facts(case, trigger, facts, is_caution=risk > most, rating=case.node(row), level=level)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Look both up, and what the rules make of them."""
        problems = check_label(view, said, view.asset, "HAS_RISK_RATING", "rating")
        problems += check_label(view, said, view.user, "HAS_RISK", "level")
        if problems:
            return problems
        rating = view.tails(view.asset, "HAS_RISK_RATING")[0]
        level = view.tails(view.user, "HAS_RISK")[0]
        rating_word, level_word = (str(view.graph.nodes.id[row]).casefold() for row in (rating, level))
        risk = view.rules.ratings.get(rating_word)
        most = view.rules.levels["risk"].get(level_word)
        if risk is None or most is None:
            return [f"the rules do not know {rating_word!r} and {level_word!r}"]
        right = (risk <= most) == (said.trigger == "risk_fits")
        return [] if right else [f"class {risk}, level up to {most}"]
