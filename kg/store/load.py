"""From a `KnowledgeGraph` into a graph store, so that it can be run again at any time and ends the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.errors import StoreError
from pathfolio.kg.graph import NO_DAY, Days, KnowledgeGraph, to_date, to_days
from pathfolio.kg.progress import Progress
from pathfolio.kg.schema import NODE_KINDS, RELATION_KINDS, UNDATED, NodeKind, Relation
from pathfolio.kg.store import layout
from pathfolio.kg.store.compare import GraphDelta, compare
from pathfolio.kg.store.lifetimes import lifetimes
from pathfolio.kg.store.meta import COMPLETE, LOADING, StoredGraph, stored_graph, write_state

if TYPE_CHECKING:
    from pathfolio.kg.store.bolt import Store

BATCH: Final = 5_000
"""Rows in one transaction."""

_Write = Callable[..., list[list[Any]]]
_Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LoadReport:
    """What a load did; `relations` are dated versions, of which `written` were new or changed."""

    nodes: int
    relations: int
    written: int
    deleted: int
    seconds: float

    @property
    def rate(self) -> float:
        """Relations written per second of the whole load."""
        return self.written / self.seconds if self.seconds else 0.0


def load_into(
    store: Store,
    graph: KnowledgeGraph,
    *,
    into_nonempty: bool = False,
    replace: bool = False,
    progress: Progress | None = None,
) -> LoadReport:
    """Make the store hold `graph`, every dated version of it, and nothing else of ours.

    An empty store is filled; one that holds an earlier or a half-loaded state of the same graph is brought up to
    date by its difference. Constraints come first; nodes are merged on their ids.

    Args:
        into_nonempty: load beside what somebody else keeps in the database, where the labels do not clash.
        replace: take the place of another graph of ours, or of a later state of this one.

    Raises:
        StoreError: the database holds something else, the server was lost (what was written stays; run it again), or
            somebody else wrote into the graph meanwhile.
        SchemaError: another version of the schema wrote what is there.
    """
    begun = time.perf_counter()
    progress = progress or Progress(out=None)
    about = stored_graph(store)
    _check_place(store, graph, about, into_nonempty, replace)
    for statement in layout.constraints():
        store.define(statement)
    write_state(store, graph, LOADING, layout.LAYOUT if about is None else about.layout)
    with progress.stage("compare with what the store holds" if about else "prepare") as details:
        start, until = lifetimes(graph)
        anew = about is not None and about.layout != layout.LAYOUT
        difference = compare(store, graph, (start, until), anew=anew) if about else GraphDelta.everything(graph)
        details.append(difference.summary())
    written = _Progress(progress, difference)
    try:
        with progress.stage(f"write into {store.address.uri}") as details, store.writer() as write:
            _delete(write, difference)
            _write_nodes(write, graph, difference.nodes)
            for text, parameters in _edge_batches(graph, difference.edges, (start, until)):
                write(text, **parameters)
                written.add(len(parameters["rows"]))
            details.append(f"{written.done:,} relations")
        _check_counts(store, graph)
    except StoreError as error:
        raise StoreError(
            f"{error} ({written.done:,} of {len(difference.edges):,} relations are written: "
            "run the same command again, it goes on from there)"
        ) from None
    write_state(store, graph, COMPLETE, layout.LAYOUT)
    seconds = time.perf_counter() - begun
    return LoadReport(len(graph.nodes), len(graph.edges), len(difference.edges), difference.deleted, seconds)


class _Progress:
    """Counts relations and shows how many there are."""

    def __init__(self, progress: Progress, difference: GraphDelta) -> None:
        self.done = 0
        self._progress = progress
        self._total = len(difference.edges)

    def add(self, rows: int) -> None:
        self.done += rows
        self._progress.update(f"{self.done:,} of {self._total:,} relations")


def _check_place(
    store: Store, graph: KnowledgeGraph, about: StoredGraph | None, into_nonempty: bool, replace: bool
) -> None:
    where = store.address.uri
    if about is None:
        _check_empty(store, into_nonempty)
        return
    about_state = StoredGraph(**{**about.__dict__, "state": COMPLETE})
    about_state.check_usable(where)
    if about.name != graph.name and not replace:
        raise StoreError(
            f"{where} holds the graph of {about.name!r}, not of {graph.name!r}: use another database, or --replace it"
        )
    if about.as_of > graph.as_of and not replace:
        raise StoreError(
            f"{where} holds {about.name!r} as of {about.as_of}, later than {graph.as_of}: load a newer build, or "
            "--replace it"
        )


def _check_empty(store: Store, into_nonempty: bool) -> None:
    where = store.address.uri
    if not store.read(layout.COUNT_ALL)[0][0]:
        return
    if not into_nonempty:
        raise StoreError(
            f"{where} holds somebody else's graph: name an empty database with PATHFOLIO_NEO4J_DATABASE, or load "
            "beside it with --into-nonempty"
        )
    for kind in NODE_KINDS:
        if store.read(layout.count_kind(kind))[0][0]:
            raise StoreError(f"{where}: its nodes labelled {kind.value} are not pathfolio's: use another database")


# -- batches -------------------------------------------------------------------------------------------------


def _delete(write: _Write, difference: GraphDelta) -> None:
    for (head, relation, tail), rows in difference.gone_edges.items():
        for part in _parts(rows):
            write(layout.delete_edges(head, relation, tail), rows=part)
    for kind, ids in difference.gone_nodes.items():
        for part in _parts(ids):
            write(layout.delete_nodes(kind), rows=part)


def _write_nodes(write: _Write, graph: KnowledgeGraph, rows: _Rows) -> None:
    nodes = graph.nodes
    for code, kind in enumerate(NODE_KINDS):
        at = rows[nodes.kind[rows] == code]
        columns = [nodes.id[at].tolist()]
        columns += [[text or None for text in getattr(nodes, name)[at].tolist()] for name in layout.NODE_TEXTS]
        columns += [_years(nodes.birth_year[at]), _dates(nodes.listed[at])]
        columns += [_dates(nodes.known_at[at], missing=to_days(UNDATED))]
        for part in _parts(list(zip(*columns, strict=True))):
            write(layout.merge_nodes(kind), rows=part)


def _edge_batches(graph: KnowledgeGraph, at: _Rows, days: tuple[Days, Days]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Statements and their parameters; what is the same in a whole group is one parameter."""
    for (head, relation, tail), group in edge_groups(graph, at):
        distinct, places = _edge_days(graph, group, days)
        columns = _edge_values(graph, group) | {name: places[name] for name in ("current_from", "current_until")}
        constants = [name for name, values in columns.items() if _is_constant(values)]
        empty = [None] * len(group)
        varying = [empty if name in constants else columns[name] for name in layout.EDGE_PROPERTIES]
        ends = [graph.nodes.id[rows[group]].tolist() for rows in (graph.edges.head, graph.edges.tail)]
        rows = list(zip(*ends, places["as_of"], places["known_at"], *varying, strict=True))
        first = {name: columns[name][0] for name in constants}
        parameters = {name: distinct[v] if name in layout.EDGE_DAYS else v for name, v in first.items()}
        statement = layout.create_edges(head, relation, tail, tuple(constants))
        for part in _parts(rows):
            yield statement, {"rows": part, "days": distinct, **parameters}


def _edge_days(
    graph: KnowledgeGraph, at: _Rows, lifetime: tuple[Days, Days]
) -> tuple[list[date | None], dict[str, list[int]]]:
    """The distinct days of these edges and null, and for each of their dates the places in that list."""
    edges = graph.edges
    columns = {"as_of": edges.as_of, "known_at": edges.known_at, "current_from": lifetime[0]}
    columns |= {"current_until": lifetime[1]}
    distinct, places = np.unique(np.stack([days[at] for days in columns.values()]), return_inverse=True)
    dates = places[:2]
    dates[distinct[dates] == to_days(UNDATED)] = len(distinct)
    return [*map(to_date, distinct.tolist()), None], dict(zip(columns, places.tolist(), strict=True))


def edge_groups(graph: KnowledgeGraph, at: _Rows) -> Iterator[tuple[tuple[NodeKind, Relation, NodeKind], _Rows]]:
    """The edges at `at` by head kind, relation and tail kind, each in the edges' order."""
    edges = graph.edges
    kind = graph.nodes.kind.astype(np.int64)
    code = (edges.relation[at].astype(np.int64) * 64 + kind[edges.head[at]]) * 64 + kind[edges.tail[at]]
    order = np.argsort(code, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(code[order])) + 1) if len(at) else ():
        first = int(at[part[0]])
        ends = (NODE_KINDS[int(kind[edges.head[first]])], NODE_KINDS[int(kind[edges.tail[first]])])
        yield (ends[0], RELATION_KINDS[int(edges.relation[first])], ends[1]), at[part]


def _edge_values(graph: KnowledgeGraph, at: _Rows) -> dict[str, list[Any]]:
    edges = graph.edges
    return {
        "weight": _numbers(edges.weight[at]),
        "value": _numbers(edges.value[at]),
        "amount": _numbers(edges.amount[at]),
        "qualifier": [text or None for text in edges.qualifier[at].tolist()],
        "source": edges.source[at].tolist(),
    }


def _is_constant(values: list[object]) -> bool:
    return values.count(values[0]) == len(values)


def _parts(rows: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def _dates(days: Days, missing: int = NO_DAY) -> list[Any]:
    """Dates of Python's own, each made once; None for `missing`."""
    distinct, places = np.unique(days, return_inverse=True)
    dates = np.array([None if day == missing else to_date(day) for day in distinct.tolist()], dtype=object)
    found: list[Any] = dates[places].tolist()
    return found


def _numbers(values: npt.NDArray[np.float64]) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124 - only NaN differs from itself


def _years(values: npt.NDArray[np.float64]) -> list[float | int | None]:
    """Whole numbers as such, for people to read."""
    return [None if v is None else int(v) if v.is_integer() else v for v in _numbers(values)]


def _check_counts(store: Store, graph: KnowledgeGraph) -> None:
    for code, relation in enumerate(RELATION_KINDS):
        expected = int((graph.edges.relation == code).sum())
        found = int(store.read(layout.count_relation(relation))[0][0])
        if found != expected:
            raise StoreError(f"the store has {found:,} {relation} after the load, not {expected:,}")
