"""From which day to which day each dated relation was the current one."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.graph import Days, Edges, KnowledgeGraph, to_days
from pathfolio.kg.schema import POSITION_CODES, RELATION_CODE, RELATIONS, Replaces, Role

STILL_CURRENT: Final = to_days(date(9999, 12, 31))
"""Stands as the end of what nothing has replaced yet."""

_Rows = npt.NDArray[np.int64]


def lifetimes(graph: KnowledgeGraph) -> tuple[Days, Days]:
    """Days since 1970, (m,) int32 each: edge e is current in `graph.at(D)` where from[e] <= D < until[e].

    An edge can be seen from the day on which it, its fact's own date and both its ends are known; it is current
    until the day on which the first version that replaces it can be seen. Of a version that came to be known only
    after its successor, `until` is not later than `from`.
    """
    edges = graph.edges
    known = graph.nodes.known_at
    start = np.maximum.reduce([edges.as_of, edges.known_at, known[edges.head], known[edges.tail]])
    until = np.full(len(edges), STILL_CURRENT, np.int32)
    held = np.flatnonzero(np.isin(edges.relation, POSITION_CODES))
    _end_by_newer(edges, start, until, held, [edges.head, edges.tail])
    for relation, spec in RELATIONS.items():
        at = np.flatnonzero(edges.relation == RELATION_CODE[relation])
        if spec.role is Role.POSITION or spec.replaces is Replaces.NOTHING or not len(at):
            continue
        if spec.replaces is Replaces.STATEMENT:
            _end_by_newer(edges, start, until, at, [edges.head, edges.tail, edges.as_of])
            _end_by_statement(edges, start, until, at)
        else:
            keys = [edges.head] if spec.replaces is Replaces.HEAD else [edges.head, edges.tail]
            _end_by_newer(edges, start, until, at, keys)
    return start.astype(np.int32), until


def _end_by_newer(edges: Edges, start: Days, until: Days, at: _Rows, keys: list[npt.NDArray[np.int32]]) -> None:
    """An edge ends with the first sight of a newer one that agrees with it in all `keys`."""
    columns: list[npt.NDArray[Any]] = [at, edges.known_at[at], edges.as_of[at], *(key[at] for key in reversed(keys))]
    order = at[np.lexsort(tuple(columns))]
    group = np.zeros(len(order), np.int64)
    changes = np.any([key[order][1:] != key[order][:-1] for key in keys], axis=0)
    group[1:] = np.cumsum(changes)
    until[order] = np.minimum(until[order], _first_of_later(start[order], group))


def _end_by_statement(edges: Edges, start: Days, until: Days, at: _Rows) -> None:
    """A row of a statement ends with the first sight of any row of a later statement of the same head."""
    frame = pd.DataFrame({"head": edges.head[at], "as_of": edges.as_of[at], "start": start[at]})
    seen = frame.groupby(["head", "as_of"], sort=True)["start"].min().reset_index()
    seen["until"] = _first_of_later(seen["start"].to_numpy(), seen["head"].to_numpy())
    ends = frame.merge(seen[["head", "as_of", "until"]], on=["head", "as_of"], how="left")["until"]
    until[at] = np.minimum(until[at], ends.to_numpy(np.int32))


def _first_of_later(start: npt.NDArray[np.int32], group: npt.NDArray[np.integer]) -> Days:
    """For each place the smallest `start` among the later places of its group, else `STILL_CURRENT`."""
    backwards = pd.Series(start[::-1])
    keys = group[::-1]
    later = backwards.groupby(keys).cummin().groupby(keys).shift(1)
    return later.fillna(STILL_CURRENT).to_numpy(np.int32)[::-1]
