"""Signing in and out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from flask import Blueprint, abort, redirect, request, session, url_for
from flask_login import login_user, logout_user
from werkzeug import Response

from pathfolio.web.site.access.accounts import Account
from pathfolio.web.site.access.guard import current_access, visitor
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.access.visitor import visitor_of
from pathfolio.web.site.render import Page, show
from pathfolio.web.site.view import view

log = logging.getLogger("pathfolio.access")
blueprint = Blueprint("signin", __name__)


@dataclass(frozen=True)
class Sample:
    """A sample account that one click signs in with."""

    name: str
    role: str


@dataclass(frozen=True)
class SignInPage(Page):
    """`failed` after a wrong name or password; `target` is where to go on."""

    template: ClassVar[str] = "signin.html"
    failed: bool
    target: str
    samples: tuple[Sample, ...]


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
    if accounts is None:
        abort(404)
    name = request.form.get("name", "")
    account = accounts.check(name, request.form.get("password", ""))
    if account is None:
        known = accounts.find(name)  # what else is typed there may be a client's number, or a password
        log.warning("sign-in failed for %s from %s", known.name if known else "an unknown name", request.remote_addr)
        return show(_page(failed=True), 401)
    return _welcome(account)


@blueprint.post("/sign-in/sample")
@view(Permission.ANYONE)
def sample() -> Response:
    """Sign in as one of the demo's sample accounts."""
    access = current_access()
    name = request.form.get("name", "")
    account = access.accounts.find(name) if access.accounts is not None and name in access.samples else None
    return abort(404) if account is None else _welcome(account)


@blueprint.post("/sign-out")
@view(Permission.ANYONE)
def signout() -> Response:
    """End the session, and all others of the account: a copy of the cookie is of no use any more."""
    accounts = current_access().accounts
    if accounts is not None and visitor().is_authenticated:
        accounts.end_sessions(visitor().name)
    logout_user()
    session.clear()
    return redirect(url_for("signin.signin"))


def safe_target(target: str) -> str:
    """`target` where it is a page of this site, else the home page.

    >>> safe_target("/investors/7?kind=fund"), safe_target("//evil.example"), safe_target("/\\\\evil.example")
    ('/investors/7?kind=fund', '/', '/')
    """
    plain = target.isprintable() and "\\" not in target
    return target if plain and target.startswith("/") and not target.startswith("//") else "/"


def _welcome(account: Account) -> Response:
    session.clear()
    session.permanent = True
    login_user(visitor_of(account))
    log.info("%s (%s) signed in from %s", account.name, account.role, request.remote_addr)
    return redirect(safe_target(request.form.get("next", "")), 303)


def _page(*, failed: bool) -> SignInPage:
    access = current_access()
    if access.accounts is None:
        abort(404)
    found = [access.accounts.find(name) for name in access.samples]
    samples = tuple(Sample(account.name, account.role.value) for account in found if account is not None)
    return SignInPage(failed, safe_target(request.values.get("next", "")), samples)
