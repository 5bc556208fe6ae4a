"""`InvestorRows`: rows of investors as the channels of the score see them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Positions, Row, Rows
from pathfolio.recommender.interactions import Interactions


@dataclass(frozen=True)
class InvestorRows:
    """Rows of investors, in the snapshot or assumed; changed rows answer what-if questions.

    Attributes:
        ever: (n, assets) csr, 1 where an asset is held or was held.
        profile: (n, nodes) csr, 1 where the investor has a profile node.
        row: the node row of each investor, -1 for one that the graph does not have.
    """

    ever: sp.csr_array
    profile: sp.csr_array
    row: Rows

    @classmethod
    def of(cls, interactions: Interactions, users: Positions) -> InvestorRows:
        """The investors at positions `users` as they stand in the snapshot."""
        rows = interactions.graph.user_span.row(users)
        return cls(interactions.ever[users], interactions.profile[users], rows)

    @cached_property
    def scale(self) -> FloatArray:
        """(n, 1) float64: 1 / sqrt(number of assets ever held), 1 for none; keeps busy investors comparable."""
        count = np.diff(self.ever.indptr).astype(np.float64)
        return (1.0 / np.sqrt(np.maximum(count, 1.0)))[:, None]

    @cached_property
    def begins(self) -> Mask:
        """(n,) bool: those who hold nothing and never held anything."""
        return np.asarray(np.diff(self.ever.indptr) == 0)

    def __len__(self) -> int:
        return self.ever.shape[0]

    @property
    def first_row(self) -> Row:
        """The first investor's row; below 0 for one that the graph does not have."""
        return Row(int(self.row[0]))

    @cached_property
    def holdings(self) -> Positions:
        """Positions of the assets that the first investor holds or held."""
        return Positions(self.ever.indices[self.ever.indptr[0] : self.ever.indptr[1]].astype(np.int64))

    @cached_property
    def _positions(self) -> dict[KnowledgeGraph, list[tuple[Row, Relation]]]:
        return {}

    def positions(self, graph: KnowledgeGraph) -> list[tuple[Row, Relation]]:
        """For each of `holdings` its node row, and HOLDS or HELD as the graph has it; HOLDS where assumed."""
        if graph not in self._positions:
            user = self.first_row
            before = set(graph.outgoing(Relation.HELD).of(user).tolist()) if user >= 0 else set()
            rows = graph.asset_span.row(self.holdings).tolist()
            self._positions[graph] = [(row, Relation.HELD if row in before else Relation.HOLDS) for row in rows]
        return self._positions[graph]

    @cached_property
    def levels(self) -> list[Row]:
        """Rows of the first investor's profile nodes."""
        levels: list[Row] = self.profile.indices[self.profile.indptr[0] : self.profile.indptr[1]].tolist()
        return levels
