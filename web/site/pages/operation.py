"""For whoever runs the site: whether it lives, whether it can answer, and how it is doing."""

from __future__ import annotations

from flask import Blueprint, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pathfolio.kg.errors import LedgerError
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.measures import Measures
from pathfolio.web.site.render import served_graph
from pathfolio.web.site.view import view

blueprint = Blueprint("operation", __name__)

_TEXT = "text/plain"


@blueprint.get("/healthz")
@view(Permission.ANYONE, tag="operation", media=_TEXT)
def health() -> Response:
    """Whether the site lives: it answers.

    For what starts it again where it does not.
    """
    return Response("alive\n", mimetype=_TEXT)


@blueprint.get("/readyz")
@view(Permission.ANYONE, tag="operation", media=_TEXT, errors=(503,))
def ready() -> Response:
    """Whether the site can answer: its ledger can be reached, and a helper lives where there are any.

    For what leads visitors to it. What is amiss is told in a line.
    """
    problems = _problems()
    text = f"not ready: {'; '.join(problems)}\n" if problems else "ready\n"
    return Response(text, 503 if problems else 200, mimetype=_TEXT)


@blueprint.get("/metrics")
@view(Permission.OPERATION, tag="operation", media=_TEXT)
def metrics() -> Response:
    """How the site is doing, as Prometheus reads it.

    Requests and how long they took by page, the ledger's entries and lag, the build and its age, helpers, and the
    process: memory, processor time, files. Nothing of it names a person.
    """
    return Response(generate_latest(_measures().registry), content_type=CONTENT_TYPE_LATEST)


def _measures() -> Measures:
    found: Measures = current_app.extensions["pathfolio_measures"]
    return found


def _problems() -> list[str]:
    found = []
    try:
        _ = served_graph().ledger.size
    except LedgerError:
        found.append("the ledger cannot be reached")
    if _measures().lacks_helpers:
        found.append("no helper lives")
    return found
