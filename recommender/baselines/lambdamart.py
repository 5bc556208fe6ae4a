"""LambdaMART: boosted trees that rank assets by features of the pair; the trees come from LightGBM."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.span import Positions
from pathfolio.recommender.baselines.align import find, lay_over_pairs
from pathfolio.recommender.baselines.pair_features import PairFeatures
from pathfolio.recommender.ease import ease
from pathfolio.recommender.interactions import Interactions

if TYPE_CHECKING:
    from lightgbm import LGBMRanker

WINDOW_DAYS: Final = 182
_HALF_YEARS: Final = 2
_USERS: Final = 3000
_HARD: Final = 80
_RANDOM: Final = 80
_HELD_OUT: Final = 0.2
_BATCH: Final = 256


@dataclass(frozen=True)
class LambdaMartModel:
    """Scores of boosted trees over `PairFeatures`.

    Attributes:
        graph: the snapshot that it scores.
        ease: (assets, assets) EASE weights learned on the snapshot of the fit.
        trees: the fitted ranker.
    """

    graph: KnowledgeGraph
    ease: FloatArray
    trees: LGBMRanker

    @cached_property
    def _features(self) -> PairFeatures:
        return PairFeatures(self.graph, Interactions(self.graph).ever, self.ease)

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64."""
        parts: list[FloatArray] = [np.zeros((0, len(self.graph.assets)))]
        for start in range(0, len(users), _BATCH):
            features = self._features.of(Positions(users[start : start + _BATCH]))
            found = self.trees.booster_.predict(features.reshape(-1, features.shape[2]))
            parts.append(np.asarray(found, np.float64).reshape(features.shape[:2]))
        return np.concatenate(parts)

    def refresh(self, graph: KnowledgeGraph) -> LambdaMartModel:
        """The same trees and EASE weights; features are computed again."""
        return LambdaMartModel(graph, lay_over_pairs(self.ease, self.graph, graph), self.trees)


@dataclass(frozen=True)
class _Lesson:
    """What is known, and what was bought next: (investors, assets) both, in the order of `features.graph`."""

    features: PairFeatures
    bought: sp.csr_array


def fit_lambdamart(graph: KnowledgeGraph, seed: int = 0) -> LambdaMartModel:
    """LambdaMART (Burges 2010, "From RankNet to LambdaRank to LambdaMART") trained on the last two half years.

    Its lessons are what investors newly bought in each 182 days, told from what was known before them; where no
    positions are known so early, a fifth of every investor's assets, told from the others.
    """
    rng = np.random.default_rng(seed)
    samples = [_sample(lesson, rng) for lesson in _lessons(graph, rng)]
    rows, labels, sizes = (np.concatenate(parts) for parts in zip(*samples, strict=True))
    return LambdaMartModel(graph, ease(Interactions(graph).ever), _boost(rows, labels, sizes, seed))


def _lessons(graph: KnowledgeGraph, rng: np.random.Generator) -> list[_Lesson]:
    """One per half year of which both ends are known, the latest first."""
    lessons: list[_Lesson] = []
    later = graph
    for _ in range(_HALF_YEARS):
        earlier = later.at(later.as_of - timedelta(days=WINDOW_DAYS))
        before, after = Interactions(earlier).ever, Interactions(later).ever
        if not 0 < before.nnz < after.nnz:
            break
        user = find(earlier.user_ids, later.user_ids)
        asset = find(earlier.asset_ids, later.asset_ids)
        bought = _positive(sp.csr_array(after[user][:, asset] - before))
        lessons.append(_Lesson(PairFeatures(earlier, before, ease(before)), bought))
        later = earlier
    return lessons or [_held_out(graph, rng)]


def _held_out(graph: KnowledgeGraph, rng: np.random.Generator) -> _Lesson:
    ever = Interactions(graph).ever
    out = rng.random(ever.nnz) < _HELD_OUT
    kept = ever.copy()
    bought = ever.copy()
    kept.data = (~out) * 1.0
    bought.data = out * 1.0
    kept.eliminate_zeros()
    return _Lesson(PairFeatures(graph, kept, ease(kept)), _positive(bought))


def _positive(matrix: sp.csr_array) -> sp.csr_array:
    out = matrix.copy()
    out.data = (out.data > 0) * 1.0
    out.eliminate_zeros()
    return out


def _sample(lesson: _Lesson, rng: np.random.Generator) -> tuple[FloatArray, IntArray, IntArray]:
    """Rows of features, 0/1 labels, and rows per investor: all purchases, EASE's best others, and random ones."""
    users = np.flatnonzero((np.diff(lesson.bought.indptr) > 0) & (np.diff(lesson.features.ever.indptr) > 0))
    users = np.sort(rng.permutation(users)[:_USERS])
    held = np.flatnonzero(np.asarray(lesson.features.ever.sum(axis=0)).ravel())
    rows = []
    labels = []
    sizes = []
    for start in range(0, len(users), _BATCH):
        batch = Positions(users[start : start + _BATCH])
        features = lesson.features.of(batch)
        bought = lesson.bought[batch].toarray() > 0
        ever = lesson.features.ever[batch].toarray() > 0
        for number in range(len(batch)):
            hard = np.argsort(-np.where(ever[number], -np.inf, features[number, :, 0]), kind="stable")[:_HARD]
            easy = rng.choice(held, min(_RANDOM, len(held)), replace=False)
            chosen = np.union1d(np.union1d(hard, easy), np.flatnonzero(bought[number]))
            chosen = chosen[~ever[number, chosen]]
            rows.append(features[number, chosen])
            labels.append(bought[number, chosen])
            sizes.append(len(chosen))
    return np.concatenate(rows), np.concatenate(labels).astype(np.int64), np.array(sizes)


def _boost(rows: FloatArray, labels: IntArray, sizes: IntArray, seed: int) -> LGBMRanker:
    from lightgbm import LGBMRanker

    ranker = LGBMRanker(
        n_estimators=120,
        learning_rate=0.05,
        num_leaves=15,
        min_child_samples=200,
        colsample_bytree=0.5,
        reg_lambda=10.0,
        lambdarank_truncation_level=20,
        random_state=seed,
        deterministic=True,
        force_row_wise=True,
        n_jobs=1,
        verbosity=-1,
    )
    return ranker.fit(rows, labels, group=sizes)
