"""`Dataset`: a snapshot as machine learning takes it, with nothing in a part that was not known on its day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pathfolio.embeddings.dataset.split import CutOffs, Part, PartCodes, first_known, parts_of, usual_cut_offs
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import Days, FloatArray, IntArray, KnowledgeGraph, Mask, Text, to_days
from pathfolio.kg.people import without_investors
from pathfolio.kg.schema import (
    ASSET_KINDS,
    KIND_CODE,
    NODE_KINDS,
    PROFILE_KINDS,
    RELATION_CODE,
    RELATION_KINDS,
    RELATIONS,
    NodeKind,
    Relation,
    Role,
    Use,
    used_for,
)
from pathfolio.kg.store.lifetimes import lifetimes

FOLDS = 10

EdgeKind = tuple[NodeKind, Relation, NodeKind]


@dataclass(frozen=True, eq=False)
class AssetFigures:
    """The newest figures of assets that were known on a day.

    Attributes:
        metrics: their names.
        rows: (n,) int64, the assets that have any, ascending.
        values: (n, metrics) float64, NaN where there is none.
    """

    metrics: tuple[str, ...]
    rows: IntArray
    values: FloatArray

    def scale(self) -> tuple[FloatArray, FloatArray]:
        """(metrics,) mean and standard deviation of what is known; 0 and 1 where nothing is, 1 where all are alike."""
        known = ~np.isnan(self.values)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, self.values, 0).sum(axis=0) / count
        spread = np.sqrt(np.where(known, (self.values - mean) ** 2, 0).sum(axis=0) / count)
        return mean, np.where(spread > 0, spread, 1.0)


@dataclass(frozen=True, eq=False)
class Classes:
    """What assets are to be told apart by: the nodes that a relation leads to.

    Attributes:
        names: the nodes' ids, in the order of their numbers.
        rows: (n,) int64, the assets that have one, ascending.
        number: (n,) int64, which one.
    """

    relation: Relation
    names: tuple[str, ...]
    rows: IntArray
    number: IntArray


@dataclass(frozen=True, eq=False)
class Dataset:
    """Nodes and dated relations, each relation in the part of the day on which it was first known.

    Attributes:
        graph: with the nodes and versions that are in it; rows are those of its own nodes.
        start, until: (m,) int32, from and until which day each version is the current one.
        part: (m,) int8, places in `Part`.
        label: the relation that is to be predicted and so is left out; None where all are in.
        investors: whether people are in it.
    """

    graph: KnowledgeGraph
    cuts: CutOffs
    start: Days
    until: Days
    part: PartCodes
    label: Classes | None
    investors: bool

    @property
    def days(self) -> dict[Part, int]:
        """The last day of each part, in days since 1970."""
        return {
            Part.TRAIN: to_days(self.cuts.train),
            Part.VALID: to_days(self.cuts.valid),
            Part.TEST: to_days(self.graph.as_of),
        }

    @cached_property
    def _is_figure(self) -> Mask:
        found: Mask = self.graph.edges.relation == RELATION_CODE[Relation.HAS_FACT]
        return found

    @cached_property
    def relations(self) -> IntArray:
        """Positions of all versions that tie two nodes; figures are none of them."""
        return np.flatnonzero(~self._is_figure)

    def seen(self, day: int) -> IntArray:
        """Positions of the relations that were current on a day."""
        there = (self.start <= day) & (day < self.until)
        return np.flatnonzero(there & ~self._is_figure)

    def context(self, part: Part) -> IntArray:
        """Positions of the relations from which those of a part are to be predicted: for training, all that it has."""
        return self.seen(self.days[Part.VALID if part is Part.TEST else Part.TRAIN])

    def new(self, part: Part) -> IntArray:
        """Positions of the relations of a part: first known in it, and current on its last day."""
        at = self.seen(self.days[part])
        found: IntArray = at[self.part[at] == list(Part).index(part)]
        return found

    def by_kind(self, at: IntArray) -> Iterator[tuple[EdgeKind, IntArray]]:
        """Positions among `at` by the kinds of head, relation and tail, in a fixed order."""
        kind = self.graph.nodes.kind
        edges = self.graph.edges
        keys = np.stack([edges.relation[at], kind[edges.head[at]], kind[edges.tail[at]]], axis=1)
        distinct, group = np.unique(keys, axis=0, return_inverse=True)
        for number, (relation, head, tail) in enumerate(distinct.tolist()):
            yield (NODE_KINDS[head], RELATION_KINDS[relation], NODE_KINDS[tail]), at[group.ravel() == number]

    @property
    def kinds(self) -> tuple[NodeKind, ...]:
        """The kinds of node that it has."""
        return tuple(NODE_KINDS[code] for code in np.unique(self.graph.nodes.kind))

    @property
    def nodes(self) -> IntArray:
        """Rows of all its nodes but metrics, which are names of figures."""
        return np.flatnonzero(self.graph.nodes.kind != KIND_CODE[NodeKind.METRIC])

    @cached_property
    def place(self) -> IntArray:
        """(nodes,) int64: each node's number among those of its kind."""
        return np.arange(len(self.graph)) - np.searchsorted(self.graph.nodes.kind, self.graph.nodes.kind)

    @cached_property
    def fold(self) -> npt.NDArray[np.int64]:
        """(nodes,) int64 in 0..9, by a hash of kind and id: the same in the data set of every day."""
        nodes = self.graph.nodes
        return np.array([_fold(NODE_KINDS[k].value, i) for k, i in zip(nodes.kind, nodes.id, strict=True)], np.int64)

    def figures(self, day: int) -> AssetFigures:
        """The newest figures that were known on a day."""
        edges, nodes = self.graph.edges, self.graph.nodes
        at = np.flatnonzero(self._is_figure & (self.start <= day) & (day < self.until))
        rows, row = np.unique(edges.head[at], return_inverse=True)
        metrics = self.graph.rows(NodeKind.METRIC)
        values = np.full((len(rows), len(metrics)), np.nan)
        values[row, np.searchsorted(metrics, edges.tail[at])] = edges.value[at]
        return AssetFigures(tuple(nodes.id[metrics].tolist()), rows.astype(np.int64), values)

    def classes(self) -> list[Classes]:
        """The label, else what assets of one kind may share, newest: each as numbers."""
        if self.label is not None:
            return [self.label]
        found = (classes_of(self.graph, relation) for relation in used_for(Use.PEERS))
        return [each for each in found if each is not None]


def dataset_of(
    graph: KnowledgeGraph, cuts: CutOffs | None = None, label: Relation | None = None, *, investors: bool = False
) -> Dataset:
    """The data set of a snapshot.

    Args:
        cuts: the last days of two parts; the usual ones where none are given.
        label: a relation of assets that is to be predicted: it is left out, with those from which it would follow.
        investors: people and what is said of them, too.

    Raises:
        UsageError: the cut-offs leave a part empty of days, or no asset has what `label` names.
    """
    if not investors:
        graph = _without_people(graph)
    classes = None
    if label is not None:
        classes = classes_of(graph, label) if RELATIONS[label].role is Role.ATTRIBUTE else None
        if classes is None:
            known = ", ".join(each.value for each in RELATIONS if classes_of(graph, each) is not None)
            raise UsageError(f"no asset of {graph.name} has {label.value} to predict: choose one of {known}")
        graph = _without(graph, _telling(label))
    start, until = lifetimes(graph)
    first = first_known(graph, start)
    is_figure = graph.edges.relation == RELATION_CODE[Relation.HAS_FACT]
    if cuts is None:
        cuts = usual_cut_offs(first[~is_figure], graph.as_of)
    else:
        cuts.check(graph.as_of)
    return Dataset(graph, cuts, start, until, parts_of(first, cuts), classes, investors)


def classes_of(graph: KnowledgeGraph, relation: Relation) -> Classes | None:
    """What an attribute that each asset has one of divides the assets into; None where none has it."""
    spec = RELATIONS[relation]
    at = graph.edges_between(relation)
    at = at[np.isin(graph.nodes.kind[graph.edges.head[at]], [KIND_CODE[kind] for kind in ASSET_KINDS])]
    if spec.role is not Role.ATTRIBUTE or not len(at):
        return None
    rows, first = np.unique(graph.edges.head[at], return_index=True)
    tails, number = np.unique(graph.edges.tail[at[first]], return_inverse=True)
    return Classes(relation, tuple(graph.nodes.id[tails].tolist()), rows.astype(np.int64), number.astype(np.int64))


def _telling(label: Relation) -> tuple[Relation, ...]:
    """The label, and what leads to a node that has it, too: an asset's industry tells its sector."""
    through = {kind for kind in RELATIONS[label].heads if kind not in ASSET_KINDS}
    return (label, *(each for each, spec in RELATIONS.items() if through & set(spec.tails)))


def _without_people(graph: KnowledgeGraph) -> KnowledgeGraph:
    """Neither investors, nor the levels that only they have."""
    graph = without_investors(graph)
    keep = ~np.isin(graph.nodes.kind, [KIND_CODE[kind] for kind in PROFILE_KINDS])
    return graph.part(keep, np.ones(len(graph.edges), bool), graph.as_of, graph.name)


def _without(graph: KnowledgeGraph, relations: tuple[Relation, ...]) -> KnowledgeGraph:
    keep = ~np.isin(graph.edges.relation, [RELATION_CODE[each] for each in relations])
    return graph.part(np.ones(len(graph), bool), keep, graph.as_of, graph.name)


def _fold(kind: str, node_id: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{kind}:{node_id}".encode()).digest()[:8], "big") % FOLDS


def ids_of(graph: KnowledgeGraph, rows: IntArray) -> tuple[list[str], Text, Text]:
    """Kind, id and name of the nodes at `rows`; what has no name goes by its local one, or by its id."""
    nodes = graph.nodes
    names = np.where(nodes.name[rows] == "", nodes.name_local[rows], nodes.name[rows])
    names = np.where(names == "", nodes.id[rows], names)
    return [NODE_KINDS[code].value for code in nodes.kind[rows]], nodes.id[rows], names
