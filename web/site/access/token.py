"""`ApiToken`: what an API token may do, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pathfolio.kg.errors import UsageError
from pathfolio.web.site.access.roles import PERMISSIONS, AccountRole, Permission

USUAL_DAYS: Final = 90
MOST_DAYS: Final = 365


@dataclass(frozen=True)
class ApiToken:
    """An API token as it is kept: without the token itself.

    Attributes:
        id: the first digits of its digest, by which it is named.
        account: whose it is.
        scope: what it may do of what its account may; empty for all of that.
        expires: None for those from before tokens ended.
    """

    id: str
    account: str
    note: str
    scope: frozenset[Permission]
    created: datetime
    expires: datetime | None

    @classmethod
    def of_row(cls, row: Any) -> ApiToken:
        """As it stands in the database."""
        scope = frozenset(map(Permission, row.scope.split(","))) if row.scope else frozenset()
        expires = None if row.expires is None else in_utc(row.expires)
        return cls(row.sha256[:12], row.account, row.note, scope, in_utc(row.created), expires)

    def is_over(self, now: datetime) -> bool:
        """Whether its time has passed."""
        return self.expires is not None and now >= self.expires

    def granted(self, permissions: frozenset[Permission]) -> frozenset[Permission]:
        """What it may do, where its account has these permissions."""
        return permissions & self.scope if self.scope else permissions


def in_utc(moment: datetime) -> datetime:
    """A moment as databases give it, some of them without a zone."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def scope_of(role: AccountRole, words: list[str]) -> frozenset[Permission]:
    """The permissions that words name; raises UsageError for one that the role has not."""
    names = {permission.value.replace(" ", "-"): permission for permission in PERMISSIONS[role]}
    wrong = next((word for word in words if word not in names), None)
    if wrong is not None:
        raise UsageError(f"scope {wrong!r} is none of role {role.value}: choose from {', '.join(sorted(names))}")
    return frozenset(names[word] for word in words) | ({Permission.ANYONE} if words else frozenset())


def end_of(days: int, now: datetime) -> datetime:
    """When a token ends that lives so many days; raises UsageError beyond a year."""
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"a token of {days} days: give 1 to {MOST_DAYS}")
    return now + timedelta(days=days)
