"""From scores to lists: allowed assets only, ties in the order of asset ids. Whatever is ranked is ranked here."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.span import Positions

LIST_LENGTH = 10


def id_order(graph: KnowledgeGraph) -> Positions:
    """(assets,) positions of the snapshot's assets in the order of their ids, whatever their kind."""
    return Positions(np.argsort(graph.asset_ids.astype(str), kind="stable").astype(np.int64))


def best_first(scores: FloatArray, by_id: Positions, k: int | None = None) -> Positions:
    """(…, k) positions of the assets by score, the highest first; all of them where no k is given.

    Args:
        scores: (…, assets).
        by_id: as from `id_order`; who comes first in it wins a tie.

    >>> best_first(np.array([1.0, 2.0, 2.0]), by_id=np.array([2, 1, 0])).tolist()
    [2, 1, 0]
    """
    return Positions(by_id[np.argsort(-scores[..., by_id], axis=-1, kind="stable")[..., :k]])


def top_lists(scores: FloatArray, allowed: npt.NDArray[np.bool_], by_id: Positions, k: int = LIST_LENGTH) -> Positions:
    """(n, k) positions of the assets with the highest scores, best first, -1 where fewer are allowed.

    Args:
        scores: (n, assets); -inf and NaN are never listed.
        allowed: (n, assets) bool.
        by_id: see `best_first`.
    """
    usable = np.where(allowed & (scores > -np.inf), scores, -np.inf)
    best = best_first(usable, by_id, k)
    lists = np.where(np.take_along_axis(usable, best, axis=1) > -np.inf, best, -1)
    return Positions(np.pad(lists, ((0, 0), (0, max(k - lists.shape[1], 0))), constant_values=-1))
