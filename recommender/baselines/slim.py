"""SLIM: sparse non-negative item-to-item weights under an elastic net."""

from __future__ import annotations

from typing import Final

import numpy as np

from kg.graph import FloatArray, KnowledgeGraph
from recommender.baselines.item_model import ItemModel, co_holdings

L1: Final = 1.0
L2: Final = 2000.0
_SWEEPS: Final = 40
_ENOUGH: Final = 1e-4


def fit_slim(graph: KnowledgeGraph, seed: int = 0, *, l1: float = L1, l2: float = L2) -> ItemModel:
    """SLIM (Ning and Karypis 2011): argmin ||X - XB||^2 / 2 + l2 ||B||^2 / 2 + l1 |B|, B >= 0, zero diagonal.

    Coordinate descent on the Gram matrix (Friedman et al. 2010), a row of B for all target assets at once.
    Assets that nobody has had keep zero weights. `seed` changes nothing.
    """
    gram = co_holdings(graph)
    some = np.flatnonzero(np.diag(gram) > 0)
    weights = np.zeros_like(gram)
    weights[np.ix_(some, some)] = _descend(gram[np.ix_(some, some)], l1, l2)
    return ItemModel(graph, weights)


def _descend(gram: FloatArray, l1: float, l2: float) -> FloatArray:
    weights = np.zeros_like(gram)
    for _ in range(_SWEEPS):
        moved = 0.0
        for row in range(len(gram)):
            own = gram[row, row]
            rest = gram[row] - gram[row] @ weights + own * weights[row]
            new = np.maximum(rest - l1, 0.0) / (own + l2)
            new[row] = 0.0
            moved = max(moved, float(np.abs(new - weights[row]).max()))
            weights[row] = new
        if moved < _ENOUGH:
            break
    return weights
