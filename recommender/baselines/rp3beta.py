"""RP3beta: three steps of a random walk from the investor, with popular assets turned down."""

from __future__ import annotations

from typing import Final

import numpy as np

from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.recommender.baselines.item_knn import nearest
from pathfolio.recommender.baselines.item_model import ItemModel
from pathfolio.recommender.interactions import Interactions

ALPHA: Final = 0.5
BETA: Final = 0.1
NEIGHBOURS: Final = 1000


def fit_rp3beta(
    graph: KnowledgeGraph, seed: int = 0, *, alpha: float = ALPHA, beta: float = BETA, neighbours: int = NEIGHBOURS
) -> ItemModel:
    """RP3beta (Paudel et al. 2016, "Updatable, Accurate, Diverse, and Scalable Recommendations").

    weight[i, j] = sum over investors u of (p(u | i) p(j | u))^alpha / holders_j^beta, the `neighbours` largest per j;
    p is uniform over the investors of an asset and over the assets of an investor. `seed` changes nothing.
    """
    ever = Interactions(graph).ever
    of_user = np.maximum(np.asarray(ever.sum(axis=1)).ravel(), 1.0)
    of_asset = np.maximum(np.asarray(ever.sum(axis=0)).ravel(), 1.0)
    to_asset = ever.multiply(of_user[:, None] ** -alpha).tocsr()
    to_user = ever.T.multiply(of_asset[:, None] ** -alpha).tocsr()
    weights = np.asarray((to_user @ to_asset).toarray(), np.float64) / of_asset[None, :] ** beta
    np.fill_diagonal(weights, 0.0)
    return ItemModel(graph, nearest(weights, neighbours))
