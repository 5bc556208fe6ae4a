"""The assets whose vectors have the largest products with an investor's: exactly, or by FAISS where there are many.

Up to `EXACT_UP_TO` assets one matrix product takes milliseconds and misses nothing. Beyond, an inverted file of FAISS
(Johnson, Douze, Jégou, "Billion-scale similarity search with GPUs", IEEE Trans. Big Data 2021) looks at the nearest
cells alone; what it misses is measured by `recall`, and `pathfolio bench retrieval` prints it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import IntArray

Vectors = npt.NDArray[np.float32]

EXACT_UP_TO: Final = 100_000
"""Assets up to which the exact product is taken."""

_BLOCK: Final = 131_072
"""Assets multiplied at a time; bounds memory at queries * _BLOCK * 4 bytes."""


class Index(Protocol):
    """Finds the assets with the largest inner products."""

    def search(self, queries: Vectors, k: int) -> tuple[IntArray, Vectors]:
        """(n, k) positions and (n, k) products, best first; -1 and -inf where fewer assets are found.

        Args:
            queries: (n, d) float32.
        """
        ...


@dataclass(frozen=True)
class ExactIndex:
    """All products, block by block.

    Attributes:
        vectors: (m, d) float32.
    """

    vectors: Vectors

    def search(self, queries: Vectors, k: int) -> tuple[IntArray, Vectors]:
        """See `Index.search`; of equal products the first asset wins."""
        position = np.full((len(queries), k), -1, np.int64)
        product = np.full((len(queries), k), -np.inf, np.float32)
        for start in range(0, len(self.vectors), _BLOCK):
            found = queries @ self.vectors[start : start + _BLOCK].T
            best = _largest(found, k)
            product = np.concatenate([product, np.take_along_axis(found, best, axis=1)], axis=1)
            position = np.concatenate([position, best + start], axis=1)
            order = np.lexsort((position, -product), axis=1)[:, :k]
            product = np.take_along_axis(product, order, axis=1)
            position = np.take_along_axis(position, order, axis=1)
        return position, product


def _largest(products: Vectors, k: int) -> IntArray:
    """(n, min(k, m)) columns of the largest products, in any order; ties at the edge go to the first columns."""
    n, m = products.shape
    if k >= m:
        return np.broadcast_to(np.arange(m), (n, m))
    edge = -np.partition(-products, k - 1, axis=1)[:, k - 1 : k]
    above, level = products > edge, products == edge
    room = k - above.sum(axis=1, keepdims=True)
    chosen = above | (level & (np.cumsum(level, axis=1) <= room))
    return np.nonzero(chosen)[1].reshape(n, k)


@dataclass(frozen=True)
class FaissIndex:
    """An inverted file: assets in cells around centres, of which the `probes` nearest to a query are searched.

    Attributes:
        index: FAISS's own.
    """

    index: Any

    @staticmethod
    def build(vectors: Vectors, *, cells: int | None = None, probes: int | None = None, seed: int = 0) -> FaissIndex:
        """Divide the vectors into cells; the same vectors and seed give the same index.

        Args:
            vectors: (m, d) float32.
            cells: 2 sqrt(m), of 16 assets or more, where not given.
            probes: a sixteenth of the cells where not given.

        Raises:
            UsageError: FAISS is not installed.
        """
        if find_spec("faiss") is None:
            raise UsageError("FAISS is not installed: pip install 'pathfolio[faiss]'")
        import faiss

        cells = cells or max(min(int(2 * len(vectors) ** 0.5), len(vectors) // 16), 1)
        coarse = faiss.IndexFlatIP(vectors.shape[1])
        index = faiss.IndexIVFFlat(coarse, vectors.shape[1], cells, faiss.METRIC_INNER_PRODUCT)
        index.cp.seed = seed
        index.cp.niter = 10
        index.cp.max_points_per_centroid = 40
        index.cp.min_points_per_centroid = 1
        dense = np.ascontiguousarray(vectors, np.float32)
        index.train(dense)
        index.add(dense)
        index.nprobe = probes or max(cells // 16, 1)
        return FaissIndex(index)

    def search(self, queries: Vectors, k: int) -> tuple[IntArray, Vectors]:
        """See `Index.search`."""
        product, position = self.index.search(np.ascontiguousarray(queries, np.float32), k)
        return position.astype(np.int64), np.where(position >= 0, product, -np.inf).astype(np.float32)


def choose_index(vectors: Vectors, exact_up_to: int = EXACT_UP_TO) -> Index:
    """The exact product for up to `exact_up_to` assets, FAISS beyond.

    Raises:
        UsageError: there are more assets, and FAISS is not installed.
    """
    return ExactIndex(vectors) if len(vectors) <= exact_up_to else FaissIndex.build(vectors)


def recall(found: IntArray, exact: IntArray) -> float:
    """The share of the exact lists' assets that the found lists have, row by row.

    >>> recall(np.array([[1, 2], [5, 9]]), np.array([[2, 1], [5, 6]]))
    0.75
    """
    hits = [len(np.intersect1d(row, truth)) for row, truth in zip(found, exact, strict=True)]
    return float(np.sum(hits) / exact.size)
