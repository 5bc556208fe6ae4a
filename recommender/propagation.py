"""`LinearPropagation`: what a channel finds close, as walks from assets to nodes times vectors of the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pathfolio.embeddings.vectors import EntityVectors
from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.schema import ASSET_KINDS, NODE_KINDS, NodeKind, Relation, Use, used_for
from pathfolio.kg.span import Positions, Rows

Vectors = npt.NDArray[np.float32] | npt.NDArray[np.float64]

WALKED: Final = used_for(Use.WALKS)
"""What an asset is known by on the day it is listed."""

RARITY: Final = 0.25
"""An attribute that k assets share weighs k^-RARITY."""

OWN_VECTOR: Final = 0.5
"""Weight of an asset's own vector, and of a fund's holdings, beside attributes of total weight 1.

Own vectors alone rank assets with holders about as well as co-investment does, and add nothing to it; at this
weight nine tenths of the closeness of what is recommended lies on paths."""

SHARPENING: Final = 0.5
"""Singular values of a kind's vectors are raised to 1 - SHARPENING: 0 leaves the vectors as they were learned,
1 makes those of a small kind orthogonal, so that different attributes are not close at all."""


@dataclass(frozen=True)
class LinearPropagation:
    """The closeness of two assets h and a as a sum over pairs of walks.

    closeness(h, a) = sum over n, m of walks[h, n] walks[a, m] <base[n], base[m]> = <factors[h], factors[a]>.
    The closed pairs (n = m) are paths h - n - a of the graph; what the others add is learned and lies on no path.

    Attributes:
        walks: (assets, nodes) float64; the attention product of the walk from an asset to a node: the asset
            itself or one that an edge joins to it. Assets go by position, nodes by row.
        base: (nodes, d) float32 or float64, the vector that each node contributes.
    """

    walks: sp.csr_array
    base: Vectors

    @cached_property
    def _factors(self) -> FloatArray:
        reached = np.unique(self.walks.indices)
        factors: FloatArray = self.walks[:, reached] @ self.base[reached].astype(np.float64)
        return factors

    def factors(self) -> FloatArray:
        """(assets, d) float64: walks @ base."""
        return self._factors

    @cached_property
    def strength(self) -> FloatArray:
        """(nodes,) float64: <base[n], base[n]>, what a closed pair of walks of weight 1 contributes."""
        squares: FloatArray = np.einsum("nd,nd->n", self.base, self.base, dtype=np.float64)
        return squares

    def closed(self) -> sp.csr_array:
        """(assets, assets) float64: the part of the closeness that lies on paths."""
        return sp.csr_array(self.walks @ sp.diags_array(self.strength) @ self.walks.T)


def kg_propagation(graph: KnowledgeGraph, vectors: EntityVectors) -> LinearPropagation:
    """Closeness by the KG embedding: assets reach their attributes, their funds' holdings and themselves.

    Vectors are centred and sharpened within their kind (see `SHARPENING`), and each kind has columns of its own,
    since distances between kinds mean nothing without the relation. Nodes that the vectors do not know
    contribute nothing; an asset listed after they were learned is reached through its attributes.

    Args:
        graph: the day's snapshot, that of `vectors` or a later one.
    """
    kinds = [kind for kind in NODE_KINDS if kind is not NodeKind.USER]
    return LinearPropagation(asset_walks(graph), _base(graph, vectors, kinds))


def asset_walks(graph: KnowledgeGraph) -> sp.csr_array:
    """(assets, nodes) float64: from an asset to its attributes, to what it invests in, and to itself."""
    return sp.csr_array(unit_rows(attribute_walks(graph)) + _own_walks(graph) * OWN_VECTOR)


def attribute_walks(graph: KnowledgeGraph, relations: Sequence[Relation] = WALKED) -> sp.csr_array:
    """(assets, nodes) float64: k^-`RARITY` where an asset has an attribute that k > 1 assets share."""
    total = sp.csr_array((len(graph.assets), len(graph)))
    for relation in relations:
        asset, node = asset_edges(graph, relation)
        shared_by = np.bincount(node, minlength=len(graph))[node]
        weight = np.where(shared_by > 1, np.maximum(shared_by, 1.0) ** -RARITY, 0.0)
        total = total + sp.csr_array((weight, (asset, node)), shape=total.shape)
    total.eliminate_zeros()
    return total


def asset_edges(graph: KnowledgeGraph, relation: Relation) -> tuple[Positions, Rows]:
    """Current edges of `relation` that start at an asset: positions of the assets and rows of the tails."""
    at = graph.edges_between(relation)
    at = at[graph.asset_span.has(graph.edges.head[at])]
    return graph.asset_span.position(graph.edges.head[at]), Rows(graph.edges.tail[at].astype(np.int64))


def unit_rows(matrix: sp.csr_array) -> sp.csr_array:
    """`matrix` with each row scaled to length 1; empty rows stay empty."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sp.csr_array(sp.diags_array(1 / np.where(length > 0, length, 1.0)) @ matrix)


def _own_walks(graph: KnowledgeGraph) -> sp.csr_array:
    """(assets, nodes): 1 to the asset itself, and a row of length 1 over what a fund invests in."""
    n = len(graph.assets)
    itself = sp.csr_array((np.ones(n), (np.arange(n), graph.assets)), shape=(n, len(graph)))
    fund, holding = asset_edges(graph, Relation.INVESTS_IN)
    weight = np.nan_to_num(graph.edges.weight[graph.edges_between(Relation.INVESTS_IN)], nan=0.0)
    held = sp.csr_array((weight, (fund, holding)), shape=itself.shape)
    return sp.csr_array(itself + unit_rows(held))


def _base(graph: KnowledgeGraph, vectors: EntityVectors, kinds: Sequence[NodeKind]) -> npt.NDArray[np.float32]:
    """(nodes, columns of all kinds) float32; the three asset kinds are one."""
    groups = [(kind,) for kind in kinds if kind not in ASSET_KINDS] + [ASSET_KINDS]
    aligned, known = vectors.align(graph)
    blocks = []
    for group in groups:
        learned = np.concatenate([vectors.of_kind(kind) for kind in group]).astype(np.float64)
        rows = graph.rows(*group)
        if len(learned) > 1 and len(rows):
            blocks.append((rows, _sharpen(aligned[rows].astype(np.float64), learned) * known[rows, None]))
    base = np.zeros((len(graph), sum(block.shape[1] for _, block in blocks)), np.float32)
    start = 0
    for rows, block in blocks:
        base[rows, start : start + block.shape[1]] = block
        start += block.shape[1]
    return base


def _sharpen(rows: FloatArray, learned: FloatArray) -> FloatArray:
    """`rows` centred, sharpened and of length 1, in the principal axes of the `learned` vectors of their kind."""
    centre = learned.mean(axis=0)
    _, strength, axes = np.linalg.svd(_unit(learned - centre), full_matrices=False)
    kept = strength > 1e-6 * strength[0]
    return _unit(_unit(rows - centre) @ axes[kept].T * strength[kept] ** -SHARPENING)


def _unit(rows: FloatArray) -> FloatArray:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1.0))
