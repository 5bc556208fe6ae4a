"""Edges of the graph as facts that rules use, each with its source and dates; what verdicts cite again is kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Final

import numpy as np

from pathfolio.kg.graph import NO_DAY, IntArray, KnowledgeGraph, to_date, to_days
from pathfolio.kg.schema import RELATION_KINDS, UNDATED, Relation
from pathfolio.kg.span import Rows
from pathfolio.recommender.suitability.verdict import UsedFact

PREDICTED: Final = "predicted"
"""The mark of a level that the source has estimated, and the note of the fact that says so."""

_MEMO_SIZE: Final = 10_000

FactMemo = dict[Hashable, tuple[UsedFact, ...]]
"""Facts that verdicts have cited, by what they are about."""


def kept(memo: FactMemo, key: Hashable, make: Callable[[], Iterable[UsedFact]]) -> tuple[UsedFact, ...]:
    """The facts under `key`, made once."""
    found = memo.get(key)
    if found is None:
        if len(memo) > _MEMO_SIZE:
            memo.clear()
        found = memo[key] = tuple(make())
    return found


def edge_fact(graph: KnowledgeGraph, edge: int, note: str = "") -> UsedFact:
    """One edge of the graph as a fact; a person is never named by it, only by id."""
    edges = graph.edges
    nodes = graph.nodes
    number = next((float(x) for x in (edges.weight[edge], edges.value[edge]) if not np.isnan(x)), None)
    qualifier = str(edges.qualifier[edge])
    return UsedFact(
        head=str(nodes.id[edges.head[edge]]),
        relation=RELATION_KINDS[int(edges.relation[edge])].value,
        tail=str(nodes.id[edges.tail[edge]]),
        value=number,
        source=str(edges.source[edge]),
        as_of=day_text(int(edges.as_of[edge])),
        known_at=day_text(int(edges.known_at[edge])),
        note=note or (qualifier if qualifier == PREDICTED else ""),
    )


def day_text(day: int) -> str:
    """An ISO date; empty for a fact without a date."""
    return "" if day in (NO_DAY, to_days(UNDATED)) else to_date(day).isoformat()


def one_edge(graph: KnowledgeGraph, relation: Relation, rows: Rows) -> IntArray:
    """(len(rows),) the first current edge of `relation` that leaves each node, -1 where there is none."""
    out = graph.outgoing(relation)
    first, last = out.indptr[rows], out.indptr[rows + 1]
    if not len(out.edge):
        return np.full(len(rows), -1, np.int64)
    return np.where(last > first, out.edge[np.minimum(first, len(out.edge) - 1)], -1)
