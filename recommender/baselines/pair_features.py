"""Features of (investor, asset) pairs for learning to rank, all known on the snapshot's date."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, to_days
from pathfolio.kg.schema import NodeKind, Relation, Use, used_for
from pathfolio.kg.span import Positions
from pathfolio.recommender.baselines.content import attribute_matrix
from pathfolio.recommender.baselines.item_knn import knn_weights
from pathfolio.recommender.baselines.segments import segment_of
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.propagation import asset_edges

_SHARED: Final = tuple(
    dict.fromkeys((Relation.IN_CLASS, Relation.IN_CATEGORY, Relation.IN_SECTOR, *used_for(Use.PAIRS)))
)
"""Sectors before industries: boosting breaks ties by the order of its columns."""

_WINDOWS: Final = (30, 90, 182)


@dataclass(frozen=True)
class PairFeatures:
    """Computes the features of pairs over one snapshot.

    Attributes:
        graph: the snapshot.
        ever: (investors, assets) what is held or was; less than the snapshot has if some is held out to learn from.
        ease: (assets, assets) EASE weights.
    """

    graph: KnowledgeGraph
    ever: sp.csr_array
    ease: FloatArray

    def of(self, users: Positions) -> FloatArray:
        """(len(users), assets, features) float64."""
        pair = self._pair(users)
        asset = self._asset
        user = self._user[users]
        n, m = pair.shape[:2]
        columns = (
            pair,
            np.broadcast_to(asset, (n, *asset.shape)),
            np.broadcast_to(user[:, None], (n, m, user.shape[1])),
        )
        return np.concatenate(columns, axis=2)

    def _pair(self, users: Positions) -> FloatArray:
        """EASE (alone, and times demand), item-kNN, content, shared attributes, popularity within the segment."""
        mine = self.ever[users]
        size = np.maximum(np.diff(mine.indptr), 1.0)[:, None]
        ease = mine @ self.ease
        columns = [ease, ease * self._demand, mine @ self._knn, (mine @ self._similar) / size]
        columns += [(mine @ shared) / size for shared in self._shared]
        columns += [table[self._segment[users]] for table in self._by_segment]
        return np.stack([np.asarray(column, np.float64) for column in columns], axis=2)

    @cached_property
    def _positions(self) -> Interactions:
        return Interactions(self.graph)

    @cached_property
    def _holders(self) -> FloatArray:
        return np.asarray(self.ever.sum(axis=0), np.float64).ravel()

    @cached_property
    def _bought(self) -> list[FloatArray]:
        return [self._positions.bought_within(days) for days in _WINDOWS]

    @cached_property
    def _demand(self) -> FloatArray:
        """(assets,) recent purchases per holder, both smoothed, to the power of a quarter."""
        return ((self._bought[-1] + 20.0) / (self._holders + 20.0)) ** 0.25

    @cached_property
    def _knn(self) -> FloatArray:
        return knn_weights(np.asarray((self.ever.T @ self.ever).toarray(), np.float64))

    @cached_property
    def _similar(self) -> FloatArray:
        attributes = attribute_matrix(self.graph)
        return np.asarray((attributes @ attributes.T).toarray(), np.float64)

    @cached_property
    def _shared(self) -> list[FloatArray]:
        """Per kind of attribute (assets, assets): 1 where two assets have the same one."""
        return [self._same(relation) for relation in _SHARED]

    def _same(self, relation: Relation) -> FloatArray:
        asset, tail = asset_edges(self.graph, relation)
        has = sp.csr_array((np.ones(len(tail)), (asset, tail)), shape=(len(self.graph.assets), len(self.graph)))
        return np.asarray((has @ has.T).toarray(), np.float64)

    @cached_property
    def _segment(self) -> IntArray:
        return segment_of(self.graph)

    @cached_property
    def _by_segment(self) -> list[FloatArray]:
        """Two tables (segments, assets): who has it and who bought it lately, per investor of the segment."""
        user, asset = self.ever.nonzero()
        recent = self._since_days(user, asset) <= _WINDOWS[1]
        size = np.bincount(self._segment) + 10.0
        tables = []
        for keep in (np.ones(len(user), bool), recent):
            table = np.zeros((len(size), self.ever.shape[1]))
            np.add.at(table, (self._segment[user[keep]], asset[keep]), 1.0)
            tables.append(table / size[:, None])
        return tables

    def _since_days(self, user: npt.NDArray[np.integer], asset: npt.NDArray[np.integer]) -> FloatArray:
        """How many days before the snapshot each pair was first known."""
        ever = self._positions.ever
        age = to_days(self.graph.as_of) - self._positions.since.astype(np.float64)
        ages = sp.csr_array((age + 1.0, ever.indices, ever.indptr), shape=ever.shape)
        return np.asarray(ages[user, asset], np.float64).ravel() - 1.0

    @cached_property
    def _asset(self) -> FloatArray:
        """(assets, features): popularity, recent purchases, purchases per holder, share sold again, age, kind."""
        closed = 1.0 - np.asarray(self._positions.held.sum(axis=0)).ravel() / np.maximum(self._positions.holders, 1.0)
        kinds = [np.isin(self.graph.assets, self.graph.rows(kind)) * 1.0 for kind in (NodeKind.STOCK, NodeKind.FUND)]
        rates = [bought / (self._holders + 20.0) for bought in self._bought]
        columns = [np.log1p(self._holders), *map(np.log1p, self._bought), *rates, closed, self._positions.days_listed]
        return np.stack([*columns, *kinds], axis=1)

    @cached_property
    def _user(self) -> FloatArray:
        """(investors, features): how many assets, how many lately, how popular and of which kind they are."""
        user, asset = self.ever.nonzero()
        n = self.ever.shape[0]
        since = self._since_days(user, asset)
        size = np.bincount(user, minlength=n).astype(np.float64)
        lately = [np.bincount(user, since <= days, n) for days in _WINDOWS]
        per = np.maximum(size, 1.0)
        popular = np.bincount(user, np.log1p(self._holders)[asset], n) / per
        kinds = [np.bincount(user, self._asset[asset, column], n) / per for column in (-2, -1)]
        held = np.diff(self._positions.held.indptr).astype(np.float64)
        return np.stack([size, held, *lately, popular, *kinds], axis=1)
