"""What the towers see of a snapshot, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.embeddings.vectors import EntityVectors
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask, to_days
from pathfolio.kg.schema import (
    ASSET_KINDS,
    ATTRIBUTE_RELATIONS,
    KIND_CODE,
    PROFILE_RELATIONS,
    RELATIONS,
    NodeKind,
    Relation,
    Use,
    used_for,
)
from pathfolio.kg.span import Positions, Rows
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.towers.figures import FEWEST, Figures, age_numbers, figures_of, ranked

Single = npt.NDArray[np.float32]

ASSET_INPUTS: Final = tuple(relation for relation in used_for(Use.TOWERS) if relation in ATTRIBUTE_RELATIONS)
PROFILE_INPUTS: Final = tuple(relation for relation in PROFILE_RELATIONS if Use.TOWERS in RELATIONS[relation].uses)
USER_NUMBERS: Final = len(ASSET_KINDS) + 4
"""Numbers of an investor: shares of the kinds, number of positions, of recent ones, age, whether it is known."""

UNKNOWN: Final = 0
"""Code of a category that is not known, or that training did not see."""


@dataclass(frozen=True)
class Vocabulary:
    """What the towers learned to read; fixed in training, so that later snapshots are read alike.

    Attributes:
        codes: (kind of node, id) to a number from 1.
        columns: for each of `ASSET_KINDS` the names of the figures that its sub-network reads.
        assets: asset id to the row of its own vector, from 1.
    """

    codes: Mapping[tuple[NodeKind, str], int]
    columns: tuple[tuple[str, ...], ...]
    assets: Mapping[str, int]


@dataclass(frozen=True)
class AssetInputs:
    """The assets of one kind, k of them.

    Attributes:
        at: (k,) int64, positions among the snapshot's assets.
        own: (k,) int64, rows of their own vectors, 0 for assets that training did not see.
        categories: (k, len(ASSET_INPUTS)) int64 codes.
        numbers: (k, f) float32: ranked figures, then 1 where each is known, then the graph vector.
        returns: (k, WINDOW) float32 daily returns, zero where there are no prices.
    """

    at: Positions
    own: IntArray
    categories: IntArray
    numbers: Single
    returns: Single


@dataclass(frozen=True)
class TowerInputs:
    """A snapshot for the towers; investors and assets are positions.

    Attributes:
        kinds: the assets by kind, in the order of `ASSET_KINDS`.
        kind_of: (assets,) int64, positions in `ASSET_KINDS`.
        profile: (investors, len(PROFILE_INPUTS)) int64 codes.
        age: (investors, 2) float32: years over 50, and 1 where known.
        user, asset, since: (p,) int64 pairs ever held, each investor's in the order of time; days since 1970.
        start: (investors + 1,) int64: where each investor's pairs begin.
        today: days since 1970 of the snapshot.
    """

    kinds: tuple[AssetInputs, ...]
    kind_of: IntArray
    profile: IntArray
    age: Single
    user: Positions
    asset: Positions
    since: IntArray
    start: IntArray
    today: int

    @cached_property
    def holders(self) -> FloatArray:
        """(assets,) how many investors hold or held each."""
        return np.bincount(self.asset, minlength=len(self.kind_of)).astype(np.float64)


def vocabulary_of(graph: KnowledgeGraph, prices: pd.DataFrame | None) -> Vocabulary:
    """What can be read of `graph`: its categories, levels and assets, and figures that enough assets have."""
    kinds = {kind for relation in (*ASSET_INPUTS, *PROFILE_INPUTS) for kind in RELATIONS[relation].tails}
    rows = np.concatenate([graph.rows(kind) for kind in sorted(kinds)])
    codes = {(graph.kind_of(row), str(graph.nodes.id[row])): code for code, row in enumerate(rows.tolist(), 1)}
    table = figures_of(graph, prices).table
    columns = tuple(_columns(table[graph.nodes.kind[graph.assets] == KIND_CODE[kind]]) for kind in ASSET_KINDS)
    assets = {str(key): row for row, key in enumerate(graph.asset_ids, 1)}
    return Vocabulary(codes, columns, assets)


def _columns(table: pd.DataFrame) -> tuple[str, ...]:
    varied = (table.notna().sum() >= FEWEST) & (table.nunique() > 1)
    return tuple(str(name) for name in table.columns[varied])


def tower_inputs(
    graph: KnowledgeGraph,
    vocabulary: Vocabulary,
    vectors: EntityVectors,
    prices: pd.DataFrame | None,
    day: date | None = None,
) -> TowerInputs:
    """The towers' view of `graph`; prices after `day` (the snapshot's date, if not given) are not read."""
    interactions = Interactions(graph)
    user, asset = (part.astype(np.int64) for part in interactions.ever.nonzero())
    order = np.lexsort((asset, interactions.since, user))
    kind_of = _kinds_of(graph)
    return TowerInputs(
        _assets(graph, vocabulary, vectors, figures_of(graph, prices, day)),
        kind_of,
        _codes(graph, graph.users, PROFILE_INPUTS, vocabulary),
        age_numbers(graph),
        Positions(user[order]),
        Positions(asset[order]),
        interactions.since[order].astype(np.int64),
        np.searchsorted(user[order], np.arange(len(graph.users) + 1)).astype(np.int64),
        to_days(graph.as_of),
    )


def profile_codes(graph: KnowledgeGraph, vocabulary: Vocabulary) -> IntArray:
    """(levels, 3) int64: node row, position in `PROFILE_INPUTS` and code of every level that training saw."""
    columns = {kind: place for place, relation in enumerate(PROFILE_INPUTS) for kind in RELATIONS[relation].tails}
    rows = [
        (row, columns[kind], (kind, str(graph.nodes.id[row]))) for kind in columns for row in graph.rows(kind).tolist()
    ]
    found = [(row, column, vocabulary.codes[key]) for row, column, key in rows if key in vocabulary.codes]
    return np.array(found, np.int64).reshape(-1, 3)


def _kinds_of(graph: KnowledgeGraph) -> IntArray:
    codes = graph.nodes.kind[graph.assets]
    return np.searchsorted([KIND_CODE[kind] for kind in ASSET_KINDS], codes).astype(np.int64)


def _assets(
    graph: KnowledgeGraph, vocabulary: Vocabulary, vectors: EntityVectors, figures: Figures
) -> tuple[AssetInputs, ...]:
    placed = vectors.align(graph)[0][graph.assets]
    kind_of = _kinds_of(graph)
    own = np.array([vocabulary.assets.get(str(key), 0) for key in graph.asset_ids], np.int64)
    categories = _codes(graph, graph.assets, ASSET_INPUTS, vocabulary)
    out = []
    for kind, columns in enumerate(vocabulary.columns):
        at = Positions(np.flatnonzero(kind_of == kind))
        values, known = ranked(figures.table.reindex(columns=list(columns)).to_numpy(np.float64)[at])
        numbers = np.concatenate([values, known, placed[at]], axis=1).astype(np.float32)
        out.append(AssetInputs(at, own[at], categories[at], numbers, figures.returns[at]))
    return tuple(out)


def _codes(graph: KnowledgeGraph, rows: Rows, relations: tuple[Relation, ...], vocabulary: Vocabulary) -> IntArray:
    """(rows, relations) codes of the first node that each relation leads to."""
    of_node = np.full(len(graph), UNKNOWN, np.int64)
    for kind in {kind for relation in relations for kind in RELATIONS[relation].tails}:
        for row in graph.rows(kind).tolist():
            of_node[row] = vocabulary.codes.get((kind, str(graph.nodes.id[row])), UNKNOWN)
    out = np.full((len(rows), len(relations)), UNKNOWN, np.int64)
    for column, relation in enumerate(relations):
        edges = graph.outgoing(relation)
        has: Mask = np.diff(edges.indptr)[rows] > 0
        out[has, column] = of_node[edges.neighbour[edges.indptr[rows[has]]]]
    return out
