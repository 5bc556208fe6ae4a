"""Saved queries and scenes with links to share, alerts of changed answers, and the log of who asked what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug import Response

from pathfolio.explain.records.uses import QueryUse
from pathfolio.kg.errors import LedgerError, UsageError
from pathfolio.web.site.access.guard import visitor
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.graph.kept import saved_things
from pathfolio.web.site.graph.saved import SavedItem, SavedKind
from pathfolio.web.site.pages.canvas import checked_look, question_in_json
from pathfolio.web.site.recorded import asker
from pathfolio.web.site.render import Page, served_graph
from pathfolio.web.site.view import view

MOST_LOGGED: Final = 50
LOG_PURPOSE: Final = "the log of the graph's queries"

blueprint = Blueprint("saved", __name__)


@dataclass(frozen=True)
class LoggedQuery:
    """A query that somebody asked.

    Attributes:
        asked: its text, or the name of one that the site offers.
        parameters: as JSON; those typed beside it after them.
    """

    time: str
    who: str
    asked: str
    parameters: str


@dataclass(frozen=True)
class SavedLine:
    """Something saved.

    Attributes:
        own: whether whoever asks saved it, and may remove it.
        changed: whether a query's answer is another one than on the graph before; `rows` are how many it has now and
            had then, `days` the days of those graphs.
    """

    id: str
    kind: str
    name: str
    owner: str
    created: str
    own: bool
    changed: bool
    rows: tuple[int, ...]
    days: tuple[str, ...]


@dataclass(frozen=True)
class SavedPage(Page):
    """All that is saved, by name; `log` is null where it was not asked for."""

    template: ClassVar[str] = "saved.html"
    items: tuple[SavedLine, ...]
    log: tuple[LoggedQuery, ...] | None


@blueprint.get("/graph/saved")
@view(Permission.GRAPH, tag="graph", errors=(502,))
def saved(log: str = "") -> SavedPage:
    """What is saved; with `log=yes` the last queries, too: one's own, or for who may see records everybody's."""
    return SavedPage(tuple(map(_line, saved_things().all())), _log() if log == "yes" else None)


@blueprint.post("/graph/saved")
@view(Permission.GRAPH)
def save() -> Response:
    """Save a query (`query`, `parameters`, or `name` and `P.…`) or a scene (`scene` and `look` in JSON) as `title`."""
    kind = request.form.get("kind", "")
    if kind not in set(SavedKind):
        raise UsageError(f"{kind[:40]!r} cannot be saved: save a query or a scene")
    body = _scene() if kind == SavedKind.SCENE else _query()
    saved_things().add(SavedKind(kind), request.form.get("title", ""), asker(), body)
    return redirect(url_for("saved.saved"), 303)


@blueprint.get("/graph/saved/<id:key>")
@view(Permission.GRAPH)
def shared(key: str) -> Response:
    """What a link to something saved leads to."""
    item = saved_things().find(key)
    if item is None:
        abort(404)
    if item.kind is SavedKind.SCENE:
        return redirect(url_for("canvas.canvas", scene=item.body["scene"], look=item.body["look"]))
    given = {f"P.{name}": value for name, value in item.body.get("values", {}).items()}
    asked = {"name": item.body["name"], **given} if item.body.get("name") else {"query": item.body["query"]}
    if item.body.get("lines"):
        asked["parameters"] = item.body["lines"]
    return redirect(url_for("console.console", **asked, saved=item.id))


@blueprint.post("/graph/saved/<id:key>/remove")
@view(Permission.GRAPH)
def remove(key: str) -> Response:
    """Remove what one saved oneself."""
    if not saved_things().remove(key, asker()):
        abort(404)
    return redirect(url_for("saved.saved"), 303)


def _query() -> dict[str, Any]:
    form = request.form
    if name := form.get("name", ""):
        values = {key[2:]: value for key, value in form.items() if key.startswith("P.") and value}
        return {"name": name, "values": values}
    if not form.get("query", "").strip():
        raise UsageError("no query: write one before it is saved")
    return {"query": form["query"], "lines": form.get("parameters", "")}


def _scene() -> dict[str, Any]:
    scene, look = request.form.get("scene", ""), request.form.get("look", "") or "{}"
    if not question_in_json(scene).nodes:
        raise UsageError("nothing is on the canvas: find a node before it is saved")
    return {"scene": scene, "look": checked_look(look)}


def _line(item: SavedItem) -> SavedLine:
    return SavedLine(
        item.id,
        item.kind.value,
        item.name,
        item.owner,
        item.created,
        item.owner == asker(),
        item.has_changed,
        tuple(each.rows for each in item.answers),
        tuple(each.as_of.isoformat() for each in item.answers),
    )


def _log() -> tuple[LoggedQuery, ...]:
    """The last queries; the ledger notes the look."""
    ledger = served_graph().ledger
    person = None if visitor().may(Permission.RECORDS) else f"account {asker()}"
    headers = ledger.headers(kinds=[QueryUse.entry_kind], person=person, limit=MOST_LOGGED)
    out = []
    for header, text in ledger.read_many(headers, who=asker(), purpose=LOG_PURPOSE):
        if text is None or isinstance(text, LedgerError):
            continue
        said = json.loads(text)
        parameters = " ".join(each for each in (said["parameters"], said["lines"]) if each not in ("", "{}"))
        out.append(LoggedQuery(header.time, said["who"], said.get("name") or said.get("query", ""), parameters))
    return tuple(out)
