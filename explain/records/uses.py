"""Uses of the system that show no record: queries, exports, changes of accounts. Each is an entry of the ledger.

The entry is sealed with a key of the account that did it, since what somebody asks for may name others.
"""

from __future__ import annotations

from typing import Any, Final

from pathfolio.explain.ledger.ledger import ACCESS, Ledger
from pathfolio.explain.ledger.writer import Receipt

QUERY: Final = "query"
EXPORT: Final = "export"
ACCOUNT: Final = "account"


def note_use(ledger: Ledger, kind: str, who: str, **about: Any) -> Receipt:
    """Record who did what; raises LedgerError where that could not be recorded, so that nothing is done."""
    return ledger.append({"who": who, **about}, person=f"account {who}", kind=kind, retention=ACCESS)
