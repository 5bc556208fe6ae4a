"""The inner temporal split that the graph attention network is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import KnowledgeGraph, Mask, to_days
from pathfolio.kg.schema import POSITION_CODES
from pathfolio.kg.span import Positions
from pathfolio.recommender.interactions import Interactions

FEWEST_PURCHASES: Final = 200
"""With fewer first purchases in the inner window a random fifth of all positions is hidden instead."""

HIDDEN: Final = 0.2


@dataclass(frozen=True)
class InnerSplit:
    """The snapshot with later positions taken away, and what was first bought then.

    Attributes:
        past: the same nodes as in the snapshot; positions as they were known earlier.
        user, asset: (p,) positions of the purchases to rank; their investors have positions in `past`.
    """

    past: KnowledgeGraph
    user: Positions
    asset: Positions


def inner_split(graph: KnowledgeGraph, horizon_days: int, rng: np.random.Generator) -> InnerSplit:
    """Purchases of the last `horizon_days`; a random fifth of all positions where there are too few of those."""
    edges = graph.edges
    is_position = np.isin(edges.relation, POSITION_CODES)
    recent = is_position & (edges.known_at > to_days(graph.as_of - timedelta(days=horizon_days)))
    split = _without_positions(graph, recent)
    if len(split.user) < FEWEST_PURCHASES:
        pair = edges.head.astype(np.int64) * len(graph) + edges.tail
        hidden = np.unique(pair[is_position])
        hidden = hidden[rng.random(len(hidden)) < HIDDEN]
        split = _without_positions(graph, is_position & np.isin(pair, hidden))
    return split


def _without_positions(graph: KnowledgeGraph, hidden: Mask) -> InnerSplit:
    past = KnowledgeGraph(graph.nodes, graph.edges.take(~hidden), graph.as_of, graph.name, graph.is_sample)
    now, before = Interactions(graph).ever, Interactions(past).ever
    new = sp.coo_array(now - before.multiply(now))
    known = np.diff(before.indptr)[new.row] > 0
    bought = known & (new.data > 0)
    user, asset = (Positions(place[bought].astype(np.int64)) for place in (new.row, new.col))
    return InnerSplit(past, user, asset)
