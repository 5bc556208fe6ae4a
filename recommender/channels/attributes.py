"""Shared attributes: what an asset has in common with the investor's assets, one channel per kind of attribute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from kg.graph import FloatArray, IntArray, KnowledgeGraph
from kg.schema import NodeKind
from recommender.account import ChannelAccount, Walk
from recommender.channels.base import Investors, attribute_relation, position_relation

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

    def account(self, investor: Investors, asset: int) -> tuple[ChannelAccount, ...]:
        """Every part lies on a walk: investor - asset held - attribute - target."""
        holdings = investor.ever.indices[investor.ever.indptr[0] : investor.ever.indptr[1]]
        holdings = holdings[holdings != asset]
        nodes, strength = self._row(asset)
        strength = strength * (self.pull[asset] * investor.scale[0, 0])
        walks: dict[NodeKind, list[Walk]] = {kind: [] for kind in ATTRIBUTE_CHANNELS.values()}
        if self.pull[asset]:
            for held in holdings.tolist():
                for walk in self._walks(int(investor.row[0]), held, asset, nodes, strength):
                    walks[self.graph.kind_of(walk.nodes[2])].append(walk)
        return tuple(
            ChannelAccount(name, sum(w.contribution for w in walks[kind]), tuple(walks[kind]), 0.0)
            for name, kind in ATTRIBUTE_CHANNELS.items()
            if walks[kind]
        )

    def _walks(self, user: int, held: int, asset: int, nodes: IntArray, strength: FloatArray) -> list[Walk]:
        others, other_strength = self._row(held)
        _, mine, theirs = np.intersect1d(nodes, others, assume_unique=True, return_indices=True)
        first, target = int(self.graph.assets[held]), int(self.graph.assets[asset])
        position = position_relation(self.graph, user, first)
        out = []
        for i, j in zip(mine.tolist(), theirs.tolist(), strict=True):
            relation = attribute_relation(self.graph.kind_of(int(nodes[i])))
            walk = (user, first, int(nodes[i]), target)
            out.append(Walk(walk, (position, relation, relation), float(strength[i] * other_strength[j])))
        return out

    def _row(self, asset: int) -> tuple[IntArray, FloatArray]:
        low, high = self.z.indptr[asset], self.z.indptr[asset + 1]
        return self.z.indices[low:high].astype(np.int64), self.z.data[low:high].astype(np.float64)


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
    return sp.csr_array(sp.diags_array(1.0 / np.maximum(length, 1e-12)) @ z)
