"""Uses of the system that show no record: queries, exports, changes of accounts. Each is an entry of the ledger.

The entry is sealed with a key of the account that did it, since what somebody asks for may name others.
"""

from __future__ import annotations

from typing import ClassVar, Final

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.payloads import ACCESS_CLASS, EXPORT, QUERY, Payload
from pathfolio.explain.ledger.writer import Receipt

ACCOUNT: Final = "account"


class UseEntry(Payload, frozen=True, kw_only=True):
    """What `who` did."""

    retention: ClassVar[str] = ACCESS_CLASS
    who: str


class QueryUse(UseEntry, frozen=True, kw_only=True):
    """A query of the graph.

    Attributes:
        name: of a query that the site offers; else `query` is the Cypher.
        parameters: as JSON; `lines` are those typed beside one's own query, one name=value a line.
        format: of what is taken away; empty where it is looked at. `file` is where to, on the command line.
        server: the graph's address, or the build's folder; empty for the graph that the site serves.
    """

    entry_kind: ClassVar[str] = QUERY
    name: str = ""
    query: str = ""
    parameters: str
    lines: str
    format: str
    file: str = ""
    server: str = ""


class ExportUse(UseEntry, frozen=True, kw_only=True):
    """What was made of the build or graph of this hash (vectors, a data set, what an algorithm finds), taken to a file
    or a server; `investors` says whether theirs are in it."""

    entry_kind: ClassVar[str] = EXPORT
    what: str
    build: str
    format: str = ""
    file: str = ""
    server: str = ""
    investors: str
    purpose: str = ""


class AccountUse(UseEntry, frozen=True, kw_only=True):
    """A change of an account, by an administrator or by the provider at which its owner signs in.

    Attributes:
        who: a provider by its address.
        investor: whose pages the account sees.
    """

    entry_kind: ClassVar[str] = ACCOUNT
    account: str
    change: str
    role: str = ""
    investor: str = ""


def note_use(ledger: Ledger, use: UseEntry) -> Receipt:
    """Record who did what; raises LedgerError where that could not be recorded, so that nothing is done."""
    return ledger.note(use, person=f"account {use.who}")
