"""`learning_excerpt`: of a large market, as much as powers of demand and momentum are learned from.

They are a handful of numbers that hold for all: tens of thousands of positions tell them as well as millions do, and
each morning and quarter of the past that they are learned from costs a model of its own. The excerpt is a market in
itself: counts, weights and purchases are made of it by the code that makes them of the whole.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.span import Positions
from pathfolio.recommender.evaluation.mornings import restricted
from pathfolio.recommender.interactions import Interactions

MOST_POSITIONS: Final = 90_000
"""Assets that an investor holds or held; a market of no more is learned from as it is."""

MOST_ASSETS: Final = 1_000
"""Those that most investors hold or held; a model of the rest takes most of the time, and they are rarely bought."""


def learning_excerpt(
    graph: KnowledgeGraph, most_positions: int = MOST_POSITIONS, most_assets: int = MOST_ASSETS
) -> KnowledgeGraph:
    """`graph` itself where it has at most so many positions, else so many of its most held assets, and as many
    investors, drawn at random, as have so many positions in these.

    The same graph gives the same excerpt.
    """
    interactions = Interactions(graph)
    if interactions.ever.nnz <= most_positions:
        return graph
    assets = Positions(np.sort(np.argsort(-interactions.holders, kind="stable")[:most_assets]))
    number = np.diff(interactions.ever[:, assets].indptr)
    drawn = np.random.default_rng(0).permutation(len(number))
    users = Positions(drawn[np.cumsum(number[drawn]) <= most_positions])
    nodes = np.ones(len(graph), bool)
    nodes[graph.users] = nodes[graph.assets] = False
    nodes[graph.user_span.row(users)] = nodes[graph.asset_span.row(assets)] = True
    return restricted(graph, nodes, nodes[graph.edges.head] & nodes[graph.edges.tail])
