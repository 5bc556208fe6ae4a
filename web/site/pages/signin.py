"""Signing in and out."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import ClassVar, Final

from flask import Blueprint, abort, redirect, request, session, url_for
from flask_login import login_user, logout_user
from werkzeug import Response

from pathfolio.web.site.access.accounts import Account
from pathfolio.web.site.access.guard import ENDS, SESSION_SECONDS, current_access, visitor
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.access.visitor import visitor_of
from pathfolio.web.site.render import Page, show
from pathfolio.web.site.view import view

log = logging.getLogger("pathfolio.access")
blueprint = Blueprint("signin", __name__)

LEFT: Final = "left"
"""In the session of whoever has just signed out here and is still signed in at the provider."""


@dataclass(frozen=True)
class Sample:
    """A sample account that one click signs in with."""

    name: str
    role: str


@dataclass(frozen=True)
class SignInPage(Page):
    """`failed` after a wrong name or password; `target` is where to go on.

    Attributes:
        provider: what the provider is called at which people sign in; empty where there is none.
        passwords: whether a name and a password are asked for.
    """

    template: ClassVar[str] = "signin.html"
    failed: bool
    target: str
    samples: tuple[Sample, ...]
    provider: str
    passwords: bool


@blueprint.get("/sign-in")
@view(Permission.ANYONE)
def signin() -> SignInPage | Response:
    """The sign-in page."""
    if visitor().is_authenticated:
        return redirect(safe_target(request.args.get("next", "")))
    return _page(failed=False)


@blueprint.post("/sign-in")
@view(Permission.ANYONE)
def enter() -> Response:
    """Sign in with a name and a password."""
    accounts = current_access().accounts
    if accounts is None or not current_access().passwords:
        abort(404)
    name = request.form.get("name", "")
    account = accounts.check(name, request.form.get("password", ""))
    if account is None:
        known = accounts.find(name)  # what else is typed there may be a client's number, or a password
        log.warning("sign-in failed for %s from %s", known.name if known else "an unknown name", request.remote_addr)
        return show(_page(failed=True), 401)
    return welcome(account, request.form.get("next", ""))


@blueprint.post("/sign-in/sample")
@view(Permission.ANYONE)
def sample() -> Response:
    """Sign in as one of the demo's sample accounts."""
    access = current_access()
    name = request.form.get("name", "")
    account = access.accounts.find(name) if access.accounts is not None and name in access.samples else None
    return abort(404) if account is None else welcome(account, request.form.get("next", ""))


@blueprint.post("/sign-out")
@view(Permission.ANYONE)
def signout() -> Response:
    """End the session, and all others of the account: a copy of the cookie is of no use any more.

    One that the provider began leads on to the provider, where the browser is still signed in.
    """
    accounts = current_access().accounts
    if accounts is not None and visitor().is_authenticated:
        accounts.end_sessions(visitor().name)
    by_provider = ENDS in session
    logout_user()
    session.clear()
    if not by_provider:
        return redirect(url_for("signin.signin"))
    session[LEFT] = True
    return redirect(url_for("provider.signed_out"), 303)


def safe_target(target: str) -> str:
    """`target` where it is a page of this site, else the home page.

    >>> safe_target("/investors/7?kind=fund"), safe_target("//evil.example"), safe_target("/\\\\evil.example")
    ('/investors/7?kind=fund', '/', '/')
    """
    plain = target.isprintable() and "\\" not in target
    return target if plain and target.startswith("/") and not target.startswith("//") else "/"


def welcome(account: Account, target: str, *, by_provider: bool = False) -> Response:
    """Begin a session of `account`, with nothing in it of what was there before, and go on to `target`."""
    session.clear()
    session.permanent = True
    if by_provider:
        session[ENDS] = int(time.time()) + SESSION_SECONDS
    login_user(visitor_of(account))
    log.info("%s (%s) signed in from %s", account.name, account.role, request.remote_addr)
    return redirect(safe_target(target), 303)


def _page(*, failed: bool) -> SignInPage:
    access = current_access()
    if access.accounts is None:
        abort(404)
    found = [access.accounts.find(name) for name in access.samples]
    samples = tuple(Sample(account.name, account.role.value) for account in found if account is not None)
    provider = "" if access.oidc is None else access.oidc.label
    return SignInPage(failed, safe_target(request.values.get("next", "")), samples, provider, access.passwords)
