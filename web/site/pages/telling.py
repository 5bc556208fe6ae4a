"""What an investor told: follows, dismissals and answers; told, changed and taken back here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Final

from flask import Blueprint, redirect, request, session, url_for
from werkzeug import Response

from pathfolio.explain.evidence import PathNode
from pathfolio.explain.records.telling import history_of
from pathfolio.kg.errors import UsageError
from pathfolio.kg.schema import ASSET_KINDS, RELATIONS, Relation
from pathfolio.recommender.assumed import INTEREST_KINDS, YEARS
from pathfolio.recommender.questionnaire import answered
from pathfolio.recommender.told import LEVELS, ToldFact
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.pages.investors import asset_row, investor_row
from pathfolio.web.site.pages.signin import safe_target
from pathfolio.web.site.pages.what_if import Form, answers_of, form_of
from pathfolio.web.site.parameters import InvestorId
from pathfolio.web.site.recorded import asker
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.served import ServedBuild
from pathfolio.web.site.stated import purpose_towards
from pathfolio.web.site.telling import (
    ACTIONS,
    ANSWERS,
    answers_as_facts,
    check_may_tell,
    investor_of,
    may_tell,
    say_told,
    told_of,
)
from pathfolio.web.site.view import view

MOST_SHOWN: Final = 100

blueprint = Blueprint("telling", __name__)


@dataclass(frozen=True)
class SaidLine:
    """One thing told.

    Attributes:
        relation: as in the graph, or YEARS.
        node: what it is about; None for a number of years, and for an answer taken back.
        target: the node's id, or the years.
        undo: the button that takes it back; empty where the questionnaire does.
    """

    relation: str
    node: PathNode | None
    target: str
    day: date
    stands: bool
    entry: str
    undo: str


@dataclass(frozen=True)
class ToldTwin:
    """What an investor told: what counts now, and all entries, the newest first."""

    investor: PathNode
    now: tuple[SaidLine, ...]
    entries: tuple[SaidLine, ...]


@dataclass(frozen=True)
class ToldPage(Page):
    """The same with the questionnaire, where the visitor may answer for the investor."""

    template: ClassVar[str] = "told.html"
    found: ToldTwin
    form: Form
    may_tell: bool

    def twin(self) -> ToldTwin:
        """What was told."""
        return self.found


@blueprint.get("/investors/<id:user_id>/told")
@view(Permission.OWN_PAGES, tag="recommendations")
def told(user_id: InvestorId) -> ToldPage:
    """What an investor told here: assets followed and left out, interests and answers, each with its day and entry."""
    site = served()
    row = investor_row(site.graph, user_id)
    history = history_of(site.ledger, site.graph.name, user_id)
    if history and (why := purpose_towards(user_id)):
        site.ledger.note_look([header.id for header, _ in history], who=asker(), purpose=why)
    entries = [
        _line(site, ToldFact(relation, target, said.day, stands, header.id), undo=False)
        for header, said in history
        for relation, target, stands in said.facts
    ]
    now = [_line(site, fact, undo=True) for fact in told_of(site, user_id) if fact.stands]
    found = ToldTwin(site.names.node(row), tuple(now), tuple(entries[:MOST_SHOWN]))
    return ToldPage(found, form_of(site, investor_of(site, user_id), saved=True), may_tell(user_id))


@blueprint.post("/investors/<id:user_id>/told")
@view(Permission.OWN_PAGES)
def tell(user_id: InvestorId) -> Response:
    """Follow, or leave out, an asset, or take that back: `follow`, `unfollow`, `dismiss`, `undismiss` name assets.

    `next` is where to go on.
    """
    site = served()
    investor_row(site.graph, user_id)
    check_may_tell(user_id)
    facts = []
    for name, (relation, stands) in ACTIONS.items():
        for asset_id in dict.fromkeys(request.form.getlist(name)):
            asset_row(site.graph, asset_id)
            facts.append(ToldFact(relation, asset_id, site.today(), stands))
    if not facts:
        raise UsageError("nothing was told: name an asset with follow, unfollow, dismiss or undismiss")
    say_told(user_id, facts)
    target = request.form.get("next", "")
    return redirect(safe_target(target) if target else url_for("telling.told", user_id=user_id), 303)


@blueprint.post("/investors/<id:user_id>/answers")
@view(Permission.OWN_PAGES)
def save_answers(user_id: InvestorId) -> Response:
    """Save the answers of the questionnaire, by its questions' names; what is empty is no answer."""
    site = served()
    investor_row(site.graph, user_id)
    check_may_tell(user_id)
    before = investor_of(site, user_id)
    nothing = before.with_answers(dict.fromkeys(ANSWERS.values()))
    given = answered(site.graph, answers_of(request.form), replace(nothing, interests=(), years=None))
    facts = answers_as_facts(site, before, given, site.today())
    if facts:
        say_told(user_id, facts)
        session["told"] = "answers_saved"
    return redirect(url_for("investors.investor", user_id=user_id), 303)


def _line(site: ServedBuild, fact: ToldFact, *, undo: bool) -> SaidLine:
    graph = site.graph
    kinds = INTEREST_KINDS if fact.relation == Relation.INTERESTED_IN else ASSET_KINDS
    if fact.relation in LEVELS:
        kinds = RELATIONS[Relation(fact.relation)].tails
    rows = (graph.find(kind, fact.target) for kind in kinds) if fact.relation != YEARS else iter(())
    row = next((row for row in rows if row is not None), None)
    back = {Relation.FOLLOWS.value: "unfollow", Relation.DISMISSES.value: "undismiss"}.get(fact.relation, "")
    node = None if row is None else site.names.node(row)
    return SaidLine(fact.relation, node, fact.target, fact.day, fact.stands, fact.entry, back if undo else "")
