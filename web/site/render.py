"""Pages: typed contexts that are shown as HTML, or as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from flask import Response, current_app, jsonify, make_response, render_template, request

from web.site.language import current_texts
from web.site.served import Served
from web.site.twin import as_json


@dataclass(frozen=True)
class Page:
    """What a template shows: its fields are all that the template gets, as `page`."""

    template: ClassVar[str]

    def to_json(self, lang: str) -> Any:
        """The page's JSON twin; names of nodes are in `lang`."""
        return as_json(self, lang)


def show(page: Page, status: int = 200) -> Response:
    """The page as HTML, or as JSON where the request asks for that."""
    if wants_json():
        response = jsonify(page.to_json(current_texts().lang))
    else:
        response = make_response(render_template(page.template, page=page))
    response.status_code = status
    return response


def wants_json() -> bool:
    """Whether the request asks for the JSON twin: by `?format=json`, or by an Accept header that prefers it."""
    wanted = request.args.get("format")
    if wanted:
        return wanted == "json"
    best = request.accept_mimetypes.best_match(("text/html", "application/json"), default="text/html")
    return best == "application/json"


def served() -> Served:
    """What the running site serves."""
    found: Served = current_app.extensions["pathfolio"]
    return found
