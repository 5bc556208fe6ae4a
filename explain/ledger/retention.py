"""Retention: the content of records that have outlived it is deleted by two people, of whom one asks the other.

Nothing is deleted for good on one clock's or one person's word: see `age`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import sqlalchemy as sa

from pathfolio.explain.ledger.age import end_of, outlived
from pathfolio.explain.ledger.custody import stated
from pathfolio.explain.ledger.entry import Header, open_payload
from pathfolio.explain.ledger.held import held_ids, holds
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.payloads import (
    Expiry,
    ExpiryProposal,
    GoneRow,
    Hold,
)
from pathfolio.explain.ledger.store import ENTRY
from pathfolio.explain.ledger.writer import Receipt
from pathfolio.kg.errors import LedgerError, UsageError

SHARE: Final = 0.1
"""More than this part of all entries is not deleted at once, unless their number is told."""

MOST: Final = 100_000
"""Nor more than so many."""

STANDS: Final = timedelta(days=30)
"""How long a proposal can be confirmed."""

_EAST: Final = timedelta(hours=14)
"""Where it is tomorrow first."""

_ROWS: Final = 500


@dataclass(frozen=True)
class Due:
    """What has outlived its retention.

    Attributes:
        headers: of the entries that may be deleted, the newest first.
        held: how many more a hold keeps.
        doubted: how many more are old by this machine's clock alone, since the ledger has not lived that long.
        entries: all entries whose content is there.
    """

    headers: tuple[Header, ...]
    held: int
    doubted: int
    entries: int

    def within(self, at_most: int | None) -> None:
        """Raise LedgerError where these are more than may be deleted at once, or than `at_most` where that is told."""
        count = len(self.headers)
        if at_most is not None and count > at_most:
            raise LedgerError(f"{count:,} entries would be deleted, more than --at-most {at_most:,}: nothing was done")
        if at_most is None and count > min(SHARE * self.entries, MOST):
            raise LedgerError(
                f"{count:,} of {self.entries:,} entries would be deleted, more than a tenth or {MOST:,}: look at them "
                f"first; if all of them are meant, say --at-most {count}"
            )


def due(ledger: Ledger, today: date | None = None) -> Due:
    """What may be deleted by now; it changes nothing.

    Args:
        today: the day by which to judge, in place of the clock and of how long the ledger has lived.

    Raises:
        UsageError: `today` is later than the clock's.
    """
    now = ledger.clock()
    if today is not None and today > (now + _EAST).date():
        raise UsageError(f"--today {today}: the clock shows {now.date()}: name a day that is not later")
    headers = ledger.headers()
    old = list(outlived(headers, now if today is None else min(now, end_of(today))))
    kept = held_ids(ledger, headers) if old else set()
    sure = [header for header, lived in old if lived or today is not None]
    free = tuple(header for header in sure if header.id not in kept)
    return Due(free, len(sure) - len(free), len(old) - len(sure), len(headers))


def propose_expiry(
    ledger: Ledger, *, who: str, reason: str, today: date | None = None, at_most: int | None = None
) -> tuple[Receipt, Due]:
    """Ask somebody else to have what is due deleted; nothing is deleted yet.

    Args:
        today: as in `due`; whoever confirms it has to name the same day.
        at_most: how many entries may be deleted; a tenth of all, if not told.

    Raises:
        UsageError: nothing is due; or as `due`.
        LedgerError: more are due than may be deleted at once.
    """
    reason, found = stated(reason), due(ledger, today)
    if not found.headers:
        raise UsageError("nothing is due: `pathfolio audit expire` tells what is held or doubted")
    found.within(at_most)
    places = tuple(_stretches(sorted(header.seq for header in found.headers)))
    return ledger.note(ExpiryProposal(places, len(found.headers), who, reason, today)), found


def confirm_expiry(ledger: Ledger, proposal_id: str, *, who: str, today: date | None = None) -> int:
    """Delete what somebody else has proposed and what is still due; returns how many entries.

    Their hashes stay, so the tree still verifies, and the entry that this writes says which they were; what their
    rows repeat of the content goes with it, but for the id and the kind, by which that can be checked.

    Raises:
        UsageError: there is no such proposal, it names another day than `today`, or nothing of it is due.
        LedgerError: the same person proposed it, it is too old, or a hold came in between.
    """
    proposal, said = _proposal(ledger, proposal_id)
    if said.who == who:
        raise LedgerError(f"{who} proposed it: somebody else has to confirm it, from an account of their own")
    if ledger.clock() - proposal.moment > STANDS:
        raise LedgerError(
            f"proposal {proposal.id} is of {proposal.time[:10]}: after {STANDS.days} days propose it anew"
        )
    if today != said.today:
        named = f"the day {said.today}: if that is right, say --today {said.today}" if said.today else "no day"
        raise UsageError(f"proposal {proposal.id} names {named}")
    held, found = holds(ledger), due(ledger, today)
    gone = tuple(GoneRow(each.seq, each.id, each.kind) for each in reversed(found.headers) if _is_in(each.seq, said))
    if not gone:
        raise UsageError(f"nothing of proposal {proposal.id} is due any more: it was done, or is held")
    _delete(ledger, Expiry(gone, who, said.who, proposal.id), held)
    return len(gone)


def _delete(ledger: Ledger, said: Expiry, held: list[tuple[Header, Hold]]) -> None:
    def delete(connection: sa.Connection, _receipts: list[Receipt]) -> None:
        if holds(ledger) != held:
            raise LedgerError("a hold was placed or released meanwhile: begin again; nothing was deleted")
        for start in range(0, len(said.gone), _ROWS):
            some = ENTRY.c.seq.in_([row.seq for row in said.gone[start : start + _ROWS]])
            connection.execute(sa.update(ENTRY).where(some).values(data=None, key_id="", time=""))

    ledger.write([ledger.draft(said)], delete)
    ledger.store.forget()


def _proposal(ledger: Ledger, proposal_id: str) -> tuple[Header, ExpiryProposal]:
    header = ledger.header(proposal_id)
    if header.kind != ExpiryProposal.entry_kind:
        kind = ExpiryProposal.entry_kind
        raise UsageError(f"{header.id} is an entry of kind {header.kind}: see `pathfolio audit list --kind {kind}`")
    return header, open_payload(ledger.leaf(header.id), None, ExpiryProposal)


def _stretches(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of places that follow on each other.

    >>> list(_stretches([1, 2, 3, 7, 9, 10]))
    [(1, 3), (7, 7), (9, 10)]
    """
    first = last = places[0]
    for place in places[1:]:
        if place != last + 1:
            yield first, last
            first = place
        last = place
    yield first, last


def _is_in(place: int, said: ExpiryProposal) -> bool:
    at = bisect_right(said.places, place, key=lambda stretch: stretch[0])
    return at > 0 and place <= said.places[at - 1][1]
