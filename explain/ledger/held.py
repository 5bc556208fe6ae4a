"""Legal holds in force, and the entries that they keep."""

from __future__ import annotations

from collections.abc import Sequence

from pathfolio.explain.ledger.entry import Header
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.payloads import SHOW_ANYBODY, Hold, LookEntry, Release


def holds(ledger: Ledger) -> list[tuple[Header, Hold]]:
    """The holds in force with what they say, the newest first."""
    ended = {release.hold for _, release in ledger.payloads(Release)}
    return [(header, said) for header, said in ledger.payloads(Hold) if header.id not in ended]


def held_ids(ledger: Ledger, headers: Sequence[Header]) -> set[str]:
    """Entries that a hold keeps: of whom or what it names, and of who looked at them, or at such a look.

    What may have shown anybody (queries, exports, everybody's lists) is kept as long as any hold is in force.

    Args:
        headers: of all entries whose content is there.
    """
    standing = [hold for _, hold in holds(ledger)]
    if not standing:
        return set()
    keys, records = {hold.key for hold in standing} - {""}, {hold.record for hold in standing}
    held = {each.id for each in headers if each.id in records or each.key in keys or each.kind in SHOW_ANYBODY}
    for header, look in reversed(ledger.payloads(LookEntry)):  # a look is later than what is looked at
        if not held.isdisjoint(look.records):
            held.add(header.id)
    return held
