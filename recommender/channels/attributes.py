"""Shared attributes: what an asset has in common with the investor's assets, one channel per kind of attribute."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import scipy.sparse as sp

from kg.graph import FloatArray, KnowledgeGraph, Mask
from kg.schema import NodeKind, Relation
from recommender.account import ChannelAccount, Walk
from recommender.channels.base import Investors, attribute_relation, common_columns, meeting

ATTRIBUTE_CHANNELS: Final = {
    "issuer": NodeKind.ISSUER,
    "asset_class": NodeKind.ASSET_CLASS,
    "category": NodeKind.CATEGORY,
    "industry": NodeKind.INDUSTRY,
    "sector": NodeKind.SECTOR,
    "market": NodeKind.MARKET,
    "concept": NodeKind.CONCEPT,
}
RARITY_POWER: Final = 0.25
"""An attribute that k assets share counts k^-0.25; issuers, few by nature, count in full."""


@dataclass(frozen=True)
class SharedAttributes:
    """score(u, a) = pull(a) / sqrt(n_u) * sum over u's assets h and nodes v of z(h, v) z(a, v).

    Attributes:
        graph: the snapshot.
        z: (assets, nodes) csr; rows of unit length over the attribute nodes an asset has.
        pull: (assets,) float64, of the target asset alone.
    """

    graph: KnowledgeGraph
    z: sp.csr_array
    pull: FloatArray

    @property
    def scaled(self) -> bool:
        """Likeness is averaged over holdings, by the square root of their number."""
        return True

    def kernel(self) -> FloatArray:
        """(assets, assets) float64; an asset does not speak for itself."""
        likeness = (self.z @ self.z.T).toarray()
        np.fill_diagonal(likeness, 0.0)
        return np.asarray(likeness, dtype=np.float64) * self.pull

    def reach(self) -> Mask:
        """(assets, assets) bool: which assets share an attribute."""
        return np.asarray(meeting(self.z) & (self.pull != 0))

    def account(self, investor: Investors, asset: int) -> tuple[ChannelAccount, ...]:
        """Every part lies on a walk: investor - asset held - attribute - target."""
        walks: dict[str, list[Walk]] = {}
        user, target = int(investor.row[0]), int(self.graph.assets[asset])
        if self.pull[asset]:
            owner, node, likeness = common_columns(self.z, investor.holdings, asset)
            parts = likeness * (self.pull[asset] * investor.scale[0, 0])
            held = investor.positions(self.graph)
            for own, via, part in zip(owner.tolist(), node.tolist(), parts.tolist(), strict=True):
                first, position = held[own]
                channel, relation = self._of_node[via]
                walk = Walk((user, first, via, target), (position, relation, relation), part)
                walks.setdefault(channel, []).append(walk)
        return tuple(
            ChannelAccount(name, sum(w.contribution for w in walks[name]), tuple(walks[name]), 0.0)
            for name in ATTRIBUTE_CHANNELS
            if name in walks
        )

    @cached_property
    def _of_node(self) -> dict[int, tuple[str, Relation]]:
        """The channel of each attribute node and the relation that leads there."""
        return {
            row: (channel, attribute_relation(kind))
            for channel, kind in ATTRIBUTE_CHANNELS.items()
            for row in self.graph.rows(kind).tolist()
        }


def attribute_matrix(graph: KnowledgeGraph) -> sp.csr_array:
    """(assets, nodes) float64 csr: an asset's attribute nodes, rare ones weighing more; rows of unit length.

    An issuer with one asset only is left out, since it can join nothing.
    """
    rows, nodes, weights = [], [], []
    for kind in ATTRIBUTE_CHANNELS.values():
        at = graph.edges_between(attribute_relation(kind))
        at = at[np.isin(graph.edges.head[at], graph.assets)]  # industries have sectors too
        node = graph.edges.tail[at]
        degree = np.bincount(node, minlength=len(graph))[node].astype(np.float64)
        strength = (degree > 1).astype(np.float64) if kind is NodeKind.ISSUER else degree**-RARITY_POWER
        rows.append(graph.edges.head[at] - (graph.assets[0] if len(graph.assets) else 0))
        nodes.append(node)
        weights.append(strength)
    shape = (len(graph.assets), len(graph))
    z = sp.csr_array((np.concatenate(weights), (np.concatenate(rows), np.concatenate(nodes))), shape)
    z.eliminate_zeros()
    z.sort_indices()
    length = np.sqrt(np.asarray(z.multiply(z).sum(axis=1)).ravel())
    scaled = sp.csr_array(sp.diags_array(1.0 / np.maximum(length, 1e-12)) @ z)
    scaled.sort_indices()
    return scaled
