"""The graph without its investors: what analysts may ask."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from pathfolio.kg.graph import Edges, KnowledgeGraph
from pathfolio.kg.schema import KIND_CODE, NodeKind


def without_investors(graph: KnowledgeGraph) -> KnowledgeGraph:
    """`graph` without investors and all that is said about them; assets, funds and facts stay as they are.

    What is not there cannot be asked for, however a query is worded.
    """
    keep_node = graph.nodes.kind != KIND_CODE[NodeKind.USER]
    keep_edge = keep_node[graph.edges.head] & keep_node[graph.edges.tail]
    new_row = np.cumsum(keep_node, dtype=np.int32) - 1
    edges = graph.edges.take(keep_edge)
    moved = {"head": new_row[edges.head].astype(np.int32), "tail": new_row[edges.tail].astype(np.int32)}
    columns = {f.name: getattr(edges, f.name) for f in fields(edges)} | moved
    name = f"{graph.name} without investors"
    return KnowledgeGraph(graph.nodes.take(keep_node), Edges(**columns), graph.as_of, name, graph.is_sample)
