"""Which versions of a relation are current: the newest, by the rule that the schema gives for each relation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pathfolio.kg.schema import POSITION_CODES, RELATION_CODE, RELATIONS, Replaces, Role

if TYPE_CHECKING:
    from pathfolio.kg.graph import Edges


def current_versions(edges: Edges) -> npt.NDArray[np.bool_]:
    """(m,) bool: True for the versions that no newer one replaces.

    HOLDS and HELD are two states of one relation: the newer of the two between an investor and an asset stands.
    Newest means the latest `as_of`, then the latest `known_at`, then the last in the edges' sorted order.
    """
    current = np.zeros(len(edges), bool)
    held = np.isin(edges.relation, POSITION_CODES)
    _keep_newest(edges, np.flatnonzero(held), current, (edges.tail, edges.head))
    for relation, spec in RELATIONS.items():
        if spec.role is Role.POSITION:
            continue
        at = np.flatnonzero(edges.relation == RELATION_CODE[relation])
        if spec.replaces is Replaces.PAIR:
            _keep_newest(edges, at, current, (edges.tail, edges.head))
        elif spec.replaces is Replaces.HEAD:
            _keep_newest(edges, at, current, (edges.head,))
        elif spec.replaces is Replaces.NOTHING:
            current[at] = True
        else:
            _keep_last_statement(edges, at, current)
    return current


def _keep_newest(
    edges: Edges, at: npt.NDArray[np.int64], current: npt.NDArray[np.bool_], keys: tuple[npt.NDArray[np.int32], ...]
) -> None:
    """Mark, of the edges `at` that agree in all `keys`, the newest one."""
    columns: list[npt.NDArray[np.int64] | npt.NDArray[np.int32]] = [
        at,
        edges.known_at[at],
        edges.as_of[at],
        *(key[at] for key in keys),
    ]
    order = at[np.lexsort(tuple(columns))]
    last = np.zeros(len(order), bool)
    last[-1:] = True
    for key in keys:
        last[:-1] |= key[order][1:] != key[order][:-1]
    current[order[last]] = True


def _keep_last_statement(edges: Edges, at: npt.NDArray[np.int64], current: npt.NDArray[np.bool_]) -> None:
    """Mark the edges `at` whose date is their head's latest, one per tail."""
    if not len(at):
        return
    latest = np.full(int(edges.head[at].max()) + 1, np.iinfo(np.int32).min, np.int32)
    np.maximum.at(latest, edges.head[at], edges.as_of[at])
    _keep_newest(edges, at[edges.as_of[at] == latest[edges.head[at]]], current, (edges.tail, edges.head))
