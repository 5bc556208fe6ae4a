"""`Ledger`: what was recommended to whom and why, appended, found, proved; nothing is ever changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from string import hexdigits
from types import MappingProxyType
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from pathfolio.explain.ledger.canonical import canonical
from pathfolio.explain.ledger.entry import (
    AlteredError,
    Draft,
    GoneError,
    Header,
    Said,
    header_of,
    new_id,
    open_payload,
    open_text,
    read_header,
    record_key,
)
from pathfolio.explain.ledger.keys import (
    MASTER_VARIABLE,
    SIGNING_VARIABLE,
    MasterKey,
    SigningKey,
    signing_key,
)
from pathfolio.explain.ledger.merkle import consistency_proof, inclusion_proof
from pathfolio.explain.ledger.note import Checkpoint, Note, Verifier
from pathfolio.explain.ledger.payloads import (
    ADVICE_CLASS,
    KEY_KINDS,
    RECOMMENDATION,
    LookEntry,
    NamesKey,
    Opening,
    Payload,
)
from pathfolio.explain.ledger.squeeze import Squeezed
from pathfolio.explain.ledger.store import CHECKPOINT, ENTRY, PERSON_KEY, LedgerDatabase
from pathfolio.explain.ledger.tree import TileReader
from pathfolio.explain.ledger.watch import Watch
from pathfolio.explain.ledger.writer import Change, Receipt, Writer
from pathfolio.kg.errors import LedgerError, UsageError

FORMAT: Final = 1
"""Of the ledger's entries, which its opening entry names."""


@dataclass(frozen=True)
class Proof:
    """That an entry stands in the tree: with the leaf itself it leads to the root of a signed checkpoint."""

    seq: int
    size: int
    hashes: tuple[bytes, ...]
    checkpoint: str


Clock = Callable[[], datetime]


class Ledger:
    """An open ledger; safe to be used by many threads. Make one with `opening.open_ledger`.

    `noted` is for who writes entries that are needed once (a build's, …): what is known to be there already.
    """

    def __init__(
        self,
        store: LedgerDatabase,
        keys: tuple[SigningKey | None, MasterKey | None, SigningKey | None],
        folders: tuple[Path, Path],
        clock: Clock,
    ) -> None:
        """The ledger in `store`, with the keys that are at hand.

        Args:
            keys: the one that signs, the master key, and the one that signs after the next change of key.
            folders: of the keys and of whatever else is kept beside the ledger; and of the marks, apart from it.
        """
        self.store, self.clock = store, clock
        self.folder, self._marks = folders
        self.noted: set[tuple[str, str]] = set()
        self.signing, self._master, self.next_signing = keys

    # -- writing ---------------------------------------------------------------------------------------------

    def append(
        self,
        record: msgspec.Struct | Squeezed,
        *,
        person: str | None,
        kind: str = RECOMMENDATION,
        retention: str = ADVICE_CLASS,
        tags: Mapping[str, str] | None = None,
    ) -> Receipt:
        """Append one record; once it returns, the record is on disk under a signed checkpoint.

        Args:
            record: a struct, or canonical text, compressed.
            person: whose key seals it; None for what is about nobody, which stays readable.
            retention: the class that says how long it is kept.
            tags: what the header says in the open.

        Raises:
            LedgerError: nothing was recorded, so nothing may be shown.
        """
        return self.append_many([(record, person)], kind=kind, retention=retention, tags=tags)[0]

    def append_many(
        self,
        records: Sequence[tuple[msgspec.Struct | Squeezed, str | None]],
        *,
        kind: str = RECOMMENDATION,
        retention: str = ADVICE_CLASS,
        tags: Mapping[str, str] | None = None,
    ) -> list[Receipt]:
        """Append records with their persons, all or none, in one transaction; as `append`."""
        drafts = [self._draft(record, person, kind, retention, tags) for record, person in records]
        return self.write(drafts) if drafts else []

    def note(self, payload: Payload, *, person: str | None = None, tags: Mapping[str, str] | None = None) -> Receipt:
        """Append one entry of the kind that `payload` is of; as `append`."""
        return self.write([self.draft(payload, person, tags)])[0]

    def draft(self, payload: Payload, person: str | None = None, tags: Mapping[str, str] | None = None) -> Draft:
        """An entry of now, still to be written."""
        return self._draft(payload, person, payload.entry_kind, payload.retention, tags)

    def _draft(
        self,
        record: msgspec.Struct | Squeezed,
        person: str | None,
        kind: str,
        retention: str,
        tags: Mapping[str, str] | None,
    ) -> Draft:
        subject = "" if person is None else self.master.subject(person)
        payload = record if isinstance(record, Squeezed) else canonical(record)
        return Draft(new_id(), kind, payload, subject, retention, self.clock(), tags or {})

    def write(self, drafts: Sequence[Draft], also: Change | None = None) -> list[Receipt]:
        """Append drafts; `also` happens in the same transaction."""
        return self._writer.append(drafts, also)

    @property
    def lag(self) -> float:
        """Seconds for which the oldest entry has been waiting that is not on disk yet; 0 where there is none."""
        return self._writer.lag if "_writer" in vars(self) else 0.0

    @cached_property
    def _writer(self) -> Writer:
        if self.signing is None:
            raise LedgerError(f"{self.store.where}: no key to sign with: set {SIGNING_VARIABLE}; nothing was recorded")
        return Writer(self.store, self.master, self.signing, self.origin, self._later_keys, self.watch)

    @cached_property
    def watch(self) -> Watch:
        """Compares the ledger with what this machine last saw of it."""
        return Watch(self.store, self._marks, self.origin)

    def _later_keys(self) -> list[SigningKey | None]:
        return [signing_key(self.folder, {}, create=False), self.next_signing]

    def change_key(self, draft: Draft, new: SigningKey) -> None:
        """Append the entry `draft`, and sign with `new` from then on; for `custody.rotate_key`."""
        if self.signing is None:
            raise LedgerError(f"{self.store.where}: no key that could hand over: set {SIGNING_VARIABLE}")
        self._writer.change_key(draft, self.signing, new)
        self.signing = new

    @property
    def has_master(self) -> bool:
        """Whether sealed payloads can be opened here."""
        return self._master is not None

    @property
    def master(self) -> MasterKey:
        """The master key; raises LedgerError where it is not at hand."""
        if self._master is None:
            raise LedgerError(f"{self.store.where}: no master key: set {MASTER_VARIABLE} to open what is sealed")
        return self._master

    # -- finding ---------------------------------------------------------------------------------------------

    @cached_property
    def origin(self) -> str:
        """The ledger's name, which its checkpoints carry."""
        return open_payload(self._keys()[0], None, Opening).origin

    @property
    def verifiers(self) -> list[Verifier]:
        """The public keys that have signed it, the newest last."""
        return [Verifier.parse(open_payload(leaf, None, NamesKey).verifier) for leaf in self._keys()]

    def _keys(self) -> list[bytes]:
        """The leaves that name keys."""
        query = sa.select(ENTRY.c.data).where(ENTRY.c.kind.in_(KEY_KINDS)).order_by(ENTRY.c.seq)
        with self.store.read() as connection:
            found = [bytes(data) for data in connection.execute(query).scalars()]
        if not found:
            raise LedgerError(f"{self.store.where}: the ledger has no opening entry: restore it from a backup")
        if open_payload(found[0], None, Opening).format != FORMAT:
            raise LedgerError(f"{self.store.where}: a ledger of another version of pathfolio: use that, or a newer one")
        return found

    @property
    def size(self) -> int:
        """How many entries there are."""
        with self.store.read() as connection:
            newest = connection.execute(sa.select(sa.func.max(ENTRY.c.seq))).scalar()
        return 0 if newest is None else int(newest) + 1

    def headers(
        self, *, kinds: Sequence[str] = (), person: str | None = None, limit: int | None = None
    ) -> list[Header]:
        """Headers of entries, the newest first; they hold no personal data. Of an altered one, what its row says.

        Args:
            kinds: only these; all where empty.
            person: only what is sealed with this person's key.
            limit: at most so many.
        """
        query = sa.select(ENTRY).where(*self._are(kinds, person)).order_by(ENTRY.c.seq.desc()).limit(limit)
        with self.store.read() as connection:
            return [header_of(row) for row in connection.execute(query)]

    def count(self, *, kinds: Sequence[str] = (), person: str | None = None) -> int:
        """How many `headers` there are."""
        with self.store.read() as connection:
            query = sa.select(sa.func.count()).select_from(ENTRY).where(*self._are(kinds, person))
            return int(connection.execute(query).scalar_one())

    def _are(self, kinds: Sequence[str], person: str | None) -> Iterator[sa.ColumnElement[bool]]:
        """Conditions: entries whose content is there, of these kinds (all where empty), of this person if any."""
        yield ENTRY.c.data.is_not(None)
        if kinds:
            yield ENTRY.c.kind.in_(kinds)
        if person is not None:
            owner = sa.select(PERSON_KEY.c.key_id).where(PERSON_KEY.c.subject == self.master.subject(person))
            yield ENTRY.c.key_id.in_(owner)

    def header(self, record_id: str) -> Header:
        """The header of one entry; `record_id` may be shortened to what is unique.

        Raises:
            AlteredError: it does not say what its row says; else as `row`.
        """
        found = header_of(self._row(record_id))
        if found.is_altered:
            raise AlteredError(f"record {found.id}: its header was altered: `pathfolio audit verify` tells more")
        return found

    def leaf(self, record_id: str) -> bytes:
        """The bytes of one entry, as they were hashed; raises as `row`."""
        return self.row(record_id)[1]

    def row(self, record_id: str) -> tuple[int, bytes]:
        """The place at which one entry stands, and its bytes.

        Raises:
            UsageError: no entry has that id, or several begin so.
            LedgerError: its content was deleted when its retention ended.
        """
        found = self._row(record_id)
        return int(found.seq), bytes(found.data)

    def _row(self, record_id: str) -> sa.Row[Any]:
        name = record_id.lower()
        begins = (ENTRY.c.id >= name, ENTRY.c.id < f"{name}g")  # ids are hex digits; this can use their index
        data = sa.cast(ENTRY.c.data, sa.LargeBinary).label("data")  # whatever type SQLite finds in a damaged row
        columns = (ENTRY.c.seq, ENTRY.c.id, ENTRY.c.kind, ENTRY.c.key_id, ENTRY.c.time, data)
        query = sa.select(*columns).where(*begins).limit(2)
        with self.store.read() as connection:
            found = connection.execute(query).all() if name and set(name) <= set(hexdigits) else []
        if len(found) != 1:
            remedy = "see `pathfolio audit list`" if not found else "write more of it"
            raise UsageError(f"{'no' if not found else 'more than one'} record {record_id!r}: {remedy}")
        if found[0].data is None:
            raise GoneError(f"record {found[0].id}: deleted when its retention ended; only its hash is left")
        return found[0]

    def read_text(self, record_id: str, *, who: str, purpose: str) -> bytes:
        """The payload of a record; that `who` looked, and why, is recorded first.

        Raises:
            UsageError: there is no such record, or no purpose is given.
            LedgerError: the person was erased, or the look could not be recorded.
        """
        leaf = self.leaf(record_id)
        self.note_look([read_header(leaf).id], who=who, purpose=purpose)
        return self.opened(leaf)

    def note_look(
        self, ids: Sequence[str], *, who: str, purpose: str, files: Mapping[str, str] = MappingProxyType({})
    ) -> Receipt:
        """Record a look at records; raises UsageError where no purpose is given.

        Args:
            files: SHA-256 by name of what is handed out.
        """
        if not purpose.strip():
            raise UsageError("a look at a record needs its purpose: say --purpose …")
        return self.note(LookEntry(tuple(ids), who, purpose, dict(files)))

    def read_many(
        self, headers: Sequence[Header], *, who: str, purpose: str
    ) -> Iterator[tuple[Header, bytes | LedgerError | None]]:
        """Headers with their payloads; one entry records the look at all.

        What is gone (erased, or past its retention) has None for a payload, what was altered the LedgerError.
        """
        self.note_look([header.id for header in headers], who=who, purpose=purpose)
        for header in headers:
            try:
                if header.is_altered:
                    raise AlteredError(f"record {header.id}: its header was altered")
                yield header, self.opened(self.leaf(header.id))
            except GoneError:
                yield header, None
            except LedgerError as error:
                yield header, error

    def opened(self, leaf: bytes) -> bytes:
        """The payload of a leaf; for the ledger's own use, since the look is not recorded."""
        key_id = read_header(leaf).key
        return open_text(leaf, self._data_key(key_id) if key_id else None)

    def payloads(self, kind: type[Said], *, after: int = -1, most: int | None = None) -> list[tuple[Header, Said]]:
        """All open entries of one kind with what they say, the newest first.

        Args:
            after: only those after this place.
            most: only the newest.
        """
        are = ENTRY.c.kind == kind.entry_kind, ENTRY.c.seq > after, ENTRY.c.data.is_not(None)
        query = sa.select(ENTRY.c.data).where(*are).order_by(ENTRY.c.seq.desc()).limit(most)
        with self.store.read() as connection:
            leaves = [bytes(data) for data in connection.execute(query).scalars()]
        return [(read_header(leaf), open_payload(leaf, None, kind)) for leaf in leaves]

    def key_of_record(self, record_id: str) -> bytes:
        """The key that opens this record and no other; empty where it is open or the person was erased."""
        header = self.header(record_id)
        data_key = self._data_key(header.key) if header.key else None
        return b"" if data_key is None else record_key(data_key, header.id)

    def _data_key(self, key_id: str) -> bytes | None:
        query = sa.select(PERSON_KEY.c.subject, PERSON_KEY.c.wrapped).where(PERSON_KEY.c.key_id == key_id)
        with self.store.read() as connection:
            row = connection.execute(query).one_or_none()
        return (
            None if row is None or row.wrapped is None else self.master.unwrap(key_id, row.subject, bytes(row.wrapped))
        )

    # -- proving ---------------------------------------------------------------------------------------------

    def checkpoint(self) -> str:
        """The newest signed checkpoint; whoever keeps it can later show that nothing before it was changed."""
        query = sa.select(CHECKPOINT.c.note).order_by(CHECKPOINT.c.size.desc()).limit(1)
        with self.store.read() as connection:
            return str(connection.execute(query).scalar_one())

    def prove(self, seq: int) -> Proof:
        """That the entry at place `seq` stands in the tree of the newest checkpoint."""
        note = self.checkpoint()
        size = Checkpoint.parse(Note.parse(note).body).size
        with self.store.read() as connection:
            hashes = inclusion_proof(seq, size, TileReader(connection).subtree)
        return Proof(seq, size, tuple(hashes), note)

    def prove_consistency(self, first: int, second: int) -> list[bytes]:
        """That the tree of `second` entries begins with the tree of `first`."""
        with self.store.read() as connection:
            return consistency_proof(first, second, TileReader(connection).subtree)

    def close(self) -> None:
        """Give the database back."""
        self.store.close()
