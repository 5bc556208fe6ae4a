"""EASE: the item-to-item linear model in closed form, of all positions, or of what may be told of them."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import lapack

from pathfolio.kg.graph import FloatArray, IntArray
from pathfolio.recommender.groups import SMALLEST_GROUP, Groups

LARGE: Final = 2_500
"""Assets; a model of more is computed in another way, which agrees to some 1e-12."""

_BLOCK: Final = 512


def ease_weights(
    groups: Groups, regularisation: float = 200.0, dropout: float = 0.0, untold: float = 0.0
) -> npt.NDArray[np.float32]:
    """(assets, assets) float32: EASE's weights, served and stored, made of what `groups` tells and nothing else.

    X^T X is the table of `groups.together`. Where that tells nothing, because too few hold both, stands what chance
    would give those who hold either, which their numbers tell: a zero would say that nobody ever holds both, and where
    few investors hold many assets nearly all of X^T X is untold. Such pairs have no weight themselves, so that what
    co-investment adds lies on walks throughout.

    Args:
        untold: the share of that expected number which is taken.
    """
    together = groups.together
    holders = groups.holders
    seen = np.flatnonzero(holders)
    gram = together[seen][:, seen].toarray().astype(np.float64)
    is_told = gram > 0
    np.fill_diagonal(gram, holders[seen])
    if untold:
        np.copyto(gram, untold * _by_chance(holders[seen], groups.investors), where=gram <= 0)
    b = ease_of_gram(gram, _ridge(holders[seen], regularisation, dropout))
    b[~is_told] = 0.0
    weights = np.zeros(together.shape, np.float32)
    weights[np.ix_(seen, seen)] = b
    return weights


def _by_chance(holders: IntArray, investors: int) -> FloatArray:
    """(n, n) float64: how many of all investors would hold two assets if who holds one told nothing of the other; no
    more than a group that is too small to be told of."""
    expected: FloatArray = np.outer(holders, holders).astype(np.float64)
    np.divide(expected, max(investors, 1), out=expected)
    np.minimum(expected, SMALLEST_GROUP, out=expected)
    return expected


def ease(ever: sp.csr_array, regularisation: float = 200.0, dropout: float = 0.0) -> FloatArray:
    """(assets, assets) float64: EASE's item-to-item weights B, with zero diagonal.

    P = (X^T X + D)^-1 and B = -P / diag(P), with D = lambda I + p / (1 - p) diag(X^T X): EASE for p = 0 (Steck,
    "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, eq. 8), else the limit of training it with
    inputs dropped out at the rate p (Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020).
    Assets that nobody held have no weight; with fewer investors than assets P comes from the investors' side by
    Woodbury's identity.

    Args:
        ever: (investors, assets) csr of 0 and 1.
        regularisation: lambda.
        dropout: p, from 0 to below 1.
    """
    holders = np.bincount(ever.indices, minlength=ever.shape[1])
    seen = np.flatnonzero(holders)
    x = sp.csr_array(ever[:, seen])
    ridge = _ridge(holders[seen], regularisation, dropout)
    weights = np.zeros((ever.shape[1], ever.shape[1]))
    weights[np.ix_(seen, seen)] = _ease_of_few(x, ridge) if x.shape[0] < x.shape[1] else _ease(x, ridge)
    return weights


def _ease(x: sp.csr_array, ridge: FloatArray) -> FloatArray:
    return ease_of_gram((x.T @ x).toarray(), ridge)


def _ease_of_few(x: sp.csr_array, ridge: FloatArray) -> FloatArray:
    dense = x.toarray()
    scaled = dense / ridge
    inner = np.linalg.inv(scaled @ dense.T + np.eye(x.shape[0]))
    return _weights_of(np.diag(1 / ridge) - scaled.T @ inner @ scaled)


def ease_of_gram(gram: FloatArray, ridge: FloatArray) -> FloatArray:
    """(n, n) float64: B of a matrix (n, n) of how many hold two assets, and (n,) what is added to its diagonal."""
    matrix = gram.astype(np.float64)
    matrix[np.diag_indices(len(matrix))] += ridge
    return _weights_of(_inverse(matrix))


def _inverse(matrix: FloatArray) -> FloatArray:
    """Of a symmetric matrix (n, n). Of a large one by Cholesky's factors, where it has any, in a third of the time;
    others as sealed builds have theirs, to the last bit."""
    if len(matrix) > LARGE:
        factor, without = lapack.dpotrf(matrix)
        if not without:
            inverse, _ = lapack.dpotri(factor, overwrite_c=True)
            for start in range(0, len(inverse), _BLOCK):  # only what is above the diagonal is there
                rows, after = slice(start, start + _BLOCK), slice(start + _BLOCK, None)
                inverse[rows, rows] = np.triu(inverse[rows, rows]) + np.triu(inverse[rows, rows], 1).T
                inverse[after, rows] = inverse[rows, after].T
            return np.asarray(inverse, np.float64)
    return np.asarray(np.linalg.inv(matrix), np.float64)


def _weights_of(p: FloatArray) -> FloatArray:
    b = np.divide(p, -np.diag(p)[None, :])
    np.fill_diagonal(b, 0.0)
    return np.asarray(b)


def _ridge(holders: IntArray, regularisation: float, dropout: float) -> FloatArray:
    return np.asarray(regularisation + dropout / (1 - dropout) * holders)
