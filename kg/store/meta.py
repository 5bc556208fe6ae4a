"""What a store says of the graph that it holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from pathfolio.kg.errors import SchemaError, StoreError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import SCHEMA_VERSION
from pathfolio.kg.store.layout import READ_META, WRITE_META

if TYPE_CHECKING:
    from pathfolio.kg.store.bolt import Store

LOADING: Final = "loading"
COMPLETE: Final = "complete"


@dataclass(frozen=True)
class StoredGraph:
    """The node that stands beside the graph and describes it.

    Attributes:
        state: "loading" from a load's first write to its last, else "complete".
        content_hash: of the snapshot that was loaded; what was changed in the store since is not in it.
        nodes, relations: how many were loaded, dated versions counted each.
        layout: the version of `pathfolio.kg.store.layout` that it was loaded in.
        embedding_model: the vectors that stand in the nodes' property `embedding`; empty where there are none.
    """

    name: str
    is_sample: bool
    as_of: date
    schema_version: int
    content_hash: str
    state: str
    nodes: int
    relations: int
    embedding_model: str = ""
    layout: int = 1

    def check_usable(self, where: str) -> None:
        """Refuse what another version of the schema wrote, and a load that was not finished.

        Raises:
            SchemaError: another schema.
            StoreError: the load was broken off.
        """
        if self.schema_version != SCHEMA_VERSION:
            raise SchemaError(
                f"{where} holds a graph of schema version {self.schema_version}, not {SCHEMA_VERSION}: "
                "load it into an empty database with this version of pathfolio"
            )
        if self.state != COMPLETE:
            raise StoreError(f"{where} holds a graph whose load was broken off: run `pathfolio graph load` again")


def stored_graph(store: Store) -> StoredGraph | None:
    """What the store says of its graph; None where it holds none of ours."""
    found = store.read(READ_META)
    if not found:
        return None
    about = found[0][0]
    return StoredGraph(
        name=str(about.get("name", "")),
        is_sample=bool(about.get("is_sample")),
        as_of=date.fromisoformat(str(about["as_of"])),
        schema_version=int(about.get("schema_version", 0)),
        content_hash=str(about.get("content_hash", "")),
        state=str(about.get("state", LOADING)),
        nodes=int(about.get("nodes", 0)),
        relations=int(about.get("relations", 0)),
        embedding_model=str(about.get("embedding_model", "")),
        layout=int(about.get("layout", 1)),
    )


def write_state(store: Store, graph: KnowledgeGraph, state: str, layout: int) -> None:
    """Say that `graph` is being loaded, or that it is there, all of it in this version of the layout or a later one."""
    about = {
        "name": graph.name,
        "is_sample": graph.is_sample,
        "as_of": graph.as_of,
        "schema_version": SCHEMA_VERSION,
        "content_hash": graph.content_hash,
        "state": state,
        "nodes": len(graph.nodes),
        "relations": len(graph.edges),
        "layout": layout,
    }
    store.write(WRITE_META, properties=about)
