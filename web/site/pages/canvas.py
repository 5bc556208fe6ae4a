"""The canvas: the graph as a drawing that grows by neighbours, and what it asks for as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, ClassVar, Final, TypeVar

import msgspec
from flask import Blueprint, Response, current_app, jsonify, request, url_for
from msgspec import Meta

from pathfolio.explain.records.uses import QueryUse, note_use
from pathfolio.kg.errors import StoreError, UsageError
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.store.neighbourhood import (
    MOST_EXPANSIONS,
    MOST_NODES,
    Expansion,
    GraphPicture,
    GraphScene,
    NodeRef,
    PictureNode,
    PictureRelation,
    Tie,
    picture_of,
    ties_of,
)
from pathfolio.kg.store.query import QueryResult
from pathfolio.kg.store.values import to_json
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.graph.desk import State
from pathfolio.web.site.graph.finding import FoundNodes, NodeFinder
from pathfolio.web.site.graph.question import status_of
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.pages.console import PATIENCE, PATIENCE_OF_PROGRAMS, again, graph_desk, kinds_there
from pathfolio.web.site.pages.errors import ErrorPage
from pathfolio.web.site.recorded import asker
from pathfolio.web.site.render import Page, served_graph, show
from pathfolio.web.site.request_limits import WrongQuestion
from pathfolio.web.site.twin import as_json
from pathfolio.web.site.view import view

CANVAS: Final = "canvas"
"""What the ledger calls a query that drew a picture."""

FINDER: Final = "pathfolio_node_finder"

_SAID: Final = frozenset(
    f"canvas_{key}"
    for key in (
        *("found_none", "found_more", "nothing_selected", "expand", "more", "close", "remove", "page", "links"),
        *("still", "status", "cut", "by_nothing", "by_kind", "by_degree", "by_weight"),
    )
)

blueprint = Blueprint("canvas", __name__)

Part = TypeVar("Part", PictureNode, PictureRelation)

KindOfNode = Annotated[
    str, Meta(description="only nodes of this kind", extra_json_schema={"enum": [kind.value for kind in NodeKind]})
]


@dataclass(frozen=True)
class PictureQuestion:
    """What to draw.

    Attributes:
        nodes: that are there in any case.
        expansions: neighbours of these nodes, or of each other's neighbours, in order.
        day: as the graph stood on that day; null for the graph's own.
    """

    nodes: Annotated[tuple[NodeRef, ...], Meta(max_length=MOST_NODES)] = ()
    expansions: Annotated[tuple[Expansion, ...], Meta(max_length=MOST_EXPANSIONS)] = ()
    day: date | None = None

    @property
    def scene(self) -> GraphScene:
        """Without the day."""
        return GraphScene(self.nodes, self.expansions)


@dataclass(frozen=True)
class CanvasLook:
    """How a scene looks.

    Attributes:
        places: x and y by node, as Kind:id.
        hidden: kinds of node and of relation that are not shown.
        size, colour: what they follow.
    """

    places: Annotated[dict[str, tuple[float, float]], Meta(max_length=MOST_NODES)] = field(default_factory=dict)
    hidden: Annotated[tuple[str, ...], Meta(max_length=100)] = ()
    size: Annotated[str, Meta(max_length=100)] = ""
    colour: Annotated[str, Meta(max_length=100)] = "kind"


@dataclass(frozen=True)
class Ties:
    """The relations by which a node can be expanded on a day."""

    day: date
    ties: tuple[Tie, ...]


@dataclass(frozen=True)
class CanvasOutcome:
    """What is on the canvas, as programs read it; `starting` while there is no store yet to ask."""

    starting: bool
    picture: GraphPicture | None
    problem: str
    found: FoundNodes | None


@dataclass(frozen=True)
class CanvasPage(Page):
    """The canvas, and as tables what is on it.

    Attributes:
        asked: the scene in JSON, as the address has it.
        look: how it looks, in JSON.
        last: the graph's own day.
        picture: None where there is nothing to draw, or no store yet.
        found: nodes that a search fits; None where nothing is searched for.
        kinds: kinds of node that the graph has.
        investors: whether the graph has its investors in it.
    """

    template: ClassVar[str] = "canvas.html"
    asked: str
    look: str
    last: date
    picture: GraphPicture | None
    problem: str
    starting: bool
    query: str
    found: FoundNodes | None
    kinds: tuple[str, ...]
    investors: bool

    def twin(self) -> CanvasOutcome:
        """What is on the canvas."""
        return CanvasOutcome(self.starting, self.picture, self.problem, self.found)

    @property
    def script_texts(self) -> dict[str, str]:
        """What the script says, by key without its beginning."""
        return {key.removeprefix("canvas_"): each for key, each in current_texts().entries.items() if key in _SAID}

    @property
    def names(self) -> dict[NodeRef, str]:
        """What the picture's nodes are called."""
        return {} if self.picture is None else {node.ref: node.name for node in self.picture.nodes}


@blueprint.get("/graph/canvas")
@view(Permission.GRAPH)
def canvas() -> Response:
    """The canvas; `?scene=` is what `POST /graph/picture` takes, `?node=Kind:id` one node, and `?q=` searches."""
    desk = graph_desk()
    desk.start()
    picture, problem, starting = None, "", False
    try:
        question = _question_of_address()
        if question.nodes:
            starting = desk.wait(PATIENCE) is State.STARTING
            picture = None if starting else _drawn(question)
    except (UsageError, StoreError) as error:
        question, problem = PictureQuestion(), str(error)
    query = request.args.get("q", "")
    page = CanvasPage(
        asked=msgspec.json.encode(question).decode(),
        look=checked_look(request.args.get("look", "") or "{}"),
        last=served_graph().graph.as_of,
        picture=picture,
        problem=problem,
        starting=starting,
        query=query,
        found=_finder().find(query) if query.strip() else None,
        kinds=tuple(kinds_there(desk)),
        investors=desk.investors,
    )
    return again(show(page, 400 if problem else 503 if starting else 200), starting=starting)


@blueprint.get("/graph/find")
@view(Permission.GRAPH, tag="graph")
def find(
    q: Annotated[str, Meta(description="what it is called, or part of that")] = "", kind: KindOfNode = ""
) -> FoundNodes | Response:
    """Find nodes by name, id, ticker or ISIN."""
    return _json(_finder().find(q, None if not kind else _kind(kind)))


@blueprint.get("/graph/ties")
@view(Permission.GRAPH, tag="graph", errors=(502, 503, 504))
def ties(
    kind: KindOfNode = "",
    id: Annotated[str, Meta(description="the node's id")] = "",
    day: Annotated[str, Meta(description="ISO 8601; the graph's own where none is given")] = "",
) -> Ties | Response:
    """By which relations a node can be expanded on a day, and to how many neighbours."""
    return _answered(lambda: _ties(NodeRef(_kind(kind), id), day))


@blueprint.post("/graph/picture")
@view(Permission.GRAPH, tag="graph", body=PictureQuestion, errors=(413, 415, 502, 503, 504))
def picture() -> GraphPicture | Response:
    """Nodes and their neighbours as they stood on a day."""
    return _answered(lambda: _drawn(question_in_json(request.get_data())))


def question_in_json(text: str | bytes) -> PictureQuestion:
    """The question that is written in JSON.

    Raises:
        UsageError: it is none.
    """
    try:
        return msgspec.json.decode(text, type=PictureQuestion)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"no scene ({error}): see {url_for('api.openapi')}") from None


def checked_look(text: str) -> str:
    """How a scene looks, as JSON, once it is known to be that.

    Raises:
        UsageError: it is not.
    """
    try:
        return msgspec.json.encode(msgspec.json.decode(text, type=CanvasLook)).decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"no look of a scene ({error}): leave it out") from None


def _question_of_address() -> PictureQuestion:
    """What the address names: a scene, or one node as Kind:id."""
    written = request.args.get("scene", "")
    kind, _, key = request.args.get("node", "").partition(":")
    if written or not key:
        return question_in_json(written or "{}")
    return PictureQuestion((NodeRef(_kind(kind), key),))


def _kind(kind: str) -> NodeKind:
    try:
        return NodeKind(kind)
    except ValueError:
        raise UsageError(f"no kind of node {kind[:40]!r}: choose one of {', '.join(NodeKind)}") from None


def _drawn(question: PictureQuestion) -> GraphPicture:
    """The picture, once it is recorded who asked for it."""
    written = msgspec.json.encode(question).decode()
    note_use(served_graph().ledger, QueryUse(who=asker(), name=CANVAS, parameters=written, lines="", format=""))
    last = served_graph().graph.as_of
    drawn = picture_of(_ask, question.scene, min(question.day or last, last), last)
    return replace(drawn, nodes=tuple(map(_plain, drawn.nodes)), relations=tuple(map(_plain, drawn.relations)))


def _plain(part: Part) -> Part:
    """With its properties in JSON's types."""
    return replace(part, properties=to_json(part.properties))


def _ties(node: NodeRef, day: str) -> Ties:
    last = served_graph().graph.as_of
    try:
        asked = date.fromisoformat(day) if day else last
    except ValueError:
        raise UsageError(f"no day {day[:40]!r}: write it as 2026-06-30") from None
    return Ties(asked, ties_of(_ask, node, asked))


def _ask(text: str, parameters: dict[str, object]) -> QueryResult:
    return graph_desk().service.run(text, parameters)


def _answered(found: Callable[[], object]) -> Response:
    """What is found as JSON, once the store is there; or what is wrong, and the remedy."""
    desk = graph_desk()
    desk.start()
    texts = current_texts()
    if desk.wait(PATIENCE_OF_PROGRAMS) is not State.READY:
        why = desk.failure or texts.say("console_starting")
        return again(show(ErrorPage(503, texts.say("canvas_no_answer"), why), 503), starting=True)
    try:
        return _json(found())
    except UsageError as error:
        return _json(WrongQuestion(str(error)), 400)
    except StoreError as error:
        status = status_of(error)
        return show(ErrorPage(status, texts.say("canvas_no_answer"), str(error)), status)


def _json(value: object, status: int = 200) -> Response:
    response = jsonify(as_json(value, current_texts().lang))
    response.status_code = status
    return response


def _finder() -> NodeFinder:
    """Finds nodes; made when it is first asked."""
    extensions = current_app.extensions
    if FINDER not in extensions:
        extensions[FINDER] = NodeFinder(served_graph().graph, investors=graph_desk().investors)
    found: NodeFinder = extensions[FINDER]
    return found
