"""iALS: matrix factorisation of implicit feedback; the factors come from the library `implicit`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.span import Positions
from pathfolio.recommender.baselines.align import lay_over
from pathfolio.recommender.baselines.item_model import co_holdings
from pathfolio.recommender.interactions import Interactions

FACTORS: Final = 64
SHRINKAGE: Final = 0.2
CONFIDENCE: Final = 20.0
ROUNDS: Final = 20


@dataclass(frozen=True)
class AlsModel:
    """Dot products with factors of assets; an investor's factors are solved for from the positions at hand.

    Attributes:
        factors: (assets, d) float64, zero for assets that were not there when they were fitted.
        penalty, confidence: as in `fit_als`.
    """

    graph: KnowledgeGraph
    factors: FloatArray
    penalty: float
    confidence: float

    @cached_property
    def _ever(self) -> sp.csr_array:
        return Interactions(self.graph).ever

    @cached_property
    def _base(self) -> FloatArray:
        return self.factors.T @ self.factors + self.penalty * np.eye(self.factors.shape[1])

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64."""
        folded = np.zeros((len(users), self.factors.shape[1]))
        for row, user in enumerate(users):
            folded[row] = self._fold_in(user)
        return folded @ self.factors.T

    def _fold_in(self, user: np.int64) -> FloatArray:
        """(d,) argmin over x of sum of c (p - x y)^2 + penalty |x|^2, as in the paper's equation 4."""
        mine = self.factors[self._ever.indices[self._ever.indptr[user] : self._ever.indptr[user + 1]]]
        left = self._base + (self.confidence - 1.0) * mine.T @ mine
        return np.linalg.solve(left, self.confidence * mine.sum(axis=0))

    def refresh(self, graph: KnowledgeGraph) -> AlsModel:
        """The same factors of assets; those of investors follow their positions."""
        return AlsModel(graph, lay_over(self.factors, self.graph, graph), self.penalty, self.confidence)


def fit_als(
    graph: KnowledgeGraph,
    seed: int = 0,
    *,
    factors: int = FACTORS,
    shrinkage: float = SHRINKAGE,
    confidence: float = CONFIDENCE,
) -> AlsModel:
    """iALS (Hu, Koren and Volinsky 2008): confidence c for what is held or was, 1 for all else, L2 penalty.

    The penalty is `shrinkage` times c times the largest singular value of the matrix of positions, so that it keeps
    its meaning from a small data set to a large one: at 1 nothing would be left.
    """
    from implicit.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    penalty = shrinkage * confidence * float(np.linalg.eigvalsh(co_holdings(graph))[-1]) ** 0.5
    with threadpool_limits(1, "blas"):  # implicit warns of what BLAS threads cost it
        model = AlternatingLeastSquares(
            factors=factors,
            regularization=penalty,
            alpha=confidence,
            iterations=ROUNDS,
            use_gpu=False,
            num_threads=1,
            random_state=seed,
        )
        model.fit(sp.csr_matrix(Interactions(graph).ever, dtype=np.float32), show_progress=False)
    return AlsModel(graph, np.asarray(model.item_factors, np.float64), penalty, confidence)
