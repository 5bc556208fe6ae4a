"""Single bytes changed in a ledger, in the file and in the columns: verification finds them.

Every byte of every column is judged by the step of verification that reads it (`judged_bytes`), in a small ledger,
with everything in it that a ledger can hold, and in one of 100,000 records. What joins the steps is tried as a whole:
in the small ledger by thousands of walks, in the large one at hundreds of places, in its file as well.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from pathfolio.explain.ledger import custody
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.store import DATABASE_FILE, ENTRY, METADATA
from pathfolio.explain.ledger.verify import verify_ledger
from pathfolio.explain.ledger.walk import LedgerWalk
from pathfolio.kg.errors import LedgerError
from pathfolio.web.benchmarks.ledger import fill
from pathfolio.web.benchmarks.measured import Measured
from tests.explain.ledger_world import expire
from tests.faults.judged_bytes import changes, judged_bytes
from tests.faults.processes import FORK

_LISTED_BYTES: Final = 8192
"""SQLite's header and the beginning of its list of tables."""

_SMALL: Final = 280
"""Records of the small ledger: enough for a full tile."""


class _Undone(Exception):  # noqa: N818 -- no error: it takes a change back
    pass


def ledger_with_everything(folder: Path, records: int, persons: int) -> Ledger:
    """A ledger with expired records, a person who was erased, holds, looks, a clock that was wrong, a second key."""
    now = [datetime(2018, 1, 2, tzinfo=UTC)]
    opened = open_ledger(folder, environ={}, clock=lambda: now[0])
    fill(opened, records // 10, persons)
    now[0] += timedelta(days=3000)
    expire(opened)
    fill(opened, records - opened.size, persons)
    seen = opened.headers(kinds=["recommendation"], limit=1)[0].id
    opened.read_text(seen, who="clerk", purpose="inspection")
    held = custody.hold(opened, record=seen, who="counsel", reason="case 1")
    custody.hold(opened, person="investor 3", who="counsel", reason="case 2")
    custody.release(opened, held.id, who="counsel", reason="settled")
    custody.erase(opened, "investor 1", who="officer", reason="request", despite_retention=True)
    now[0] -= timedelta(days=1)
    custody.accept_clock(opened, who="administrator", reason="battery")
    custody.rotate_key(opened, who="administrator", reason="yearly")
    fill(opened, 5, persons)
    opened.store.forget()
    return opened


# -- every byte of every column ------------------------------------------------------------------------------


def every_byte(folder: Path, stride: int = 1) -> list[Measured]:
    """Each byte of each column of a small ledger changed, as by whoever may write to the database.

    All of them are judged by the step of the walk that reads them; all but the entries', and something of every
    20th entry as well, also by whole walks, without what SQLite itself checks.

    Args:
        stride: only every so many bytes.
    """
    opened = ledger_with_everything(folder, _SMALL, 5)
    tried, missed = Counter[str](), Counter[str]()
    for name, seen in _walks(opened, stride):
        tried[name.partition(".")[0]] += 1
        missed[name] += not seen
    opened.close()
    tables = ", ".join(f"{name} {count:,}" for name, count in sorted(tried.items()))
    return [
        *judged_bytes(folder, stride),
        Measured(f"bytes of {_SMALL} records changed, each judged by a whole walk ({tables})", tried.total(), ""),
        Measured(f"missed by a walk {' '.join(sorted(+missed))}".strip(), missed.total(), "", "asked for", 0),
    ]


def _only_the_tree_shows(row: Any, column: str) -> bool:
    """Whether nothing in the row itself can tell: the hash of an entry whose content was deleted."""
    return column == "leaf_hash" and row["data"] is None


def _walks(opened: Ledger, stride: int) -> Iterator[tuple[str, bool]]:
    """By whole walks: all of the other tables, and of the entries what their rows do not show, and some more."""
    for table in METADATA.sorted_tables:
        with opened.store.read() as connection:
            rows = connection.execute(sa.select(table)).mappings().all()
        for row in rows:
            for column, value in row.items():
                step = 1
                if table is ENTRY and not _only_the_tree_shows(row, column):
                    step = 0 if row["seq"] % 20 else 100
                altered = changes(table.c[column], value, stride)
                for changed in islice(altered, 0, None, step) if step else ():
                    yield f"{table.name}.{column}", not _sound_with(opened, table, row, column, changed)


def _sound_with(
    opened: Ledger, table: sa.Table, row: Any, column: str, changed: Any, *, with_pages: bool = False
) -> bool:
    """Whether a verification finds nothing although one cell is changed, which is taken back after it."""
    sound, here = False, [table.c[key.name] == row[key.name] for key in table.primary_key]
    with contextlib.suppress(_Undone), opened.store.write() as connection:
        try:
            connection.execute(sa.update(table).where(*here).values({column: changed}))
            walk = LedgerWalk(opened, connection, (), ())
            walk.whole(with_pages=with_pages)
            sound = not walk.findings
        except sa.exc.IntegrityError:  # there is such a row already
            sound = False
        raise _Undone
    return sound


# -- a large ledger ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tried:
    """What came of one changed byte.

    Attributes:
        where: in which table or index, or in the file at large.
        outcome: found, unused (nothing is kept there: all records read as before), or missed.
        seconds, processor: that the verification took, by the clock and of the processor.
    """

    where: str
    outcome: str
    seconds: float
    processor: float


def changed_bytes(folder: Path, records: int, flips: int, each: int, stride: int = 1) -> list[Measured]:
    """Bytes of a large ledger changed: each of its columns', judged by its step, then some verified as a whole.

    Args:
        flips: in the file, by turns in pages of each table and index, in its first pages, and in all of it.
        each: in each column, in rows drawn at random.
        stride: of all bytes of all columns, each judged by its step, only every so many.
    """
    opened = ledger_with_everything(folder / "0", records, 5000)
    opened.close()
    by_step = judged_bytes(folder / "0", stride)
    workers = os.cpu_count() or 1
    for number in range(1, workers):
        shutil.copytree(folder / "0", folder / str(number))
    with FORK.Pool(workers) as pool:
        parts = pool.starmap(_tried, [(folder / str(k), k, workers, flips, each) for k in range(workers)])
    tried = [one for part in parts for one in part]
    counted = Counter(one.outcome for one in tried)
    places = ", ".join(f"{name} {count}" for name, count in sorted(Counter(one.where for one in tried).items()))
    missed = sorted({one.where for one in tried if one.outcome == "missed"})
    return [
        *by_step,
        Measured(f"bytes changed among {records:,} records ({places})", len(tried), ""),
        Measured("of them found", counted["found"], ""),
        Measured("where SQLite keeps nothing, all records read as before", counted["unused"], ""),
        Measured(f"missed {' '.join(missed)}".strip(), counted["missed"], "", "asked for", 0),
        Measured(
            f"slowest verification, {workers} at once", max(one.seconds for one in tried), "s", "asked for at most", 10
        ),
        Measured("the most processor time of a verification", max(one.processor for one in tried), "s"),
    ]


def _tried(folder: Path, worker: int, workers: int, flips: int, each: int) -> list[_Tried]:
    """This worker's share of the changes, in a copy of its own."""
    places = list(_places(folder / DATABASE_FILE, flips))[worker::workers]
    columns = [column for table in METADATA.sorted_tables for column in table.columns] * each
    return [
        *_in_the_file(folder, places),
        *_in_the_columns(folder, columns[worker::workers], worker),
    ]


def _in_the_columns(folder: Path, columns: Sequence[sa.Column[Any]], seed: int) -> Iterator[_Tried]:
    rng = random.Random(seed)  # noqa: S311 -- places, not secrets
    opened = open_ledger(folder, create=False, environ={})
    for column in columns:
        table = column.table
        with opened.store.read() as connection:
            rows = connection.execute(sa.select(table)).mappings().all()
        row = rng.choice(rows)
        changed = rng.choice(list(changes(column, row[column.name], 1)))
        since = _now()
        sound = _sound_with(opened, table, row, column.name, changed, with_pages=True)
        took = _now() - since
        yield _Tried(f"{table.name}.{column.name}", "missed" if sound else "found", *took)
    opened.close()


def _now() -> npt.NDArray[np.float64]:
    return np.array([time.perf_counter(), time.process_time()])


def _in_the_file(folder: Path, places: Sequence[tuple[str, int]]) -> Iterator[_Tried]:
    path = folder / DATABASE_FILE
    before = _content(path)
    for where, at in places:
        with _changed(path, at):
            since = _now()
            sound = _is_sound(folder)
            took = _now() - since
            outcome = "found" if not sound else "unused" if _content(path) == before else "missed"
        yield _Tried(where, outcome, *took)


def _places(path: Path, count: int) -> Iterator[tuple[str, int]]:
    """Structures and offsets of bytes in them, by turns."""
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
    structures = sorted(by_name.items())
    for number in range(count):
        turn = number % (len(structures) + 2)
        if turn < len(structures):
            name, numbers = structures[turn]
            yield name, (rng.choice(sorted(numbers)) - 1) * size + rng.randrange(size)
        elif turn == len(structures):
            yield "the first pages", rng.randrange(_LISTED_BYTES)
        else:
            yield "anywhere", rng.randrange(path.stat().st_size)


@contextlib.contextmanager
def _changed(path: Path, at: int) -> Iterator[None]:
    with path.open("r+b") as file:
        file.seek(at)
        old = file.read(1)
        file.seek(at)
        file.write(bytes([old[0] ^ (1 + at % 255)]))
    for rest in ("-wal", "-shm"):
        path.with_name(path.name + rest).unlink(missing_ok=True)
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
            for table in METADATA.tables:
                for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 -- our own names
                    digest.update(repr(row).encode())
    except sqlite3.Error:
        return ""
    return digest.hexdigest()
