"""`TwoTowers`: trained towers over a snapshot. Scores are products of arrays; torch loads to train and encode only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.embeddings.threads import one_thread
from pathfolio.embeddings.train import VectorOptions, train_vectors
from pathfolio.embeddings.vectors import EntityVectors, RelationVectors
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Text
from pathfolio.kg.progress import Progress
from pathfolio.kg.schema import ASSET_KINDS, KIND_CODE, NodeKind
from pathfolio.kg.span import Positions
from pathfolio.recommender.gat.split import inner_split
from pathfolio.recommender.retrieve_index import Index, choose_index
from pathfolio.recommender.towers.inputs import Single, Vocabulary, profile_codes, tower_inputs, vocabulary_of
from pathfolio.recommender.towers.options import TowerOptions
from pathfolio.recommender.towers.placed import INVESTOR_LAYERS, PlacedTowers


@dataclass(frozen=True)
class TowerVectors:
    """What is served: an investor has one vector for each kind of asset, an asset one; scores are their products.

    Attributes:
        user_id, asset_id: (n,) and (m,) str, in the order of the rows.
        users: (n, kinds, d) float32.
        assets: (m, d) float32; the last column is the asset's bias, for which investors have 1.
        kind_of: (m,) int64, positions in `pathfolio.kg.schema.ASSET_KINDS`, ascending.
    """

    user_id: Text
    asset_id: Text
    users: Single
    assets: Single
    kind_of: IntArray

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64."""
        return score(self.users[users], self.assets, self.kind_of).astype(np.float64)

    def top(self, users: Positions, k: int) -> tuple[Positions, FloatArray]:
        """(len(users), k) positions of the assets with the highest scores, and the scores, best first.

        By the exact product for up to 100,000 assets of a kind, by FAISS beyond; -1 and -inf where there are fewer.

        Raises:
            UsageError: there are more, and FAISS is not installed.
        """
        position = np.zeros((len(users), 0), np.int64)
        product = np.zeros((len(users), 0))
        for kind, index in enumerate(self._indexes):
            found, scores = index.search(self.users[users, kind], k)
            first = int(np.searchsorted(self.kind_of, kind))
            position = np.concatenate([position, np.where(found >= 0, found + first, -1)], axis=1)
            product = np.concatenate([product, scores], axis=1)
        order = np.lexsort((position, -product), axis=1)[:, :k]
        return Positions(np.take_along_axis(position, order, axis=1)), np.take_along_axis(product, order, axis=1)

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
class TowerParts:
    """What training leaves behind; it can be placed on any later snapshot.

    Attributes:
        weights: the network's arrays by name.
        vocabulary: what the towers learned to read.
        vectors: the graph vectors that the asset towers read.
        options: how they were trained.
        epochs: passes over the investors; ndcg: nDCG@10 on the inner window.
        prices: closes for the indicators, up to a snapshot's date; None where there are none.
    """

    weights: Mapping[str, npt.NDArray[Any]]
    vocabulary: Vocabulary
    vectors: EntityVectors
    options: TowerOptions
    epochs: int
    ndcg: float
    prices: pd.DataFrame | None = None

    def serve(self, graph: KnowledgeGraph) -> TowerVectors:
        """The vectors of a snapshot's investors and assets; prices after its date are not read."""
        from pathfolio.recommender.towers.train import encode

        inputs = tower_inputs(graph, self.vocabulary, self.vectors, self.prices)
        with one_thread():
            users, assets = encode(self.weights, self.vocabulary, inputs, self.options)
        ids = graph.nodes.id
        return TowerVectors(ids[graph.users], ids[graph.assets], users, assets, inputs.kind_of)

    def place(self, graph: KnowledgeGraph) -> PlacedTowers:
        """The towers over a snapshot, to score investors as they are or may be, without torch.

        Raises:
            UsageError: positions are read by something else than a GRU.
        """
        from pathfolio.recommender.towers.train import encode_assets

        if self.options.sequence != "gru":
            raise UsageError(f"two towers with a {self.options.sequence} are not served: train them with a GRU")
        inputs = tower_inputs(graph, self.vocabulary, self.vectors, self.prices)
        with one_thread():
            assets, past = encode_assets(self.weights, self.vocabulary, inputs, self.options)
        weights = {name: values for name, values in self.weights.items() if name.startswith(INVESTOR_LAYERS)}
        levels = profile_codes(graph, self.vocabulary)
        return PlacedTowers(
            assets, past, inputs.kind_of, levels, self.options.memory, self.options.horizon_days, weights
        )

    def save(self, folder: Path) -> None:
        """Write weights.npz, towers.json and vectors.* into `folder`; prices are not written."""
        folder.mkdir(parents=True, exist_ok=True)
        weights: dict[str, Any] = dict(self.weights)
        np.savez(folder / "weights.npz", **weights)
        codes = [[kind.value, key, code] for (kind, key), code in self.vocabulary.codes.items()]
        words = {"codes": codes, "columns": self.vocabulary.columns, "assets": list(self.vocabulary.assets)}
        about = {"options": asdict(self.options), "epochs": self.epochs, "ndcg": self.ndcg, "vocabulary": words}
        (folder / "towers.json").write_text(json.dumps(about, ensure_ascii=False) + "\n", encoding="utf-8")
        self.vectors.save(folder)

    @staticmethod
    def load(folder: Path, prices: pd.DataFrame | None) -> TowerParts:
        """Read what `save` wrote; raises DataError where there is nothing."""
        try:
            about = json.loads((folder / "towers.json").read_text(encoding="utf-8"))
            with np.load(folder / "weights.npz", allow_pickle=False) as file:
                weights = {name: file[name] for name in file.files}
        except FileNotFoundError as error:
            raise DataError(f"{error.filename}: no two towers here: build again with --towers") from None
        words = about["vocabulary"]
        vocabulary = Vocabulary(
            {(NodeKind(kind), key): code for kind, key, code in words["codes"]},
            tuple(map(tuple, words["columns"])),
            {key: row for row, key in enumerate(words["assets"], 1)},
        )
        options = TowerOptions(**about["options"])
        vectors = EntityVectors.load(folder)
        return TowerParts(weights, vocabulary, vectors, options, about["epochs"], about["ndcg"], prices)


@dataclass(frozen=True)
class TwoTowers:
    """Trained towers as a model of their own; see `pathfolio.recommender.model.Model`.

    Attributes:
        graph: the snapshot that it scores.
        served: the vectors of its investors and assets.
        parts: what was trained, with closes up to the day of training and nothing later.
    """

    graph: KnowledgeGraph
    served: TowerVectors
    parts: TowerParts

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64."""
        return self.served.scores(users)

    def refresh(self, graph: KnowledgeGraph) -> TwoTowers:
        """The same weights over another day's snapshot; new assets are placed by their categories and figures."""
        return TwoTowers(graph, self.parts.serve(graph), self.parts)


def train_towers(
    graph: KnowledgeGraph,
    prices: pd.DataFrame | None = None,
    options: TowerOptions | None = None,
    progress: Progress | None = None,
) -> TowerParts:
    """Train both towers on what `graph` and the prices up to its date tell; later prices are not read.

    The same snapshot, prices and options give the same parts.

    Raises:
        DataError: the snapshot has no triples to learn from.
    """
    from pathfolio.recommender.towers.train import fit

    options = options or TowerOptions()
    progress = progress or Progress(out=None)
    known = prices[prices["date"] <= pd.Timestamp(graph.as_of)] if prices is not None else None
    split = inner_split(graph, options.horizon_days, np.random.default_rng(options.seed))
    vectors = train_vectors(split.past, VectorOptions(model="DistMult", seed=options.seed), progress)
    vocabulary = vocabulary_of(graph, known)
    with one_thread():
        fitted = fit(graph, split, vocabulary, vectors, known, options, progress)
    return TowerParts(fitted.weights, vocabulary, _of_assets(vectors), options, fitted.epochs, fitted.ndcg, known)


def _of_assets(vectors: EntityVectors) -> EntityVectors:
    """The vectors that towers read; the far more numerous investors' are not kept."""
    kept = np.isin(vectors.kind, [KIND_CODE[kind] for kind in ASSET_KINDS])
    return replace(vectors.take(kept), relations=RelationVectors())


def fit_two_towers(
    graph: KnowledgeGraph, seed: int = 0, prices: pd.DataFrame | None = None, options: TowerOptions | None = None
) -> TwoTowers:
    """The two towers as a model (Covington et al. 2016; Yi et al. 2019), with their standard options where none are
    given."""
    parts = train_towers(graph, prices, replace(options or TowerOptions(), seed=seed))
    return TwoTowers(graph, parts.serve(graph), parts)
