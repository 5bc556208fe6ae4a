"""What the graph attention network sees of a snapshot, as arrays: typed edges into assets, and their features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import IntArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import ASSET_KINDS, KIND_CODE, Relation
from pathfolio.kg.span import Positions, Rows
from pathfolio.recommender.propagation import WALKED, asset_edges

Features = npt.NDArray[np.float32]

EDGE_TYPES: Final = (*(relation.value for relation in WALKED), "INVESTS_IN", "SELF")
"""Types of the edges that attention weighs; SELF goes nowhere. None leads to investors: a walk through the few who
hold an asset would tell what else they hold."""

SELF_TYPE: Final = EDGE_TYPES.index("SELF")

ASSET_FEATURES: Final = len(ASSET_KINDS) + 2
HOLDERS_FEATURE: Final = len(ASSET_KINDS)
LOG_SCALE: Final = 5.0
"""Logarithms of counts are divided by this, so that features are of the order of 1."""


@dataclass(frozen=True)
class AttentionInputs:
    """A snapshot for the network. Assets are positions, nodes are rows of the snapshot.

    Attributes:
        source: (e,) int64, the node at the far end of each edge; edges are sorted by (target, type, source).
        target: (e,) int64, positions of assets.
        kind: (e,) int64, positions in `EDGE_TYPES`.
        assets: (assets,) int64, their rows.
        asset_features: (assets, ASSET_FEATURES) float32: class, log of the number of holders, 1 where known.
        node_features: (nodes, 1) float32: log of the number of assets at the node.
    """

    source: Rows
    target: Positions
    kind: IntArray
    assets: Rows
    asset_features: Features
    node_features: Features

    @property
    def n_nodes(self) -> int:
        """How many nodes there are."""
        return len(self.node_features)

    def without(self, unseen: Mask) -> AttentionInputs:
        """The inputs as if nobody held or knew the `unseen` (assets,) yet: what a new issue looks like."""
        dropped = unseen[self.target] & (self.kind == SELF_TYPE)
        features = self.asset_features.copy()
        features[unseen, HOLDERS_FEATURE:] = 0.0
        kept = self.take(~dropped)
        return replace(kept, asset_features=features)

    def take(self, edges: IntArray | Mask) -> AttentionInputs:
        """The inputs with these edges only."""
        source, target = Rows(self.source[edges]), Positions(self.target[edges])
        return replace(self, source=source, target=target, kind=self.kind[edges])


def attention_inputs(graph: KnowledgeGraph, known: Mask, holders: IntArray) -> AttentionInputs:
    """The network's view of `graph`; edges to nodes that are not `known` (nodes,) are left out.

    Args:
        holders: (assets,) as `pathfolio.recommender.groups` tells them; an asset whose holders are too few to be told
            looks like a new issue: no vector of its own.
    """
    source, target, kind = _edges(graph, known)
    classes = np.stack([graph.nodes.kind[graph.assets] == KIND_CODE[k] for k in ASSET_KINDS], axis=1)
    asset_features = np.column_stack([classes, np.log1p(holders) / LOG_SCALE, known[graph.assets]])
    degree = np.bincount(source, minlength=len(graph))
    return AttentionInputs(
        source,
        target,
        kind,
        graph.assets,
        asset_features.astype(np.float32),
        (np.log1p(degree) / LOG_SCALE)[:, None].astype(np.float32),
    ).without(holders == 0)


def _edges(graph: KnowledgeGraph, known: Mask) -> tuple[Rows, Positions, IntArray]:
    """source, target and kind of all edges, sorted."""
    ends = [asset_edges(graph, Relation(name)) for name in EDGE_TYPES[:SELF_TYPE]]
    ends.append((graph.asset_span.positions, graph.assets))
    target, source = (np.concatenate([pair[i] for pair in ends]) for i in (0, 1))
    kind = np.repeat(np.arange(len(EDGE_TYPES)), [len(pair[0]) for pair in ends])
    usable = known[source]
    source = source[usable]
    target = target[usable]
    kind = kind[usable]
    order = np.lexsort((source, kind, target))
    return Rows(source[order]), Positions(target[order]), kind[order]
