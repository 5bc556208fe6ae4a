"""What the graph attention network sees of a snapshot, as arrays: typed edges into assets, and their features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from kg.graph import IntArray, KnowledgeGraph, Mask
from kg.schema import ASSET_KINDS, KIND_CODE, Relation
from recommender.interactions import Interactions
from recommender.propagation import ATTRIBUTE_RELATIONS, asset_edges

Features = npt.NDArray[np.float32]

EDGE_TYPES: Final = (*(relation.value for relation in ATTRIBUTE_RELATIONS), "INVESTS_IN", "HOLDS", "SELF")
"""Types of the edges that attention weighs; HOLDS is walked from the asset to the investor, SELF goes nowhere."""

HOLDS_TYPE: Final = EDGE_TYPES.index("HOLDS")
SELF_TYPE: Final = EDGE_TYPES.index("SELF")

ASSET_FEATURES: Final = len(ASSET_KINDS) + 2
HOLDERS_FEATURE: Final = len(ASSET_KINDS)
LOG_SCALE: Final = 5.0
"""Logarithms of counts are divided by this, so that features are of the order of 1."""


@dataclass(frozen=True)
class AttentionInputs:
    """A snapshot for the network. Assets and investors are positions, nodes are rows of the snapshot.

    Attributes:
        source: (e,) int64, the node at the far end of each edge; edges are sorted by (target, type, source).
        target: (e,) int64, positions of assets.
        kind: (e,) int64, positions in `EDGE_TYPES`.
        holdings: (investors, nodes) float32 csr: what an investor holds or held and the profile nodes, each part
            of length 1; an investor's vector is this row times the nodes' vectors, scaled to length 1.
        users: (investors,) int64, their rows.
        assets: (assets,) int64, their rows.
        asset_features: (assets, ASSET_FEATURES) float32: class, log of the number of holders, 1 where known.
        node_features: (nodes, 1) float32: log of the number of assets at the node.
    """

    source: IntArray
    target: IntArray
    kind: IntArray
    holdings: sp.csr_array
    users: IntArray
    assets: IntArray
    asset_features: Features
    node_features: Features

    @property
    def n_nodes(self) -> int:
        """How many nodes there are."""
        return len(self.node_features)

    def without(self, unseen: Mask) -> AttentionInputs:
        """The inputs as if nobody held or knew the `unseen` (assets,) yet: what a new issue looks like."""
        dropped = unseen[self.target] & ((self.kind == HOLDS_TYPE) | (self.kind == SELF_TYPE))
        features = self.asset_features.copy()
        features[unseen, HOLDERS_FEATURE:] = 0.0
        kept = self.take(~dropped)
        return replace(kept, asset_features=features)

    def take(self, edges: IntArray | Mask) -> AttentionInputs:
        """The inputs with these edges only."""
        return replace(self, source=self.source[edges], target=self.target[edges], kind=self.kind[edges])


def attention_inputs(graph: KnowledgeGraph, known: Mask) -> AttentionInputs:
    """The network's view of `graph`; edges to nodes that are not `known` (nodes,) and no investors are left out."""
    interactions = Interactions(graph)
    source, target, kind = _edges(graph, known)
    holders = np.bincount(target[kind == HOLDS_TYPE], minlength=len(graph.assets))
    classes = np.stack([graph.nodes.kind[graph.assets] == KIND_CODE[k] for k in ASSET_KINDS], axis=1)
    asset_features = np.column_stack([classes, np.log1p(holders) / LOG_SCALE, known[graph.assets]])
    degree = np.bincount(source, minlength=len(graph))
    return AttentionInputs(
        source,
        target,
        kind,
        _holdings(interactions),
        graph.users,
        graph.assets,
        asset_features.astype(np.float32),
        (np.log1p(degree) / LOG_SCALE)[:, None].astype(np.float32),
    )


def _edges(graph: KnowledgeGraph, known: Mask) -> tuple[IntArray, IntArray, IntArray]:
    """source, target and kind of all edges, sorted."""
    n = len(graph.assets)
    ends = [asset_edges(graph, Relation(name)) for name in EDGE_TYPES[:HOLDS_TYPE]]
    held = graph.edges_between(Relation.HOLDS)
    first = int(graph.assets[0]) if n else 0
    ends.append((graph.edges.tail[held].astype(np.int64) - first, graph.edges.head[held].astype(np.int64)))
    ends.append((np.arange(n), graph.assets))
    target, source = (np.concatenate([pair[i] for pair in ends]) for i in (0, 1))
    kind = np.repeat(np.arange(len(EDGE_TYPES)), [len(pair[0]) for pair in ends])
    usable = known[source] | (kind == HOLDS_TYPE)
    source, target, kind = source[usable], target[usable], kind[usable]
    order = np.lexsort((source, kind, target))
    return source[order], target[order], kind[order]


def _holdings(interactions: Interactions) -> sp.csr_array:
    """(investors, nodes): assets and profile, each part of length 1."""
    graph, ever = interactions.graph, interactions.ever
    first = int(graph.assets[0]) if len(graph.assets) else 0
    wide = sp.csr_array((ever.data, ever.indices + first, ever.indptr), shape=(ever.shape[0], len(graph)))
    return sp.csr_array(_scaled(wide) + _scaled(interactions.profile)).astype(np.float32)


def _scaled(matrix: sp.csr_array) -> sp.csr_array:
    count = np.diff(matrix.indptr)
    return sp.csr_array(sp.diags_array(1 / np.sqrt(np.maximum(count, 1))) @ matrix)
