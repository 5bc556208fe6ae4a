"""Which language a request is answered in."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, g, request

from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.languages import preferred
from pathfolio.web.site.access.guard import current_access, visitor
from pathfolio.web.site.texts import Texts, texts_of

COOKIE: Final = "pathfolio_lang"
_YEAR: Final = 365 * 24 * 3600


def current_texts() -> Texts:
    """The texts of the request's language: `?lang=`, else the cookie, else what the browser prefers.

    On the page of another person they speak of that person.
    """
    if "texts" not in g:
        g.texts = texts_of(_wanted(), is_of_another())
    texts: Texts = g.texts
    return texts


def is_of_another() -> bool:
    """Whether somebody of the staff looks at the page of an investor; without accounts there is no staff."""
    user_id = (request.view_args or {}).get("user_id")
    return user_id is not None and current_access().accounts is not None and visitor().investor_id != user_id


def _wanted() -> str:
    for wanted in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return str(wanted)
    return preferred(tag for tag, quality in request.accept_languages if quality > 0)


def keep_choice(app: Flask) -> None:
    """Remember a language that was chosen by `?lang=`."""

    @app.after_request
    def remember(response: Response) -> Response:
        chosen = request.args.get("lang")
        if chosen in LANGUAGES and chosen != request.cookies.get(COOKIE):
            secure = bool(app.config["SESSION_COOKIE_SECURE"])
            response.set_cookie(COOKIE, str(chosen), max_age=_YEAR, secure=secure, httponly=True, samesite="Lax")
        response.headers["Content-Language"] = current_texts().lang
        response.vary.update(("Cookie", "Accept-Language", "Accept"))
        return response
