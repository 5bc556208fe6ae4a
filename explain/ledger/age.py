"""How old entries are, without believing one clock: by the clock, and by how long the ledger has lived since.

The ledger's own entries are the second witness. Where it is used, there is one every few days; so a silence longer
than `SILENCE` counts as no more than that, and a clock that jumps ahead by years makes nothing older than a month.
A ledger that was silent in truth is judged by a day that two people name (`retention`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from pathfolio.explain.ledger.entry import CLOCK_TAG, AlteredError, Header
from pathfolio.explain.ledger.payloads import RETENTION

SILENCE: Final = timedelta(days=31)
"""The longest time without an entry that is believed."""


def kept_until(header: Header) -> datetime:
    """When the entry's retention ends, by its own time."""
    period = RETENTION.get(header.retention)
    return datetime.max.replace(tzinfo=UTC) if period is None else header.moment + period


def end_of(day: date) -> datetime:
    """The first moment after a day, UTC."""
    return datetime.combine(day, time.min, UTC) + timedelta(days=1)


def outlived(headers: Sequence[Header], now: datetime) -> Iterator[tuple[Header, bool]]:
    """The entries whose retention has ended by `now`, and whether the ledger has lived that long since, newest first.

    Args:
        headers: all entries whose content is there, the newest first, as `Ledger.headers` gives them.

    Raises:
        AlteredError: of one of them it cannot be told when it was written.
    """
    lived, later, place = timedelta(), now, None
    for header in headers:
        shown = _shown(header)
        silence = max(later - shown, timedelta())
        # Where entries between these two have expired, it was no silence.
        between = place is not None and header.seq + 1 < place
        lived += silence if between else min(silence, SILENCE)
        later, place = shown, header.seq
        if kept_until(header) <= now:
            yield header, lived >= RETENTION[header.retention]


def _shown(header: Header) -> datetime:
    """What the clock showed when the entry was written."""
    try:
        if not header.is_altered:
            return datetime.fromisoformat(header.tags.get(CLOCK_TAG, header.time))
    except (ValueError, TypeError):
        pass
    raise AlteredError(f"record {header.id}: its header was altered: `pathfolio audit verify` tells more")
