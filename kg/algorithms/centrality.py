"""How central nodes are: PageRank and betweenness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from msgspec import Meta

from pathfolio.kg.algorithms.excerpt import Excerpt
from pathfolio.kg.algorithms.protocol import NODE_COLUMNS, Algorithm, AlgorithmTable, Seed
from pathfolio.kg.graph import FloatArray, IntArray

_BATCH: Final = 64
"""Sources whose shortest paths are counted together."""


class PageRank(Algorithm, frozen=True, kw_only=True):
    """Page et al. 1999, by NetworkX: how often a walker comes by who follows relations and now and then starts anew."""

    name: ClassVar[str] = "pagerank"

    damping: Annotated[float, Meta(ge=0, lt=1)] = 0.85
    directed: bool = False
    start: str = ""

    def run(self, excerpt: Excerpt) -> AlgorithmTable:
        """Columns kind, id, name and score; the scores of all nodes add up to 1."""
        import networkx as nx

        begins = {excerpt.place_of(self.start): 1.0} if self.start else None
        graph = excerpt.drawn(directed=self.directed)
        scores = nx.pagerank(graph, alpha=self.damping, personalization=begins, tol=1e-10, max_iter=1000)
        return _ranked(excerpt, np.array([scores[place] for place in range(len(excerpt))]))


class Betweenness(Algorithm, frozen=True, kw_only=True):
    """Brandes 2001: on what share of the shortest paths between two others a node lies.

    Attributes:
        sources: from how many nodes, drawn at random, paths are counted (Brandes and Pich 2007); 0 for all, exactly.
    """

    name: ClassVar[str] = "betweenness"

    sources: Annotated[int, Meta(ge=0)] = 512
    directed: bool = False
    seed: Seed = 0

    def run(self, excerpt: Excerpt) -> AlgorithmTable:
        """Columns kind, id, name and score, from 0 to 1; weights do not count."""
        ties = excerpt.ties if self.directed else excerpt.both_ways
        n = len(excerpt)
        count = min(self.sources or n, n)
        chosen = np.sort(np.random.default_rng(self.seed).choice(n, count, replace=False))
        through = sum((_through(ties, part) for part in np.array_split(chosen, -(-count // _BATCH))), np.zeros(n))
        pairs = max((n - 1) * (n - 2), 1)
        return _ranked(excerpt, through * (n / count) / pairs)


def _through(ties: sp.csr_array[np.float64, tuple[int, int]], sources: IntArray) -> FloatArray:
    """(n,) the shares of shortest paths from `sources` that lead through each node, summed over their ends.

    Brandes' two passes, for all sources at a time: outwards, level by level, the number of shortest paths to each node;
    back inwards, what each node hands on of those beyond it. A tie counts once, whatever its weight.
    """
    onwards = sp.csr_array((np.ones(ties.nnz), ties.indices, ties.indptr), shape=ties.shape)
    backwards = sp.csr_array(onwards.T)
    paths = np.zeros((ties.shape[0], len(sources)))
    paths[sources, np.arange(len(sources))] = 1
    levels = [paths > 0]
    front = paths.copy()
    while True:
        front = np.where(paths > 0, 0, np.asarray(backwards @ front))
        if not front.any():
            break
        paths += front
        levels.append(front > 0)
    beyond = np.zeros_like(paths)
    for farther, nearer in zip(levels[:0:-1], levels[-2::-1], strict=True):
        share = np.divide(1 + beyond, paths, out=np.zeros_like(paths), where=farther)
        beyond += np.where(nearer, (onwards @ share) * paths, 0)
    beyond[sources, np.arange(len(sources))] = 0
    found: FloatArray = beyond.sum(axis=1)
    return found


def _ranked(excerpt: Excerpt, scores: npt.NDArray[np.float64]) -> AlgorithmTable:
    """The nodes by their score, highest first."""

    def rows() -> Iterator[tuple[Any, ...]]:
        for place in np.argsort(-scores, kind="stable").tolist():
            yield (*excerpt.named(place), float(scores[place]))

    return AlgorithmTable((*NODE_COLUMNS, "score"), rows())
