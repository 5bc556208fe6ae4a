"""What an asset exposes its holder to, with a look through funds into what they invest in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.schema import KIND_CODE, NodeKind, Relation
from pathfolio.kg.span import Position, Positions

LOOK_THROUGH_DEPTH: Final = 4
"""Funds of funds are followed this far; what is deeper counts as the fund that was reached."""


@dataclass(frozen=True)
class Parts:
    """The entries of some rows of an exposure, row by row.

    Attributes:
        row: (entries,) number of the row.
        groups: (entries,) columns, rising within a row.
        part: (entries,) float64 fractions of the asset.
        known: (rows,) what a row adds up to.
    """

    row: IntArray
    groups: IntArray
    part: FloatArray
    known: FloatArray

    @classmethod
    def of(cls, matrix: sp.csr_array) -> Parts:
        """The entries of a matrix with sorted columns."""
        row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        known = np.bincount(row, matrix.data, minlength=matrix.shape[0]).astype(np.float64)
        return cls(row, matrix.indices.astype(np.int64), matrix.data, known)

    @cached_property
    def _starts(self) -> IntArray:
        return np.flatnonzero(np.diff(self.row, prepend=-1)).astype(np.int64)

    def largest(self, values: FloatArray) -> IntArray:
        """The entry with the largest of `values` (entries,) in each row that has any; the first of equal ones."""
        if len(values) == len(self._starts):
            return self._starts
        counts = np.diff(self._starts, append=len(values))
        best = np.repeat(np.maximum.reduceat(values, self._starts), counts)
        at = np.flatnonzero(values == best)
        return at[np.flatnonzero(np.diff(self.row[at], prepend=-1))]


@dataclass(frozen=True)
class Exposure:
    """Fractions of each asset that belong to each group (an asset, issuer, industry or currency).

    Attributes:
        matrix: (assets, groups) float64 csr; a row's sum is the part of the asset whose group is known.
        names: (groups,) what a reader calls each group.
        is_fund: (groups,) bool, the groups that are a fund whose holdings are not known.
    """

    matrix: sp.csr_array
    names: npt.NDArray[np.object_]
    is_fund: npt.NDArray[np.bool_]

    def rows(self, at: Positions) -> Parts:
        """The parts of the assets at positions `at`; those of all assets in their order are kept."""
        n = self.matrix.shape[0]
        return self._all if len(at) == n and np.array_equal(at, np.arange(n)) else Parts.of(self.matrix[at])

    @cached_property
    def _all(self) -> Parts:
        return Parts.of(self.matrix)

    @cached_property
    def _by_group(self) -> sp.csr_array:
        return sp.csr_array(self.matrix.T)

    def of_holdings(self, held: Positions, share: FloatArray) -> FloatArray:
        """(groups,) the fractions of a portfolio that holds `share` of each asset in `held` (positions)."""
        portfolio = np.zeros(self.matrix.shape[0])
        np.add.at(portfolio, held, share)
        fractions: FloatArray = self._by_group @ portfolio
        return fractions

    def parts(self, assets: Positions, group: int) -> FloatArray:
        """(len(assets),) the fraction of each of the assets at positions `assets` that belongs to `group`."""
        low, high = self._by_group.indptr[group : group + 2]
        members = np.zeros(self.matrix.shape[0])
        members[self._by_group.indices[low:high]] = self._by_group.data[low:high]
        return members[assets]

    def part(self, asset: Position, group: int) -> float:
        """The fraction of the asset at position `asset` that belongs to `group`."""
        low, high = self.matrix.indptr[asset], self.matrix.indptr[asset + 1]
        at = low + np.searchsorted(self.matrix.indices[low:high], group)
        return float(self.matrix.data[at]) if at < high and self.matrix.indices[at] == group else 0.0


def exposures(graph: KnowledgeGraph) -> dict[str, Exposure]:
    """The four exposures of all assets, by the groups of the rules about concentration."""
    through = look_through(graph)
    rows = graph.assets
    n = len(graph.assets)
    is_fund = graph.nodes.kind[rows] == KIND_CODE[NodeKind.FUND]
    names = np.array([graph.display_name(row) for row in rows], dtype=object)
    own = np.arange(n)
    issuer = _tails(graph, Relation.ISSUED_BY)
    # A fund's manager does not owe what the fund holds, so a fund is its own issuer, as is a stock without one.
    issuer = np.where(is_fund, -1, issuer)
    currency = graph.nodes.currency[rows]
    codes = sorted({code for code in currency if code})
    currency_of = np.array([codes.index(code) if code else -1 for code in currency], np.int64)
    return {
        "asset": Exposure(through, names, is_fund),
        "issuer": _grouped(
            through,
            np.where(issuer < 0, len(graph) + own, issuer),
            np.concatenate([graph.nodes.id, names]),
            np.concatenate([np.zeros(len(graph), bool), is_fund]),
        ),
        "industry": _grouped(through, _industries(graph), graph.nodes.id, np.zeros(len(graph), bool)),
        "currency": _grouped(through, currency_of, np.array(codes, dtype=object), np.zeros(len(codes), bool)),
    }


def look_through(graph: KnowledgeGraph) -> sp.csr_array:
    """(assets, assets) float64: row i says of what asset i consists in the end; each row sums to 1.

    What a fund's list leaves open stays with the fund itself; lists of more than the whole are scaled to it.
    """
    n = len(graph.assets)
    held = graph.outgoing(Relation.INVESTS_IN)
    weight = np.nan_to_num(graph.edges.weight[held.edge], nan=0.0).clip(min=0.0)
    row = graph.asset_span.position(graph.edges.head[held.edge])
    column = graph.asset_span.position(held.neighbour)
    lists = sp.csr_array((weight, (row, column)), shape=(n, n))
    total = np.asarray(lists.sum(axis=1)).ravel()
    lists = sp.csr_array(sp.diags_array(1 / np.maximum(total, 1.0)) @ lists)
    open_part = sp.diags_array(np.maximum(1 - total, 0.0))
    reached = sp.eye_array(n, format="csr")
    result = sp.csr_array((n, n))
    for _ in range(LOOK_THROUGH_DEPTH):
        result = result + reached @ open_part
        reached = reached @ lists
    result = sp.csr_array(result + reached)
    result.eliminate_zeros()
    result.sort_indices()
    return result


def _tails(graph: KnowledgeGraph, relation: Relation) -> IntArray:
    """(assets,) the row of the one node that each asset's relation points to, -1 where there is none."""
    out = graph.outgoing(relation)
    first, last = out.indptr[graph.assets], out.indptr[graph.assets + 1]
    at = np.minimum(first, max(len(out.neighbour) - 1, 0))
    tails = out.neighbour[at] if len(out.neighbour) else np.zeros(len(at), np.int32)
    return np.where(last > first, tails, -1).astype(np.int64)


def _industries(graph: KnowledgeGraph) -> IntArray:
    """(assets,) the industry's row, or the sector's where there is no industry, -1 where neither is known."""
    industry, sector = _tails(graph, Relation.IN_INDUSTRY), _tails(graph, Relation.IN_SECTOR)
    return np.where(industry < 0, sector, industry)


def _grouped(
    through: sp.csr_array, group: IntArray, names: npt.NDArray[np.object_], is_fund: npt.NDArray[np.bool_]
) -> Exposure:
    """`through` added up by `group` (assets,), where -1 belongs to none; `names` and `is_fund` go by group."""
    known = np.flatnonzero(group >= 0)
    present, column = np.unique(group[known], return_inverse=True)
    member = sp.csr_array((np.ones(len(known)), (known, column)), shape=(len(group), len(present)))
    matrix = sp.csr_array(through @ member)
    matrix.sort_indices()
    return Exposure(matrix, names[present], is_fund[present])
