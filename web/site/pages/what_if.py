"""What if: an investor's list with other answers, and with assets followed or dismissed; and the questionnaire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.datastructures import MultiDict

from pathfolio.explain.evidence import PathNode, Reason
from pathfolio.explain.records.adviser import Advice
from pathfolio.explain.what_if_list import AssumedList, Move
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.errors import UsageError
from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.span import Row
from pathfolio.recommender.assumed import AssumedInvestor
from pathfolio.recommender.questionnaire import HORIZON, INTEREST, QUESTIONS, YEARS, choices_of
from pathfolio.web.site.access.guard import visitor
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.language import current_texts, is_of_another
from pathfolio.web.site.listed import PassedOver, advised
from pathfolio.web.site.pages.investors import check_kind, investor_row
from pathfolio.web.site.parameters import InvestorId, KindOfAsset, VerdictWord
from pathfolio.web.site.purpose import ask_purpose
from pathfolio.web.site.recorded import ask_what_if
from pathfolio.web.site.render import Page, served, show
from pathfolio.web.site.served import ServedBuild
from pathfolio.web.site.stated import needs_purpose, stated_purpose
from pathfolio.web.site.telling import ANSWERS, levels_in_order
from pathfolio.web.site.twin import in_json
from pathfolio.web.site.view import view
from pathfolio.web.site.what_if_json import Asked, WhatIfAnswer, WhatIfQuestion, answer_of, asked_in_json, asked_of

LIST_LENGTH: Final = 10
MOST_CHOICES: Final = 24
"""Interests of one kind that the page offers; others can be named through the API."""

blueprint = Blueprint("what_if", __name__)


@dataclass(frozen=True)
class Field:
    """One question of the profile: its name, the levels to choose from, and the one chosen (its id, or empty)."""

    name: str
    kind: str
    levels: tuple[PathNode, ...]
    chosen: str


@dataclass(frozen=True)
class Interests:
    """The industries, sectors or categories to tick; `chosen` are their ids."""

    kind: str
    nodes: tuple[PathNode, ...]
    chosen: tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """What can be asked, and what was."""

    fields: tuple[Field, ...]
    interests: tuple[Interests, ...]
    years: tuple[int, ...]
    horizon: float | None
    followed: tuple[PathNode, ...]
    dismissed: tuple[PathNode, ...]


@dataclass(frozen=True)
class Place:
    """An asset with its place now and before; 0 where it is on no list."""

    asset: PathNode
    rank: int
    was: int


@dataclass(frozen=True)
class WhatIfLine:
    """One asset of the new list.

    Attributes:
        part: share of the score that paths from something followed, assumed or named carry.
        warnings: what they say against it, beside what they say against every line.
    """

    place: Place
    reasons: tuple[Reason, ...]
    listed: date | None
    part: float
    verdict: VerdictWord
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Listed:
    """What came of a question: the new list, what climbed below it, what left it, and what the rules say."""

    lines: tuple[WhatIfLine, ...]
    risers: tuple[Place, ...]
    left: tuple[Place, ...]
    warnings: tuple[str, ...]
    passed_over: tuple[PassedOver, ...]
    more_passed_over: int


@dataclass(frozen=True)
class WhatIfPage(Listed, Page):
    """`is_changed` says whether anything is assumed; `problem` what of the question was not understood."""

    template: ClassVar[str] = "what_if.html"
    investor: PathNode
    kind: str | None
    kinds: tuple[str, ...]
    form: Form
    is_changed: bool
    problem: str

    def query(self) -> str:
        """What is assumed, as the query of another page's address."""
        pairs = [(field.name, field.chosen) for field in self.form.fields]
        pairs += [] if self.form.horizon is None else [(HORIZON, f"{self.form.horizon:g}")]
        pairs += [(INTEREST, name) for name in dict.fromkeys(n for each in self.form.interests for n in each.chosen)]
        pairs += [("follow", str(node.id)) for node in self.form.followed]
        return urlencode(pairs + [("dismiss", str(node.id)) for node in self.form.dismissed])


@dataclass(frozen=True)
class QuestionnairePage(Page):
    """The questions, and the list of whoever gave these answers; empty before there are any."""

    template: ClassVar[str] = "questionnaire.html"
    form: Form
    lines: tuple[WhatIfLine, ...]
    warnings: tuple[str, ...]
    passed_over: tuple[PassedOver, ...]
    more_passed_over: int
    is_answered: bool


@blueprint.get("/investors/<id:user_id>/what-if")
@view(Permission.OWN_PAGES)
def what_if(user_id: InvestorId, kind: KindOfAsset | None = None) -> WhatIfPage | Response:
    """The list under the assumptions of the query: `follow`, `dismiss` (each may repeat), levels, `horizon`."""
    site = served()
    investor = site.names.node(investor_row(site.graph, user_id))
    check_kind(site, kind)
    named, problem = _named(site), ""
    try:
        asked = asked_of(site, user_id, _answers(), *named)
    except UsageError as error:
        asked, problem = asked_of(site, user_id, ()), str(error)
    lang = current_texts().lang
    found = ask_what_if(*_list_for(lang), replace(asked, kind=kind), lang, "site")
    page = WhatIfPage(
        **vars(found),
        investor=investor,
        kind=kind,
        kinds=site.kinds,
        form=form_of(site, asked.investor, asked.before),
        is_changed=asked.investor != asked.before,
        problem=problem,
    )
    return show(page, 400 if problem else 200)


@blueprint.get("/questionnaire")
@view(Permission.HOME)
def questionnaire() -> QuestionnairePage:
    """Questions for somebody new, and at once the list that the answers give."""
    site = served()
    answers = _answers()
    asked = asked_of(site, None, answers)
    form = form_of(site, asked.investor)
    if not answers:
        return QuestionnairePage(form, (), (), (), 0, is_answered=False)
    lang = current_texts().lang
    found = ask_what_if(*_list_for(lang), asked, lang, "site")
    said = found.warnings, found.passed_over, found.more_passed_over
    return QuestionnairePage(form, found.lines, *said, is_answered=True)


@blueprint.post("/api/what-if")
@view(Permission.HOME, tag="what if", body=WhatIfQuestion, errors=(403, 404, 413, 415), recorded=True)
def answer() -> WhatIfAnswer | Response:
    """An investor's list with other answers, and with assets followed or dismissed."""
    return _answer()


@blueprint.post("/api/questionnaire")
@view(Permission.HOME, tag="what if", body=WhatIfQuestion, errors=(403, 404, 413, 415), recorded=True)
def answer_questionnaire() -> WhatIfAnswer | Response:
    """A list for somebody new, from their answers."""
    return _answer()


def _answer() -> WhatIfAnswer | Response:
    body = _body()
    if not isinstance(body, dict):
        return _refused("the request is no JSON object: send one with Content-Type: application/json")
    user_id = body.get("user_id")
    if isinstance(user_id, str) and not visitor().may_see(user_id):
        abort(403)
    if isinstance(user_id, str) and needs_purpose(user_id) and not stated_purpose():
        return ask_purpose()
    lang = body.get("lang", DEFAULT)
    if lang not in LANGUAGES:
        return _refused(f"no language {lang!r}: choose one of {', '.join(LANGUAGES)}")
    try:
        asked = asked_in_json(served(), body)
        twin = ask_what_if("what-if twin", partial(_twin, asked, lang), asked, lang, "api")
    except UsageError as error:
        return _refused(str(error))
    return Response(twin, mimetype="application/json")


def _body() -> Any:
    """The JSON of the request; None where it is none, or is nested too deeply to be read."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def _twin(asked: Asked, lang: str, advice: Advice) -> bytes:
    site = served()
    return in_json(answer_of(site, asked, _moves(advice), advised(site, lang, advice), lang), lang)


def _refused(message: str) -> Response:
    response = jsonify({"error": message})
    response.status_code = 400
    return response


# -- what the page's address says ----------------------------------------------------------------------------


def _answers() -> list[tuple[str, str]]:
    """The answers of the query; on the page of an investor an empty one takes the answer away."""
    return answers_of(request.args, empty="user_id" in _view_args())


def answers_of(given: MultiDict[str, str], *, empty: bool = False) -> list[tuple[str, str]]:
    """The answers of an address or a form; with `empty` ones, which take an answer away."""
    pairs = [(name, given[name]) for name in QUESTIONS if name in given and (given[name] or empty)]
    pairs += [(HORIZON, given[HORIZON])] if given.get(HORIZON) else []
    return pairs + [(INTEREST, text) for text in given.getlist(INTEREST) if text]


def _view_args() -> dict[str, Any]:
    return request.view_args or {}


def _named(site: ServedBuild) -> tuple[list[str], list[str]]:
    """Ids of the assets followed and dismissed; `find` follows the asset whose name or id fits best."""
    args, taken_back = request.args, set(request.args.getlist("undo"))
    follow, dismiss = (
        [name for name in dict.fromkeys(args.getlist(key)) if name and name not in taken_back]
        for key in ("follow", "dismiss")
    )
    wanted = args.get("find", "").strip()
    if wanted:
        rows, _ = site.assets.find(wanted, 1)
        follow += [str(site.graph.nodes.id[rows[0]]) if rows else wanted]
    return follow, dismiss


# -- what the page shows -------------------------------------------------------------------------------------


def form_of(
    site: ServedBuild, investor: AssumedInvestor, before: AssumedInvestor | None = None, *, saved: bool = False
) -> Form:
    """The form as `investor` has it; what was followed and dismissed `before` that is not among what is asked.

    Args:
        saved: only questions whose answers an investor saves.
    """
    graph, choices, before = site.graph, choices_of(site.graph), before or AssumedInvestor()
    node = site.names.node
    chosen = {name: graph.nodes.id[investor.levels[r]] for name, r in QUESTIONS.items() if r in investor.levels}
    fields = tuple(
        Field(
            name,
            graph.kind_of(rows[0]).value,
            tuple(map(node, levels_in_order(graph, site.rules, QUESTIONS[name], rows))),
            str(chosen.get(name, "")),
        )
        for name, rows in choices.levels.items()
        if name in ANSWERS or not saved
    )
    ticked = tuple(str(graph.nodes.id[row]) for row in investor.interests)
    interests = tuple(
        Interests(kind.value, tuple(map(node, _offered(rows, investor))), ticked)
        for kind, rows in choices.interests.items()
    )
    followed, dismissed = (
        tuple(map(site.asset_node, sorted(part)))
        for part in (investor.followed - before.followed, investor.dismissed - before.dismissed)
    )
    return Form(fields, interests, YEARS, investor.years, followed, dismissed)


def _offered(rows: tuple[Row, ...], investor: AssumedInvestor) -> tuple[Row, ...]:
    """The first, and whatever else is of interest."""
    return tuple(row for at, row in enumerate(rows) if at < MOST_CHOICES or row in investor.interests)


def _list_for(lang: str) -> tuple[str, Callable[[Advice], Listed]]:
    """The list as the visitor reads it, theirs or another's: its name, and what makes it."""
    of_another = is_of_another()
    return "what-if list of another" if of_another else "what-if list", partial(_listed, lang, of_another)


def _listed(lang: str, of_another: bool, advice: Advice) -> Listed:
    site, found = served(), _moves(advice)
    shown = advised(site, lang, advice, is_of_person=of_another)
    lines = tuple(
        WhatIfLine(
            _place(site, line.move),
            told.reasons,
            told.listed,
            line.from_assumed / line.score if line.score > 0 else 0.0,
            told.verdict,
            told.warnings,
        )
        for line, told in zip(found.lines, shown.lines, strict=True)
    )
    risers, left = (tuple(_place(site, move) for move in part) for part in (found.risers, found.left))
    return Listed(lines, risers, left, shown.warnings, shown.passed_over, shown.more_passed_over)


def _moves(advice: Advice) -> AssumedList:
    if advice.moves is None:
        raise AssertionError("a question that assumes something is answered with moves")
    return advice.moves


def _place(site: ServedBuild, move: Move) -> Place:
    return Place(site.asset_node(move.asset), move.rank, move.was)
