"""Single bytes changed in a ledger's file: verification finds them."""

from __future__ import annotations

import contextlib
import hashlib
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from explain.ledger.ledger import open_ledger
from explain.ledger.verify import verify_ledger
from kg.errors import LedgerError
from web.benchmarks.figures import Figure
from web.benchmarks.ledger import fill

_LISTED_BYTES: Final = 8192
"""SQLite's header and the beginning of its list of tables."""


def changed_bytes(folder: Path, records: int, flips: int) -> list[Figure]:
    """Single bytes changed all over the file: each is found, or lies where nothing is kept.

    Places are drawn by turns from each of the file's tables and indexes, from its first pages, and from all of it.
    """
    opened = open_ledger(folder, environ={})
    fill(opened, records - opened.size)
    opened.store.forget()
    opened.close()
    path = folder / "ledger.sqlite"
    before, found, unused, missed, slowest, most = _content(path), 0, 0, 0, 0.0, 0.0
    for at in _places(path, flips):
        with _changed(path, at):
            started, spent = time.perf_counter(), time.process_time()
            sound = _is_sound(folder)
            slowest, most = max(slowest, time.perf_counter() - started), max(most, time.process_time() - spent)
            found += not sound
            same = sound and _content(path) == before
        unused += same
        missed += sound and not same
    return [
        Figure(f"single bytes changed in a ledger of {records:,} records", flips, ""),
        Figure("of them found", found, ""),
        Figure("where SQLite keeps nothing, all records read as before", unused, ""),
        Figure("missed", missed, "", "asked for", 0),
        Figure("slowest verification", slowest, "s", "asked for at most", 10),
        Figure("the most processor time of a verification", most, "s"),
    ]


def _places(path: Path, count: int) -> Iterator[int]:
    """Offsets of bytes, by turns in pages of each structure."""
    rng = random.Random(3)  # noqa: S311 -- places, not secrets
    with contextlib.closing(sqlite3.connect(path)) as connection:
        size = int(connection.execute("PRAGMA page_size").fetchone()[0])
        try:
            pages = connection.execute("SELECT name, pageno FROM dbstat WHERE unused < pgsize / 2").fetchall()
        except sqlite3.OperationalError:  # built without it
            pages = []
    by_name: dict[str, list[int]] = {}
    for name, number in pages:
        by_name.setdefault(str(name), []).append(int(number))
    structures = [sorted(numbers) for _, numbers in sorted(by_name.items())]
    for number in range(count):
        turn = number % (len(structures) + 2)
        if turn < len(structures):
            yield (rng.choice(structures[turn]) - 1) * size + rng.randrange(size)
        else:
            yield rng.randrange(_LISTED_BYTES if turn == len(structures) else path.stat().st_size)


@contextlib.contextmanager
def _changed(path: Path, at: int) -> Iterator[None]:
    with path.open("r+b") as file:
        file.seek(at)
        old = file.read(1)
        file.seek(at)
        file.write(bytes([old[0] ^ (1 + at % 255)]))
    for rest in ("ledger.sqlite-wal", "ledger.sqlite-shm"):
        (path.parent / rest).unlink(missing_ok=True)
    yield
    with path.open("r+b") as file:
        file.seek(at)
        file.write(old)


def _is_sound(folder: Path) -> bool:
    try:
        opened = open_ledger(folder, create=False, environ={})
    except LedgerError:
        return False
    try:
        return verify_ledger(opened).sound
    except LedgerError:
        return False
    finally:
        opened.close()


def _content(path: Path) -> str:
    """SHA-256 over all rows of all tables; empty where they cannot be read."""
    digest = hashlib.sha256()
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.text_factory = bytes
            for table in ("entry", "tile", "checkpoint", "person_key"):
                for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 -- our own names
                    digest.update(repr(row).encode())
    except sqlite3.Error:
        return ""
    return digest.hexdigest()
