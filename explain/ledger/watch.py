"""Whether a ledger is older than what this machine last saw of it: then nothing is recorded until somebody says why."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from pathfolio.explain.ledger.entry import open_payload
from pathfolio.explain.ledger.mark import MARKS_VARIABLE, Mark, Seen
from pathfolio.explain.ledger.merkle import frontier_of
from pathfolio.explain.ledger.payloads import RESTORE, Restore
from pathfolio.explain.ledger.store import CHECKPOINT, DATABASE_FILE, ENTRY, LedgerDatabase
from pathfolio.explain.ledger.tree import TileReader
from pathfolio.kg.errors import LedgerError

log = logging.getLogger("pathfolio.ledger")

REMEDY: Final = (
    "put the newer one back, or, if going back is meant, record why with `pathfolio audit restored --reason …`"
)


@dataclass
class Watch:
    """Compares one open ledger with its mark, and raises the mark.

    Attributes:
        folder: of the marks.
        origin: the ledger's name, once it is known.
    """

    store: LedgerDatabase
    folder: Path
    origin: str = ""
    _restores: int = 0
    _told: bool = field(default=False, repr=False)

    def may_begin(self) -> None:
        """Raise LedgerError where a database without entries is the one in which this machine saw some."""
        if not self.store.was_there:
            return
        try:
            before = self._seen_here()
        except OSError:
            return
        if before is not None and before.file == self._file:
            raise LedgerError(
                f"{self.store.where}: no entries, while this machine has seen {before.size:,} here: "
                f"{self._cause(before)}; restore it, or move what is left away to begin a new ledger"
            )

    def has_begun(self) -> None:
        """Take note of the name of the ledger that lies here."""
        with contextlib.suppress(OSError):  # nor can the mark be written then, which is told
            if not self._place.exists() or self._place.read_text(encoding="utf-8") != self.origin:
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._place.write_text(self.origin, encoding="utf-8")

    @property
    def _place(self) -> Path:
        where = self.store.where if self.store.folder is None else str(self.store.folder.resolve())
        return self.folder / f"at-{hashlib.sha256(where.encode()).hexdigest()[:16]}.txt"

    def check(self, connection: sa.Connection | None = None) -> None:
        """Raise LedgerError where the ledger is older than the mark; else raise the mark to the ledger.

        Args:
            connection: of a writer, who keeps others from writing.
        """
        problem = self.problem() if connection is None else self._compared(connection, self.seen)
        if problem:
            raise LedgerError(f"{self.store.where}: {problem}: {REMEDY}; nothing was recorded")

    def problem(self) -> str:
        """What is wrong; empty where nothing is, and the mark is raised."""
        seen = self.seen  # before the ledger is looked at: others raise it meanwhile
        with self.store.read() as connection:
            return self._compared(connection, seen)

    def _compared(self, connection: sa.Connection, seen: Seen | None) -> str:
        restores = _restores(connection)
        self._restores = len(restores)
        newest = connection.execute(sa.select(CHECKPOINT).order_by(CHECKPOINT.c.size.desc()).limit(1)).one_or_none()
        size = _size(connection)
        went_back = seen is not None and not _begins_with(connection, seen, size)
        if seen is not None and went_back and not _told_of(seen, restores):
            return self._problem(seen, size)
        if newest is not None:
            self._write(str(newest.note), int(newest.size), anew=went_back)
        if went_back:
            self.has_begun()
        return ""

    @property
    def seen(self) -> Seen | None:
        """What this machine last saw of the ledger, or of another one in its place; None where nothing is known."""
        try:
            return self._seen_here() or self._mark.seen
        except OSError as error:
            self._warn(error)
            return None

    def _seen_here(self) -> Seen | None:
        """What was last seen at this place, of whatever ledger; raises OSError where that cannot be read."""
        try:
            return Mark.of(self.folder, self._place.read_text(encoding="utf-8")).seen
        except FileNotFoundError:
            return None

    def saw(self, note: str, size: int) -> None:
        """Raise the mark to the checkpoint of the first `size` entries, which was just committed."""
        self._write(note, size)

    def _write(self, note: str, size: int, *, anew: bool = False) -> None:
        seen = Seen(note, size, self._file, self._restores)
        try:
            self._mark.replace(seen) if anew else self._mark.raise_to(seen)
        except OSError as error:
            self._warn(error)

    @cached_property
    def _mark(self) -> Mark:
        return Mark.of(self.folder, self.origin)

    @property
    def _file(self) -> int:
        return 0 if self.store.inode is None else self.store.inode[1]

    def _warn(self, error: OSError) -> None:
        """Tell once: what is recorded is recorded, but a ledger that goes back would not be found."""
        if not self._told:
            why, remedy = error.strerror, f"set {MARKS_VARIABLE} to a folder that can be written to"
            log.warning("%s: what is seen of the ledger is not kept (%s): %s", self.folder, why, remedy)
        self._told = True

    def _problem(self, seen: Seen, size: int) -> str:
        if seen.size > size:
            return f"{size:,} entries, while this machine has seen {seen.size:,}: {self._cause(seen)}"
        begins = f"it does not begin with the {seen.size:,} entries that this machine has seen"
        return f"{begins}: another history, or another ledger, took its place"

    def _cause(self, seen: Seen) -> str:
        if self.store.is_sqlite and seen.file == self._file:
            log_file = f"{DATABASE_FILE}-wal"
            return f"the file is the same, so its log ({log_file}) was lost, or an older copy was written over it"
        return "an older copy took its place"


def _size(connection: sa.Connection) -> int:
    newest = connection.execute(sa.select(sa.func.max(ENTRY.c.seq))).scalar()
    return 0 if newest is None else int(newest) + 1


def _begins_with(connection: sa.Connection, seen: Seen, size: int) -> bool:
    """Whether the first entries have the root that was seen, by the hashes of a few subtrees."""
    if seen.size > size:
        return False
    return frontier_of(seen.size, TileReader(connection).subtree).root == seen.root


def _restores(connection: sa.Connection) -> list[tuple[int, Restore]]:
    query = sa.select(ENTRY.c.seq, ENTRY.c.data).where(ENTRY.c.kind == RESTORE).order_by(ENTRY.c.seq)
    return [(int(row.seq), open_payload(bytes(row.data), None, Restore)) for row in connection.execute(query)]


def _told_of(seen: Seen, restores: list[tuple[int, Restore]]) -> bool:
    """Whether an entry says that the ledger went back from what was seen, or, unknown to the mark, from more of it.

    So another server's mark, of a part of what was lost, needs no word of its own.
    """
    later = any(place < seen.size <= said.size for place, said in restores[seen.restores :])
    return later or any(said.lost == seen.note for _, said in restores)
