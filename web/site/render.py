"""Pages: typed contexts that are shown as HTML, or as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from flask import Response, current_app, jsonify, make_response, render_template

from pathfolio.web.site.language import current_texts
from pathfolio.web.site.served import Served
from pathfolio.web.site.twin import as_json, wants_json


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


def served() -> Served:
    """What the running site serves."""
    found: Served = current_app.extensions["pathfolio"]
    return found
