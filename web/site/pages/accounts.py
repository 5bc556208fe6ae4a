"""Accounts: who may sign in; an administrator ends or restores access."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug import Response

from pathfolio.explain.records.uses import AccountUse, note_use
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import current_access, visitor
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.render import Page, served_graph
from pathfolio.web.site.view import view

log = logging.getLogger("pathfolio.access")
blueprint = Blueprint("accounts", __name__)


@dataclass(frozen=True)
class AccountLine:
    """An account as the list shows it; `own` for the administrator's own, which they cannot end."""

    name: str
    role: str
    enabled: bool
    created: datetime
    own: bool


@dataclass(frozen=True)
class AccountsPage(Page):
    """All accounts by name."""

    template: ClassVar[str] = "accounts.html"
    accounts: tuple[AccountLine, ...]


@blueprint.get("/accounts")
@view(Permission.ACCOUNTS)
def accounts() -> AccountsPage:
    """The list of accounts."""
    own = visitor().name
    lines = (AccountLine(a.name, a.role.value, a.enabled, a.created, a.name == own) for a in _accounts())
    return AccountsPage(tuple(lines))


@blueprint.post("/accounts/<id:name>")
@view(Permission.ACCOUNTS)
def change(name: str) -> Response:
    """End (`enabled=no`) or restore (`enabled=yes`) an account's access."""
    enabled = request.form.get("enabled")
    if enabled not in {"yes", "no"} or name == visitor().name:
        abort(400)
    if _accounts().find(name) is None:
        abort(404)
    done = "enable" if enabled == "yes" else "disable"
    note_use(served_graph().ledger, AccountUse(who=visitor().name, account=name, change=done))
    _accounts().enable(name, enabled == "yes")
    log.warning("%s set %s to enabled=%s", visitor().name, name, enabled)
    return redirect(url_for("accounts.accounts"), 303)


def _accounts() -> Accounts:
    found = current_access().accounts
    return abort(404) if found is None else found
