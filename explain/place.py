"""Where an asset stands in an investor's list."""

from __future__ import annotations

import numpy as np

from kg.graph import FloatArray, Mask
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
    return place_of(model.scores(users)[0], allowed, asset)


def place_of(scores: FloatArray, allowed: Mask, asset: int) -> int:
    """The rank of `asset` among the `allowed`, ties in the snapshot's order as lists have them; 0 if not allowed.

    >>> place_of(np.array([0.5, 0.9, 0.5]), np.array([True, True, True]), 2)
    3
    """
    if not allowed[asset]:
        return 0
    better = scores > scores[asset]
    better[:asset] |= scores[:asset] == scores[asset]
    return 1 + int(np.count_nonzero(better & allowed))
