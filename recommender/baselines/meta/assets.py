"""What the pair model knows of assets: vectors of attributes and of who holds what, and how popular each is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from scipy.linalg import orthogonal_procrustes
from scipy.sparse.linalg import eigsh

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask, Text, to_days
from pathfolio.kg.span import Positions
from pathfolio.recommender.baselines.align import find
from pathfolio.recommender.baselines.content import attribute_matrix
from pathfolio.recommender.interactions import Interactions

DIMENSIONS: Final = (8, 16)
"""Of the vectors of attributes, and of those of co-holdings."""

CONTRASTS: Final = 48
"""Assets that every support position is held against: evenly taken from the most held to the least."""

_RECENT: Final = (30, 182)
_SMOOTH: Final = 20.0


@dataclass(frozen=True)
class AssetTable:
    """Assets of one snapshot as the pair model sees them.

    Attributes:
        ids: (n,) str.
        vectors: (n, 8 + 16): attributes, then co-holdings; each part of unit length, or zero.
        popular: (n, p), each column of mean 0 and standard deviation 1 over the candidates, or zero where it tells
            nothing.
        candidates: (n,) bool: somebody has or had it.
        contrasts: (c,) positions.
    """

    ids: Text
    vectors: FloatArray
    popular: FloatArray
    candidates: Mask
    contrasts: Positions

    @staticmethod
    def of(graph: KnowledgeGraph, basis: AssetTable | None = None) -> AssetTable:
        """The assets of a snapshot.

        Args:
            basis: another day's, to whose axes vectors are turned (orthogonal Procrustes, Schönemann 1966), since
                eigenvectors of two days have no axes in common.
        """
        positions = Interactions(graph)
        parts = [
            _eigenvectors(similar, dimension)
            for similar, dimension in zip(
                (attribute_matrix(graph), sp.csr_array(positions.ever.T)), DIMENSIONS, strict=True
            )
        ]
        if basis is not None:
            at = find(graph.asset_ids, basis.ids)
            old = np.split(basis.vectors, [DIMENSIONS[0]], axis=1)
            parts = [_turned(part, there, at) for part, there in zip(parts, old, strict=True)]
        held = positions.holders
        ranked = np.argsort(-held, kind="stable")[: np.count_nonzero(held)]
        even = np.unique(np.linspace(0, len(ranked) - 1, min(CONTRASTS, len(ranked))).astype(np.int64))
        vectors = np.concatenate(parts, axis=1)
        return AssetTable(graph.asset_ids, vectors, _popular(positions), held > 0, Positions(ranked[even]))


def _eigenvectors(has: sp.csr_array, dimension: int) -> FloatArray:
    """(n, dimension): rows of the leading eigenvectors of the rows' cosines, each row of unit length, or zero."""
    length = np.sqrt(np.asarray(has.multiply(has).sum(axis=1), np.float64)).ravel()
    unit = sp.csr_array(has.multiply(1.0 / np.maximum(length, 1e-12)[:, None]))
    n = unit.shape[0]
    cosines = sp.csr_array(unit @ unit.T)
    found = np.zeros((n, dimension))
    count = min(dimension, n - 2)
    if count > 0 and cosines.nnz:
        values, vectors = eigsh(cosines, count, v0=np.ones(n), which="LA", rng=0)
        found[:, :count] = (vectors * np.sqrt(np.maximum(values, 0.0)))[:, ::-1]
    return _unit(found)


def _unit(rows: FloatArray) -> FloatArray:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(length > 1e-9, rows / np.maximum(length, 1e-9), 0.0)


def _turned(vectors: FloatArray, old: FloatArray, at: IntArray) -> FloatArray:
    """`vectors` on the axes of `old`; `at` says where each row stands there, -1 for nowhere."""
    both = at >= 0
    if not both.any():
        return vectors
    turn, _ = orthogonal_procrustes(vectors[both], old[at[both]])
    return np.asarray(vectors @ turn, np.float64)


def _popular(positions: Interactions) -> FloatArray:
    """Holders, purchases of the last month and half year, these per holder, and what beginners bought."""
    held = positions.holders
    bought = [positions.bought_within(days) for days in _RECENT]
    columns = [np.log1p(held), *map(np.log1p, bought), *(b / (held + _SMOOTH) for b in bought), _begun(positions)]
    table = np.stack(columns, axis=1)
    some = table[held > 0] if (held > 0).any() else table
    spread = some.std(axis=0)
    return np.where(spread > 1e-9, (table - some.mean(axis=0)) / np.maximum(spread, 1e-9), 0.0)


def _begun(positions: Interactions) -> FloatArray:
    """(assets,) log of what investors who first bought anything in the last half year have; one of n counts 1/n."""
    ever = positions.ever
    size = np.diff(ever.indptr)
    since = np.where(positions.opening, -np.inf, positions.since.astype(np.float64))
    first = np.full(len(size), np.inf)
    np.minimum.at(first, np.repeat(np.arange(len(size)), size), since)
    new = (first > to_days(positions.graph.as_of) - _RECENT[-1]) & (size > 0)
    weight = np.repeat(np.where(new, 1.0 / np.maximum(size, 1), 0.0), size)
    return np.log1p(np.bincount(ever.indices, weight, len(positions.holders)))
