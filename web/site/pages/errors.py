"""Errors in the design of the site; of an unexpected one the visitor sees no detail."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar, Final

from flask import Flask, Response
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import HTTPException, NotFound, SecurityError

from pathfolio.explain.ledger.entry import AlteredError
from pathfolio.kg.errors import LedgerError, UsageError
from pathfolio.web.site.access.accounts import AccountsError
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.render import Page, show

log = logging.getLogger("pathfolio.ledger")

LONGEST_NAME: Final = 60
_WORDED: Final = frozenset({400, 401, 403, 404, 405, 409, 410, 428, 429, 501, 503})


@dataclass(frozen=True)
class ErrorPage(Page):
    """What went wrong and what to do about it."""

    template: ClassVar[str] = "error.html"
    status: int
    title: str
    remedy: str


class NotThere(NotFound):
    """An investor or asset that the data do not have."""

    def __init__(self, kind: str, name: str) -> None:
        """`kind` is investor or asset, `name` what was asked for."""
        super().__init__()
        self.kind = kind
        self.asked = name[:LONGEST_NAME]


def register(app: Flask) -> None:
    """Show every error as a page, or as JSON where that was asked for."""
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(UsageError, _of_usage)
    app.register_error_handler(LedgerError, _of_ledger)
    app.register_error_handler(AlteredError, _of_altered)
    app.register_error_handler(AccountsError, _of_accounts)
    app.register_error_handler(500, _of_fault)


def _of_http(error: HTTPException) -> Response:
    if isinstance(error, SecurityError):  # asked for by a foreign name: there is no site to link to
        return Response("This site is not known by that name.\n", 400, mimetype="text/plain")
    status = error.code or 500
    if isinstance(error, RateLimitExceeded):
        return _too_often(error)
    if status < 400:
        return Response(status=status, headers=error.get_headers())
    if isinstance(error, NotThere):
        texts = current_texts()
        title = texts.say(f"error_no_{error.kind}", name=error.asked)
        return show(ErrorPage(status, title, texts.say("error_no_such_remedy")), status)
    return _show(status)


def _too_often(error: RateLimitExceeded) -> Response:
    """How many are answered in what time, and when to come again."""
    texts = current_texts()
    limit = error.limit.limit
    seconds = limit.get_expiry()
    period = texts.say(f"period_{limit.GRANULARITY.name}")
    response = show(
        ErrorPage(429, texts.say("error_429"), texts.say("error_429_remedy", n=limit.amount, period=period)), 429
    )
    response.headers["Retry-After"] = str(seconds)
    return response


def _of_usage(error: UsageError) -> Response:
    texts = current_texts()
    return show(ErrorPage(400, texts.say("error_400"), str(error)), 400)


def _of_ledger(error: LedgerError) -> Response:
    """What could not be recorded is not shown; why is for whoever runs the site."""
    log.error("not shown, since it could not be recorded: %s", error)
    return _show(503)


def _of_altered(error: AlteredError) -> Response:
    log.error("%s", error)
    return _show(409)


def _of_accounts(error: AccountsError) -> Response:
    """Nobody can be known, so there is no page to show; why is for whoever runs the site."""
    log.error("%s", error)
    return Response("Who you are cannot be looked up at the moment. Try again later.\n", 503, mimetype="text/plain")


def _of_fault(error: Exception) -> Response:
    return _show(500)


def _show(status: int) -> Response:
    texts = current_texts()
    key = str(status) if status in _WORDED else ("500" if status >= 500 else "400")
    return show(ErrorPage(status, texts.say(f"error_{key}"), texts.say(f"error_{key}_remedy")), status)
