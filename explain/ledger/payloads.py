"""What the ledger's own entries say, one struct a kind of entry: keys, looks, holds, erasures, the clock.

Other rooms have structs of their own for what they write; a recommendation's is `explain.records.layout.Record`.
"""

from __future__ import annotations

from datetime import date, timedelta
from types import MappingProxyType
from typing import ClassVar, Final

import msgspec

RECOMMENDATION: Final = "recommendation"
ACCESS: Final = "access"
HOLD: Final = "hold"
RELEASE: Final = "release"
ERASURE: Final = "erasure"
EXPIRY: Final = "expiry"
EXPIRY_PROPOSAL: Final = "expiry-proposal"
OPENING: Final = "ledger"
KEY_CHANGE: Final = "key"
CLOCK: Final = "clock"
RESTORE: Final = "restore"

QUERY: Final = "query"
EXPORT: Final = "export"
BATCH: Final = "batch"
SHOW_ANYBODY: Final = (QUERY, EXPORT, BATCH)
"""Entries of looks that name no record: at the graph, at vectors, at everybody's lists."""

ADVICE_CLASS: Final = "advice"
ACCESS_CLASS: Final = "access"
LASTING_CLASS: Final = "ledger"
RETENTION: Final = MappingProxyType({ADVICE_CLASS: timedelta(days=2557), ACCESS_CLASS: timedelta(days=2557)})
"""How long each class is kept: seven years. Entries of other classes are kept for ever; they name no investor."""


class Payload(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an entry says. Fields that a later version adds are passed over, so that older ones can read it.

    Attributes:
        entry_kind: the kind of the entries that say it.
        retention: the class that says how long they are kept.
    """

    entry_kind: ClassVar[str]
    retention: ClassVar[str] = LASTING_CLASS


class NamesKey(Payload, frozen=True, kw_only=True):
    """An entry that names the public key by which the checkpoints after it are signed."""

    verifier: str


class Opening(NamesKey, frozen=True, kw_only=True):
    """The first entry: the ledger's name, its first key, and the format of its entries."""

    entry_kind: ClassVar[str] = OPENING
    origin: str
    format: int = 0


class KeyChange(NamesKey, frozen=True, kw_only=True):
    """Another key signs from now on; `handover` is a note that the key before it signed."""

    entry_kind: ClassVar[str] = KEY_CHANGE
    handover: str
    who: str
    reason: str


KEY_KINDS: Final = (OPENING, KEY_CHANGE)
"""Entries that say `NamesKey`."""


class LookEntry(Payload, frozen=True):
    """Who looked at which records, and why.

    Attributes:
        files: SHA-256 by name of what was handed out.
    """

    entry_kind: ClassVar[str] = ACCESS
    retention: ClassVar[str] = ACCESS_CLASS
    records: tuple[str, ...]
    who: str
    purpose: str
    files: dict[str, str] = {}


class Hold(Payload, frozen=True):
    """A person's records, by the id of the person's key, or one record are kept whatever else is asked."""

    entry_kind: ClassVar[str] = HOLD
    who: str
    reason: str
    key: str = ""
    record: str = ""

    def covers(self, record: str, key: str) -> bool:
        """Whether it keeps the record of this id, sealed with the key of that one (empty: none)."""
        return self.record == record or (bool(key) and self.key == key)


class Release(Payload, frozen=True):
    """The hold that the entry `hold` began has ended."""

    entry_kind: ClassVar[str] = RELEASE
    hold: str
    who: str
    reason: str


class Erasure(Payload, frozen=True):
    """A person's key was destroyed, and so many records are closed with it."""

    entry_kind: ClassVar[str] = ERASURE
    key: str
    records: int
    who: str
    reason: str


class GoneRow(msgspec.Struct, frozen=True, array_like=True):
    """Place, id and kind of an entry whose content was deleted."""

    seq: int
    id: str
    kind: str


class ExpiryProposal(Payload, frozen=True):
    """Somebody asks another one to have the content of entries deleted.

    Attributes:
        places: first and last of each stretch of places.
        count: how many entries these are.
        today: the day by which they are old enough; null where the clock and the ledger's own entries say so.
    """

    entry_kind: ClassVar[str] = EXPIRY_PROPOSAL
    places: tuple[tuple[int, int], ...]
    count: int
    who: str
    reason: str
    today: date | None = None


class Expiry(Payload, frozen=True):
    """The content of these entries was deleted, since their retention had ended.

    Attributes:
        who: confirmed it.
        proposed_by: proposed it, by the entry `proposal`; empty in ledgers from before it took two.
    """

    entry_kind: ClassVar[str] = EXPIRY
    gone: tuple[GoneRow, ...]
    who: str
    proposed_by: str = ""
    proposal: str = ""


class ClockAccepted(Payload, frozen=True):
    """The clock was far ahead; while times stand still, the headers' tag `clock` says what it shows."""

    entry_kind: ClassVar[str] = CLOCK
    who: str
    reason: str


class Restore(Payload, frozen=True):
    """The ledger went back to an older copy, and goes on from there.

    Attributes:
        size: how many entries were seen before.
        lost: the signed checkpoint of those.
    """

    entry_kind: ClassVar[str] = RESTORE
    who: str
    reason: str
    size: int
    lost: str
