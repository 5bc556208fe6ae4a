"""Item-to-item models: the score of an asset is a sum of weights over what the investor holds or held."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.span import Positions
from pathfolio.recommender.baselines.align import lay_over_pairs
from pathfolio.recommender.interactions import Interactions


@dataclass(frozen=True)
class ItemModel:
    """score(user, j) = sum over the user's assets i of weights[i, j].

    Attributes:
        graph: the snapshot that it scores.
        weights: (assets, assets) float64, from the asset that is held to the one that is scored.
    """

    graph: KnowledgeGraph
    weights: FloatArray

    @cached_property
    def _ever(self) -> sp.csr_array:
        return Interactions(self.graph).ever

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64."""
        return np.asarray(self._ever[users] @ self.weights, np.float64)

    def refresh(self, graph: KnowledgeGraph) -> ItemModel:
        """The same weights; an asset that was not there gets none."""
        return ItemModel(graph, lay_over_pairs(self.weights, self.graph, graph))


def co_holdings(graph: KnowledgeGraph) -> FloatArray:
    """(assets, assets) float64: how many investors have had both; the diagonal counts an asset's own."""
    ever = Interactions(graph).ever
    return np.asarray((ever.T @ ever).toarray(), np.float64)
