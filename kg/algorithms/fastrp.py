"""Vectors of nodes without training: FastRP, by very sparse random projection.

Haochen Chen, Syed Fahad Sultan, Yingtao Tian, Muhao Chen and Steven Skiena: Fast and Accurate Network Embeddings via
Very Sparse Random Projection, CIKM 2019 (arXiv:1908.11512).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

import numpy as np
import scipy.sparse as sp
from msgspec import Meta

from pathfolio.kg.algorithms.excerpt import Excerpt
from pathfolio.kg.algorithms.protocol import NODE_COLUMNS, Algorithm, AlgorithmTable, Seed
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray

_SPARSITY: Final = 3
"""One entry of so many in the projection is not zero (Achlioptas 2003)."""

_MOST_STEPS: Final = 10


class FastRP(Algorithm, frozen=True, kw_only=True):
    """Chen et al. 2019.

    Attributes:
        steps: how much what lies 1, 2, … relations away counts: numbers with commas between.
        normalization: the exponent of degrees, their beta: below 0, hubs count less.
    """

    name: ClassVar[str] = "fastrp"

    dimension: Annotated[int, Meta(ge=2, le=1024)] = 128
    steps: str = "0, 1, 1"
    normalization: Annotated[float, Meta(ge=-2, le=2)] = -0.5
    seed: Seed = 0

    def run(self, excerpt: Excerpt) -> AlgorithmTable:
        """Columns kind, id, name and vector (a list of numbers)."""
        vectors = fast_random_projection(
            excerpt.both_ways, self.dimension, _numbers(self.steps), self.normalization, self.seed
        )

        def rows() -> Iterator[tuple[Any, ...]]:
            for place, vector in enumerate(vectors.astype(np.float32)):
                yield (*excerpt.named(place), vector.tolist())

        return AlgorithmTable((*NODE_COLUMNS, "vector"), rows())


def fast_random_projection(
    ties: sp.csr_array[np.float64, tuple[int, int]], dimension: int, steps: list[float], beta: float, seed: int
) -> FloatArray:
    """(n, dimension): the sum over i of `steps`[i - 1] times the rows of A^i L R, each scaled to length 1 first.

    A is the matrix of the walk (ties over degrees), L the diagonal of (degree / twice the ties) to the power of `beta`,
    R a projection whose entries are sqrt(3), 0 and -sqrt(3) with chances of 1/6, 2/3 and 1/6.
    """
    n = ties.shape[0]
    degree = np.maximum(ties.sum(axis=1), np.finfo(float).tiny)
    sign = np.random.default_rng(seed).integers(0, 2 * _SPARSITY, (n, dimension))
    projection = np.sqrt(_SPARSITY) * ((sign == 0).astype(float) - (sign == 1))
    walk = sp.csr_array(sp.diags_array(1 / degree) @ ties)
    scaled = projection * ((degree / degree.sum()) ** beta)[:, None]
    out = np.zeros((n, dimension))
    for weight in steps:
        scaled = walk @ scaled
        length = np.linalg.norm(scaled, axis=1, keepdims=True)
        out += weight * np.divide(scaled, length, out=np.zeros_like(scaled), where=length > 0)
    return out


def _numbers(steps: str) -> list[float]:
    try:
        found = [float(word) for word in steps.split(",")]
    except ValueError:
        found = []
    if not 1 <= len(found) <= _MOST_STEPS or not np.all(np.isfinite(found)) or not any(found):
        raise UsageError(f"steps: {steps!r} are no weights: write 1 to {_MOST_STEPS} numbers as 0, 1, 1")
    return found
