"""Content-based neighbours: assets that share attributes with what the investor has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.schema import Use, used_for
from pathfolio.kg.span import Positions
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.propagation import asset_edges


def attribute_matrix(graph: KnowledgeGraph) -> sp.csr_array:
    """(assets, nodes) float64: 1 / log(1 + assets with the attribute) where an asset has it; rows of unit length."""
    ends = [asset_edges(graph, relation) for relation in used_for(Use.SIMILARITY)]
    asset, tail = (np.concatenate(side) for side in zip(*ends, strict=True))
    rarity = 1.0 / np.log(1.0 + np.bincount(tail, minlength=len(graph)))[tail]
    matrix = sp.csr_array((rarity, (asset, tail)), shape=(len(graph.assets), len(graph)))
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1), np.float64)).ravel()
    return sp.csr_array(matrix.multiply(1.0 / np.maximum(length, 1e-12)[:, None]))


@dataclass(frozen=True)
class ContentModel:
    """Mean cosine similarity of the attributes to what the investor has (Lops et al. 2011, "Content-based Recommender
    Systems"), plus a little popularity that decides ties; it needs nobody to hold the asset.
    """

    graph: KnowledgeGraph

    @cached_property
    def _parts(self) -> tuple[sp.csr_array, sp.csr_array, FloatArray]:
        ever = Interactions(self.graph).ever
        holders = np.asarray(ever.sum(axis=0), np.float64).ravel()
        return ever, attribute_matrix(self.graph), 1e-3 * holders / max(holders.max(initial=0.0), 1.0)

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64."""
        ever, attributes, tie = self._parts
        mine = ever[users]
        size = np.maximum(np.diff(mine.indptr), 1).astype(np.float64)
        return np.asarray(((mine @ attributes) @ attributes.T).toarray() / size[:, None] + tie, np.float64)

    def refresh(self, graph: KnowledgeGraph) -> ContentModel:
        """Attributes are read again."""
        return ContentModel(graph)


def fit_content(graph: KnowledgeGraph, seed: int = 0) -> ContentModel:
    """Content kNN; `seed` changes nothing."""
    return ContentModel(graph)
