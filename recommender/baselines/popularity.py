"""Lists without a person in them: random, most held, most bought lately, and the same within a segment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, to_days
from pathfolio.kg.schema import POSITION_CODES
from pathfolio.kg.span import Positions
from pathfolio.recommender.interactions import Interactions

RECENT_DAYS: Final = 30
_TIE: Final = 1e-4
"""Popularity times this decides between assets bought equally often lately."""


@dataclass(frozen=True)
class RandomModel:
    """Uniformly random scores, the floor of every metric; the same for the same seed and investor id."""

    graph: KnowledgeGraph
    seed: int

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64 in [0, 1)."""
        n = len(self.graph.assets)
        ids = self.graph.user_ids[users]
        rngs = (np.random.default_rng([self.seed, *str(user).encode()]) for user in ids)
        return np.stack([rng.random(n) for rng in rngs]) if len(users) else np.zeros((0, n))

    def refresh(self, graph: KnowledgeGraph) -> RandomModel:
        """Over another snapshot."""
        return RandomModel(graph, self.seed)


def fit_random(graph: KnowledgeGraph, seed: int = 0) -> RandomModel:
    """Random lists."""
    return RandomModel(graph, seed)


@dataclass(frozen=True)
class PopularityModel:
    """How many investors have or had each asset; the same list for all (Cremonesi et al. 2010, "Top-N")."""

    graph: KnowledgeGraph

    @cached_property
    def _score(self) -> FloatArray:
        return holders(self.graph)

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64: numbers of investors."""
        return np.tile(self._score, (len(users), 1))

    def refresh(self, graph: KnowledgeGraph) -> PopularityModel:
        """Counted again."""
        return PopularityModel(graph)


def fit_popularity(graph: KnowledgeGraph, seed: int = 0) -> PopularityModel:
    """Popularity; `seed` changes nothing."""
    return PopularityModel(graph)


@dataclass(frozen=True)
class RecentModel:
    """How many investors newly bought each asset in the last 30 days (Ji et al. 2020, "A Re-visit of the Popularity
    Baseline in Recommender Systems").
    """

    graph: KnowledgeGraph

    @cached_property
    def _score(self) -> FloatArray:
        new = recent_purchases(self.graph)
        return np.bincount(new.asset, new.weight, len(self.graph.assets)) + _TIE * holders(self.graph)

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64: numbers of purchases."""
        return np.tile(self._score, (len(users), 1))

    def refresh(self, graph: KnowledgeGraph) -> RecentModel:
        """Counted again."""
        return RecentModel(graph)


def fit_recent(graph: KnowledgeGraph, seed: int = 0) -> RecentModel:
    """Recent popularity; `seed` changes nothing."""
    return RecentModel(graph)


def holders(graph: KnowledgeGraph) -> FloatArray:
    """(assets,) float64: how many investors have or had each asset."""
    return np.asarray(Interactions(graph).ever.sum(axis=0), np.float64).ravel()


@dataclass(frozen=True)
class Purchases:
    """Pairs that became new lately: positions of investors and assets, and how much of each falls in the window."""

    user: Positions
    asset: Positions
    weight: FloatArray


def all_pairs(graph: KnowledgeGraph) -> Purchases:
    """Every pair of an investor and an asset that is held or was, each in full."""
    user, asset = Interactions(graph).ever.nonzero()
    return Purchases(Positions(user.astype(np.int64)), Positions(asset.astype(np.int64)), np.ones(len(user)))


def recent_purchases(graph: KnowledgeGraph, days: int = RECENT_DAYS) -> Purchases:
    """The pairs that are new in the last `days` days of the snapshot.

    A pair that a transaction dates counts 1. One that a day of statements shows first was bought at some time since
    the statements before, and counts with the share of that time that lies in the window; where no pair would count,
    those of the last statements do in full. What the first ones show was held before, nobody knows how long, and
    never counts.
    """
    positions = Interactions(graph)
    user, asset = positions.ever.nonzero()
    since = positions.since.astype(np.int64)
    today = to_days(graph.as_of)
    statements = _statement_days(graph)
    stated = np.isin(since, statements)
    before = np.concatenate([[-np.inf], statements])[np.searchsorted(statements, since)]
    overlap = np.clip(since - np.maximum(before, today - days), 0, None)
    weight = np.where(stated, overlap / (since - before), (since >= today - days) * 1.0)
    if not weight.any() and len(statements) > 1:
        weight = (since == statements[-1]) * 1.0
    some = weight > 0
    buyer, bought = (Positions(place[some].astype(np.int64)) for place in (user, asset))
    return Purchases(buyer, bought, weight[some])


def _statement_days(graph: KnowledgeGraph) -> IntArray:
    """Days since 1970 that statements of positions describe, ascending."""
    positions = np.isin(graph.edges.relation, POSITION_CODES)
    stated = positions & (graph.edges.qualifier == "statement")
    return np.unique(graph.edges.as_of[stated]).astype(np.int64)
