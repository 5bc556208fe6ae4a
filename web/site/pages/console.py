"""The graph console: Cypher with examples and the schema beside it, answered as a table, a drawing, CSV or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from flask import Blueprint, Response, abort, current_app, jsonify, request

from pathfolio.explain.records.uses import QueryUse, note_use
from pathfolio.kg.schema import ASSET_KINDS, ASSET_LABEL, RELATIONS, NodeKind, Relation
from pathfolio.kg.store.catalog import NamedQuery
from pathfolio.kg.store.layout import EDGE_PROPERTIES, NODE_PROPERTIES
from pathfolio.kg.store.neighbourhood import MOST_NODES
from pathfolio.kg.store.query import QueryResult
from pathfolio.web.cypher_formats import FORMATS
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.graph.desk import GraphDesk
from pathfolio.web.site.graph.drawing import Drawing, drawing_of
from pathfolio.web.site.graph.kept import note_answer
from pathfolio.web.site.graph.question import Answered, ConsoleQuestion, Problem, ask
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.recorded import asker
from pathfolio.web.site.render import Page, served_graph, show
from pathfolio.web.site.twin import as_json
from pathfolio.web.site.view import view

PATIENCE: Final = 1.0
"""Seconds that the page waits for a store that is just starting, before it says so and comes again."""

PATIENCE_OF_PROGRAMS: Final = 90.0
DOWNLOADS: Final = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}

blueprint = Blueprint("console", __name__)


@dataclass(frozen=True)
class RelationLine:
    """A kind of relation, and between which kinds of node it stands."""

    relation: str
    heads: tuple[str, ...]
    tails: tuple[str, ...]


@dataclass(frozen=True)
class ConsoleOutcome:
    """What became of a question, as programs read it; `starting` while there is no store yet to ask.

    Attributes:
        result: columns, rows, truncated (the limit's name, or null) and seconds.
        drawing: nodes (key, kind, id, name) and relations (head, tail, relation and its properties).
    """

    starting: bool
    result: dict[str, Any] | None
    drawing: dict[str, Any] | None
    problem: Problem | None


@dataclass(frozen=True)
class ConsolePage(Page):
    """The editor, what was asked, and what became of it.

    Attributes:
        queries: named queries to choose from.
        nodes: how many there are of each kind.
        investors: whether the graph has its investors in it.
    """

    template: ClassVar[str] = "console.html"
    question: ConsoleQuestion
    answered: Answered
    drawing: Drawing | None
    queries: tuple[NamedQuery, ...]
    nodes: Mapping[str, int]
    relations: tuple[RelationLine, ...]
    investors: bool

    @property
    def schema(self) -> dict[str, list[str]]:
        """What the editor completes."""
        return {
            "labels": [*self.nodes, ASSET_LABEL],
            "relations": [line.relation for line in self.relations],
            "properties": ["id", *NODE_PROPERTIES, "as_of", *EDGE_PROPERTIES],
            "parameters": ["as_of"],
        }

    @property
    def on_canvas(self) -> str:
        """The answer's nodes as a scene of the canvas, in JSON."""
        found = [] if self.answered.result is None else self.answered.result.nodes
        nodes = [{"kind": node.kind, "id": node.id} for node in found if node.kind in self.nodes]
        return json.dumps({"nodes": nodes[:MOST_NODES]}, ensure_ascii=False, separators=(",", ":"))

    def twin(self) -> ConsoleOutcome:
        """What became of the question."""
        return outcome(self.answered)


@blueprint.get("/graph")
@view(Permission.GRAPH)
def console() -> ConsolePage | Response:
    """The editor; `?query=` and `?parameters=`, or `?name=` and `?P.…=` for each parameter, ask."""
    desk = graph_desk()
    desk.start()
    named = _named(desk, request.args.get("name", ""))
    given = {key[2:]: value for key, value in request.args.items() if key.startswith("P.") and value}
    lines = request.args.get("parameters", "") if named is None else ""
    question = ConsoleQuestion(request.args.get("query", ""), named, given if named is not None else {}, lines)
    answered = ask(desk, question, PATIENCE, _note)
    if answered.result is not None and request.args.get("saved"):
        note_answer(request.args["saved"], question, answered.result)
    wanted = request.args.get("format", "")
    if wanted in DOWNLOADS and answered.result is not None:
        return _download(answered.result, wanted)
    drawing = None if answered.result is None else drawing_of(answered.result)
    nodes, relations = _schema(desk)
    page = ConsolePage(question, answered, drawing, desk.queries, nodes, relations, desk.investors)
    response = show(page, answered.status if question.is_asked else 200)
    return again(response, starting=answered.status == 503 and question.is_asked)


@dataclass(frozen=True)
class ConsoleRequest:
    """A question of a program.

    Attributes:
        query: Cypher; or
        name: of a query that the site offers.
        parameters: by name; texts for a named query.
    """

    query: str = ""
    name: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


@blueprint.post("/graph")
@view(Permission.GRAPH, tag="graph", body=ConsoleRequest, errors=(404, 413, 415, 502, 503, 504), tells_errors=True)
def answer() -> ConsoleOutcome | Response:
    """Ask the graph in Cypher, or a named query."""
    asked = _json()
    if not isinstance(asked, dict) or not isinstance(asked.get("parameters", {}), dict):
        abort(400)
    desk = graph_desk()
    desk.start()
    named = _named(desk, str(asked.get("name", "")))
    question = ConsoleQuestion(str(asked.get("query", "")), named, asked.get("parameters", {}))
    if not question.is_asked:
        abort(400)
    answered = ask(desk, question, PATIENCE_OF_PROGRAMS, _note)
    response = jsonify(as_json(outcome(answered), current_texts().lang))
    response.status_code = answered.status
    return response


def _note(question: ConsoleQuestion) -> None:
    """Record who asks what, and whether as a file to take away."""
    use = QueryUse(
        who=asker(),
        name="" if question.named is None else question.named.name,
        query=question.query if question.named is None else "",
        parameters=json.dumps(question.values, default=str),
        lines=question.lines,
        format=request.args.get("format", "") if request.method == "GET" else "json",
    )
    note_use(served_graph().ledger, use)


def _json() -> Any:
    """The JSON of the request, whatever its type says; None where it is none, or is nested too deeply to be read."""
    try:
        return request.get_json(force=True, silent=True)
    except RecursionError:
        return None


def graph_desk() -> GraphDesk:
    """The store behind the console."""
    found: GraphDesk = current_app.extensions["pathfolio_graph"]
    return found


def outcome(answered: Answered) -> ConsoleOutcome:
    """What became of a question, for programs."""
    result = answered.result
    return ConsoleOutcome(
        answered.status == 503,
        None if result is None else result.to_json(),
        None if result is None else result.drawing(),
        answered.problem,
    )


def _named(desk: GraphDesk, name: str) -> NamedQuery | None:
    if not name:
        return None
    found = next((query for query in desk.queries if query.name == name), None)
    return abort(404) if found is None else found


def _schema(desk: GraphDesk) -> tuple[dict[str, int], tuple[RelationLine, ...]]:
    """Kinds of node with their numbers, and kinds of relation, that the store has."""
    counts, nodes, lines = served_graph().counts, kinds_there(desk), []
    for relation in Relation:
        spec = RELATIONS[relation]
        heads, tails = _named_kinds(spec.heads, nodes), _named_kinds(spec.tails, nodes)
        if relation.value in counts["edges"] and heads and tails:
            lines.append(RelationLine(relation.value, heads, tails))
    return nodes, tuple(lines)


def kinds_there(desk: GraphDesk) -> dict[str, int]:
    """Kinds of node that the store has, with their numbers."""
    hidden = () if desk.investors else (NodeKind.USER.value,)
    return {kind: count for kind, count in served_graph().counts["nodes"].items() if kind not in hidden}


def _named_kinds(kinds: Sequence[NodeKind], there: Mapping[str, int]) -> tuple[str, ...]:
    """Those of the kinds that the store has; stocks, funds and bonds together by their common label."""
    found = [kind for kind in kinds if kind.value in there]
    assets = [kind for kind in found if kind in ASSET_KINDS]
    others = tuple(kind.value for kind in found if kind not in ASSET_KINDS)
    return ((ASSET_LABEL,) if len(assets) > 1 else tuple(kind.value for kind in assets)) + others


def _download(result: QueryResult, wanted: str) -> Response:
    response = Response(FORMATS[wanted](result), mimetype=DOWNLOADS[wanted])
    response.headers["Content-Disposition"] = f'attachment; filename="answer.{wanted}"'
    return response


def again(response: Response, *, starting: bool) -> Response:
    """A page about a store that is starting comes again by itself."""
    if starting:
        response.headers["Retry-After"] = "3"
        if response.mimetype == "text/html":
            response.headers["Refresh"] = "3"
    return response
