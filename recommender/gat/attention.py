"""Graph attention over the snapshot: how much each neighbour of an asset says, and what it says.

Attention may depend on the features as non-linearly as it likes; what is propagated is propagated linearly. So
the closeness of two assets is a sum over pairs of walks, and the closed ones are paths of the graph. The edge
weights are those of GATv2 (Brody et al. 2022) over typed edges; the served pass is NumPy, without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pathfolio.embeddings.threads import one_thread
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Text
from pathfolio.kg.progress import Progress
from pathfolio.recommender.gat.codes import code_columns, node_codes
from pathfolio.recommender.gat.inputs import AttentionInputs, attention_inputs
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.propagation import LinearPropagation

Weights = npt.NDArray[np.float32]

NEGATIVE_SLOPE: Final = 0.2
"""Of the leaky rectifier in the attention, as in the paper."""

ENGINES: Final = ("auto", "dgl", "torch")


@dataclass(frozen=True)
class AttentionOptions:
    """How the network is trained.

    Attributes:
        seed: of everything random.
        dimension: columns of the learned vectors.
        hidden: width of the attention.
        horizon_days: the inner split: the graph this many days before its date is the input, what was first
            bought since is to be ranked.
        max_epochs: passes over those purchases, at most.
        patience: epochs without a better inner metric before training stops.
        batch: purchases per step; `negatives` other assets for each.
        learning_rate: of Adam, with `decay` of the weights.
        unseen: share of assets that each step takes for new issues, without holders.
        spread: price of closeness by learned vectors, which lies on no closed walk; closeness by codes is free.
        alone: weight of ranking without EASE beside ranking with it.
        engine: "dgl", "torch", or "auto": DGL where it is installed.
    """

    seed: int = 0
    dimension: int = 32
    hidden: int = 16
    horizon_days: int = 182
    max_epochs: int = 10
    patience: int = 3
    batch: int = 512
    negatives: int = 16
    learning_rate: float = 0.01
    decay: float = 1e-5
    unseen: float = 0.3
    spread: float = 0.3
    alone: float = 1.0
    engine: str = "auto"

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise UsageError(f"unknown engine {self.engine!r} of the graph attention network: {', '.join(ENGINES)}")


@dataclass(frozen=True)
class AttentionWeights:
    """The network's learned arrays, all float32; h is the attention's width, d the vectors' columns.

    An edge from asset a to node n of type r has the logit
        readout[r] . leaky(assets . x_a + nodes . x_n + sources . b_n + targets . b_a + types[r]) - log(edges of r at a)
    where x are features and b vectors; a walk's attention is the softmax of the logits over the asset's edges.

    Attributes:
        vectors: (m, d) of the learned nodes.
        assets: (ASSET_FEATURES, h); nodes: (1, h); sources, targets: (d, h); types, readout: (edge types, h).
        groups: (groups of kinds,), the strength of their codes.
    """

    vectors: Weights
    assets: Weights
    nodes: Weights
    sources: Weights
    targets: Weights
    types: Weights
    readout: Weights
    groups: Weights


@dataclass(frozen=True)
class GraphAttention:
    """A trained network; it works on later snapshots too, where nodes that it does not know say nothing.

    Attributes:
        kind, id: (m,) int8 codes and str: the learned nodes, in the order of `weights.vectors`.
        weights: the learned arrays.
        scale: the factor that makes the mean squared length of an asset's vector 1 on the day of training.
        ndcg: nDCG@10 of the investors held out of the inner split; NaN where there was none.
        about: seed, engine, epochs and the like, as text.
    """

    kind: npt.NDArray[np.int8]
    id: Text
    weights: AttentionWeights
    scale: float
    ndcg: float
    about: Mapping[str, str]

    def propagation(self, graph: KnowledgeGraph, holders: IntArray | None = None) -> LinearPropagation:
        """Closeness over `graph`: walks from assets to attributes, holdings of funds and themselves.

        Args:
            holders: (assets,) as `pathfolio.recommender.groups` tells them; what it tells of `graph`, if not given.
        """
        holders = Groups(Interactions(graph)).holders if holders is None else holders
        learned = self.rows_in(graph)
        inputs = attention_inputs(graph, learned >= 0, holders)
        vectors = node_vectors(self.weights.vectors, learned)
        alpha = attention(self.weights, inputs, vectors) * self.scale
        walks = sp.csr_array((alpha, (inputs.target, inputs.source)), shape=(len(inputs.assets), len(graph)))
        codes = node_codes(graph, self.kind, self.id) * self.weights.groups[code_columns(self.kind)]
        return LinearPropagation(walks, np.concatenate([codes, vectors], axis=1))

    def rows_in(self, graph: KnowledgeGraph) -> IntArray:
        """(nodes,) int64: the position of each node of `graph` among the learned ones, -1 where it is none."""
        row_of = {key: row for row, key in enumerate(zip(self.kind.tolist(), self.id.tolist(), strict=True))}
        keys = zip(graph.nodes.kind.tolist(), graph.nodes.id.tolist(), strict=True)
        return np.array([row_of.get(key, -1) for key in keys], dtype=np.int64)

    def save(self, path: Path) -> None:
        """Write one .npz file; equal networks give equal bytes."""
        arrays = {f.name: getattr(self.weights, f.name) for f in fields(AttentionWeights)}
        about = np.array([[key, value] for key, value in sorted(self.about.items())], dtype=np.str_)
        np.savez(
            path,
            kind=self.kind,
            id=self.id.astype(np.str_),
            scale=np.float64(self.scale),
            ndcg=np.float64(self.ndcg),
            about=about,
            **arrays,
        )

    @staticmethod
    def load(path: Path) -> GraphAttention:
        """Read a network that `save` wrote; raises DataError where there is none."""
        try:
            with np.load(path, allow_pickle=False) as file:
                weights = AttentionWeights(**{f.name: file[f.name] for f in fields(AttentionWeights)})
                about = {str(key): str(value) for key, value in file["about"]}
                ids = file["id"].astype(object)
                return GraphAttention(file["kind"], ids, weights, float(file["scale"]), float(file["ndcg"]), about)
        except FileNotFoundError:
            raise DataError(f"{path}: no graph attention network here: build again") from None


def node_vectors(vectors: Weights, learned: IntArray) -> Weights:
    """(nodes, d) float32: learned vectors, zeros for nodes that have none (see `GraphAttention.rows_in`)."""
    return np.where(learned[:, None] >= 0, vectors[learned], np.float32(0)).astype(np.float32)


def attention(weights: AttentionWeights, inputs: AttentionInputs, base: Weights) -> FloatArray:
    """(e,) float64: the attention of every edge; those of one asset add up to 1."""
    at_asset = inputs.asset_features @ weights.assets + base[inputs.assets] * known_column(inputs) @ weights.targets
    at_node = inputs.node_features @ weights.nodes + base @ weights.sources
    mixed = at_asset[inputs.target] + at_node[inputs.source] + weights.types[inputs.kind]
    mixed = np.where(mixed > 0, mixed, NEGATIVE_SLOPE * mixed)
    logits = np.einsum("eh,eh->e", mixed, weights.readout[inputs.kind]) - log_group_size(inputs)
    return _softmax(logits.astype(np.float64), inputs.target, len(inputs.assets))


def known_column(inputs: AttentionInputs) -> Weights:
    """(assets, 1) float32: 1 for assets that have a vector of their own."""
    known: Weights = inputs.asset_features[:, -1:]
    return known


def log_group_size(inputs: AttentionInputs) -> Weights:
    """(e,) float32: log of how many edges of its type its asset has, so that many speak as one."""
    _, group, size = np.unique(inputs.target * 256 + inputs.kind, return_inverse=True, return_counts=True)
    return np.asarray(np.log(size[group]), np.float32)


def _softmax(logits: FloatArray, group: IntArray, groups: int) -> FloatArray:
    top = np.full(groups, -np.inf)
    np.maximum.at(top, group, logits)
    parts = np.exp(logits - top[group])
    total = np.bincount(group, weights=parts, minlength=groups)
    return np.asarray(parts / total[group])


def train_attention(
    graph: KnowledgeGraph, options: AttentionOptions | None = None, progress: Progress | None = None
) -> GraphAttention:
    """Train on an inner split of `graph` (see `AttentionOptions`); imports torch, and DGL where it is there."""
    from pathfolio.recommender.gat.train import train

    with one_thread():
        return train(graph, options or AttentionOptions(), progress or Progress(out=None))
