"""Two numbers for one thing: the row of a node in the snapshot, and its position among all investors, or all assets.

A graph's arrays have a line for each node; a score, a list or a matrix of holdings has one for each investor or asset.
Both are whole numbers from 0, so they have types of their own, and `Span` alone turns one into the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType, overload

import numpy as np
import numpy.typing as npt

Row = NewType("Row", int)
"""The number of a node in `KnowledgeGraph.nodes`."""

Position = NewType("Position", int)
"""The number of an investor among all investors of a snapshot, or of an asset among all its assets (no holding)."""

Rows = NewType("Rows", npt.NDArray[np.int64])
"""Many rows, of any shape."""

Positions = NewType("Positions", npt.NDArray[np.int64])
"""Many positions, of any shape."""


@dataclass(frozen=True)
class Span:
    """Nodes that stand in consecutive rows: all investors of a snapshot, or all its assets.

    Attributes:
        first: the row of the one at position 0.
        count: how many there are.

    >>> assets = Span(first=40, count=3)
    >>> assets.row(Position(2)), assets.position(Row(42))
    (42, 2)
    >>> assets.row(Positions(np.array([0, 2]))).tolist()
    [40, 42]
    """

    first: int
    count: int

    def __len__(self) -> int:
        return self.count

    def __contains__(self, row: Row) -> bool:
        return self.first <= row < self.first + self.count

    @property
    def rows(self) -> Rows:
        """(count,) the rows, ascending."""
        return Rows(np.arange(self.first, self.first + self.count, dtype=np.int64))

    @property
    def positions(self) -> Positions:
        """(count,) the positions, ascending."""
        return Positions(np.arange(self.count, dtype=np.int64))

    def has(self, rows: Rows | npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        """Which of the nodes at `rows` are of this span."""
        return np.asarray((rows >= self.first) & (rows < self.first + self.count))

    @overload
    def position(self, row: Row) -> Position: ...

    @overload
    def position(self, row: Rows | npt.NDArray[np.int32]) -> Positions: ...

    def position(self, row: Row | Rows | npt.NDArray[np.int32]) -> Position | Positions:
        """From rows of the graph's nodes, all of them of this span (see `has`), to positions."""
        if isinstance(row, np.ndarray):
            return Positions(row.astype(np.int64) - self.first)
        return Position(int(row) - self.first)

    @overload
    def row(self, position: Position) -> Row: ...

    @overload
    def row(self, position: Positions) -> Rows: ...

    def row(self, position: Position | Positions) -> Row | Rows:
        """From positions, all of them at least 0, to rows of the graph's nodes."""
        if isinstance(position, np.ndarray):
            return Rows(position.astype(np.int64) + self.first)
        return Row(int(position) + self.first)
