"""Telling: what investors tell of themselves is an entry of the ledger, like any record.

The entries are the store: sealed with the investor's own key, so that an erasure, a hold and a retention that ends hold
for them as for records, and nothing lies beside the ledger that could say otherwise. The newest word on each thing
counts; what was told of one data set says nothing in another one, whose ids may be other people's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

import msgspec

from pathfolio.explain.ledger.entry import GoneError, Header
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.payloads import ADVICE_CLASS, Payload
from pathfolio.explain.ledger.writer import Receipt
from pathfolio.explain.records.layout.asked import RecordedTold
from pathfolio.recommender.told import ToldFact, newest

TOLD_KIND: Final = "told"
"""The kind under which what investors told stands in the ledger."""


class ToldEntry(Payload, frozen=True, kw_only=True):
    """What an investor told, or took back, at once.

    Attributes:
        who, through: the account, and how it came: site or api.
        data: the name of the data set whose investor it is.
        day: the day of asking.
        facts: relation, target and whether it stands; as `ToldFact`.
    """

    entry_kind: ClassVar[str] = TOLD_KIND
    retention: ClassVar[str] = ADVICE_CLASS
    who: str
    through: str
    data: str
    user_id: str
    day: date
    facts: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class Teller:
    """Who tells, through what, of which data set, on which day."""

    who: str
    through: str
    data: str
    day: date


def tell(ledger: Ledger, teller: Teller, user_id: str, facts: Sequence[ToldFact]) -> Receipt:
    """Put what an investor told into the ledger; it counts from then on.

    Raises:
        LedgerError: it could not be recorded, so it was not told.
    """
    rows = tuple((fact.relation, fact.target, fact.stands) for fact in facts)
    entry = ToldEntry(**vars(teller), user_id=user_id, facts=rows)
    return ledger.note(entry, person=user_id)


def told_by(ledger: Ledger, data: str, user_id: str) -> tuple[ToldFact, ...]:
    """What an investor of a data set told that counts: the newest word on each thing, taken back or not."""
    entries = ledger.headers(kinds=[TOLD_KIND], person=user_id) if ledger.has_master else []
    return newest(fact for _, fact in _all(ledger, entries, data, None))


def told_by_all(
    ledger: Ledger, data: str, until: date | None = None, before: int | None = None
) -> dict[str, tuple[ToldFact, ...]]:
    """The same of every investor who told anything, by id.

    Args:
        until: the last day that counts; all where not given.
        before: only entries before this place in the ledger.
    """
    found: defaultdict[str, list[ToldFact]] = defaultdict(list)
    headers = ledger.headers(kinds=[TOLD_KIND]) if ledger.has_master else []
    headers = [header for header in headers if before is None or header.seq < before]
    for said, fact in _all(ledger, headers, data, until):
        found[said.user_id].append(fact)
    return {user_id: newest(facts) for user_id, facts in sorted(found.items())}


def history_of(ledger: Ledger, data: str, user_id: str) -> tuple[tuple[Header, ToldEntry], ...]:
    """All that an investor told, the newest first, with the entries that say it."""
    found = _entries(ledger, ledger.headers(kinds=[TOLD_KIND], person=user_id))
    return tuple((header, said) for header, said in found if said.data == data)[::-1]


def _all(
    ledger: Ledger, headers: Sequence[Header], data: str, until: date | None
) -> Iterator[tuple[ToldEntry, ToldFact]]:
    for header, said in _entries(ledger, headers):
        if said.data == data and (until is None or said.day <= until):
            for relation, target, stands in said.facts:
                yield said, ToldFact(relation, target, said.day, stands, header.id)


def _entries(ledger: Ledger, headers: Sequence[Header]) -> Iterator[tuple[Header, ToldEntry]]:
    """Entries with what they say, the oldest first; without what was erased or has outlived its retention."""
    for header in reversed(headers):
        try:
            yield header, msgspec.json.decode(ledger.opened(ledger.leaf(header.id)), type=ToldEntry)
        except GoneError:
            continue


def recorded(facts: Sequence[ToldFact]) -> tuple[RecordedTold, ...]:
    """As they stand in a record's question."""
    return tuple(RecordedTold(**vars(fact)) for fact in facts)


def of_record(found: Sequence[RecordedTold]) -> tuple[ToldFact, ...]:
    """What a record says was told."""
    return tuple(ToldFact(each.relation, each.target, each.day, each.stands, each.entry) for each in found)
