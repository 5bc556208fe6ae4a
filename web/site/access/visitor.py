"""`Visitor`: who makes a request, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass

from pathfolio.web.site.access.accounts import Account
from pathfolio.web.site.access.roles import EVERYTHING, PERMISSIONS, AccountRole, Permission


@dataclass(frozen=True)
class Visitor:
    """Who makes a request; the attributes in the middle are what Flask-Login asks for.

    Attributes:
        name: of the account; empty for someone who has not signed in.
        role: None where there are no accounts, and for someone who has not signed in.
        investor_id: whose pages they may see as their own.
        permissions: what they may do.
        session: the account's, as it was when the visitor was read.
    """

    name: str
    role: AccountRole | None
    permissions: frozenset[Permission]
    investor_id: str | None = None
    session: str = ""
    is_active: bool = True

    @property
    def is_authenticated(self) -> bool:
        """Whether they have signed in."""
        return bool(self.name)

    @property
    def is_anonymous(self) -> bool:
        """Whether they have not."""
        return not self.name

    def get_id(self) -> str:
        """What the session keeps: the account and its state, so that a changed password ends the session."""
        return f"{self.session}:{self.name}"

    def may(self, permission: Permission) -> bool:
        """Whether they have a permission."""
        return permission in self.permissions

    def may_see(self, investor_id: str) -> bool:
        """Whether an investor's pages are open to them."""
        return self.may(Permission.INVESTORS) or (
            self.may(Permission.OWN_PAGES) and self.investor_id == investor_id and investor_id != ""
        )


STRANGER = Visitor("", None, frozenset({Permission.ANYONE}))
"""Someone who has not signed in, where there are accounts."""

OWNER = Visitor("", None, EVERYTHING)
"""Whoever serves a build to this machine alone."""


def visitor_of(account: Account) -> Visitor:
    """The visitor that an account's owner is."""
    permissions = PERMISSIONS[account.role]
    return Visitor(account.name, account.role, permissions, account.investor_id, account.session, account.enabled)
