"""`PendingSignIns`: sign-ins that were begun and are not finished. Each can be finished once, by whichever server."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from pathfolio.web.site.access.accounts import PENDING, Accounts


class PendingSignIns:
    """What Authlib keeps from a sign-in's beginning to its end, beside the accounts; the browser has the state alone.

    Args:
        accounts: in whose database it is kept.
    """

    def __init__(self, accounts: Accounts) -> None:
        """Use the database of `accounts`."""
        self._accounts = accounts

    def set(self, key: str, value: str, seconds: int) -> None:
        """Keep `value` for so long; what is older goes."""
        now = datetime.now(UTC)
        row = {"sha256": _digest(key), "value": value, "expires": now + timedelta(seconds=seconds)}
        with self._accounts.begun() as connection:
            connection.execute(PENDING.delete().where(PENDING.c.expires <= now))
            connection.execute(PENDING.insert().values(**row))

    def get(self, key: str) -> str | None:
        """What was kept, which is gone from now on; None where there is nothing (any more)."""
        is_it = sa.and_(PENDING.c.sha256 == _digest(key), PENDING.c.expires > datetime.now(UTC))
        with self._accounts.begun() as connection:
            found = connection.execute(PENDING.delete().where(is_it).returning(PENDING.c.value)).scalar()
        return None if found is None else str(found)

    def delete(self, key: str) -> None:
        """Forget it; `get` has done so already."""
        self.get(key)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
