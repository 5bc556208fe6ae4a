"""Where an asset stands in an investor's list."""

from __future__ import annotations

import numpy as np

from kg.graph import FloatArray, KnowledgeGraph, Mask, Text
from recommender.interactions import Interactions
from recommender.model import Model
from recommender.retrieve import candidates


def place_in_list(model: Model, user: int, asset: int, kind: str | None = None) -> int:
    """The asset's rank among all that could be recommended to the investor, from 1; 0 if it could not be.

    Args:
        user, asset: positions among the snapshot's investors and assets.
        kind: stock, fund or bond, for the list of that kind alone.

    Raises:
        UsageError: there is no such kind.
    """
    users = np.array([user])
    allowed = candidates(model.graph, kind) & (Interactions(model.graph).ever[users].toarray()[0] == 0)
    return place_of(model.scores(users)[0], allowed, asset, asset_ids(model.graph))


def place_of(scores: FloatArray, allowed: Mask, asset: int, ids: Text) -> int:
    """The rank of `asset` among the `allowed`, 0 if it is not one of them; the smaller id wins a tie, as in lists.

    Args:
        scores, allowed, ids: (assets,) each; `ids` as from `asset_ids`.

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


def asset_ids(graph: KnowledgeGraph) -> Text:
    """(assets,) the ids of the snapshot's assets."""
    return graph.nodes.id[graph.assets]
