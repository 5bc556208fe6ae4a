"""Asking the desk: who asks, through what, and what was recorded before the page is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from flask import Flask, Response, g

from pathfolio.explain.records.adviser import Advice, Question
from pathfolio.explain.records.assumption import Assumed
from pathfolio.explain.records.desk import Shown
from pathfolio.web.advice import account_name
from pathfolio.web.site.access.guard import visitor
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.render import served
from pathfolio.web.site.stated import purpose_towards
from pathfolio.web.site.twin import wants_json
from pathfolio.web.site.what_if_json import Asked

RECORD_HEADER: Final = "Pathfolio-Record"
"""Under it an answer names its record."""

View = TypeVar("View")


def ask(  # noqa: PLR0913 - all but three have a default
    name: str,
    view_of: Callable[[Advice], View],
    user_id: str,
    *,
    k: int = 10,
    kind: str | None = None,
    asset_id: str | None = None,
    counterfactual: bool = False,
    of_another: bool = False,
) -> Shown[View]:
    """What `view_of` makes of the answer to the present visitor, once it is recorded; `name` as in `Desk.show`.

    Args:
        of_another: `view_of` speaks of the investor, not to them.

    Raises:
        LedgerError: it could not be recorded.
    """
    through = "api" if wants_json() else "site"
    lang = current_texts().lang
    why = purpose_towards(user_id)
    question = Question(asker(), through, user_id, k, kind, lang=lang, asset_id=asset_id, purpose=why)
    question = replace(question, today=served().desk.today(), counterfactual=counterfactual)
    shown = served().desk.show(question, f"{name} of another" if of_another else name, view_of)
    g.record = shown.receipt.id
    g.told = user_id, shown.told
    return shown


def ask_what_if(name: str, view_of: Callable[[Advice], View], asked: Asked, lang: str, through: str) -> View:
    """What `view_of` makes of the list for an investor as they might be, once it is recorded; `name` as in `Desk.show`.

    What a signed-in investor answers as somebody new is sealed with that investor's own key.

    Raises:
        LedgerError: it could not be recorded.
        UsageError: there is no such kind, or no asset of it.
    """
    assumed = Assumed.of(served().graph, asked.investor)
    of_whom = asked.user_id or ""
    question = Question(asker(), through, of_whom, asked.k, asked.kind, lang=lang, assumed=assumed, thrifty=True)
    question = replace(question, purpose=purpose_towards(of_whom), today=served().desk.today())
    shown = served().desk.show(question, name, view_of, asked.user_id or visitor().investor_id)
    g.record = shown.receipt.id
    return shown.view


def asker() -> str:
    """The visitor's account, or the user of the operating system where there are no accounts."""
    return visitor().name or account_name()


def register(app: Flask) -> None:
    """Name the record of what is shown in the answer's headers."""

    @app.after_request
    def name_record(response: Response) -> Response:
        if "record" in g:
            response.headers[RECORD_HEADER] = str(g.record)
        return response
