"""Every byte of a ledger's columns changed, each judged by the one step of verification that reads its row.

A whole verification of 100,000 records takes seconds, and they have tens of millions of bytes. What a changed byte
does is decided in one step of the walk, though, which looks at its row and at what stands right beside it; so that
step is what is asked here, with all else as it was.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.merkle import frontier_of, root_of
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.store import CHECKPOINT, ENTRY, PERSON_KEY, TILE
from pathfolio.explain.ledger.tree import WIDTH, TileReader, TreeState, split_hashes
from pathfolio.explain.ledger.walk import LedgerWalk, RootsAt, StoredEntry, StoredKey, StoredTile
from pathfolio.web.benchmarks.measured import Measured
from tests.faults.processes import FORK

Judged = Iterator[tuple[str, bool]]
"""Table and column of each changed byte, and whether that was found."""

_ROWS: Final = 256


def changes(column: sa.Column[Any], value: Any, stride: int = 1) -> Iterator[Any]:
    """The value with one byte changed, for every byte; what is empty gets one."""
    if isinstance(value, int):
        yield from (value ^ 1 << 8 * at for at in range(8))
    elif not value:
        yield b"x" if column.type.python_type is bytes else "x"
    elif isinstance(value, str):
        raw = value.encode()
        yield from (_flipped(raw, at, 1).decode() for at in range(0, len(raw), stride))
    else:
        yield from (_flipped(bytes(value), at, 1 + at % 255) for at in range(0, len(value), stride))


def _flipped(raw: bytes, at: int, mask: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ mask]) + raw[at + 1 :]


def judged_bytes(ledger: Path, stride: int = 1) -> list[Measured]:
    """All bytes of all columns of the ledger in the folder `ledger`, by as many processes as cores."""
    workers = os.cpu_count() or 1
    with FORK.Pool(workers) as pool:
        parts = pool.starmap(_counted, [(ledger, part, workers, stride) for part in range(workers)])
    tried, missed = (sum(counts, Counter[str]()) for counts in zip(*parts, strict=True))
    by_table = Counter[str]()
    for name, count in tried.items():
        by_table[name.partition(".")[0]] += count
    tables = ", ".join(f"{name} {count:,}" for name, count in sorted(by_table.items()))
    return [
        Measured(f"bytes changed in all columns, each judged by its step ({tables})", tried.total(), ""),
        Measured(f"missed by a step {' '.join(sorted(+missed))}".strip(), missed.total(), "", "asked for", 0),
    ]


def _counted(ledger: Path, part: int, parts: int, stride: int) -> tuple[Counter[str], Counter[str]]:
    opened, tried, missed = open_ledger(ledger, create=False, environ={}), Counter[str](), Counter[str]()
    for name, seen in judged(opened, part, parts, stride):
        tried[name] += 1
        missed[name] += not seen
    opened.close()
    return tried, missed


def judged(opened: Ledger, part: int = 0, parts: int = 1, stride: int = 1) -> Judged:
    """All changes of every `parts`-th stretch of each table, beginning with the stretch `part`."""
    with opened.store.read() as connection:
        judge = _Judge(connection, LedgerWalk(opened, connection, (), ()))
        judge.walk.keys()
        for of_table in (judge.entries, judge.tiles, judge.checkpoints, judge.people):
            yield from of_table(part, parts, stride)


@dataclass
class _Judge:
    connection: sa.Connection
    walk: LedgerWalk

    def _found(self) -> bool:
        """Whether anything was, since this was last asked."""
        found = bool(self.walk.findings)
        self.walk.findings.clear()
        self.walk.shifted = self.walk.unsure = False
        return found

    # -- entries ---------------------------------------------------------------------------------------------

    def entries(self, part: int, parts: int, stride: int) -> Judged:
        """Rows by the step that reads a row; the hash of a deleted content by the tile that it is in."""
        gone, size, reader = self.walk.gone(), self._size(), TileReader(self.connection)
        for low in range(part * _ROWS, size, parts * _ROWS):
            rows = self._rows(max(low - 1, 0), low + _ROWS + 1)
            before = rows.pop(0).leaf_hash if low else b""
            state = TreeState(frontier_of(low, reader.subtree), ((),), "", before)
            for at, row in enumerate(rows[:_ROWS]):
                yield from self._places(row, rows[at + 1 : at + 2], state, gone)
                self.walk.state = state
                for column in ("id", "kind", "key_id", "time", "leaf_hash", "data"):
                    if column == "leaf_hash" and row.data is None:
                        continue
                    for changed in changes(ENTRY.c[column], getattr(row, column), stride):
                        self.walk.entry(replace(row, **{column: changed}), row.seq, gone)
                        yield f"entry.{column}", self._found()
                state, _ = state.extended([row.leaf_hash], row.time)
            if any(row.data is None for row in rows[:_ROWS]):
                yield from self._hashes(rows[:_ROWS], stride)

    def _places(
        self, row: StoredEntry, following: list[StoredEntry], state: TreeState, gone: dict[int, tuple[str, str]]
    ) -> Judged:
        """A row at another place leaves its own empty: the next one stands there, or fewer are there than signed."""
        self.walk.state = state
        if following:
            self.walk.chunk(following, gone, RootsAt([], []))
        else:
            self.walk.checkpoints(RootsAt(self._notes(row.seq + 1), []))
        seen = self._found()
        for _ in changes(ENTRY.c.seq, row.seq):
            yield "entry.seq", seen

    def _hashes(self, rows: list[StoredEntry], stride: int) -> Judged:
        """A deleted content's hash: the tile of its stretch says otherwise."""
        hashes, index = tuple(row.leaf_hash for row in rows), rows[0].seq // WIDTH
        tile = self.connection.execute(sa.select(TILE).where(TILE.c.level == 0, TILE.c.idx == index)).one()
        stored = StoredTile(bytes(tile.hashes), bytes(tile.root))
        for at, row in enumerate(rows):
            if row.data is None:
                for changed in changes(ENTRY.c.leaf_hash, row.leaf_hash, stride):
                    altered = (*hashes[:at], changed, *hashes[at + 1 :])
                    self.walk.tile(altered, root_of(altered), stored, f"0/{index}", index)
                    yield "entry.leaf_hash", self._found()

    def _rows(self, low: int, high: int) -> list[StoredEntry]:
        found = self.connection.execute(
            sa.select(ENTRY).where(ENTRY.c.seq >= low, ENTRY.c.seq < high).order_by(ENTRY.c.seq)
        )
        return [StoredEntry(**row) for row in found.mappings()]

    def _size(self) -> int:
        return int(self.connection.execute(sa.select(sa.func.max(ENTRY.c.seq))).scalar_one()) + 1

    # -- tiles and checkpoints -------------------------------------------------------------------------------

    def tiles(self, part: int, parts: int, stride: int) -> Judged:
        """A tile's hashes and root against those of the entries; with another number it is missing at its own."""
        rows = self.connection.execute(sa.select(TILE).order_by(TILE.c.level, TILE.c.idx)).all()
        for row in rows[part::parts]:
            hashes, name = split_hashes(bytes(row.hashes)), f"{row.level}/{row.idx}"
            for column in ("level", "idx", "hashes", "root"):
                for changed in changes(TILE.c[column], getattr(row, column), stride):
                    stored = None
                    if column in {"hashes", "root"}:
                        stored = replace(StoredTile(bytes(row.hashes), bytes(row.root)), **{column: changed})
                    self.walk.tile(hashes, bytes(row.root), stored, name, row.idx)
                    yield f"tile.{column}", self._found()

    def checkpoints(self, part: int, parts: int, stride: int) -> Judged:
        """A checkpoint's signature and the root that it names; the newest one is always there beside it."""
        size, reader = self._size(), TileReader(self.connection)
        self.walk.state = TreeState(frontier_of(size, reader.subtree), ((),), "", b"")
        (newest,), notes = self._notes(size), self._notes()
        for at, note in notes[part::parts]:
            others = [newest] if at != size else []
            sizes = [*changes(CHECKPOINT.c.size, at)]
            altered = [("size", other, note) for other in sizes if (other, note) not in notes]
            altered += [("note", at, text) for text in changes(CHECKPOINT.c.note, note, stride)]
            for column, new_size, text in altered:
                roots = RootsAt([(new_size, text), *others], [])
                for known in {at, new_size, size} & set(range(1, size + 1)):
                    roots.root_at[known] = frontier_of(known, reader.subtree).root
                self.walk.checkpoints(roots)
                yield f"checkpoint.{column}", self._found()

    def _notes(self, size: int | None = None) -> list[tuple[int, str]]:
        query = sa.select(CHECKPOINT).order_by(CHECKPOINT.c.size)
        found = self.connection.execute(query if size is None else query.where(CHECKPOINT.c.size == size))
        return [(int(row.size), str(row.note)) for row in found]

    # -- people ----------------------------------------------------------------------------------------------

    def people(self, part: int, parts: int, stride: int) -> Judged:
        """A person's key opens under its own id and owner alone; of an erased one nothing else may be left."""
        erased = self.walk.erased_keys()
        rows = self.connection.execute(sa.select(PERSON_KEY).order_by(PERSON_KEY.c.key_id)).all()
        for row in islice(rows, part, None, parts):
            for column in ("key_id", "subject", "wrapped"):
                for changed in changes(PERSON_KEY.c[column], getattr(row, column), stride):
                    self.walk.person(StoredKey(**row._asdict() | {column: changed}), erased)
                    yield f"person_key.{column}", self._found()
