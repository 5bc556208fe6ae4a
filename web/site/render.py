"""Pages: typed contexts that are shown as HTML, or as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from flask import Response, current_app, jsonify, make_response, render_template
from werkzeug import Response as AnyResponse

from pathfolio.web.site.language import current_texts
from pathfolio.web.site.served import ServedBuild, ServedGraph
from pathfolio.web.site.twin import as_json, wants_json


@dataclass(frozen=True)
class Page:
    """What a template shows: its fields are all that the template gets, as `page`."""

    template: ClassVar[str]

    def twin(self) -> Any:
        """What the page's JSON twin is made of, where that is not the page; its type describes the twin."""
        return self

    def to_json(self, lang: str) -> Any:
        """The page's JSON twin; names of nodes are in `lang`."""
        return as_json(self.twin(), lang)


def answered(found: Page | AnyResponse) -> AnyResponse:
    """What a view found, as an answer: a page as HTML or JSON, an answer as it is."""
    return show(found) if isinstance(found, Page) else found


def show(page: Page, status: int = 200) -> Response:
    """The page as HTML, or as JSON where the request asks for that."""
    if wants_json():
        response = jsonify(page.to_json(current_texts().lang))
    else:
        response = make_response(render_template(page.template, page=page))
    response.status_code = status
    return response


def served() -> ServedBuild:
    """What the running site serves."""
    found: ServedBuild = current_app.extensions["pathfolio"]
    return found


def served_graph() -> ServedGraph:
    """The graph that the running site serves, whether there are scores or not."""
    found: ServedGraph = current_app.extensions["pathfolio"]
    return found
