"""What this machine last saw of a ledger, kept apart from it, so that a ledger that went back to less is found.

A mark is the newest signed checkpoint that was seen, in a file of two places that are written by turns: a write that
is cut off leaves the other one. It never goes back by itself. It is written after each commit without waiting for the
disk, so a machine that loses its power may know of a little less than there is, and never of more.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

from platformdirs import user_state_path

from pathfolio.explain.ledger.note import Checkpoint, Note

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

MARKS_VARIABLE: Final = "PATHFOLIO_LEDGER_MARKS"

_PLACE: Final = 1024
"""Bytes of each of the two places."""

_DIGEST: Final = 16


def marks_folder() -> Path:
    """Where marks are kept: PATHFOLIO_LEDGER_MARKS, or a folder among what programs keep of the user's."""
    return Path(os.environ.get(MARKS_VARIABLE) or user_state_path("pathfolio") / "ledgers")


@dataclass(frozen=True)
class Seen:
    """What was seen of a ledger.

    Attributes:
        note: the signed checkpoint.
        size: its entries.
        file: number of the database's file on its disk; 0 for a server.
        restores: how many restored backups the ledger told of then.
    """

    note: str
    size: int
    file: int = 0
    restores: int = 0

    @property
    def root(self) -> bytes:
        """Of the tree of those entries; raises LedgerError where the note is no checkpoint."""
        return Checkpoint.parse(Note.parse(self.note).body).root

    @property
    def packed(self) -> bytes:
        """As it lies in its place; it begins with a digest of the rest."""
        rest = f"{self.size} {self.file} {self.restores}\n{self.note}".encode()
        return _digest(rest) + rest

    @classmethod
    def unpacked(cls, raw: bytes) -> Seen | None:
        """Read `packed` again; None where it was not written whole."""
        raw = raw.rstrip(b"\0")
        rest = raw[_DIGEST:]
        if not rest or _digest(rest) != raw[:_DIGEST]:
            return None
        about, note = rest.decode().split("\n", 1)
        return cls(note, *map(int, about.split()))


def _digest(rest: bytes) -> bytes:
    return hashlib.sha256(rest).hexdigest()[:_DIGEST].encode()


@dataclass(frozen=True)
class Mark:
    """The file of one ledger's mark."""

    path: Path

    @classmethod
    def of(cls, folder: Path, origin: str) -> Mark:
        """The mark of the ledger of this name."""
        return cls(folder / f"{origin.replace('/', '-')}.mark")

    @property
    def seen(self) -> Seen | None:
        """The most that was seen; None where nothing was.

        Raises:
            OSError: it is there and cannot be read.
        """
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return None
        return max(filter(None, _places(raw)), key=lambda seen: seen.size, default=None)

    def raise_to(self, seen: Seen) -> None:
        """Take note of `seen`, unless more was seen; raises OSError where it cannot be written."""
        with self._alone() as file:
            sizes = [0 if place is None else place.size for place in _places(os.pread(file, 2 * _PLACE, 0))]
            if max(sizes) < seen.size:
                _write(file, seen, sizes.index(min(sizes)))

    def replace(self, seen: Seen) -> None:
        """Take note of `seen` although more was seen: somebody has said why; raises OSError as `raise_to`."""
        with self._alone() as file:
            for at in (0, 1):
                _write(file, seen, at)

    @contextmanager
    def _alone(self) -> Iterator[int]:
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)


def _places(raw: bytes) -> tuple[Seen | None, Seen | None]:
    return Seen.unpacked(raw[:_PLACE]), Seen.unpacked(raw[_PLACE:])


def _write(file: int, seen: Seen, place: int) -> None:
    os.pwrite(file, seen.packed.ljust(_PLACE, b"\0"), place * _PLACE)
