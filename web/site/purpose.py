"""Looking at records: who looks, and for what purpose, without which nothing is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, TypeVar

from flask import Response, abort, current_app, request, url_for

from pathfolio.explain.ledger.entry import GoneError
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.find import Finder
from pathfolio.explain.records.inspect import Look
from pathfolio.kg.errors import UsageError
from pathfolio.web.site.access.guard import permission_of
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.pages.errors import ErrorPage
from pathfolio.web.site.recorded import asker
from pathfolio.web.site.render import Page, served, show
from pathfolio.web.site.stated import needs_purpose, stated_purpose
from pathfolio.web.site.twin import wants_json

_View = TypeVar("_View", bound=Callable[..., Any])


@dataclass(frozen=True)
class PurposePage(Page):
    """Asks for the purpose; `target` is where to go on."""

    template: ClassVar[str] = "purpose.html"
    target: str


def look() -> Look:
    """The present visitor, and why they look, as they said themselves."""
    return Look(asker(), stated_purpose())


def with_purpose(view: _View) -> _View:
    """A view of records: asks for the purpose first; 404 for a record that is not there, 410 for one that is gone."""

    @wraps(view)
    def guarded(*args: object, **kwargs: object) -> Any:
        if not stated_purpose():
            return ask_purpose()
        try:
            return view(*args, **kwargs)
        except UsageError:
            return abort(404)
        except GoneError:
            return abort(410)

    guarded.for_purpose = True  # type: ignore[attr-defined] # a view's description says so
    return guarded  # type: ignore[return-value] # the same signature


def ledger() -> Ledger:
    """The ledger that the site writes to."""
    return served().desk.ledger


def finder() -> Finder:
    """Finds records of the ledger."""
    found: Finder = current_app.extensions["pathfolio_finder"]
    return found


def ask_staff_first() -> Response | None:
    """Before a page about a person: staff say why they open it."""
    needed = permission_of(current_app, request.endpoint) if request.endpoint else None
    if needed not in (Permission.OWN_PAGES, Permission.INVESTORS) or stated_purpose():
        return None
    return ask_purpose() if needs_purpose((request.view_args or {}).get("user_id")) else None


def ask_purpose() -> Response:
    """The page, or the JSON, that asks for the purpose."""
    if wants_json():
        texts = current_texts()
        return show(ErrorPage(428, texts.say("error_428"), texts.say("error_428_remedy")), 428)
    asked = request.full_path.rstrip("?") if request.method == "GET" else url_for("records.records")
    return show(PurposePage(asked), 428)
