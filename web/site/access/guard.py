"""The guard: no page is shown to someone without the permission that it names, and a page that names none to nobody."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeVar

from flask import Flask, abort, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFProtect

from pathfolio.web.site.access.accounts import LONGEST_NAME, Accounts
from pathfolio.web.site.access.oidc import OidcSettings
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.access.visitor import OWNER, STRANGER, Visitor, visitor_of
from pathfolio.web.site.twin import wants_json

log = logging.getLogger("pathfolio.access")

_MARK: Final = "pathfolio_permission"
_View = TypeVar("_View", bound=Callable[..., Any])

LIMITS: Final = MappingProxyType(
    {
        "signin.enter": "10 per minute; 60 per hour",
        "signin.sample": "60 per minute",
        "provider.begin": "60 per minute",
        "provider.finish": "60 per minute",
        "console.answer": "60 per minute",
        "record.report": "60 per minute",
        "record.report_pdf": "60 per minute",
        "reports.start": "60 per minute",
    }
)
"""Endpoint to how often one address may ask for it."""

WHAT_IFS: Final = "60 per minute; 600 per hour"
"""So often one account may ask what would be if: each answer is computed and recorded for itself."""

_WITH_CONTROLS: Final = ("portfolio.portfolio", "plan.plan")
"""Pages that assume something only where their controls are used."""

_ASSUMING: Final = (
    "what_if.what_if", "what_if.questionnaire", "what_if.answer", "what_if.answer_questionnaire", "why.changes",
    *_WITH_CONTROLS,
)  # fmt: skip

_FOR_PROGRAMS: Final = frozenset({Permission.OPERATION})
"""Pages of these are led to no sign-in page, which a program would take for the answer."""

SESSION_SECONDS: Final = 8 * 3600
"""A session ends so long after its last page; one that a provider began, so long after its beginning."""

ENDS: Final = "ends"
"""Under it a session that a provider began says when it ends, in seconds since 1970."""

WRONG_PASSWORDS: Final = "30 per hour"
"""So often a wrong password may be given for one account, from however many addresses."""


@dataclass(frozen=True)
class Access:
    """Who may use a site.

    Attributes:
        accounts: None where whoever reaches the site may see everything, which is for this machine alone.
        samples: names of accounts that the sign-in page offers by one click, with what each is for; for the demo.
        https: whether visitors come by HTTPS, so that cookies go nowhere else.
        oidc: the provider at which people sign in, too; None for none.
    """

    accounts: Accounts | None = None
    samples: tuple[str, ...] = ()
    https: bool = False
    oidc: OidcSettings | None = None
    session_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    @property
    def passwords(self) -> bool:
        """Whether accounts sign in with a password."""
        return self.oidc is None or self.oidc.passwords


def needs(permission: Permission) -> Callable[[_View], _View]:
    """Mark a view with the permission that it needs."""

    def mark(view: _View) -> _View:
        setattr(view, _MARK, permission)
        return view

    return mark


def permission_of(app: Flask, endpoint: str) -> Permission | None:
    """The permission that a view names."""
    if endpoint == "static":
        return Permission.ANYONE
    found: Permission | None = getattr(app.view_functions[endpoint], _MARK, None)
    return found


def visitor() -> Visitor:
    """Who makes the present request."""
    found: Visitor = current_user._get_current_object()
    return found


def register(app: Flask, access: Access) -> None:
    """Guard all pages of `app`."""
    accounts = access.accounts
    app.extensions["pathfolio_access"] = access
    app.config.update(
        SECRET_KEY=accounts.session_key() if accounts is not None else access.session_key,
        SESSION_COOKIE_NAME="__Host-pathfolio" if access.https else "pathfolio",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=access.https,
        PERMANENT_SESSION_LIFETIME=SESSION_SECONDS,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=access.https,
    )
    manager = LoginManager(app)
    manager.session_protection = "basic"
    manager.anonymous_user = lambda: OWNER if accounts is None else STRANGER
    manager.user_loader(_by_session)
    manager.request_loader(_by_token)
    csrf = CSRFProtect(app)
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://")
    for endpoint, limit in LIMITS.items():
        _limited(app, endpoint, limiter.limit(limit))
    what_ifs = limiter.shared_limit(WHAT_IFS, "what-if", key_func=_asking, exempt_when=_asks_nothing)
    for endpoint in _ASSUMING:
        _limited(app, endpoint, what_ifs)
    guesses = limiter.limit(
        WRONG_PASSWORDS, key_func=_asked_account, deduct_when=lambda found: found.status_code == 401
    )
    _limited(app, "signin.enter", guesses)
    app.before_request(partial(_guard, csrf))


def is_limited(endpoint: str) -> bool:
    """Whether it is counted how often a view is asked."""
    return endpoint in LIMITS or endpoint in _ASSUMING


def _limited(app: Flask, endpoint: str, limit: Callable[[Any], Any]) -> None:
    """Put a limit on a view, where the site has it."""
    if endpoint in app.view_functions:
        app.view_functions[endpoint] = limit(app.view_functions[endpoint])


def _asking() -> str:
    """Whose what-if questions are counted together: an account's, or an address's where there are none."""
    return visitor().name or get_remote_address()


def _asks_nothing() -> bool:
    """Whether it is a page before there are answers, which costs nothing of its own."""
    if request.endpoint in _WITH_CONTROLS:
        return not {"risk_level", "objective", "horizon"} & set(request.args)
    return request.method == "GET" and not request.view_args and not request.args


def _asked_account() -> str:
    return request.form.get("name", "")[:LONGEST_NAME]


def current_access() -> Access:
    """Who may use the running site."""
    found: Access = current_app.extensions["pathfolio_access"]
    return found


def _by_session(key: str) -> Visitor | None:
    accounts = current_access().accounts
    if _bearer():
        return None  # a token counts alone, never together with a cookie
    ends = session.get(ENDS)
    if ends is not None and ends < time.time():
        return None  # what the provider said then may be true no more
    state, _, name = key.partition(":")
    account = accounts.find(name) if accounts is not None else None
    if account is None or not account.enabled or not secrets.compare_digest(account.session, state):
        return None
    return visitor_of(account)


def _by_token(_: object) -> Visitor | None:
    """Who sends an API token; such a request has no cookie that another site could ride on."""
    accounts = current_access().accounts
    token = _bearer()
    found = accounts.token(token) if accounts is not None and token else None
    if found is None:
        return None
    who = visitor_of(found[0])
    return replace(who, permissions=found[1].granted(who.permissions))


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _guard(csrf: CSRFProtect) -> ResponseReturnValue | None:
    who = visitor()
    if request.endpoint is None:
        return None  # there is no such page: 404, or 405
    needed = permission_of(current_app, request.endpoint)
    if needed is None:
        log.error("%s names no permission", request.endpoint)
        abort(403)
    if not _allowed(who, needed):
        return _refuse(who)
    if request.method not in {"GET", "HEAD", "OPTIONS"} and not _bearer() and not request.is_json:
        csrf.protect()  # no other site's form can send JSON
    return None


def _allowed(who: Visitor, needed: Permission) -> bool:
    if needed is Permission.OWN_PAGES:
        return who.may_see(str((request.view_args or {}).get("user_id", "")))
    return who.may(needed)


def _refuse(who: Visitor) -> ResponseReturnValue:
    if current_access().accounts is None:
        abort(404)  # a page about accounts, where there are none
    if who.is_authenticated:
        log.warning("%s (%s) was refused %s", who.name, who.role, request.endpoint)  # an address may name a person
        abort(403)
    if wants_json() or request.method != "GET" or permission_of(current_app, str(request.endpoint)) in _FOR_PROGRAMS:
        abort(401)
    return redirect(url_for("signin.signin", next=request.full_path.rstrip("?")))
