"""From scores to lists, for evaluation: allowed assets only, ties in the order of asset ids."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph

LIST_LENGTH = 10


def id_order(graph: KnowledgeGraph) -> IntArray:
    """(assets,) positions of the snapshot's assets in the order of their ids, whatever their kind."""
    return np.argsort(graph.nodes.id[graph.assets].astype(str), kind="stable").astype(np.int64)


def top_lists(scores: FloatArray, allowed: npt.NDArray[np.bool_], by_id: IntArray, k: int = LIST_LENGTH) -> IntArray:
    """(n, k) positions of the assets with the highest scores, best first, -1 where fewer are allowed.

    Args:
        scores: (n, assets); -inf and NaN are never listed.
        allowed: (n, assets) bool.
        by_id: as from `id_order`; who comes first in it wins a tie.
    """
    usable = allowed & (scores > -np.inf)
    ranked = np.where(usable, scores, -np.inf)[:, by_id]
    best = np.argsort(-ranked, axis=1, kind="stable")[:, :k]
    lists = np.where(np.take_along_axis(ranked, best, axis=1) > -np.inf, by_id[best], -1)
    return np.pad(lists, ((0, 0), (0, max(k - lists.shape[1], 0))), constant_values=-1)
