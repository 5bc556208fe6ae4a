"""Item-based nearest neighbours."""

from __future__ import annotations

from typing import Final

import numpy as np

from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.recommender.baselines.item_model import ItemModel, co_holdings

NEIGHBOURS: Final = 1000
SHRINK: Final = 200.0
DAMPING: Final = 0.8


def fit_item_knn(
    graph: KnowledgeGraph,
    seed: int = 0,
    *,
    neighbours: int = NEIGHBOURS,
    shrink: float = SHRINK,
    damping: float = DAMPING,
) -> ItemModel:
    """Item-kNN with shrunk cosine similarity (Deshpande and Karypis 2004; shrinkage after Bell and Koren 2007).

    weight[i, j] = both / (n_i^damping n_j^(1 - damping) + shrink) for the `neighbours` nearest i of each j.
    `seed` changes nothing.
    """
    return ItemModel(graph, knn_weights(co_holdings(graph), neighbours, shrink, damping))


def knn_weights(
    both: FloatArray, neighbours: int = NEIGHBOURS, shrink: float = SHRINK, damping: float = DAMPING
) -> FloatArray:
    """(assets, assets) weights from counts of investors who have had both (the diagonal: either)."""
    count = np.diag(both).copy()
    norm = np.maximum(count[:, None] ** damping * count[None, :] ** (1.0 - damping) + shrink, 1e-9)
    weights = both / norm
    np.fill_diagonal(weights, 0.0)
    return nearest(weights, neighbours)


def nearest(weights: FloatArray, neighbours: int) -> FloatArray:
    """`weights` with all but the `neighbours` largest of each column set to zero."""
    if neighbours >= len(weights):
        return weights
    least = np.partition(weights, -neighbours, axis=0)[-neighbours]
    return np.where(weights >= least[None, :], weights, 0.0)
