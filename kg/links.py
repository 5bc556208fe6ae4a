"""`Links`: the steps of metapaths as sparse matrices over a snapshot's nodes, scaled by degrees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.metapaths import Metapath, Step
from pathfolio.kg.schema import RELATIONS, Relation, Role

DAMPING: Final = 0.4
"""Exponent of degrees in the score of a path, as published for the degree-weighted path count."""

_WEIGHTED: Final = frozenset(
    relation for relation, spec in RELATIONS.items() if spec.weight and spec.role is not Role.POSITION
)
"""Relations whose weight multiplies a path's score (look-through); positions count 1 whatever their size."""

Hop = tuple[Step, ...]
"""One step, or two of which the first leads to other investors and the second away from them."""


@dataclass(frozen=True)
class Link:
    """A hop as a matrix in compressed rows, column numbers ascending.

    Attributes:
        indptr: (n + 1,) int64.
        indices: (e,) int32, rows of nodes.
        score: (e,) float64, what the hop multiplies a path's score by.
        count: (e,) int32 how many other investors stand between, None for a single step.
    """

    indptr: IntArray
    indices: npt.NDArray[np.int32]
    score: FloatArray
    count: npt.NDArray[np.int32] | None = None

    def degree(self, rows: IntArray) -> IntArray:
        """How many entries each of `rows` has."""
        return self.indptr[rows + 1] - self.indptr[rows]

    def expand(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """All entries of all `rows`: which of `rows` (e,), and the entry's position (e,)."""
        degree = self.degree(rows)
        owner = np.repeat(np.arange(len(rows)), degree)
        ends = np.cumsum(degree)
        at = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - degree, degree)
        return owner, at + np.repeat(self.indptr[rows], degree)

    def lookup(self, rows: IntArray, columns: IntArray) -> IntArray:
        """The position of entry (row, column), -1 where there is none; both (k,)."""
        if not len(self.indices):
            return np.full(len(rows), -1, np.int64)
        keys, n = self._keys
        wanted = rows * n + columns
        order = np.argsort(wanted)  # in order, the search stays in the cache
        ordered = wanted[order]
        at = np.minimum(np.searchsorted(keys, ordered), len(keys) - 1)
        out = np.empty(len(wanted), np.int64)
        out[order] = np.where(keys[at] == ordered, at, -1)
        return out

    @cached_property
    def _keys(self) -> tuple[IntArray, int]:
        n = len(self.indptr) - 1
        return np.repeat(np.arange(n), np.diff(self.indptr)) * n + self.indices, n


class Links:
    """The links of one snapshot, each made when it is first needed.

    A step from i to j over relation r is worth weight * d_out(head)^-0.4 * d_in(tail)^-0.4 with the degrees of r
    (Himmelstein and Baranzini, "Heterogeneous Network Edge Prediction", PLOS Computational Biology 2015); two
    steps through other investors are worth the sum over these.
    """

    def __init__(self, graph: KnowledgeGraph, damping: float = DAMPING) -> None:
        """Make nothing yet."""
        self.graph = graph
        self.damping = damping
        self._made: dict[tuple[Hop, bool], Link] = {}
        self._relations: dict[Relation, sp.csr_array] = {}

    def hops(self, metapath: Metapath) -> tuple[Hop, ...]:
        """The metapath with the two steps through other investors as one hop."""
        out: list[Hop] = []
        for at, step in enumerate(metapath.steps):
            if at in metapath.through_others:
                out[-1] = (*out[-1], step)
            else:
                out.append((step,))
        return tuple(out)

    def link(self, hop: Hop, *, back: bool = False) -> Link:
        """The hop's matrix; with `back`, from where it ends to where it starts."""
        if (hop, back) not in self._made:
            made = self._single(hop[0], back=back) if len(hop) == 1 else self._through_others(hop, back=back)
            self._made[hop, back] = made
        return self._made[hop, back]

    def occurs(self, metapath: Metapath) -> bool:
        """Whether all its relations have edges."""
        return all(len(self.graph.edges_between(relation)) for relation in set(metapath.relations))

    def step_score(self, step: Step, start: IntArray, end: IntArray) -> FloatArray:
        """(k,) the score of each step from `start` to `end`, 0 where there is none."""
        link = self.link((step,))
        at = link.lookup(start, end)
        return np.where(at >= 0, link.score[at] if len(link.score) else 0.0, 0.0)

    def _single(self, step: Step, *, back: bool) -> Link:
        matrix = self._scaled(step.relation)
        if step.forward == back:
            matrix = sp.csr_array(matrix.T)
            matrix.sort_indices()
        return Link(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data)

    def _through_others(self, hop: Hop, *, back: bool) -> Link:
        first, second = hop if not back else (Step(hop[1].relation, False), Step(hop[0].relation, True))
        score = sp.csr_array(self._scaled(first.relation).T @ self._scaled(second.relation))
        count = sp.csr_array(_ones(self._scaled(first.relation)).T @ _ones(self._scaled(second.relation)))
        score.sort_indices()
        count.sort_indices()
        return Link(score.indptr.astype(np.int64), score.indices.astype(np.int32), score.data, count.data)

    def _scaled(self, relation: Relation) -> sp.csr_array:
        """(nodes, nodes) from head to tail."""
        if relation not in self._relations:
            graph = self.graph
            n = len(self.graph)
            at = graph.edges_between(relation)
            head, tail = graph.edges.head[at].astype(np.int64), graph.edges.tail[at].astype(np.int64)
            out, into = (np.bincount(end, minlength=n).astype(np.float64) for end in (head, tail))
            score = (out[head] * into[tail]) ** -self.damping
            if relation in _WEIGHTED:
                weight = graph.edges.weight[at]
                score = score * np.where(np.isnan(weight), 1.0, weight)
            matrix = sp.csr_array((score, (head, tail)), (n, n))
            matrix.sort_indices()
            self._relations[relation] = matrix
        return self._relations[relation]


def _ones(matrix: sp.csr_array) -> sp.csr_array:
    return sp.csr_array((np.ones(len(matrix.indices), np.int32), matrix.indices, matrix.indptr), matrix.shape)
