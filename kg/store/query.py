"""Ask a store as an analyst: checked, bounded, and with nothing of the driver in the answer."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pathfolio.kg.store.answer import Limits
from pathfolio.kg.store.dialect import for_embedded
from pathfolio.kg.store.guard import check_query
from pathfolio.kg.store.meta import stored_graph
from pathfolio.kg.store.tokens import tokens_of
from pathfolio.kg.store.values import NodeValue, RelationValue, parts, to_json

if TYPE_CHECKING:
    from pathfolio.kg.store.bolt import Store


@dataclass(frozen=True)
class QueryResult:
    """What a query answered.

    Attributes:
        rows: plain values: numbers, texts, dates, lists, maps, and nodes, relations and paths of
            `pathfolio.kg.store.values`.
        cut: the limit that cut the answer short, such as "10,000 rows"; None where it is whole.
        seconds: from asking to the last row.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: str | None
    seconds: float

    @property
    def truncated(self) -> bool:
        """Whether there is more than was fetched."""
        return self.cut is not None

    @cached_property
    def nodes(self) -> tuple[NodeValue, ...]:
        """Each node in the answer once, for a drawing."""
        found = {part.key: part for part in parts(list(self.rows)) if isinstance(part, NodeValue)}
        return tuple(found.values())

    @cached_property
    def relations(self) -> tuple[RelationValue, ...]:
        """Each relation whose two ends are in the answer once, for a drawing."""
        keys = {node.key for node in self.nodes}
        found = [part for part in parts(list(self.rows)) if isinstance(part, RelationValue)]
        distinct = {(r.head, r.kind, r.tail, tuple(sorted(map(str, r.properties.items())))): r for r in found}
        return tuple(r for r in distinct.values() if r.head in keys and r.tail in keys)

    def to_json(self) -> dict[str, Any]:
        """columns, rows in JSON's types, truncated (the limit's name, or null) and seconds."""
        rows = [[to_json(value) for value in row] for row in self.rows]
        return {"columns": list(self.columns), "rows": rows, "truncated": self.cut, "seconds": round(self.seconds, 3)}

    def drawing(self) -> dict[str, Any]:
        """nodes: key, kind, id and name of each; relations: head, tail (keys), relation and properties of each."""
        nodes = [{"key": n.key, "kind": n.kind, "id": n.id, "name": n.name} for n in self.nodes]
        relations = [{"head": r.head, "tail": r.tail} | r.to_json() for r in self.relations]
        return {"nodes": nodes, "relations": relations}


def run_query(
    store: Store, text: str, parameters: Mapping[str, object] | None = None, limits: Limits | None = None
) -> QueryResult:
    """Run a query that only reads, within limits. `$as_of` is the graph's own day where it is used and not given.

    Raises:
        QueryError: the query was refused, here or by the server.
        QueryStoppedError: it ran past its time.
        StoreError: the server does not answer.
    """
    limits = limits or Limits()
    given = dict(parameters or {})
    checked = check_query(text, given)
    if "as_of" not in given and _uses(text, "as_of"):
        about = stored_graph(store)
        if about is not None:
            given["as_of"] = about.as_of
    if store.dialect == "arcadedb":
        checked = for_embedded(checked)
    begun = time.perf_counter()
    answer = store.ask(checked, given, limits)
    return QueryResult(answer.columns, tuple(answer.rows), answer.cut, time.perf_counter() - begun)


def _uses(text: str, parameter: str) -> bool:
    if not re.search(rf"\$`?{parameter}", text):
        return False
    return any(token.kind == "parameter" and token.text[1:].strip("`") == parameter for token in tokens_of(text))
