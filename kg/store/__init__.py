"""The graph in a Bolt server: Neo4j where there is one, on a fresh machine the embedded server.

The driver is imported by `pathfolio.kg.store.bolt` alone, the embedded server by `pathfolio.kg.store.embedded` alone;
both only when a store is used.
"""

from pathfolio.kg.store.read import read_graph

__all__ = ["read_graph"]
