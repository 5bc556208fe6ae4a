"""The demo's sample accounts, one of each role, kept in memory."""

from __future__ import annotations

from typing import Final

from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import Access
from pathfolio.web.site.access.roles import AccountRole

_ORDER: Final = (
    AccountRole.COMPLIANCE,
    AccountRole.INVESTOR,
    AccountRole.ANALYST,
    AccountRole.ENGINEER,
    AccountRole.ADMINISTRATOR,
)
"""Who sees most of what the demo has comes first."""


def sample_access(investor_id: str) -> Access:
    """One account per role that one click signs in with; the investor's sees the pages of `investor_id`."""
    accounts = Accounts(":memory:")
    for role in _ORDER:
        accounts.add(role.value, role, None, investor_id if role is AccountRole.INVESTOR else None)
    return Access(accounts, samples=tuple(role.value for role in _ORDER))
