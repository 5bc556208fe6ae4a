"""SLIM: sparse non-negative item-to-item weights under an elastic net."""

from __future__ import annotations

from typing import Final

import numpy as np

from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.recommender.baselines.item_model import ItemModel, co_holdings

L1: Final = 1.0
L2: Final = 2000.0
_STEPS: Final = 200
_ENOUGH: Final = 1e-4


def fit_slim(graph: KnowledgeGraph, seed: int = 0, *, l1: float = L1, l2: float = L2) -> ItemModel:
    """SLIM (Ning and Karypis 2011): argmin ||X - XB||^2 / 2 + l2 ||B||^2 / 2 + l1 |B|, B >= 0, zero diagonal.

    Accelerated proximal gradient steps on the Gram matrix (FISTA, Beck and Teboulle 2009), all columns at once.
    Assets that nobody has had keep zero weights. `seed` changes nothing.
    """
    gram = co_holdings(graph)
    some = np.flatnonzero(np.diag(gram) > 0)
    weights = np.zeros_like(gram)
    weights[np.ix_(some, some)] = _solve(gram[np.ix_(some, some)], l1, l2)
    return ItemModel(graph, weights)


def _solve(gram: FloatArray, l1: float, l2: float) -> FloatArray:
    pull = gram.astype(np.float32)
    steepest = float(np.linalg.eigvalsh(gram)[-1]) + l2
    step = np.float32(1.0 / steepest)
    weights = np.zeros_like(pull)
    ahead = weights
    pace = 1.0
    for _ in range(_STEPS):
        slope = pull @ ahead - pull + np.float32(l2) * ahead
        new = np.maximum(ahead - step * (slope + np.float32(l1)), np.float32(0.0))
        np.fill_diagonal(new, 0.0)
        change = new - weights
        next_pace = (1.0 + (1.0 + 4.0 * pace**2) ** 0.5) / 2.0
        ahead = new + np.float32((pace - 1.0) / next_pace) * change
        weights = new
        pace = next_pace
        if np.abs(change).max() < _ENOUGH * max(float(np.abs(new).max()), _ENOUGH):
            break
    return weights.astype(np.float64)
