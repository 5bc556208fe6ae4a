"""Signing in and out at the OpenID Connect provider."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, cast

from flask import Blueprint, abort, current_app, redirect, request, session, url_for
from werkzeug import Response

from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.admit import admit
from pathfolio.web.site.access.guard import current_access, visitor
from pathfolio.web.site.access.oidc import REASONS, Person, SignInError
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.pages.signin import LEFT, safe_target, welcome
from pathfolio.web.site.render import Page, served_graph, show
from pathfolio.web.site.view import view

if TYPE_CHECKING:
    from pathfolio.web.site.access.provider import Provider

log = logging.getLogger("pathfolio.access")
blueprint = Blueprint("provider", __name__)

REFUSED: Final = "refused"
"""Under it a session says why its sign-in failed, until the next."""


@dataclass(frozen=True)
class RefusedPage(Page):
    """Why somebody was not let in and what to do; `leave` ends their session at the provider, where that helps."""

    template: ClassVar[str] = "refused.html"
    status: int
    title: str
    remedy: str
    provider: str
    leave: str


@dataclass(frozen=True)
class SignedOutPage(Page):
    """The session here has ended; `leave` ends the one at the provider, and is empty where it cannot be ended so."""

    template: ClassVar[str] = "signed_out.html"
    provider: str
    leave: str


@blueprint.get("/sign-in/provider")
@view(Permission.ANYONE)
def begin() -> Response:
    """Go to the provider to sign in."""
    provider, _ = _provider()
    target = safe_target(request.args.get("next", ""))
    if visitor().is_authenticated:
        return redirect(target)
    session.pop(REFUSED, None)
    try:
        return redirect(provider.begin(url_for("provider.finish", _external=True), target))
    except SignInError as error:
        return _refused(provider, error.reason)


@blueprint.get("/sign-in/provider/back")
@view(Permission.ANYONE)
def finish() -> Response:
    """Come back from the provider."""
    provider, accounts = _provider()
    try:
        finished = provider.finish(request.args)
        person = Person.of_claims(provider.settings, finished.claims)
        account = admit(accounts, served_graph().ledger, person)
    except SignInError as error:
        log.warning("nobody was signed in from %s: %s", request.remote_addr, error.reason)
        session[REFUSED] = error.reason
        return redirect(url_for("provider.refused"), 303)  # so that no page has the code in its address
    return welcome(account, finished.target, by_provider=True)


@blueprint.get("/sign-in/refused")
@view(Permission.ANYONE)
def refused() -> Response:
    """Why nobody was signed in."""
    provider, _ = _provider()
    reason = session.get(REFUSED)
    return redirect(url_for("signin.signin")) if reason is None else _refused(provider, reason)


@blueprint.get("/signed-out")
@view(Permission.ANYONE)
def signed_out() -> Response:
    """After signing out here: on to the provider, by a page, since a form may lead nowhere but to this site."""
    provider, _ = _provider()
    if not session.pop(LEFT, False):
        return redirect(url_for("signin.signin"))
    leave = provider.sign_out_address(_sign_in_address()) or ""
    response = show(SignedOutPage(provider.settings.label, leave))
    if leave:
        response.headers["Refresh"] = f"0; url={leave}"
    return response


def _provider() -> tuple[Provider, Accounts]:
    """The provider at which people sign in, and the accounts here; 404 where there is none."""
    accounts = current_access().accounts
    provider = current_app.extensions.get("pathfolio_provider")
    if accounts is None or provider is None:
        abort(404)
    return cast("Provider", provider), accounts


def _refused(provider: Provider, reason: str) -> Response:
    """Say why; whoever is signed in at the provider may want to be somebody else there."""
    texts, name, status = current_texts(), provider.settings.label, REASONS[reason]
    is_known = reason not in ("failed", "denied", "unreachable")
    leave = (provider.sign_out_address(_sign_in_address()) or "") if is_known else ""
    title, remedy = (texts.say(f"refused_{reason}{part}", name=name) for part in ("", "_remedy"))
    return show(RefusedPage(status, title, remedy, name, leave), status)


def _sign_in_address() -> str:
    return url_for("signin.signin", _external=True)
