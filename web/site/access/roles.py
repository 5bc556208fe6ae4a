"""Roles and what each may do; a page names the permission that it needs."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Permission(StrEnum):
    """What a page can ask for."""

    ANYONE = "anyone"
    """The sign-in page and the site's own files."""
    HOME = "home"
    ASSETS = "assets"
    OWN_PAGES = "own pages"
    INVESTORS = "investors"
    GRAPH = "graph"
    RECORDS = "records"
    BUILDS = "builds"
    OPERATION = "operation"
    """How the site itself is doing; nothing of it is about persons."""
    ACCOUNTS = "accounts"


class AccountRole(StrEnum):
    """Whom an account belongs to."""

    INVESTOR = "investor"
    ANALYST = "analyst"
    COMPLIANCE = "compliance"
    ENGINEER = "engineer"
    ADMINISTRATOR = "administrator"


_ALL_ROLES: Final = frozenset({Permission.ANYONE, Permission.HOME, Permission.ASSETS})
PERMISSIONS: Final = MappingProxyType(
    {
        AccountRole.INVESTOR: _ALL_ROLES | {Permission.OWN_PAGES},
        AccountRole.ANALYST: _ALL_ROLES | {Permission.GRAPH},
        AccountRole.COMPLIANCE: _ALL_ROLES | {Permission.INVESTORS, Permission.RECORDS},
        AccountRole.ENGINEER: _ALL_ROLES | {Permission.BUILDS, Permission.OPERATION},
        AccountRole.ADMINISTRATOR: _ALL_ROLES | {Permission.ACCOUNTS, Permission.OPERATION},
    }
)
"""What each role may do. Who makes accounts sees no person, and who sees persons makes no accounts."""

EVERYTHING: Final = frozenset(Permission) - {Permission.ACCOUNTS}
"""For whoever serves a build to this machine alone, without accounts: the files are theirs already."""
