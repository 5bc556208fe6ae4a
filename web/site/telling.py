"""Telling: what the investor of the present page told the site, for those who may tell for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from flask import Flask, abort, g, request, session

from pathfolio.explain.evidence import PathNode
from pathfolio.explain.records.telling import Teller, tell, told_by
from pathfolio.explain.scales import in_order
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Row
from pathfolio.recommender.assumed import YEARS, AssumedInvestor
from pathfolio.recommender.questionnaire import QUESTIONS
from pathfolio.recommender.suitability.kinds import LEVEL_RELATIONS
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.told import LEVELS, ToldFact, told_named
from pathfolio.web.site.access.guard import current_access, visitor
from pathfolio.web.site.recorded import asker
from pathfolio.web.site.render import served
from pathfolio.web.site.served import ServedBuild
from pathfolio.web.site.twin import wants_json

ACTIONS: Final[Mapping[str, tuple[str, bool]]] = {
    "follow": (Relation.FOLLOWS.value, True),
    "unfollow": (Relation.FOLLOWS.value, False),
    "dismiss": (Relation.DISMISSES.value, True),
    "undismiss": (Relation.DISMISSES.value, False),
}
"""Names of the buttons to what they tell."""


ANSWERS: Final = {name: relation for name, relation in QUESTIONS.items() if relation.value in LEVELS}
"""Questions whose answers investors save."""


@dataclass(frozen=True)
class OwnChoices:
    """What an investor follows and leaves out, for the buttons and the line on top of their pages.

    Attributes:
        user_id: for whom the present visitor may tell.
        follows, leaves_out: the assets, by name; `following` and `without` are their ids.
    """

    user_id: str
    follows: tuple[PathNode, ...]
    leaves_out: tuple[PathNode, ...]
    following: frozenset[str]
    without: frozenset[str]


def may_tell(user_id: str) -> bool:
    """Whether the visitor may tell something for an investor: who signed in as them, or whoever serves a build to this
    machine alone. Staff see what was told and change none of it."""
    return current_access().accounts is None or (visitor().investor_id == user_id and bool(user_id))


def check_may_tell(user_id: str) -> None:
    """Answer 403 to whoever may not."""
    if not may_tell(user_id):
        abort(403)


def told_of(site: ServedBuild, user_id: str) -> tuple[ToldFact, ...]:
    """What counts of what the investor told; empty for nobody. A request reads it once."""
    if not user_id:
        return ()
    if g.get("told", ("", ()))[0] != user_id:
        g.told = user_id, told_by(site.ledger, site.graph.name, user_id)
    found: tuple[ToldFact, ...] = g.told[1]
    return found


def investor_of(site: ServedBuild, user_id: str) -> AssumedInvestor:
    """The investor with what they told; a stranger for an empty id."""
    return told_named(site.build.scorer, user_id, told_of(site, user_id))


def say_told(user_id: str, facts: Sequence[ToldFact]) -> str:
    """Record what the visitor tells for the investor; returns the entry's id.

    Raises:
        LedgerError: it could not be recorded, so it does not count.
    """
    site = served()
    through = "api" if wants_json() or request.is_json else "site"
    teller = Teller(asker(), through, site.graph.name, site.today())
    receipt = tell(site.ledger, teller, user_id, facts)
    g.record = receipt.id
    g.pop("told", None)
    return receipt.id


def answers_as_facts(
    site: ServedBuild, before: AssumedInvestor, answered: AssumedInvestor, today: date
) -> tuple[ToldFact, ...]:
    """What changes from one to the other, and every answer that is given again: it is of today then."""
    ids, facts = site.graph.nodes.id, []
    for relation in ANSWERS.values():
        row = answered.levels.get(relation)
        if row is not None or relation in before.levels:
            facts.append(ToldFact(relation.value, "" if row is None else str(ids[row]), today, row is not None))
    if answered.years is not None or before.years is not None:
        facts.append(ToldFact(YEARS, f"{answered.years or 0:g}", today, answered.years is not None))
    old, new = (dict.fromkeys(str(ids[row]) for row in each.interests) for each in (before, answered))
    facts += [ToldFact(Relation.INTERESTED_IN.value, name, today) for name in new]
    facts += [ToldFact(Relation.INTERESTED_IN.value, name, today, stands=False) for name in old if name not in new]
    return tuple(facts)


def levels_in_order(graph: KnowledgeGraph, rules: RuleSet | None, relation: Relation, rows: Sequence[Row]) -> list[Row]:
    """Rows of the levels of a question, from the lowest to the highest."""
    tables = [table for table, each in LEVEL_RELATIONS.items() if each is relation]
    limits = dict(rules.levels[tables[0]]) if rules is not None and tables else {}
    by_id = {str(graph.nodes.id[row]): row for row in rows}
    return [by_id[name] for name in in_order(tuple(by_id), {k: float(v) for k, v in limits.items()})]


def register(app: Flask) -> None:
    """Tell templates what the investor of their page follows and leaves out, where the visitor may tell for them."""

    @app.context_processor
    def telling() -> dict[str, object]:
        return {"telling": _telling, "just_told": lambda: session.pop("told", "")}


def _telling() -> OwnChoices | None:
    if "telling" not in g:
        g.telling = _find_telling()
    found: OwnChoices | None = g.telling
    return found


def _find_telling() -> OwnChoices | None:
    site = served()
    user_id = str((request.view_args or {}).get("user_id", "")) or visitor().investor_id or ""
    if not isinstance(site, ServedBuild) or not may_tell(user_id) or site.graph.find(NodeKind.USER, user_id) is None:
        return None
    investor = investor_of(site, user_id)
    follows, leaves_out = (
        tuple(sorted(map(site.asset_node, part), key=lambda node: node.name))
        for part in (investor.followed, investor.dismissed)
    )
    ids = [frozenset(str(node.id) for node in nodes) for nodes in (follows, leaves_out)]
    return OwnChoices(user_id, follows, leaves_out, *ids)
