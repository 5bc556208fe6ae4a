"""A graph without its people: what is handed on, or asked by anybody who is not their adviser."""

from __future__ import annotations

import numpy as np

from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import KIND_CODE, NodeKind


def without_investors(graph: KnowledgeGraph) -> KnowledgeGraph:
    """`graph` without investors and all that is said about them; assets, funds and facts stay as they are.

    What is not there cannot be asked for, however a query is worded.
    """
    keep_node = graph.nodes.kind != KIND_CODE[NodeKind.USER]
    keep_edge = np.ones(len(graph.edges), bool)
    return graph.part(keep_node, keep_edge, graph.as_of, f"{graph.name} without investors")
