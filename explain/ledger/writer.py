"""Group commit: entries that wait at the same time go into one transaction, with one checkpoint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pathfolio.explain.ledger.entry import (
    CLOCK_TAG,
    Draft,
    EntryPlace,
    make_leaf,
    new_id,
    open_payload,
    time_text,
)
from pathfolio.explain.ledger.keys import SIGNING_VARIABLE, MasterKey, SigningKey
from pathfolio.explain.ledger.merkle import leaf_hash
from pathfolio.explain.ledger.note import Checkpoint, Note
from pathfolio.explain.ledger.payloads import CLOCK, KEY_KINDS, RESTORE, NamesKey
from pathfolio.explain.ledger.store import CHECKPOINT, ENTRY, PERSON_KEY, TILE, LedgerDatabase
from pathfolio.explain.ledger.tree import WIDTH, Tile, TreeState
from pathfolio.explain.ledger.watch import Watch
from pathfolio.kg.errors import LedgerError

CLOCK_TOLERANCE: Final = timedelta(seconds=60)
"""By how much a clock may be behind the newest entry, whose time is then taken: servers' clocks differ a little."""

LARGEST_GROUP: Final = 2000
"""Entries in one transaction; a single call with more still goes in at once."""

_IN_CLAUSE: Final = 500
_NEWEST: Final = sa.select(ENTRY.c.seq, ENTRY.c.leaf_hash).order_by(ENTRY.c.seq.desc()).limit(1)
_KEYS_TRIED: Final = 8


class RefusedDraftError(LedgerError):
    """One entry cannot be taken, while the others beside it can."""


@dataclass(frozen=True)
class Receipt:
    """Proof that an entry was taken: it is on disk, under a signed checkpoint.

    Attributes:
        id: of the record.
        seq: its place in the tree.
        leaf: its leaf hash.
        checkpoint: the signed note that covers it.
    """

    id: str
    seq: int
    leaf: bytes
    checkpoint: str


Change = Callable[[sa.Connection, list[Receipt]], None]
"""What is done in the same transaction as an append, which then goes in alone."""


@dataclass
class _Ticket:
    drafts: Sequence[Draft]
    also: Change | None = None
    keys: tuple[SigningKey, SigningKey] | None = None
    receipts: list[Receipt] = field(default_factory=list)
    error: Exception | None = None
    done: bool = False
    since: float = field(default_factory=time.monotonic)
    woken: threading.Event = field(default_factory=threading.Event)

    @property
    def alone(self) -> bool:
        """Whether it goes into a transaction of its own."""
        return self.also is not None or self.keys is not None or self.goes_back

    @property
    def goes_back(self) -> bool:
        """Whether it says why the ledger went back to an older copy."""
        return any(draft.kind == RESTORE for draft in self.drafts)


class Writer:
    """Appends to one store; safe to be used by many threads, and beside other processes."""

    def __init__(
        self,
        store: LedgerDatabase,
        master: MasterKey,
        signing: SigningKey,
        origin: str,
        later: Callable[[], Iterable[SigningKey | None]],
        watch: Watch,
    ) -> None:
        """A writer for the ledger named `origin` in `store`.

        Args:
            watch: refuses a ledger that went back, and is told of each commit.
            later: keys that may sign by now, to be asked for where another process has changed the key.
        """
        self._store, self._master, self._signing, self._origin = store, master, signing, origin
        self._later, self._watch = later, watch
        self._waiting: list[_Ticket] = []
        self._writing: list[_Ticket] = []
        self._lock, self._busy = threading.Lock(), False
        self._state: TreeState | None = None

    @property
    def lag(self) -> float:
        """Seconds for which the oldest entry has been waiting that is not on disk yet; 0 where there is none."""
        with self._lock:
            since = [ticket.since for ticket in (*self._writing, *self._waiting)]
        return time.monotonic() - min(since) if since else 0.0

    def append(self, drafts: Sequence[Draft], also: Change | None = None) -> list[Receipt]:
        """Append `drafts`, in their order, with whatever else waits; returns when they are on disk.

        Args:
            also: what must happen with it or not at all.

        Raises:
            LedgerError: nothing was recorded.
        """
        return self._taken(_Ticket(drafts, also))

    def change_key(self, draft: Draft, old: SigningKey, new: SigningKey) -> Receipt:
        """Append the entry by which `old` hands over to `new`, which signs from then on; raises as `append` does."""
        return self._taken(_Ticket([draft], keys=(old, new)))[0]

    def _taken(self, ticket: _Ticket) -> list[Receipt]:
        with self._lock:
            self._waiting.append(ticket)
            leads = not self._busy
            self._busy = True
        if not leads:
            ticket.woken.wait()
        if not ticket.done:
            self._lead()
        if ticket.error is not None:
            raise LedgerError(str(ticket.error)) from ticket.error
        return ticket.receipts

    def _lead(self) -> None:
        """Commit what waits, this thread's own entry included, then hand the lead to the next in line."""
        group = self._group()
        try:
            self._commit(group)
        finally:
            self._hand_on(group)

    def _hand_on(self, group: list[_Ticket]) -> None:
        with self._lock:
            follower = self._waiting[0] if self._waiting else None
            self._busy, self._writing = follower is not None, []
        for ticket in group:
            if not ticket.done:  # what cut the leader off is on its way to whoever started it
                ticket.error, ticket.done = (
                    LedgerError("cut off: it may have been recorded, nothing may be shown"),
                    True,
                )
            ticket.woken.set()
        if follower is not None:
            follower.woken.set()

    def open_with(self, draft: Draft) -> None:
        """Append the opening entry, unless another process has just done so."""
        with self._store.write() as connection:
            if connection.execute(sa.select(sa.func.count()).select_from(ENTRY)).scalar() == 0:
                self._insert(connection, [draft], TreeState.empty())

    def _group(self) -> list[_Ticket]:
        with self._lock:
            taken, count = 0, 0
            while taken < len(self._waiting) and (not taken or count < LARGEST_GROUP):
                if taken and (self._waiting[taken].alone or self._waiting[0].alone):
                    break
                count += len(self._waiting[taken].drafts)
                taken += 1
            group, self._waiting = self._waiting[:taken], self._waiting[taken:]
            self._writing = group
        return group

    def _commit(self, group: list[_Ticket]) -> None:
        """One transaction for the group; where one entry is refused, each ticket is tried alone."""
        try:
            self._write(group)
        except Exception as error:
            self._state = None
            if len(group) == 1 or not isinstance(error, RefusedDraftError):
                for ticket in group:
                    ticket.error, ticket.done = error, True
                return
            for ticket in group:
                self._commit([ticket])

    def _write(self, group: list[_Ticket]) -> None:
        keys = group[0].keys
        with self._store.write() as connection:
            before = self._current(connection, goes_back=group[0].goes_back)
            drafts = [draft for ticket in group for draft in ticket.drafts]
            state, receipts = self._insert(connection, drafts, before)
            if group[0].also is not None:
                group[0].also(connection, receipts)
            if keys is not None and keys[0] != self._signing:
                raise LedgerError("the key was changed by somebody else meanwhile: nothing was recorded")
        self._state, self._signing = state, self._signing if keys is None else keys[1]
        self._watch.saw(receipts[-1].checkpoint, state.frontier.size)
        at = 0
        for ticket in group:
            ticket.receipts, ticket.done = receipts[at : at + len(ticket.drafts)], True
            at += len(ticket.drafts)

    def _insert(
        self, connection: sa.Connection, drafts: list[Draft], before: TreeState
    ) -> tuple[TreeState, list[Receipt]]:
        keys = _person_keys(connection, self._master, sorted({draft.subject for draft in drafts} - {""}))
        rows = _rows(drafts, before, keys)
        state, filled = before.extended([row.leaf for row in rows], rows[-1].time, rows[-1].clock)
        connection.execute(sa.insert(ENTRY), [row.columns for row in rows])
        if filled:
            connection.execute(sa.insert(TILE), [_tile_columns(tile) for tile in filled])
        note = self._checkpoint(connection, state, before.frontier.size)
        return state, [Receipt(row.columns["id"], row.columns["seq"], row.leaf, note) for row in rows]

    def _current(self, connection: sa.Connection, *, goes_back: bool) -> TreeState:
        """The state that this writer left, unless another process has written since.

        Args:
            goes_back: the entry to come says why the ledger went back.

        Raises:
            LedgerError: the ledger went back.
        """
        row = connection.execute(_NEWEST).one_or_none()
        size, last = (0, b"") if row is None else (int(row.seq) + 1, bytes(row.leaf_hash))
        if self._state is not None and (self._state.frontier.size, self._state.last_hash) == (size, last):
            return self._state
        if size:
            self._still_signs(connection)
            check_master(connection, self._master)
            if not goes_back:
                self._watch.check(connection)
        return TreeState.load(connection)

    def _still_signs(self, connection: sa.Connection) -> None:
        """Take up a key that another process has put into the key's file; refuse to sign with one it has replaced."""
        query = sa.select(ENTRY.c.data).where(ENTRY.c.kind.in_(KEY_KINDS)).order_by(ENTRY.c.seq.desc()).limit(1)
        found = open_payload(bytes(connection.execute(query).scalar_one()), None, NamesKey).verifier
        for key in (self._signing, *self._later()):
            if key is not None and key.verifier(self._origin).text == found:
                self._signing = key
                return
        raise LedgerError(f"this ledger is signed by {found}: set {SIGNING_VARIABLE} to that key, or restore its file")

    def _checkpoint(self, connection: sa.Connection, state: TreeState, before: int) -> str:
        """Sign the new head; of the older checkpoints the last of every 256 entries stays."""
        size = state.frontier.size
        verifier = self._signing.verifier(self._origin)
        note = Note.sign(Checkpoint(self._origin, size, state.frontier.root).body, verifier, self._signing.private).text
        if before // WIDTH == size // WIDTH:
            connection.execute(sa.delete(CHECKPOINT).where(CHECKPOINT.c.size == before))
        connection.execute(sa.insert(CHECKPOINT), {"size": size, "note": note})
        return note


@dataclass(frozen=True)
class _Row:
    leaf: bytes
    time: str
    clock: str
    columns: dict[str, Any]


def _rows(drafts: list[Draft], before: TreeState, keys: dict[str, tuple[str, bytes]]) -> list[_Row]:
    """The entries in their places, each with the hash of the one before it, and none with an earlier time."""
    rows: list[_Row] = []
    seq, prev, time, clock = before.frontier.size, before.last_hash, before.last_time, before.last_clock
    for draft in drafts:
        clock = _clock_after(draft, clock)
        time = max(time, clock)  # as texts of the same length
        tags = draft.tags if clock == time else {**draft.tags, CLOCK_TAG: clock}
        key_id, data_key = keys[draft.subject] if draft.subject else ("", None)
        data = make_leaf(draft, EntryPlace(seq, prev.hex(), time, tags), key_id, data_key)
        leaf = leaf_hash(data)
        columns = {"seq": seq, "id": draft.id, "kind": draft.kind, "key_id": key_id, "time": time}
        rows.append(_Row(leaf, time, clock, columns | {"leaf_hash": leaf, "data": data}))
        seq, prev = seq + 1, leaf
    return rows


def _clock_after(draft: Draft, before: str) -> str:
    """What the clock showed, taken to stand still where it is a little behind what it showed `before`.

    Raises:
        RefusedDraftError: it was set back.
    """
    shown = time_text(draft.time)
    if not before or draft.kind == CLOCK or shown >= before:
        return shown
    behind = datetime.fromisoformat(before) - draft.time
    if behind > CLOCK_TOLERANCE:
        remedy = "set the clock right, or record why it was wrong with `pathfolio audit clock --reason …`"
        raise RefusedDraftError(
            f"the clock is {behind} behind the newest entry ({before}): {remedy}; nothing was recorded"
        )
    return before


def check_master(connection: sa.Connection, master: MasterKey) -> None:
    """Refuse a master key that opens none of the persons' keys: what it sealed, nobody else could open or erase.

    Raises:
        LedgerError: another one is meant.
    """
    query = sa.select(PERSON_KEY).where(PERSON_KEY.c.wrapped.is_not(None)).limit(_KEYS_TRIED)
    problem = None
    for row in connection.execute(query):
        try:
            master.unwrap(row.key_id, row.subject, bytes(row.wrapped))
        except LedgerError as error:
            problem = error  # one row may be damaged
        else:
            return
    if problem is not None:
        raise LedgerError(f"{problem}; nothing was recorded")


def _person_keys(connection: sa.Connection, master: MasterKey, subjects: list[str]) -> dict[str, tuple[str, bytes]]:
    """Subject to key id and data key; persons without a key get one, in the same transaction."""
    keys: dict[str, tuple[str, bytes]] = {}
    for start in range(0, len(subjects), _IN_CLAUSE):
        some = subjects[start : start + _IN_CLAUSE]
        for row in connection.execute(sa.select(PERSON_KEY).where(PERSON_KEY.c.subject.in_(some))):
            keys[row.subject] = (row.key_id, master.unwrap(row.key_id, row.subject, bytes(row.wrapped)))
    new = [(subject, new_id(), AESGCM.generate_key(256)) for subject in subjects if subject not in keys]
    if new:
        rows = [{"subject": s, "key_id": k, "wrapped": master.wrap(k, s, key)} for s, k, key in new]
        connection.execute(sa.insert(PERSON_KEY), rows)
    return keys | {subject: (key_id, key) for subject, key_id, key in new}


def _tile_columns(tile: Tile) -> dict[str, Any]:
    return {"level": tile.level, "idx": tile.index, "hashes": b"".join(tile.hashes), "root": tile.root}
