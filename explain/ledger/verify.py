"""Verify a whole ledger, or one record, from its rows alone: every hash, every place, every signature."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from explain.ledger.custody import ERASURE, EXPIRY
from explain.ledger.entry import Header, open_payload, read_header
from explain.ledger.ledger import Ledger
from explain.ledger.merkle import leaf_hash, verify_inclusion
from explain.ledger.note import Checkpoint, Note, Verifier, open_checkpoint
from explain.ledger.store import CHECKPOINT, ENTRY, PERSON_KEY, TILE, expected_sqlite_schema, mapped, sqlite_schema
from explain.ledger.tree import TreeState, split_hashes
from explain.ledger.writer import KEY_KINDS
from kg.errors import LedgerError

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
class Verification:
    """What was verified.

    Attributes:
        size: entries in the ledger.
        root: of the tree, in hex, computed from the entries.
        checkpoints: how many signed checkpoints agree with the tree.
        erased: sealed entries whose person was erased; they still prove that they were written.
        expired: entries whose content was deleted when its retention ended.
        findings: what is wrong; empty for a sound ledger.
    """

    origin: str
    size: int
    root: str
    checkpoints: int
    erased: int
    expired: int
    keys: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify_record(ledger: Ledger, record_id: str) -> Finding | None:
    """Whether one record is in the signed tree as it was written: its hash, its proof and the checkpoint."""
    try:
        leaf = ledger.leaf(record_id)
        header, proof = read_header(leaf), ledger.prove(record_id)
        checkpoint = open_checkpoint(proof.checkpoint, ledger.verifiers, ledger.origin)
    except LedgerError as error:
        return Finding(None, record_id, str(error))
    if header.seq != proof.seq or not verify_inclusion(
        leaf_hash(leaf), header.seq, proof.size, proof.hashes, checkpoint.root
    ):
        return Finding(header.seq, header.id, "altered: its hash does not lead to the signed root")
    return None


def verify_ledger(ledger: Ledger, *, trusted: Sequence[Verifier] = (), against: Sequence[str] = ()) -> Verification:
    """Verify everything, reading each entry once.

    Args:
        trusted: public keys known from elsewhere; the ledger's first key must be one of them, if any are given.
        against: older checkpoints kept elsewhere; the ledger must begin with what they signed.
    """
    walk = _Walk(ledger, trusted, against)
    for step in (walk.database, walk.keys, walk.entries, walk.people):
        try:
            with mapped(ledger.store.where):
                step()
        except (LedgerError, ValueError, TypeError, OverflowError) as error:
            # The latter three: SQLite gives a damaged cell in whatever type its header now names.
            walk.note(None, "", f"the database cannot be read: {error}")
    return walk.result()


@dataclass(frozen=True)
class _Stored:
    """A row of the entries."""

    seq: int
    id: str
    kind: str
    key_id: str
    time: str
    leaf_hash: bytes
    data: bytes | None


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


@dataclass
class _Walk:
    """One pass over a ledger; what it finds gathers in `findings`.

    Once an entry was found altered, missing or moved (`shifted`), that tiles and roots disagree is no news.
    """

    ledger: Ledger
    trusted: Sequence[Verifier]
    against: Sequence[str]
    findings: list[Finding] = field(default_factory=list)
    state: TreeState = field(default_factory=TreeState.empty)
    signers: list[tuple[int, Verifier]] = field(default_factory=list)
    origin: str = ""
    checked: int = 0
    erased: int = 0
    expired: int = 0
    shifted: bool = False
    key_uses: dict[str, int] = field(default_factory=dict)

    def note(self, seq: int | None, record: str, problem: str) -> None:
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(Finding(seq, record, problem))

    def database(self) -> None:
        """SQLite's own check of its pages and indexes."""
        if not self.ledger.store.is_sqlite:
            return
        with self.ledger.store.read() as connection:
            for problem in connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars():
                if problem != "ok":
                    self.note(None, "", f"the database file is damaged: {problem}")
            if sqlite_schema(connection) != expected_sqlite_schema():
                self.note(None, "", "the database's tables are not as they were made")

    def keys(self) -> None:
        """The chain of keys: each is signed over by the one before it."""
        query = (
            sa.select(ENTRY.c.seq, ENTRY.c.id, ENTRY.c.data).where(ENTRY.c.kind.in_(KEY_KINDS)).order_by(ENTRY.c.seq)
        )
        with self.ledger.store.read() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            try:
                self._key(int(row.seq), open_payload(bytes(row.data), None))
            except (LedgerError, ValueError, KeyError, TypeError) as error:
                self.note(row.seq, row.id, f"the entry of a key is altered: {error}")
        if not self.signers:
            self.note(None, "", "no opening entry with the ledger's name and key")
        elif self.trusted and self.signers[0][1] not in self.trusted:
            self.note(None, "", f"signed by {self.signers[0][1].text}, which is not the key that you trust")

    def _key(self, seq: int, payload: dict[str, Any]) -> None:
        verifier = Verifier.parse(payload["verifier"])
        if not self.signers:
            self.origin = payload["origin"]
        else:
            handover = Note.parse(payload["handover"])
            expected = f"{self.origin}\nkey {verifier.text}\n"
            if handover.body != expected or not self.signers[-1][1].holds_for(handover):
                raise LedgerError("its handover is not signed by the key before it")
        self.signers.append((seq, verifier))

    # -- entries ---------------------------------------------------------------------------------------------

    def entries(self) -> None:
        """Every entry in its place, every tile, every checkpoint."""
        gone, roots = self._expired_seqs(), _RootsAt(self._checkpoint_notes(), self.against)
        with self.ledger.store.read() as connection:
            for rows in self._chunks(connection):
                self._chunk(connection, rows, gone, roots)
            tiles = connection.execute(sa.select(sa.func.count()).select_from(TILE)).scalar_one()
        if tiles != _tiles_of(self.state.frontier.size):
            self.note(None, "", f"{tiles} tiles where {_tiles_of(self.state.frontier.size)} belong")
        self._checkpoints(roots)

    def _chunks(self, connection: sa.Connection) -> Iterator[list[_Stored]]:
        last = -1
        while True:
            rows = connection.execute(self._query().where(ENTRY.c.seq > last).order_by(ENTRY.c.seq).limit(_CHUNK)).all()
            if not rows:
                return
            yield [
                _Stored(int(seq), _text(name), _text(kind), _text(key), _text(time), leaf, data)
                for seq, name, kind, key, time, leaf, data in rows
            ]
            last = int(rows[-1][0])

    def _query(self) -> sa.Select[Any]:
        """All columns; as raw bytes in SQLite, where a damaged text could not be read otherwise."""
        columns: list[sa.ColumnElement[Any]] = [*(ENTRY.c[name] for name in _TEXTS), ENTRY.c.leaf_hash, ENTRY.c.data]
        if self.ledger.store.is_sqlite:
            columns = [sa.cast(column, sa.LargeBinary) for column in columns]
        return sa.select(ENTRY.c.seq, *columns)

    def _chunk(self, connection: sa.Connection, rows: list[_Stored], gone: set[int], roots: _RootsAt) -> None:
        for row in rows:
            seq, expected = row.seq, self.state.frontier.size
            if seq != expected:
                self.note(expected, "", f"missing: {seq - expected} record(s) from place {expected} on")
                self.shifted = True
                # Places are counted on, so that what follows is judged by itself; a place far off is no place.
                filler = [b"\x00" * 32] * min(seq - expected, _MOST_MISSING)
                self.state, _ = self.state.extended(filler, self.state.last_time)
            self._entry(row, seq, gone)
            self.state, filled = self.state.extended([row.leaf_hash], row.time)
            for tile in filled:
                query = sa.select(TILE).where(TILE.c.level == tile.level, TILE.c.idx == tile.index)
                stored = connection.execute(query).one_or_none()
                self._tile(tile.hashes, tile.root, stored, f"{tile.level}/{tile.index}", tile.index)
            roots.offer(self.state)

    def _tile(self, hashes: tuple[bytes, ...], root: bytes, stored: Any, name: str, index: int) -> None:
        if stored is None:
            self.note(None, "", f"tile {name} is missing")
        elif not self.shifted and (split_hashes(bytes(stored.hashes)) != hashes or bytes(stored.root) != root):
            old = split_hashes(bytes(stored.hashes))
            at = next((k for k, pair in enumerate(zip(old, hashes, strict=False)) if pair[0] != pair[1]), 0)
            self.note(index * 256 + at, "", f"tile {name} does not agree with the entries from there on")

    def _entry(self, row: _Stored, seq: int, gone: set[int]) -> None:
        if row.data is None:
            self.expired += 1
            if seq not in gone:
                self.note(seq, row.id, "missing: its content was deleted, and no entry says so")
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

    def _header(self, header: Header, row: _Stored, seq: int) -> None:
        if header.seq != seq:
            self.shifted = True
            self.note(seq, header.id, f"reordered: it was written at place {header.seq}")
        elif header.prev != self.state.last_hash.hex():
            self.note(seq - 1, "", f"altered: not the entry that {header.id} followed")
        if (header.id, header.kind, header.key, header.time) != (row.id, row.kind, row.key_id, row.time):
            self.note(seq, header.id, "altered: its row does not say what its content says")
        if header.key:
            self.key_uses[header.key] = self.key_uses.get(header.key, 0) + 1

    # -- checkpoints -----------------------------------------------------------------------------------------

    def _checkpoint_notes(self) -> list[tuple[int, str]]:
        with self.ledger.store.read() as connection:
            rows = connection.execute(sa.select(CHECKPOINT).order_by(CHECKPOINT.c.size)).all()
        return [(int(row.size), str(row.note)) for row in rows]

    def _checkpoints(self, roots: _RootsAt) -> None:
        size = self.state.frontier.size
        for at, text, kept_elsewhere in roots.notes:
            which = f"checkpoint at {at}" + (" kept elsewhere" if kept_elsewhere else "")
            try:
                checkpoint = open_checkpoint(text, self._signers_at(at), self.origin)
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

    def _signers_at(self, size: int) -> list[Verifier]:
        """The one key that signs checkpoints of this size: a new key signs from the entry after its own on."""
        valid = [verifier for seq, verifier in self.signers if seq + 1 < size or seq == 0]
        return valid[-1:]

    # -- people ----------------------------------------------------------------------------------------------

    def _expired_seqs(self) -> set[int]:
        return {seq for payload in self._payloads(EXPIRY) for seq in payload["seqs"]}

    def _payloads(self, kind: str) -> Iterable[dict[str, Any]]:
        with self.ledger.store.read() as connection:
            found = connection.execute(sa.select(ENTRY.c.data).where(ENTRY.c.kind == kind)).scalars().all()
        for data in found:
            try:
                yield open_payload(bytes(data), None)
            except (LedgerError, ValueError, KeyError, TypeError):
                continue  # its own entry is found to be altered

    def people(self) -> None:
        """Every sealed entry's key is there and opens, or an entry says that it was destroyed."""
        erased = {payload.get("key") for payload in self._payloads(ERASURE)}
        with self.ledger.store.read() as connection:
            rows = {row.key_id: row.wrapped for row in connection.execute(sa.select(PERSON_KEY))}
        for key_id, uses in self.key_uses.items():
            if rows.get(key_id) is None:
                self.erased += uses
                if key_id not in erased:
                    self.note(
                        None, "", f"person key {key_id} is gone, and no entry says so: {uses} record(s) are closed"
                    )
        for key_id, wrapped in rows.items():
            self._opens(key_id, wrapped)

    def _opens(self, key_id: str, wrapped: bytes | None) -> None:
        if wrapped is None or not self.ledger.has_master:
            return
        try:
            self.ledger.master.unwrap(key_id, bytes(wrapped))
        except LedgerError as error:
            self.note(None, "", str(error))

    def result(self) -> Verification:
        """All that was found."""
        frontier, keys = self.state.frontier, tuple(verifier.text for _, verifier in self.signers)
        findings = tuple(self.findings)
        return Verification(
            self.origin, frontier.size, frontier.root.hex(), self.checked, self.erased, self.expired, keys, findings
        )


class _RootsAt:
    """The roots that the tree has at the sizes for which there are checkpoints."""

    def __init__(self, stored: list[tuple[int, str]], against: Sequence[str]) -> None:
        kept = [(Checkpoint.parse(Note.parse(text).body).size, text, True) for text in against]
        self.notes = sorted([(size, text, False) for size, text in stored] + kept)
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
