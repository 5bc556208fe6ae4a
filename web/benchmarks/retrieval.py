"""Retrieval of the best assets by vectors: the exact product, and FAISS against it up to a million assets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import numpy as np

from pathfolio.recommender.build import Build
from pathfolio.recommender.retrieve_index import EXACT_UP_TO, ExactIndex, FaissIndex, Vectors, recall
from pathfolio.web.benchmarks.measured import Measured, seconds

SIZES: Final = (10_000, EXACT_UP_TO, 1_000_000)
QUERIES: Final = 64
DIMENSION: Final = 64
TASTES: Final = 2000
"""Generated assets gather around so many points, as assets of one industry and market do."""


def retrieval(_build: Build) -> list[Measured]:
    """Top ten of generated assets for one query at a time, as a site asks; recall over `QUERIES` of them."""
    return [figure for size in SIZES for figure in _at(size)]


def generated(assets: int, queries: int, seed: int = 0) -> tuple[Vectors, Vectors]:
    """(assets, DIMENSION) and (queries, DIMENSION) float32 around common points, the assets' lengths lognormal.

    Column j varies by 1 / sqrt(j), as learned vectors do: most of what they say is in few directions.
    """
    rng = np.random.default_rng(seed)
    spread = (np.arange(1, DIMENSION + 1) ** -0.5).astype(np.float32)
    points = rng.standard_normal((TASTES, DIMENSION), np.float32) * spread
    made = []
    for count in (assets, queries):
        vectors = points[rng.integers(0, TASTES, count)]
        vectors += 0.7 * spread * rng.standard_normal((count, DIMENSION), np.float32)
        made.append(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    made[0] *= rng.lognormal(0.0, 0.2, (assets, 1)).astype(np.float32)
    return made[0], made[1]


def _at(size: int) -> Iterator[Measured]:
    vectors, queries = generated(size, QUERIES)
    exact = ExactIndex(vectors)
    ours = seconds(lambda: [exact.search(query[None], 10) for query in queries[:8]], runs=3) / 8
    yield Measured(f"exact top 10 of {size:,}", ours * 1e3, "ms")
    if size <= EXACT_UP_TO:
        return
    start = time.perf_counter()
    index = FaissIndex.build(vectors)
    yield Measured(f"FAISS: index of {size:,}", time.perf_counter() - start, "s")
    truth = exact.search(queries, 10)[0]
    for probes in (8, 32, 125):
        index.index.nprobe = probes
        took = seconds(lambda: [index.search(query[None], 10) for query in queries], runs=3) / QUERIES
        name = f"FAISS top 10 of {size:,}, {probes} cells"
        yield Measured(name, took * 1e3, "ms", "the exact product", ours * 1e3)
        yield Measured(f"  recall at 10, {probes} cells", recall(index.search(queries, 10)[0], truth), "")
