"""Channels of what two assets have in common: walks from the one held, through a node, to the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Position, Positions, Row
from pathfolio.recommender.channels.base import HoldingChannel
from pathfolio.recommender.investor_rows import InvestorRows


@dataclass(frozen=True)
class Meeting:
    """A holding and an asset that meet at a node.

    Attributes:
        held: row of the asset held.
        position: HOLDS or HELD.
        column: of the node where they meet.
        part: what that adds to the score.
    """

    held: Row
    position: Relation
    column: Row
    part: float


@dataclass(frozen=True)
class CommonNodes(HoldingChannel):
    """score(u, a) = pull(a) / sqrt(n_u) * sum over u's assets h and nodes v of z(h, v) z(a, v).

    Attributes:
        graph: the snapshot.
        z: (assets, nodes) csr, its columns ascending within a row: how strongly an asset is tied to a node.
        pull: (assets,) float64, of the target asset alone.
    """

    graph: KnowledgeGraph
    z: sp.csr_array
    pull: FloatArray

    def kernel(self) -> FloatArray:
        """(assets, assets) float64; an asset does not speak for itself."""
        return self._kernel_of(self.z)

    def reach(self) -> Mask:
        """(assets, assets) bool: which assets have a node in common."""
        return np.asarray(meeting(self.z) & (self.pull != 0))

    def meetings(self, investor: InvestorRows, asset: Position) -> Iterator[Meeting]:
        """Where the investor's holdings meet the asset at position `asset`, which counts for something."""
        if not self.pull[asset]:
            return
        owner, column, likeness = common_columns(self.z, investor.holdings, asset)
        parts = likeness * (self.pull[asset] * investor.scale[0, 0])
        held = investor.positions(self.graph)
        for own, at, part in zip(owner.tolist(), column.tolist(), parts.tolist(), strict=True):
            first, position = held[own]
            yield Meeting(first, position, at, part)

    def _kernel_of(self, z: sp.csr_array) -> FloatArray:
        likeness = (z @ z.T).toarray()
        np.fill_diagonal(likeness, 0.0)
        return np.asarray(likeness, dtype=np.float64) * self.pull


def meeting(walks: sp.csr_array) -> Mask:
    """(assets, assets) bool: which rows of `walks` have a column in common.

    >>> meeting(sp.csr_array(np.array([[1.0, 0.0], [2.0, 3.0], [0.0, 1.0]])))[0].tolist()
    [True, True, False]
    """
    pattern = sp.csr_array((np.ones(walks.nnz, np.float32), walks.indices, walks.indptr), walks.shape)
    return np.asarray((pattern @ pattern.T).toarray() > 0)


def common_columns(matrix: sp.csr_array, holdings: Positions, asset: Position) -> tuple[IntArray, IntArray, FloatArray]:
    """The columns that the row of each holding and the row of `asset` have in common; `asset`'s own row is skipped.

    Args:
        matrix: csr, its columns ascending within a row.
        holdings: (h,) rows.

    Returns:
        (k,) which of the holdings, (k,) the column, (k,) float64 the product of the two entries.

    Examples:
        >>> walks = sp.csr_array(np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 4.0]]))
        >>> [found.tolist() for found in common_columns(walks, np.array([0, 1]), 1)]
        [[0], [1], [6.0]]
    """
    theirs = slice(matrix.indptr[asset], matrix.indptr[asset + 1])
    target = matrix.indices[theirs]
    start = matrix.indptr[holdings]
    degree = (matrix.indptr[holdings + 1] - start) * (holdings != asset) * (len(target) > 0)
    owner = np.arange(len(holdings)).repeat(degree)
    at = np.arange(len(owner)) + (start - degree.cumsum() + degree).repeat(degree)
    mine = matrix.indices[at]
    place = target.searchsorted(mine)
    place[place == len(target)] = 0
    hit = (target[place] == mine).nonzero()[0] if len(mine) else place
    product = matrix.data[at[hit]] * matrix.data[theirs][place[hit]]
    return owner[hit], mine[hit].astype(np.int64), product.astype(np.float64)
