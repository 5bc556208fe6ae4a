"""What belongs together: communities by Louvain and Leiden, which make modularity large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar

import numpy as np
import scipy.sparse as sp
from msgspec import Meta

from pathfolio.kg.algorithms.excerpt import Excerpt
from pathfolio.kg.algorithms.protocol import NODE_COLUMNS, Algorithm, AlgorithmTable, Resolution, Seed


class Louvain(Algorithm, frozen=True, kw_only=True):
    """Blondel et al. 2008, by NetworkX."""

    name: ClassVar[str] = "louvain"

    resolution: Resolution = 1.0
    seed: Seed = 0

    def run(self, excerpt: Excerpt) -> AlgorithmTable:
        """Columns kind, id, name, community and size."""
        import networkx as nx

        found = nx.community.louvain_communities(excerpt.drawn(), resolution=self.resolution, seed=self.seed)
        return _grouped(excerpt, found)


class Leiden(Algorithm, frozen=True, kw_only=True):
    """Traag et al. 2019, by graspologic-native: as Louvain, and no community falls apart.

    Attributes:
        trials: of several runs the best one is taken.
    """

    name: ClassVar[str] = "leiden"

    resolution: Resolution = 1.0
    trials: Annotated[int, Meta(ge=1, le=100)] = 1
    seed: Seed = 0

    def run(self, excerpt: Excerpt) -> AlgorithmTable:
        """Columns kind, id, name, community and size."""
        from graspologic_native import leiden

        half = sp.coo_array(sp.triu(excerpt.both_ways))
        ties = zip(map(str, half.row.tolist()), map(str, half.col.tolist()), half.data.tolist(), strict=True)
        _quality, community = leiden(list(ties), resolution=self.resolution, seed=self.seed, trials=self.trials)
        alone = len(set(community.values()))  # a node with a tie to itself alone is in no list of ties
        groups: dict[int, set[int]] = {}
        for place in range(len(excerpt)):
            groups.setdefault(community.get(str(place), alone + place), set()).add(place)
        return _grouped(excerpt, groups.values())


def _grouped(excerpt: Excerpt, groups: Iterable[set[int]]) -> AlgorithmTable:
    """Communities numbered from the largest one; within one, the nodes with the most ties first."""
    degree = np.diff(excerpt.both_ways.indptr)
    ordered = sorted(groups, key=lambda group: (-len(group), min(group)))

    def rows() -> Iterator[tuple[Any, ...]]:
        for number, group in enumerate(ordered):
            for place in sorted(group, key=lambda place: (-degree[place], place)):
                yield (*excerpt.named(place), number, len(group))

    return AlgorithmTable((*NODE_COLUMNS, "community", "size"), rows())
