"""What a channel is, and the rows of investors that it scores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import Relation
from pathfolio.recommender.account import ChannelAccount
from pathfolio.recommender.interactions import Interactions


@dataclass(frozen=True)
class Investors:
    """Rows of investors as a channel sees them; changed rows answer what-if questions.

    Attributes:
        ever: (n, assets) csr, 1 where an asset is held or was held.
        profile: (n, nodes) csr, 1 where the investor has a profile node.
        row: the node row of each investor, -1 for one that the graph does not have.
    """

    ever: sp.csr_array
    profile: sp.csr_array
    row: IntArray

    @classmethod
    def of(cls, interactions: Interactions, users: IntArray) -> Investors:
        """The investors at positions `users` as they stand in the snapshot."""
        rows = interactions.graph.users[users]
        return cls(interactions.ever[users], interactions.profile[users], rows)

    @cached_property
    def scale(self) -> FloatArray:
        """(n, 1) float64: 1 / sqrt(number of assets ever held), 1 for none; keeps busy investors comparable."""
        count = np.diff(self.ever.indptr).astype(np.float64)
        return (1.0 / np.sqrt(np.maximum(count, 1.0)))[:, None]

    def __len__(self) -> int:
        return self.ever.shape[0]

    @cached_property
    def holdings(self) -> IntArray:
        """Positions of the assets that the first investor holds or held."""
        return self.ever.indices[self.ever.indptr[0] : self.ever.indptr[1]].astype(np.int64)

    @cached_property
    def _positions(self) -> dict[KnowledgeGraph, list[tuple[int, Relation]]]:
        return {}

    def positions(self, graph: KnowledgeGraph) -> list[tuple[int, Relation]]:
        """For each of `holdings` its node row, and HOLDS or HELD as the graph has it; HOLDS where assumed."""
        if graph not in self._positions:
            user = int(self.row[0])
            before = set(graph.outgoing(Relation.HELD).of(user).tolist()) if user >= 0 else set()
            rows = graph.assets[self.holdings].tolist()
            self._positions[graph] = [(row, Relation.HELD if row in before else Relation.HOLDS) for row in rows]
        return self._positions[graph]

    @cached_property
    def levels(self) -> list[int]:
        """Rows of the first investor's profile nodes."""
        levels: list[int] = self.profile.indices[self.profile.indptr[0] : self.profile.indptr[1]].tolist()
        return levels


class HoldingChannel(Protocol):
    """One or several named parts of the score that are sums over the assets an investor holds or held."""

    @property
    def scaled(self) -> bool:
        """Whether the sum is multiplied by `Investors.scale`."""
        ...

    def kernel(self) -> FloatArray:
        """(assets, assets) float64: what holding the row's asset adds to the column's; zero diagonal."""
        ...

    def reach(self) -> Mask:
        """(assets, assets) bool: where a walk of the channel joins the row's asset, held, to the column's."""
        ...

    def account(self, investor: Investors, asset: int) -> tuple[ChannelAccount, ...]:
        """The channel's part of the score of `investor`'s first row and one asset position, taken apart."""
        ...


def meeting(walks: sp.csr_array) -> Mask:
    """(assets, assets) bool: which rows of `walks` have a column in common.

    >>> meeting(sp.csr_array(np.array([[1.0, 0.0], [2.0, 3.0], [0.0, 1.0]])))[0].tolist()
    [True, True, False]
    """
    pattern = sp.csr_array((np.ones(walks.nnz, np.float32), walks.indices, walks.indptr), walks.shape)
    return np.asarray((pattern @ pattern.T).toarray() > 0)


def common_columns(matrix: sp.csr_array, holdings: IntArray, asset: int) -> tuple[IntArray, IntArray, FloatArray]:
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
    target, start = matrix.indices[theirs], matrix.indptr[holdings]
    degree = (matrix.indptr[holdings + 1] - start) * (holdings != asset) * (len(target) > 0)
    owner = np.arange(len(holdings)).repeat(degree)
    at = np.arange(len(owner)) + (start - degree.cumsum() + degree).repeat(degree)
    mine = matrix.indices[at]
    place = target.searchsorted(mine)
    place[place == len(target)] = 0
    hit = (target[place] == mine).nonzero()[0] if len(mine) else place
    product = matrix.data[at[hit]] * matrix.data[theirs][place[hit]]
    return owner[hit], mine[hit].astype(np.int64), product.astype(np.float64)
