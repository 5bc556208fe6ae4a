"""Popularity within the investor's segment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Positions
from pathfolio.recommender.baselines.popularity import all_pairs, holders, recent_purchases

_BY: Final = (Relation.HAS_RISK, Relation.IN_SEGMENT)
_OTHERS: Final = 0.05
_TIE: Final = 1e-4


def segment_of(graph: KnowledgeGraph) -> npt.NDArray[np.int64]:
    """(investors,) a number for each combination of risk level and segment that occurs; unknown is a level too."""
    levels = np.full((len(graph.users), len(_BY)), -1, np.int64)
    for column, relation in enumerate(_BY):
        out = graph.outgoing(relation)
        start = out.indptr[graph.users]
        has = out.degree()[graph.users] > 0
        levels[has, column] = out.neighbour[start[has]]
    _, codes = np.unique(levels, axis=0, return_inverse=True)
    return codes.reshape(-1).astype(np.int64)


@dataclass(frozen=True)
class SegmentModel:
    """Counts within the investor's segment plus a little of the counts of all, which decides where it is small.

    Demographic recommendation in its simplest form (Pazzani 1999, "A Framework for Collaborative, Content-Based and
    Demographic Filtering").

    Attributes:
        recent: count the purchases of the last 30 days, not all positions ever.
    """

    graph: KnowledgeGraph
    recent: bool

    @cached_property
    def _table(self) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Each investor's segment, and (segments, assets) scores."""
        segment = segment_of(self.graph)
        pairs = recent_purchases(self.graph) if self.recent else all_pairs(self.graph)
        counts = np.zeros((int(segment.max(initial=0)) + 1, len(self.graph.assets)))
        np.add.at(counts, (segment[pairs.user], pairs.asset), pairs.weight)
        return segment, counts + _OTHERS * counts.sum(axis=0) + _TIE * holders(self.graph)

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64."""
        segment, table = self._table
        return table[segment[users]]

    def refresh(self, graph: KnowledgeGraph) -> SegmentModel:
        """Counted again."""
        return SegmentModel(graph, self.recent)


def fit_segment(graph: KnowledgeGraph, seed: int = 0) -> SegmentModel:
    """Popularity by segment; `seed` changes nothing."""
    return SegmentModel(graph, recent=False)


def fit_recent_segment(graph: KnowledgeGraph, seed: int = 0) -> SegmentModel:
    """Recent popularity by segment; `seed` changes nothing."""
    return SegmentModel(graph, recent=True)
