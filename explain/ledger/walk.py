"""One walk over a ledger's rows: every hash, every place, every signature, every key."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from pathfolio.explain.ledger.entry import Header, Said, open_payload, read_header
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.merkle import leaf_hash
from pathfolio.explain.ledger.note import Verifier, open_checkpoint
from pathfolio.explain.ledger.payloads import CLOCK, Erasure, Expiry
from pathfolio.explain.ledger.signers import Signers, read_signers
from pathfolio.explain.ledger.store import (
    CHECKPOINT,
    ENTRY,
    PERSON_KEY,
    TILE,
    expected_sqlite_schema,
    mapped,
    sqlite_schema,
)
from pathfolio.explain.ledger.tree import TreeState, split_hashes
from pathfolio.explain.ledger.writer import CLOCK_TOLERANCE
from pathfolio.kg.errors import LedgerError

_CHUNK: Final = 2000
_MOST_FINDINGS: Final = 1000
_MOST_MISSING: Final = 100_000
_TEXTS: Final = ("id", "kind", "key_id", "time")


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was written.

    Attributes:
        seq: the place in the tree; None where the ledger as a whole is meant.
        record: the id that stands there, empty where that cannot be told.
        problem: altered, missing, reordered, … in one sentence.
    """

    seq: int | None
    record: str
    problem: str


@dataclass(frozen=True)
class StoredEntry:
    """A row of the entries."""

    seq: int
    id: str
    kind: str
    key_id: str
    time: str
    leaf_hash: bytes
    data: bytes | None


@dataclass(frozen=True)
class StoredTile:
    """A row of the tiles, but for its place."""

    hashes: bytes
    root: bytes


@dataclass(frozen=True)
class StoredKey:
    """A row of the persons' keys."""

    key_id: str
    subject: str | None
    wrapped: bytes | None


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _went_back(before: str, time: str) -> bool:
    """Whether time went back by more than ledgers from before allowed for; an altered time is found otherwise."""
    if time >= before:
        return False
    try:
        return datetime.fromisoformat(before) - datetime.fromisoformat(time) > CLOCK_TOLERANCE
    except ValueError:
        return False


@dataclass
class LedgerWalk:
    """One pass over a ledger, within one transaction; what it finds gathers in `findings`.

    Once an entry was found altered, missing or moved (`shifted`), that tiles and roots disagree is no news; nor is
    it that what stands after a missing or moved one (`unsure`) does not follow on it.
    """

    ledger: Ledger
    connection: sa.Connection
    trusted: Sequence[Verifier]
    against: Sequence[tuple[int, str]]
    findings: list[Finding] = field(default_factory=list)
    state: TreeState = field(default_factory=TreeState.empty)
    signers: Signers = field(default_factory=Signers)
    checked: int = 0
    erased: int = 0
    expired: int = 0
    shifted: bool = False
    unsure: bool = False
    key_uses: dict[str, int] = field(default_factory=dict)

    def note(self, seq: int | None, record: str, problem: str) -> None:
        """Something is wrong."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(Finding(seq, record, problem))

    def whole(self, *, with_pages: bool = True) -> None:
        """Everything, step by step; `with_pages` also what SQLite itself checks."""
        for step in (*((self.database,) if with_pages else ()), self.keys, self.entries, self.people):
            try:
                with mapped(self.ledger.store.where):
                    step()
            except (LedgerError, ValueError, TypeError, OverflowError) as error:
                # The latter three: SQLite gives a damaged cell in whatever type its header now names.
                self.note(None, "", f"the database cannot be read: {error}")

    def database(self) -> None:
        """SQLite's own check of its pages and indexes."""
        if not self.ledger.store.is_sqlite:
            return
        for problem in self.connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars():
            if problem != "ok":
                self.note(None, "", f"the database file is damaged: {problem}")
        if sqlite_schema(self.connection) != expected_sqlite_schema():
            self.note(None, "", "the database's tables are not as they were made")

    def keys(self) -> None:
        """The chain of keys."""
        self.signers = read_signers(self.connection, self.trusted, self.note)

    # -- entries ---------------------------------------------------------------------------------------------

    def entries(self) -> None:
        """Every entry in its place, every tile, every checkpoint."""
        gone, roots = self.gone(), RootsAt(self._checkpoint_notes(), self.against)
        for rows in self._chunks():
            self.chunk(rows, gone, roots)
        tiles = self.connection.execute(sa.select(sa.func.count()).select_from(TILE)).scalar_one()
        if tiles != _tiles_of(self.state.frontier.size):
            self.note(None, "", f"{tiles} tiles where {_tiles_of(self.state.frontier.size)} belong")
        self.checkpoints(roots)

    def _chunks(self) -> Iterator[list[StoredEntry]]:
        for row in self.connection.execute(sa.select(ENTRY.c.seq).where(ENTRY.c.seq < 0)):
            self.note(int(row.seq), "", "added: no entry belongs there")
        last = -1
        while True:
            query = self._query().where(ENTRY.c.seq > last).order_by(ENTRY.c.seq).limit(_CHUNK)
            rows = self.connection.execute(query).all()
            if not rows:
                return
            yield [
                StoredEntry(int(seq), _text(name), _text(kind), _text(key), _text(time), leaf, data)
                for seq, name, kind, key, time, leaf, data in rows
            ]
            last = int(rows[-1][0])

    def _query(self) -> sa.Select[Any]:
        """All columns; as raw bytes in SQLite, where a damaged text could not be read otherwise."""
        columns: list[sa.ColumnElement[Any]] = [*(ENTRY.c[name] for name in _TEXTS), ENTRY.c.leaf_hash, ENTRY.c.data]
        if self.ledger.store.is_sqlite:
            columns = [sa.cast(column, sa.LargeBinary) for column in columns]
        return sa.select(ENTRY.c.seq, *columns)

    def chunk(self, rows: list[StoredEntry], gone: dict[int, tuple[str, str]], roots: RootsAt) -> None:
        """Some rows, in the order of their places."""
        for row in rows:
            seq, expected = row.seq, self.state.frontier.size
            if seq != expected:
                self.note(expected, "", f"missing: {seq - expected} record(s) from place {expected} on")
                self.shifted = self.unsure = True
                # Places are counted on, so that what follows is judged by itself; a place far off is no place.
                filler = [b"\x00" * 32] * min(seq - expected, _MOST_MISSING)
                self.state, _ = self.state.extended(filler, self.state.last_time)
            self.entry(row, seq, gone)
            self.state, filled = self.state.extended([row.leaf_hash], row.time)
            for tile in filled:
                query = sa.select(TILE).where(TILE.c.level == tile.level, TILE.c.idx == tile.index)
                stored = self.connection.execute(query).one_or_none()
                kept = None if stored is None else StoredTile(bytes(stored.hashes), bytes(stored.root))
                self.tile(tile.hashes, tile.root, kept, f"{tile.level}/{tile.index}", tile.index)
            roots.offer(self.state)

    def tile(self, hashes: tuple[bytes, ...], root: bytes, stored: StoredTile | None, name: str, index: int) -> None:
        """One full tile as the entries give it, and its row, None where there is none."""
        if stored is None:
            self.note(None, "", f"tile {name} is missing")
        elif not self.shifted and (split_hashes(stored.hashes) != hashes or stored.root != root):
            old = split_hashes(stored.hashes)
            at = next((k for k, pair in enumerate(zip(old, hashes, strict=False)) if pair[0] != pair[1]), 0)
            self.note(index * 256 + at, "", f"tile {name} does not agree with the entries from there on")

    def entry(self, row: StoredEntry, seq: int, gone: dict[int, tuple[str, str]]) -> None:
        """One row at place `seq`, after the entries that `state` tells of; `gone` as `gone()` gives it."""
        if row.data is None:
            self.expired += 1
            if seq not in gone:
                self.note(seq, row.id, "missing: its content was deleted, and no entry says so")
            elif (row.id, row.kind, row.key_id, row.time) != (*gone[seq], "", ""):
                self.note(seq, gone[seq][0], "altered: its row does not say what was left of it")
            return
        leaf = row.data
        if leaf_hash(leaf) != row.leaf_hash:
            self.shifted = True
            self.note(seq, row.id, "altered: its content does not have its hash")
            return
        try:
            header = read_header(leaf)
        except LedgerError as error:
            self.note(seq, row.id, str(error))
            return
        self._header(header, row, seq)

    def _header(self, header: Header, row: StoredEntry, seq: int) -> None:
        if header.seq != seq:
            self.shifted = self.unsure = True
            self.note(seq, header.id, f"reordered: it was written at place {header.seq}")
        else:
            if header.prev != self.state.last_hash.hex() and not self.unsure:
                self.note(seq - 1, "", f"altered: not the entry that {header.id} followed")
            self.unsure = False
            if header.kind != CLOCK and _went_back(self.state.last_time, header.time):
                self.note(seq, header.id, f"its time is before that of the entry before it ({self.state.last_time})")
        if (header.id, header.kind, header.key, header.time) != (row.id, row.kind, row.key_id, row.time):
            self.note(seq, header.id, "altered: its row does not say what its content says")
        if header.key:
            self.key_uses[header.key] = self.key_uses.get(header.key, 0) + 1

    # -- checkpoints -----------------------------------------------------------------------------------------

    def _checkpoint_notes(self) -> list[tuple[int, str]]:
        rows = self.connection.execute(sa.select(CHECKPOINT).order_by(CHECKPOINT.c.size)).all()
        return [(int(row.size), str(row.note)) for row in rows]

    def checkpoints(self, roots: RootsAt) -> None:
        """Every signed checkpoint, once the roots at their sizes are known."""
        size = self.state.frontier.size
        for at, text, kept_elsewhere in roots.notes:
            which = f"checkpoint at {at}" + (" kept elsewhere" if kept_elsewhere else "")
            try:
                checkpoint = open_checkpoint(text, self.signers.at(at), self.signers.origin)
            except LedgerError as error:
                self.note(None, "", f"{which}: {error}")
                continue
            if at > size:
                self.note(size, "", f"missing: {at - size} record(s) at the end, which the {which} signed")
            elif checkpoint.size != at or roots.root_at.get(at) != checkpoint.root:
                if not self.shifted:
                    self.note(None, "", f"{which}: the entries up to there do not have the root that it signed")
            else:
                self.checked += 1
        if size and not any(at == size for at, _, elsewhere in roots.notes if not elsewhere):
            self.note(None, "", f"no checkpoint covers all {size} entries")

    # -- people ----------------------------------------------------------------------------------------------

    def gone(self) -> dict[int, tuple[str, str]]:
        """Place to id and kind of the entries whose content was deleted, as the ledger tells it."""
        return {row.seq: (row.id, row.kind) for expiry in self._payloads(Expiry) for row in expiry.gone}

    def erased_keys(self) -> set[str]:
        """Ids of the persons' keys that were destroyed, as the ledger tells it."""
        return {erasure.key for erasure in self._payloads(Erasure)}

    def _payloads(self, said: type[Said]) -> Iterator[Said]:
        query = sa.select(ENTRY.c.data).where(ENTRY.c.kind == said.entry_kind)
        for data in self.connection.execute(query).scalars().all():
            with contextlib.suppress(LedgerError, TypeError):  # its own entry is found to be altered
                yield open_payload(bytes(data), None, said)

    def people(self) -> None:
        """Every sealed entry's key is there and opens, or an entry says that it was destroyed."""
        erased = self.erased_keys()
        rows = {row.key_id: StoredKey(**row._mapping) for row in self.connection.execute(sa.select(PERSON_KEY))}
        for key_id, uses in self.key_uses.items():
            if key_id not in rows or rows[key_id].wrapped is None:
                self.erased += uses
                if key_id not in erased:
                    problem = f"person key {key_id} is gone, and no entry says so: {uses} record(s) are closed"
                    self.note(None, "", problem)
        for row in rows.values():
            self.person(row, erased)

    def person(self, row: StoredKey, erased: set[str]) -> None:
        """One row of the persons' keys; `erased` are the ids of those that entries say were destroyed."""
        if row.wrapped is None:
            if row.subject is not None or (row.key_id not in erased and row.key_id not in self.key_uses):
                self.note(None, "", f"person key {row.key_id} is not as it is left when a person is erased")
        elif self.ledger.has_master:
            try:
                self.ledger.master.unwrap(row.key_id, row.subject or "", bytes(row.wrapped))
            except LedgerError as error:
                self.note(None, "", str(error))


class RootsAt:
    """The roots that the tree has at the sizes for which there are checkpoints."""

    def __init__(self, stored: list[tuple[int, str]], against: Sequence[tuple[int, str]]) -> None:
        """Checkpoints by their sizes: those of the ledger, and those that were kept elsewhere."""
        self.notes = sorted([(*note, False) for note in stored] + [(*note, True) for note in against])
        self._wanted = {size for size, _, _ in self.notes}
        self.root_at: dict[int, bytes] = {}

    def offer(self, state: TreeState) -> None:
        """Take the root of `state` if a checkpoint has its size."""
        if state.frontier.size in self._wanted:
            self.root_at[state.frontier.size] = state.frontier.root


def _tiles_of(size: int) -> int:
    """How many full tiles a tree of `size` leaves has, of all levels."""
    count = 0
    while size := size // 256:
        count += size
    return count
