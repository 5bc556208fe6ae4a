"""Looking at records: who looks, and for what purpose, without which nothing is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, Final, TypeVar
from urllib.parse import unquote

from flask import Response, abort, current_app, request, session

from explain.ledger.entry import GoneError
from explain.ledger.ledger import Ledger
from explain.records.find import Finder
from explain.records.inspect import Look
from kg.errors import UsageError
from web.site.language import current_texts
from web.site.pages.errors import ErrorPage
from web.site.recorded import asker
from web.site.render import Page, served, show
from web.site.twin import wants_json

HEADER: Final = "Pathfolio-Purpose"
"""In it programs say why they look; what is not ASCII stands as in an address (%E6%9F%A5)."""

LONGEST_PURPOSE: Final = 200
_KEY: Final = "purpose"
_View = TypeVar("_View", bound=Callable[..., Any])


@dataclass(frozen=True)
class PurposePage(Page):
    """Asks for the purpose; `target` is where to go on."""

    template: ClassVar[str] = "purpose.html"
    target: str


def look() -> Look:
    """The present visitor, and why they look, as they said themselves."""
    return Look(asker(), _purpose())


def keep_purpose(purpose: str) -> None:
    """Remember the purpose for the visitor's next looks."""
    session[_KEY] = purpose.strip()[:LONGEST_PURPOSE]


def with_purpose(view: _View) -> _View:
    """A view of records: asks for the purpose first; 404 for a record that is not there, 410 for one that is gone."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not _purpose():
            return _ask()
        try:
            return view(*args, **kwargs)
        except UsageError:
            return abort(404)
        except GoneError:
            return abort(410)

    return guarded  # type: ignore[return-value] # the same signature


def ledger() -> Ledger:
    """The ledger that the site writes to."""
    return served().desk.ledger


def finder() -> Finder:
    """Finds records of the ledger."""
    found: Finder = current_app.extensions["pathfolio_finder"]
    return found


def _purpose() -> str:
    """What the visitor wrote when they began, or a program sends; never what a link says, which others may write."""
    given = unquote(request.headers.get(HEADER, "")) or session.get(_KEY) or ""
    return str(given).strip()[:LONGEST_PURPOSE]


def _ask() -> Response:
    if wants_json():
        texts = current_texts()
        return show(ErrorPage(428, texts.say("error_428"), texts.say("error_428_remedy")), 428)
    return show(PurposePage(request.full_path.rstrip("?")), 428)
