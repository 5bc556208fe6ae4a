"""Where an asset stands in an investor's list."""

from __future__ import annotations

import numpy as np

from pathfolio.kg.graph import FloatArray, Mask, Text
from pathfolio.kg.span import Position


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
