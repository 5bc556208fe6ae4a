"""A site of a graph alone: it has the graph console and accounts; every other page says that there are no scores."""

from __future__ import annotations

from typing import Final

from flask import Flask, redirect, request, url_for
from flask.typing import ResponseReturnValue

from pathfolio.web.site.access.guard import visitor
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.pages.errors import ErrorPage
from pathfolio.web.site.render import show
from pathfolio.web.site.twin import wants_json

PAGES: Final = frozenset(
    {"console", "canvas", "saved", "algorithms", "neighbours", "signin", "provider", "accounts", "operation"}
)
"""Blueprints that ask nothing of scores."""


def has(endpoint: str) -> bool:
    """Whether a site of a graph alone has this page."""
    return endpoint == "static" or endpoint.partition(".")[0] in PAGES


def register(app: Flask) -> None:
    """Refuse the pages that need scores, after the guard has refused whom it would."""
    app.before_request(_refuse)


def _refuse() -> ResponseReturnValue | None:
    if request.endpoint is None or has(request.endpoint):
        return None
    if request.endpoint == "home.home" and visitor().may(Permission.GRAPH) and not wants_json():
        return redirect(url_for("console.console"))
    texts = current_texts()
    return show(ErrorPage(404, texts.say("no_scores"), texts.say("no_scores_remedy")), 404)
