"""From scores to lists: allowed assets only, ties in the order of asset ids. Whatever is ranked is ranked here."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask, Text
from pathfolio.kg.span import Position, Positions

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
    lowest = -scores[..., by_id]
    if k is None or 2 * k >= lowest.shape[-1]:
        return Positions(by_id[np.argsort(lowest, axis=-1, kind="stable")[..., :k]])
    rows = lowest.reshape(-1, lowest.shape[-1])
    return Positions(by_id[_first(rows, k).reshape(*lowest.shape[:-1], k)])


def _first(rows: FloatArray, k: int) -> IntArray:
    """(n, k) where a stable sort of each row (n, assets) begins: those up to the k-th value are sorted alone, but in
    rows where a tie at that value leaves open which these are."""
    last = np.partition(rows, k - 1, axis=1)[:, k - 1, None]
    among = rows <= last
    clear = among.sum(axis=1) == k
    first = np.empty((len(rows), k), np.int64)
    some = (np.flatnonzero(among[clear]) % rows.shape[1]).reshape(-1, k)
    order = np.argsort(np.take_along_axis(rows[clear], some, axis=1), axis=1, kind="stable")
    first[clear] = np.take_along_axis(some, order, axis=1)
    first[~clear] = np.argsort(rows[~clear], axis=1, kind="stable")[:, :k]
    return first


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


def place_of(scores: FloatArray, allowed: Mask, asset: Position, ids: Text) -> int:
    """The rank of `asset` among the `allowed`, 0 if it is not one of them; the smaller id wins a tie, as in lists.

    Args:
        scores, allowed, ids: (assets,) each; `ids` as `KnowledgeGraph.asset_ids`.

    Examples:
        >>> scores, everything = np.array([0.5, 0.9, 0.5]), np.array([True, True, True])
        >>> [place_of(scores, everything, 2, np.array(ids, object)) for ids in (["a", "b", "c"], ["c", "b", "a"])]
        [3, 2]
    """
    if not allowed[asset]:
        return 0
    equal = (scores == scores[asset]) & allowed
    before = int(np.count_nonzero((scores > scores[asset]) & allowed)) + int(np.sum(ids[equal] < ids[asset]))
    return 1 + before
