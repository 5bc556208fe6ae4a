"""Finding records: by investor, day and build from the headers, by asset and verdict from what is sealed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from sys import intern
from threading import Lock
from typing import Any, Final

import sqlalchemy as sa

from pathfolio.explain.ledger.entry import GoneError, Header, header_of
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.store import ENTRY, PERSON_KEY
from pathfolio.explain.records.inspect import LISTS, Look
from pathfolio.explain.records.layout import Record, parse_record
from pathfolio.explain.records.told import state_of
from pathfolio.kg.errors import LedgerError

_AT_ONCE: Final = 200
_REMEMBERED: Final = 64 * 1024 * 1024
"""Bytes of summaries that are remembered, about, so that memory stays flat."""


@dataclass(frozen=True)
class Search:
    """What records are looked for; empty fields do not matter.

    Attributes:
        investor: an investor's id; `investors` are several, any of which fits.
        asset: on the list, or rejected; `assets` are several, any of which fits.
        first, last: days, both included (UTC).
        verdict: of some asset on the list (pass, pass_with_unknowns, warn), or reject for records that rejected some.
        build: a build's hash, or its beginning.
    """

    investor: str = ""
    asset: str = ""
    first: date | None = None
    last: date | None = None
    verdict: str = ""
    build: str = ""
    investors: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()

    @property
    def whom(self) -> tuple[str, ...]:
        """Ids of investors, any of which fits; none where they do not matter."""
        return (self.investor,) if self.investor else self.investors

    @property
    def what(self) -> frozenset[str]:
        """Ids of assets, any of which fits; none where they do not matter."""
        return frozenset({self.asset} if self.asset else self.assets)


@dataclass(frozen=True)
class Summary:
    """What one record is about; empty beside its header where it cannot be read.

    Attributes:
        state: readable, erased or altered.
        verdicts: (asset id, verdict) of the list, in its order.
        rejected: asset ids that the score would have listed.
        rejected_by, warned_by: rule to how many of the candidates.
        asset_id: the one asset that was asked about; empty for a list.
    """

    header: Header
    user_id: str = ""
    who: str = ""
    through: str = ""
    verdicts: tuple[tuple[str, str], ...] = ()
    rejected: tuple[str, ...] = ()
    considered: int = 0
    rejected_by: tuple[tuple[str, int], ...] = ()
    warned_by: tuple[tuple[str, int], ...] = ()
    rules: str = ""
    state: str = "readable"
    asset_id: str = ""

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return 2500 + 100 * len(self.verdicts) + 10 * len(self.rejected)

    def fits(self, search: Search) -> bool:
        """Whether what is sealed fits."""
        if search.what and search.what.isdisjoint({*(asset for asset, _ in self.verdicts), *self.rejected}):
            return False
        if search.verdict == "reject":
            return bool(self.rejected)
        return not search.verdict or search.verdict in {verdict for _, verdict in self.verdicts}


@dataclass(frozen=True)
class Found:
    """The newest records that fit.

    Attributes:
        looked_through: how many were read.
        before: go on with those before this place; None where all were read.
    """

    records: tuple[Summary, ...]
    looked_through: int
    before: int | None


class Finder:
    """Finds records of one ledger; remembers what each is about. Safe to be used by many threads."""

    def __init__(self, ledger: Ledger) -> None:
        """Nothing is read yet."""
        self._ledger, self._lock = ledger, Lock()
        self._known: dict[str, Summary] = {}
        self._size = 0

    def find(
        self,
        search: Search,
        look: Look,
        *,
        most: int = 50,
        before: int | None = None,
        seconds: float = 3.0,
        listed: bool = True,
    ) -> Found:
        """The newest records that fit, `most` at most, looking for so many seconds at most; the look is recorded.

        Args:
            before: only those before this place.
            listed: whether the records are shown one by one, so that each is named in the entry of the look.

        Raises:
            LedgerError: the look could not be recorded.
        """
        found, looked, last = [], 0, None
        until = time.monotonic() + seconds
        for header, is_readable in self._headers(search, before):
            looked, last = looked + 1, header.seq
            summary = self._summary(header) if is_readable else self._forgotten(header)
            if summary.fits(search):
                found.append(summary)
            if len(found) == most or time.monotonic() > until:
                break
        else:
            last = None
        ids = [summary.header.id for summary in found] if listed else []
        self._ledger.note_look(ids, who=look.who, purpose=look.purpose)
        return Found(tuple(found), looked, last)

    def _headers(self, search: Search, before: int | None) -> Iterator[tuple[Header, bool]]:
        """Headers that fit by what they say in the open, the newest first, and whether their person's key is there."""
        while True:
            query = self._query(search).limit(_AT_ONCE)
            if before is not None:
                query = query.where(ENTRY.c.seq < before)
            with self._ledger.store.read() as connection:
                headers = [header_of(row) for row in connection.execute(query)]
                there = sa.select(PERSON_KEY.c.key_id).where(PERSON_KEY.c.wrapped.is_not(None))
                wanted = {header.key for header in headers}
                keys = {"", *connection.execute(there.where(PERSON_KEY.c.key_id.in_(wanted))).scalars()}
            for header in headers:
                if header.tags.get("build", "").startswith(search.build):
                    yield header, header.key in keys
            if len(headers) < _AT_ONCE:
                return
            before = headers[-1].seq

    def _query(self, search: Search) -> sa.Select[Any]:
        query = sa.select(ENTRY).where(ENTRY.c.kind.in_(LISTS), ENTRY.c.data.is_not(None))
        if search.whom:
            subjects = [self._ledger.master.subject(investor) for investor in search.whom]
            query = query.where(
                ENTRY.c.key_id.in_(sa.select(PERSON_KEY.c.key_id).where(PERSON_KEY.c.subject.in_(subjects)))
            )
        if search.first is not None:
            query = query.where(ENTRY.c.time >= search.first.isoformat())
        if search.last is not None:
            query = query.where(ENTRY.c.time < f"{search.last.isoformat()}U")  # "U" comes after any time of that day
        return query.order_by(ENTRY.c.seq.desc())

    def _summary(self, header: Header) -> Summary:
        with self._lock:
            known = self._known.get(header.id)
        if known is not None:
            return known
        if header.is_altered:
            return Summary(header, state="altered")
        try:
            made = summary_of(header, parse_record(self._ledger.opened(self._ledger.leaf(header.id)), header.id))
        except GoneError:
            return Summary(header, state="erased")
        except LedgerError:
            return Summary(header, state="altered")
        self._remember(made)
        return made

    def _remember(self, made: Summary) -> None:
        with self._lock:
            if self._size + made.size > _REMEMBERED:
                self._known.clear()
                self._size = 0
            self._known[made.header.id] = made
            self._size += made.size

    def _forgotten(self, header: Header) -> Summary:
        """Of a person who was erased nothing stays here, whoever erased them."""
        with self._lock:
            known = self._known.pop(header.id, None)
            self._size -= 0 if known is None else known.size
        return Summary(header, state="erased")


def summary_of(header: Header, record: Record) -> Summary:
    """What a record is about."""
    question, candidates = record.question, record.candidates
    return Summary(
        header,
        question.user_id,
        question.who,
        question.through,
        tuple((intern(line.asset_id), intern(state_of(line.verdict))) for line in record.list),
        tuple(intern(item.asset_id) for item in record.rejected),
        candidates.count,
        tuple((intern(rule), count) for rule, count in candidates.rejected_by.items() if rule != "any"),
        tuple((intern(rule), count) for rule, count in candidates.warned_by.items()),
        f"{record.rules.market} {record.rules.version}",
        asset_id=question.asset_id or "",
    )
