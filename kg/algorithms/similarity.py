"""What is alike: nodes of one kind by the neighbours that they share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
import scipy.sparse as sp
from msgspec import Meta

from pathfolio.kg.algorithms.excerpt import Excerpt
from pathfolio.kg.algorithms.protocol import NODE_COLUMNS, Algorithm, AlgorithmTable, Neighbours
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import IntArray
from pathfolio.kg.schema import KIND_CODE, NodeKind

_BLOCK: Final = 1024
"""Nodes that are compared with all others at a time."""


class Similarity(Algorithm, frozen=True, kw_only=True):
    """Neighbours in common, by Jaccard (of all that either has) or overlap (of what the one with fewer has).

    Attributes:
        of: the kind of node that is compared, or one node by its id or Kind:id, with the others of its kind.
        k: how many of the most alike are listed for each node.
        least: pairs that are less alike are left out.
    """

    name: ClassVar[str] = "similarity"

    of: str = NodeKind.STOCK.value
    measure: Literal["jaccard", "overlap"] = "jaccard"
    k: Neighbours = 10
    least: Annotated[float, Meta(ge=0, le=1)] = 0.0

    def run(self, excerpt: Excerpt) -> AlgorithmTable:
        """Columns kind, id, name, other_kind, other_id, other_name, similarity and common (how many)."""
        kinds = excerpt.graph.nodes.kind[excerpt.rows]
        if self.of in list(NodeKind):
            asked = np.flatnonzero(kinds == KIND_CODE[NodeKind(self.of)])
            among = asked
        else:
            asked = np.array([excerpt.place_of(self.of)])
            among = np.flatnonzero(kinds == kinds[asked[0]])
        if not len(asked):
            raise UsageError(f"no {self.of} has a relation among those chosen: choose others with relations or kinds")
        others = tuple(f"other_{name}" for name in NODE_COLUMNS)
        return AlgorithmTable((*NODE_COLUMNS, *others, "similarity", "common"), self._rows(excerpt, asked, among))

    def _rows(self, excerpt: Excerpt, asked: IntArray, among: IntArray) -> Iterator[tuple[Any, ...]]:
        ties = excerpt.both_ways
        ones = sp.csr_array((np.ones(ties.nnz), ties.indices, ties.indptr), shape=ties.shape)
        theirs = sp.csc_array(ones[among].T)
        sizes = np.diff(ones.indptr)
        for start in range(0, len(asked), _BLOCK):
            block = asked[start : start + _BLOCK]
            common = sp.csr_array(ones[block] @ theirs)
            for at, place in enumerate(block.tolist()):
                span = slice(common.indptr[at], common.indptr[at + 1])
                other = among[common.indices[span]]
                yield from self._of_one(excerpt, place, other, common.data[span].astype(np.int64), sizes)

    def _of_one(
        self, excerpt: Excerpt, place: int, other: IntArray, common: IntArray, sizes: IntArray
    ) -> Iterator[tuple[Any, ...]]:
        """The most alike of one node: `other` share `common` neighbours with it."""
        smaller = np.minimum(sizes[place], sizes[other])
        either = smaller if self.measure == "overlap" else sizes[place] + sizes[other] - common
        alike = common / either
        order = np.lexsort((other, -common, -alike))
        best = order[(other[order] != place) & (alike[order] >= self.least)][: self.k]
        for at in best.tolist():
            yield (*excerpt.named(place), *excerpt.named(int(other[at])), float(alike[at]), int(common[at]))
