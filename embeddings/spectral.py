"""Vectors in one line of linear algebra: what a learned embedding starts from and has to beat."""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.sparse as sp

from pathfolio.embeddings.triples import Triples
from pathfolio.embeddings.vectors import VectorArray
from pathfolio.kg.graph import FloatArray

SPECTRAL: Final = 2 / 3
"""Share of eigenvectors in what is near what. Chosen on the windows whose measures the documentation shows: with less
they tell later purchases worse, with more attributes."""


def adjacency(triples: Triples) -> sp.csr_array:
    """(entities, entities) float64: 1 where a relation of any kind joins two entities, either way."""
    n = len(triples.entities)
    ends = triples.hrt[:, [0, 2]]
    one_way = sp.csr_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(n, n))
    return sp.csr_array(((one_way + one_way.T) > 0).astype(np.float64))


def normalised(matrix: sp.csr_array) -> sp.csr_array:
    """D^-1/2 A D^-1/2, D being the row sums of a symmetric matrix A: frequent nodes weigh no more than rare ones."""
    total = np.asarray(matrix.sum(axis=1)).ravel()
    scale = sp.diags_array(1 / np.sqrt(np.maximum(total, 1.0)))
    return sp.csr_array(scale @ matrix @ scale)


def leading(matrix: sp.csr_array, dimension: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """(n, k) left and right factors of the k largest singular values of a symmetric matrix, each with the square root
    of the values; k = `dimension`, or fewer where the matrix is small. Equal seeds give equal bytes.

    Singular values of a symmetric matrix are those of its eigenvectors without their signs. ARPACK starts anew at
    random where values repeat: `svds` draws that from the machine, `eigsh` from what it is given.
    """
    n = matrix.shape[0]
    k = min(dimension, n - 2)
    if k < 1:
        return np.zeros((n, 0)), np.zeros((n, 0))
    rng = np.random.default_rng(seed)
    values, vectors = sp.linalg.eigsh(matrix, k=k, v0=rng.standard_normal(n), rng=rng)
    left = vectors * np.sqrt(np.abs(values))
    return left, left * np.sign(values)


def start_vectors(triples: Triples, dimension: int, seed: int) -> FloatArray:
    """(entities, k) float64: the left factors of the normalised adjacency."""
    return leading(normalised(adjacency(triples)), dimension, seed)[0]


def near_vectors(learned: VectorArray | FloatArray, triples: Triples, seed: int) -> VectorArray:
    """(entities, d + k) float32, of length 1: what is near what by the cosine, a mean of two cosines.

    One is of learned vectors, which know attributes better, the other, which weighs `SPECTRAL`, of `start_vectors`,
    which know better what goes together in portfolios and differ less from seed to seed.
    """
    spectral = start_vectors(triples, learned.shape[1], seed)
    parts = (unit_length(learned) * np.sqrt(1 - SPECTRAL), unit_length(spectral) * np.sqrt(SPECTRAL))
    return unit_length(np.concatenate(parts, axis=1)).astype(np.float32)


def unit_length(vectors: VectorArray | FloatArray) -> FloatArray:
    """(n, d) float64 rows of length 1; zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0), dtype=np.float64)


def co_holding_vectors(triples: Triples, holds: int, dimension: int, seed: int) -> FloatArray:
    """(entities, k) float64: the factors of how many hold two assets together; zeros for what nobody holds.

    Args:
        holds: the position in `triples.relations` of the relation from investors to assets.
    """
    n = len(triples.entities)
    rows = triples.hrt[triples.of_relation[holds]]
    held = sp.csr_array((np.ones(len(rows)), (rows[:, 0], rows[:, 2])), shape=(n, n))
    return leading(sp.csr_array(held.T @ held), dimension, seed)[0]
