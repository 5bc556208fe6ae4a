"""User-based nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.span import Positions
from pathfolio.recommender.interactions import Interactions

NEIGHBOURS: Final = 3000
SHRINK: Final = 5.0
DAMPING: Final = 0.5
_BATCH: Final = 128


@dataclass(frozen=True)
class UserKnnModel:
    """score(u, j) = sum over the nearest investors v who have j of similarity(u, v).

    similarity(u, v) = both / (n_u^(1 - damping) n_v^damping + shrink) (Herlocker et al. 1999, "An Algorithmic Framework
    for Performing Collaborative Filtering"; damping 0.5 is the cosine).
    """

    graph: KnowledgeGraph
    neighbours: int
    shrink: float
    damping: float

    @cached_property
    def _ever(self) -> sp.csr_array:
        return Interactions(self.graph).ever

    @cached_property
    def _size(self) -> FloatArray:
        return np.diff(self._ever.indptr).astype(np.float64)

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64."""
        parts = [self._batch(Positions(users[start : start + _BATCH])) for start in range(0, len(users), _BATCH)]
        return np.concatenate([np.zeros((0, len(self.graph.assets))), *parts])

    def _batch(self, users: Positions) -> FloatArray:
        both = np.asarray((self._ever[users] @ self._ever.T).toarray(), np.float64)
        both[np.arange(len(users)), users] = 0.0
        norm = self._size[users][:, None] ** (1.0 - self.damping) * self._size[None, :] ** self.damping
        near = both / np.maximum(norm + self.shrink, 1e-9)
        if self.neighbours < near.shape[1]:
            least = np.partition(near, -self.neighbours, axis=1)[:, -self.neighbours]
            near[near < least[:, None]] = 0.0
        return np.asarray((sp.csr_array(near) @ self._ever).toarray(), np.float64)

    def refresh(self, graph: KnowledgeGraph) -> UserKnnModel:
        """Neighbours are looked up in the new snapshot."""
        return UserKnnModel(graph, self.neighbours, self.shrink, self.damping)


def fit_user_knn(
    graph: KnowledgeGraph,
    seed: int = 0,
    *,
    neighbours: int = NEIGHBOURS,
    shrink: float = SHRINK,
    damping: float = DAMPING,
) -> UserKnnModel:
    """User-kNN; `seed` changes nothing."""
    return UserKnnModel(graph, neighbours, shrink, damping)
