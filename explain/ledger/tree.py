"""The stored tree: tiles of 256 hashes, what of them is not full yet, and hashes of any complete subtree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from pathfolio.explain.ledger.entry import CLOCK_TAG, AlteredError, read_header
from pathfolio.explain.ledger.merkle import Frontier, frontier_of, root_of
from pathfolio.explain.ledger.store import ENTRY, TILE

WIDTH: Final = 256
"""Hashes in a full tile; tile (level, index) holds the hashes of tree level 8 * level."""

_HASH: Final = 32


@dataclass(frozen=True)
class Tile:
    """A full tile; `root` is the hash of the subtree that it spans."""

    level: int
    index: int
    hashes: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        """The hash of the whole tile, which stands in the tile above."""
        return root_of(self.hashes)


@dataclass
class TileReader:
    """Hashes of stored subtrees of the first `size` leaves, within one transaction."""

    connection: sa.Connection
    _tiles: dict[tuple[int, int], tuple[bytes, ...]] = field(default_factory=dict)

    def subtree(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree at tree level `level`, as `merkle.SubtreeHash`."""
        tile_level, rest = divmod(level, 8)
        first = index << rest
        hashes = self.tile(tile_level, first // WIDTH)
        at = first % WIDTH
        return root_of(hashes[at : at + (1 << rest)])

    def tile(self, level: int, index: int) -> tuple[bytes, ...]:
        """The hashes of a tile, fewer than 256 where it is not full."""
        key = (level, index)
        if key not in self._tiles:
            self._tiles[key] = self._stored(level, index) or self._partial(level, index)
        return self._tiles[key]

    def _stored(self, level: int, index: int) -> tuple[bytes, ...]:
        query = sa.select(TILE.c.hashes).where(TILE.c.level == level, TILE.c.idx == index)
        blob = self.connection.execute(query).scalar()
        return () if blob is None else split_hashes(blob)

    def _partial(self, level: int, index: int) -> tuple[bytes, ...]:
        low, high = index * WIDTH, (index + 1) * WIDTH
        if level == 0:
            leaves = sa.select(ENTRY.c.leaf_hash).where(ENTRY.c.seq >= low, ENTRY.c.seq < high).order_by(ENTRY.c.seq)
            return tuple(bytes(value) for value in self.connection.execute(leaves).scalars())
        below = sa.select(TILE.c.root).where(TILE.c.level == level - 1, TILE.c.idx >= low, TILE.c.idx < high)
        return tuple(bytes(value) for value in self.connection.execute(below.order_by(TILE.c.idx)).scalars())


@dataclass(frozen=True)
class TreeState:
    """What a writer keeps between commits.

    Attributes:
        frontier: the whole tree's size and peaks.
        open_tiles: for each level, the hashes of the tile that is not full.
        last_time, last_hash: header time and leaf hash of the newest entry; empty for an empty ledger.
        last_clock: what the clock showed then; other than `last_time` only after it was far ahead once.
    """

    frontier: Frontier
    open_tiles: tuple[tuple[bytes, ...], ...]
    last_time: str
    last_hash: bytes
    last_clock: str = ""

    @classmethod
    def empty(cls) -> TreeState:
        """Before the first entry."""
        return cls(Frontier(), ((),), "", b"")

    @classmethod
    def load(cls, connection: sa.Connection) -> TreeState:
        """The state as it stands in the database."""
        columns = ENTRY.c.seq, ENTRY.c.time, ENTRY.c.leaf_hash, ENTRY.c.data
        newest = sa.select(*columns).order_by(ENTRY.c.seq.desc()).limit(1)
        row = connection.execute(newest).one_or_none()
        if row is None:
            return cls.empty()
        size, reader = int(row.seq) + 1, TileReader(connection)
        open_tiles, width, level = [], size, 0
        while width or level == 0:
            open_tiles.append(reader.tile(level, width // WIDTH)[: width % WIDTH] if width % WIDTH else ())
            width, level = width // WIDTH, level + 1
        last = str(row.time), bytes(row.leaf_hash), _clock_of(row.data) or str(row.time)
        return cls(frontier_of(size, reader.subtree), tuple(open_tiles), *last)

    def extended(self, leaves: Sequence[bytes], last_time: str, last_clock: str = "") -> tuple[TreeState, list[Tile]]:
        """The state with more leaves, and the tiles that they filled."""
        if not leaves:
            return self, []
        open_tiles = [list(tile) for tile in self.open_tiles]
        base, filled = self.frontier.size, []
        for leaf in leaves:
            filled += _add(open_tiles, leaf, base)
            base += 1
        last = last_time, leaves[-1], last_clock or last_time
        return TreeState(self.frontier.extended(leaves), tuple(map(tuple, open_tiles)), *last), filled


def _clock_of(leaf: bytes | None) -> str:
    """What the clock showed when the entry was written; empty where its header does not say."""
    try:
        return read_header(bytes(leaf or b"")).tags.get(CLOCK_TAG, "")
    except AlteredError:
        return ""


def _add(open_tiles: list[list[bytes]], leaf: bytes, at: int) -> list[Tile]:
    """Add the leaf with number `at`; returns the tiles that it fills, lowest first."""
    filled: list[Tile] = []
    value, level = leaf, 0
    while True:
        if level == len(open_tiles):
            open_tiles.append([])
        open_tiles[level].append(value)
        at //= WIDTH
        if len(open_tiles[level]) < WIDTH:
            return filled
        tile = Tile(level, at, tuple(open_tiles[level]))
        filled.append(tile)
        open_tiles[level] = []
        value, level = tile.root, level + 1


def split_hashes(blob: bytes) -> tuple[bytes, ...]:
    """The hashes of a stored tile."""
    return tuple(bytes(blob[at : at + _HASH]) for at in range(0, len(blob), _HASH))
