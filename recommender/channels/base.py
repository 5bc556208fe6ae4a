"""What a channel is, and the rows of investors that it scores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from kg.graph import FloatArray, IntArray, KnowledgeGraph
from kg.schema import RELATIONS, NodeKind, Relation
from recommender.account import ChannelAccount
from recommender.interactions import Interactions


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


class HoldingChannel(Protocol):
    """One or several named parts of the score that are sums over the assets an investor holds or held."""

    @property
    def scaled(self) -> bool:
        """Whether the sum is multiplied by `Investors.scale`."""
        ...

    def kernel(self) -> FloatArray:
        """(assets, assets) float64: what holding the row's asset adds to the column's; zero diagonal."""
        ...

    def account(self, investor: Investors, asset: int) -> tuple[ChannelAccount, ...]:
        """The channel's part of the score of `investor`'s first row and one asset position, taken apart."""
        ...


def attribute_relation(kind: NodeKind) -> Relation:
    """The relation by which an asset has an attribute node of this kind.

    >>> attribute_relation(NodeKind.ISSUER)
    <Relation.ISSUED_BY: 'ISSUED_BY'>
    """
    return next(relation for relation, spec in RELATIONS.items() if kind in spec.tails and NodeKind.STOCK in spec.heads)


def position_relation(graph: KnowledgeGraph, user: int, asset: int) -> Relation:
    """HOLDS or HELD, as the graph has it between two node rows; HOLDS for an assumed position."""
    return Relation.HELD if user >= 0 and graph.edge(user, Relation.HELD, asset) is not None else Relation.HOLDS
