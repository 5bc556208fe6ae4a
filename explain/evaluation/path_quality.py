"""Properties of the shown paths as published: LIR, SEP and ETD.

Balloccu, Boratto, Fenu, Marras, "Post Processing Recommender Systems with Knowledge Graphs for Recency, Popularity,
and Diversity of Explanations", SIGIR 2022. Each is between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np

from pathfolio.explain.evidence import Path
from pathfolio.explain.explanation import Explanation
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.schema import NODE_KINDS, NodeKind
from pathfolio.kg.span import Row
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.retrieve import user_position

DECAY: Final = 0.3
"""beta of the exponential moving averages, as in the paper."""


class PathQuality:
    """LIR, SEP and ETD of the paths that one snapshot's explanations show.

    Args:
        graph: the snapshot.
        decay: weight of the newer value in the moving averages.
    """

    def __init__(self, graph: KnowledgeGraph, decay: float = DECAY) -> None:
        """Compute nothing yet."""
        self.graph = graph
        self.decay = decay
        self._interactions = Interactions(graph)

    def linking_interaction_recency(self, path: Path) -> float:
        """LIR: how recent the interaction is with which the path begins; NaN for a path that begins with an answer."""
        asset = self.graph.asset_span.position(self._row(path.nodes[1].kind, path.nodes[1].id))
        user = user_position(self.graph, str(path.nodes[0].id))
        ever = self._interactions.ever
        start = self._interactions.ever.indptr
        held = ever.indices[start[user] : start[user + 1]]
        place = np.flatnonzero(held == asset)
        if not len(place):
            return float("nan")
        recency = self._averaged(self._interactions.since[start[user] : start[user + 1]].astype(np.float64))
        return float(recency[place[0]])

    def shared_entity_popularity(self, path: Path) -> float:
        """SEP: how popular the node before the asset is among those of its kind; NaN for other investors, summed up."""
        entity = path.nodes[-2]
        return float("nan") if entity.id is None else float(self._popularity[self._row(entity.kind, entity.id)])

    def explanation_type_diversity(self, paths: Sequence[Path], types: int) -> float:
        """ETD: different relations before the asset in a list's shown paths, over min(list length, `types`)."""
        if not paths:
            return float("nan")
        return len({path.relations[-1] for path in paths}) / min(len(paths), types)

    def of_lists(self, lists: Sequence[Sequence[Explanation]]) -> dict[str, float]:
        """Means over investors' lists; each asset is shown with its largest path."""
        shown = [[max(e.paths, key=lambda p: p.contribution) for e in explained if e.paths] for explained in lists]
        types = len({path.relations[-1] for paths in shown for path in paths})
        lir = [self.linking_interaction_recency(path) for paths in shown for path in paths]
        sep = [self.shared_entity_popularity(path) for paths in shown for path in paths]
        etd = [self.explanation_type_diversity(paths, types) for paths in shown if paths]
        return {name: _mean(values) for name, values in (("LIR", lir), ("SEP", sep), ("ETD", etd))}

    def _row(self, kind: str, key: str | None) -> Row:
        return self.graph.row(NodeKind(kind), str(key))

    @cached_property
    def _popularity(self) -> FloatArray:
        """(nodes,) SEP of each node: the moving average over its kind, from the least popular on."""
        edges = self.graph.edges.take(self.graph.current)
        degree = np.bincount(np.concatenate([edges.head, edges.tail]), minlength=len(self.graph)).astype(np.float64)
        out = np.zeros(len(self.graph))
        for kind in NODE_KINDS:
            rows = self.graph.rows(kind)
            if len(rows):
                out[rows] = self._averaged(degree[rows])
        return out

    def _averaged(self, values: FloatArray) -> FloatArray:
        """m_i = (1 - beta) m_(i-1) + beta v_i over rising values, then scaled to 0..1; one value alone is 1."""
        order: IntArray = np.argsort(values, kind="stable")
        rising, average = values[order], np.empty(len(values))
        average[0] = rising[0]
        for at in range(1, len(rising)):
            same = rising[at] == rising[at - 1]
            average[at] = average[at - 1] if same else (1 - self.decay) * average[at - 1] + self.decay * rising[at]
        spread = average[-1] - average[0]
        out = np.empty(len(values))
        out[order] = (average - average[0]) / spread if spread else 1.0
        return out


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
