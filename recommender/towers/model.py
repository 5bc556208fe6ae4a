"""`TwoTowers`: trained towers over a snapshot. Scores are products of arrays; torch loads to train and encode only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from embeddings.threads import one_thread
from embeddings.train import VectorOptions, train_vectors
from embeddings.vectors import EntityVectors
from kg.errors import DataError
from kg.graph import FloatArray, IntArray, KnowledgeGraph, Text
from kg.progress import Progress
from recommender.gat_split import inner_split
from recommender.retrieve_index import Index, choose_index
from recommender.towers.inputs import Single, Vocabulary, tower_inputs, vocabulary_of
from recommender.towers.options import TowerOptions


@dataclass(frozen=True)
class TowerVectors:
    """What is served: an investor has one vector for each kind of asset, an asset one; scores are their products.

    Attributes:
        user_id, asset_id: (n,) and (m,) str, in the order of the rows.
        users: (n, kinds, d) float32.
        assets: (m, d) float32; the last column is the asset's bias, for which investors have 1.
        kind_of: (m,) int64, positions in `kg.schema.ASSET_KINDS`, ascending.
    """

    user_id: Text
    asset_id: Text
    users: Single
    assets: Single
    kind_of: IntArray

    def scores(self, users: IntArray) -> FloatArray:
        """(len(users), assets) float64."""
        return score(self.users[users], self.assets, self.kind_of).astype(np.float64)

    def top(self, users: IntArray, k: int) -> tuple[IntArray, FloatArray]:
        """(len(users), k) positions of the assets with the highest scores, and the scores, best first.

        By the exact product for up to 100,000 assets of a kind, by FAISS beyond; -1 and -inf where there are fewer.

        Raises:
            UsageError: there are more, and FAISS is not installed.
        """
        position, product = np.zeros((len(users), 0), np.int64), np.zeros((len(users), 0))
        for kind, index in enumerate(self._indexes):
            found, scores = index.search(self.users[users, kind], k)
            first = int(np.searchsorted(self.kind_of, kind))
            position = np.concatenate([position, np.where(found >= 0, found + first, -1)], axis=1)
            product = np.concatenate([product, scores], axis=1)
        order = np.lexsort((position, -product), axis=1)[:, :k]
        return np.take_along_axis(position, order, axis=1), np.take_along_axis(product, order, axis=1)

    @cached_property
    def _indexes(self) -> tuple[Index, ...]:
        return tuple(choose_index(self.assets[self.kind_of == kind]) for kind in range(self.users.shape[1]))

    def save(self, path: Path) -> None:
        """Write one .npz file; equal vectors give equal bytes."""
        np.savez(
            path,
            user_id=self.user_id.astype(np.str_),
            asset_id=self.asset_id.astype(np.str_),
            users=self.users,
            assets=self.assets,
            kind_of=self.kind_of,
        )

    @staticmethod
    def load(path: Path) -> TowerVectors:
        """Read what `save` wrote; raises DataError where there is nothing."""
        try:
            with np.load(path, allow_pickle=False) as file:
                users, assets = (file[name].astype(object) for name in ("user_id", "asset_id"))
                return TowerVectors(users, assets, file["users"], file["assets"], file["kind_of"])
        except FileNotFoundError:
            raise DataError(f"{path}: no vectors of two towers here: train them again") from None


def score(users: Single, assets: Single, kind_of: IntArray) -> Single:
    """(n, m) float32: each asset's product with the investor's vector for its kind.

    Args:
        users: (n, kinds, d); assets: (m, d); kind_of: (m,) ascending.
    """
    parts = [users[:, kind] @ assets[kind_of == kind].T for kind in range(users.shape[1])]
    return np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class TwoTowers:
    """Trained towers over one snapshot; see `recommender.model.Model`.

    Attributes:
        graph: the snapshot that it scores.
        served: the vectors of its investors and assets.
        weights: the network's arrays by name.
        prices: closes up to the day of training, and nothing later.
        epochs: passes over the investors; ndcg: nDCG@10 on the inner window.
    """

    graph: KnowledgeGraph
    served: TowerVectors
    weights: Mapping[str, npt.NDArray[Any]]
    vocabulary: Vocabulary
    vectors: EntityVectors
    prices: pd.DataFrame | None
    options: TowerOptions
    epochs: int
    ndcg: float

    def scores(self, users: IntArray) -> FloatArray:
        """(len(users), assets) float64."""
        return self.served.scores(users)

    def refresh(self, graph: KnowledgeGraph) -> TwoTowers:
        """The same weights over another day's snapshot; new assets are placed by their categories and figures."""
        served = _encode(graph, self.weights, self.vocabulary, self.vectors, self.prices, self.options)
        return replace(self, graph=graph, served=served)


def train_towers(
    graph: KnowledgeGraph,
    prices: pd.DataFrame | None = None,
    options: TowerOptions | None = None,
    progress: Progress | None = None,
) -> TwoTowers:
    """Train both towers on what `graph` and the prices up to its date tell; later prices are not read.

    The same snapshot, prices and options give the same vectors.

    Raises:
        DataError: the snapshot has no triples to learn from.
    """
    from recommender.towers.train import fit

    options, progress = options or TowerOptions(), progress or Progress(out=None)
    known = prices[prices["date"] <= pd.Timestamp(graph.as_of)] if prices is not None else None
    split = inner_split(graph, options.horizon_days, np.random.default_rng(options.seed))
    vectors = train_vectors(split.past, VectorOptions(model="DistMult", seed=options.seed), progress)
    vocabulary = vocabulary_of(graph, known)
    with one_thread():
        fitted = fit(graph, split, vocabulary, vectors, known, options, progress)
        served = _encode(graph, fitted.weights, vocabulary, vectors, known, options)
    return TwoTowers(graph, served, fitted.weights, vocabulary, vectors, known, options, fitted.epochs, fitted.ndcg)


def _encode(
    graph: KnowledgeGraph,
    weights: Mapping[str, npt.NDArray[Any]],
    vocabulary: Vocabulary,
    vectors: EntityVectors,
    prices: pd.DataFrame | None,
    options: TowerOptions,
) -> TowerVectors:
    from recommender.towers.train import encode

    inputs = tower_inputs(graph, vocabulary, vectors, prices)
    with one_thread():
        users, assets = encode(weights, vocabulary, inputs, options)
    ids = graph.nodes.id
    return TowerVectors(ids[graph.users], ids[graph.assets], users, assets, inputs.kind_of)


def fit_two_towers(graph: KnowledgeGraph, seed: int = 0, prices: pd.DataFrame | None = None) -> TwoTowers:
    """The two towers with their standard options (Covington et al. 2016; Yi et al. 2019)."""
    return train_towers(graph, prices, TowerOptions(seed=seed))
