"""Training of the graph attention network on an inner temporal split, by Bayesian personalised ranking."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch

from kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask, to_days
from kg.progress import Progress
from kg.schema import RELATION_CODE, Relation
from recommender.channels.co_investment import ease_weights
from recommender.gat import NEGATIVE_SLOPE, AttentionOptions, AttentionWeights, GraphAttention, log_group_size
from recommender.gat_inputs import ASSET_FEATURES, EDGE_TYPES, AttentionInputs, attention_inputs
from recommender.interactions import Interactions

FEWEST_PURCHASES: Final = 200
"""With fewer first purchases in the inner window a random fifth of all positions is hidden instead."""

VALIDATION: Final = 0.2
"""Share of the investors with purchases that are kept for early stopping."""


class Engine(Protocol):
    """A way to propagate; the same in DGL and in plain torch."""

    name: str

    def propagate(
        self, logits: torch.Tensor, source: torch.Tensor, target: torch.Tensor, vectors: torch.Tensor, n: int
    ) -> torch.Tensor:
        """(n, d): attention times vectors, summed up per target."""
        ...


def choose_engine(name: str) -> Engine:
    """DGL where it is installed, unless told otherwise."""
    if name == "torch" or (name == "auto" and importlib.util.find_spec("dgl") is None):
        from recommender.gat_torch import TorchEngine

        return TorchEngine()
    from recommender.gat_dgl import DglEngine

    return DglEngine()


@dataclass(frozen=True)
class InnerSplit:
    """The snapshot with later positions taken away, and what was first bought then.

    Attributes:
        past: the same nodes as in the snapshot; positions as they were known earlier.
        user, asset: (p,) positions of the purchases to rank; their investors have positions in `past`.
    """

    past: KnowledgeGraph
    user: IntArray
    asset: IntArray


def inner_split(graph: KnowledgeGraph, horizon_days: int, rng: np.random.Generator) -> InnerSplit:
    """Purchases of the last `horizon_days`; a random fifth of all positions where there are too few of those."""
    edges, codes = graph.edges, [RELATION_CODE[Relation.HOLDS], RELATION_CODE[Relation.HELD]]
    is_position = np.isin(edges.relation, codes)
    recent = is_position & (edges.known_at > to_days(graph.as_of - timedelta(days=horizon_days)))
    split = _without_positions(graph, recent)
    if len(split.user) < FEWEST_PURCHASES:
        pair = edges.head.astype(np.int64) * len(graph) + edges.tail
        hidden = np.unique(pair[is_position])
        hidden = hidden[rng.random(len(hidden)) < VALIDATION]
        split = _without_positions(graph, is_position & np.isin(pair, hidden))
    return split


def _without_positions(graph: KnowledgeGraph, hidden: Mask) -> InnerSplit:
    past = KnowledgeGraph(graph.nodes, graph.edges.take(~hidden), graph.as_of, graph.name, graph.is_sample)
    now, before = Interactions(graph).ever, Interactions(past).ever
    new = sp.coo_array(now - before.multiply(now))
    known = np.diff(before.indptr)[new.row] > 0
    bought = known & (new.data > 0)
    return InnerSplit(past, new.row[bought].astype(np.int64), new.col[bought].astype(np.int64))


class Network(torch.nn.Module):
    """The learned arrays of `AttentionWeights` as parameters, and the pass from a snapshot to asset vectors."""

    def __init__(self, n_learned: int, options: AttentionOptions, engine: Engine) -> None:
        """Random weights for `n_learned` nodes."""
        super().__init__()
        d, h, rng = options.dimension, options.hidden, torch.Generator().manual_seed(options.seed)

        def normal(rows: int, columns: int, scale: float) -> torch.nn.Parameter:
            return torch.nn.Parameter(torch.randn(rows, columns, generator=rng) * scale)

        self.vectors = normal(n_learned, d, d**-0.5)
        self.assets = normal(ASSET_FEATURES, h, 0.3)
        self.nodes = normal(1, h, 0.3)
        self.sources = normal(d, h, 0.3)
        self.targets = normal(d, h, 0.3)
        self.types = normal(len(EDGE_TYPES), h, 0.3)
        self.readout = normal(len(EDGE_TYPES), h, 0.3)
        self.mix = torch.nn.Parameter(torch.tensor([2.0, 1.0]))
        self.engine = engine

    def forward(self, view: View) -> torch.Tensor:
        """(assets, d) float32: each asset's vector."""
        made = torch.nn.functional.normalize(torch.sparse.mm(view.holdings, self.vectors), dim=1)
        base = torch.cat([self.vectors, made])
        own = self.vectors.index_select(0, view.own) * view.asset_features[:, -1:]
        at_asset = view.asset_features @ self.assets + own @ self.targets
        at_node = view.node_features @ self.nodes + base @ self.sources
        mixed = at_asset.index_select(0, view.target) + at_node.index_select(0, view.source)
        mixed = torch.nn.functional.leaky_relu(mixed + self.types.index_select(0, view.kind), NEGATIVE_SLOPE)
        logits = (mixed * self.readout.index_select(0, view.kind)).sum(1) - view.log_group
        return self.engine.propagate(logits, view.source, view.target, base, len(view.own))

    def weights(self) -> AttentionWeights:
        """A copy of the arrays."""
        arrays = {f.name: getattr(self, f.name).detach().numpy().copy() for f in fields(AttentionWeights)}
        return AttentionWeights(**arrays)


@dataclass(frozen=True)
class View:
    """`AttentionInputs` as tensors; sources are rows of learned vectors followed by investors.

    `own` is each asset's row among the learned vectors (all assets of the training snapshot have one).
    """

    source: torch.Tensor
    target: torch.Tensor
    kind: torch.Tensor
    log_group: torch.Tensor
    holdings: torch.Tensor
    asset_features: torch.Tensor
    node_features: torch.Tensor
    own: torch.Tensor

    @staticmethod
    def of(inputs: AttentionInputs, learned: IntArray) -> View:
        """The tensors of `inputs`; `learned` are the rows of the nodes with vectors, ascending."""
        row_of = np.full(inputs.n_nodes, -1, np.int64)
        row_of[learned] = np.arange(len(learned))
        row_of[inputs.users] = len(learned) + np.arange(len(inputs.users))
        features = np.concatenate([inputs.node_features[learned], inputs.node_features[inputs.users]])
        return View(
            torch.as_tensor(row_of[inputs.source]),
            torch.as_tensor(inputs.target),
            torch.as_tensor(inputs.kind),
            torch.as_tensor(log_group_size(inputs)),
            _sparse(inputs.holdings[:, learned]),
            torch.as_tensor(inputs.asset_features),
            torch.as_tensor(features),
            torch.as_tensor(row_of[inputs.assets]),
        )


def train(graph: KnowledgeGraph, options: AttentionOptions, progress: Progress) -> GraphAttention:
    """See `recommender.gat.train_attention`."""
    rng = np.random.default_rng(options.seed)
    split = inner_split(graph, options.horizon_days, rng)
    learned = np.setdiff1d(np.arange(len(graph)), graph.users)
    known = np.ones(len(graph), bool)
    known[graph.users] = False
    had_holders = np.bincount(Interactions(split.past).ever.indices, minlength=len(graph.assets)) > 0
    inputs = attention_inputs(split.past, known).without(~had_holders)
    run = _Run.start(inputs, learned, split, options, rng)
    best, best_metric, best_epoch = run.network.weights(), run.validate(), 0
    for epoch in range(1, options.max_epochs + 1):
        run.epoch()
        metric = run.validate()
        progress.update(f"graph attention: epoch {epoch}, inner nDCG@10 {metric:.3f}")
        if metric > best_metric:
            best, best_metric, best_epoch = run.network.weights(), metric, epoch
        elif epoch - best_epoch >= options.patience:
            break
    about = {"engine": run.network.engine.name, "seed": str(options.seed), "epochs": str(best_epoch)}
    return _finish(graph, learned, known, best, best_metric, about)


def _finish(
    graph: KnowledgeGraph, learned: IntArray, known: Mask, weights: AttentionWeights, ndcg: float, about: dict[str, str]
) -> GraphAttention:
    """The network with the scale of the snapshot it will serve."""
    network = GraphAttention(graph.nodes.kind[learned], graph.nodes.id[learned], weights, 1.0, ndcg, about)
    squares = (network.propagation(graph).factors() ** 2).sum(axis=1)
    size = float(squares[squares > 0].mean()) if (squares > 0).any() else 1.0
    return replace(network, scale=size**-0.5)


@dataclass(frozen=True)
class _Run:
    """The network in training, and what it is trained on."""

    network: Network
    optimizer: torch.optim.Optimizer
    inputs: AttentionInputs
    learned: IntArray
    scaled: sp.csr_array
    ease: npt.NDArray[np.float32]
    ever: sp.csr_array
    train: tuple[IntArray, IntArray]
    held_out: tuple[IntArray, IntArray]
    options: AttentionOptions
    rng: np.random.Generator

    @staticmethod
    def start(
        inputs: AttentionInputs,
        learned: IntArray,
        split: InnerSplit,
        options: AttentionOptions,
        rng: np.random.Generator,
    ) -> _Run:
        """An untrained network; a share of the investors is held out."""
        ever = Interactions(split.past).ever
        out = np.isin(split.user, np.unique(split.user)[rng.random(len(np.unique(split.user))) < VALIDATION])
        network = Network(len(learned), options, choose_engine(options.engine))
        optimizer = torch.optim.Adam(network.parameters(), lr=options.learning_rate, weight_decay=options.decay)
        count = np.maximum(np.diff(ever.indptr), 1)
        return _Run(
            network,
            optimizer,
            inputs,
            learned,
            sp.csr_array(sp.diags_array(1 / np.sqrt(count)) @ ever),
            ease_weights(ever),
            ever,
            (split.user[~out], split.asset[~out]),
            (split.user[out], split.asset[out]),
            options,
            rng,
        )

    def epoch(self) -> None:
        """One pass over the training purchases in random order."""
        order = self.rng.permutation(len(self.train[0]))
        for start in range(0, len(order), self.options.batch):
            rows = order[start : start + self.options.batch]
            self._step(self.train[0][rows], self.train[1][rows])

    def _step(self, user: IntArray, asset: IntArray) -> None:
        """BPR twice: the asset bought against others, and the buyer against other investors."""
        unseen = (self.rng.random(len(self.inputs.assets)) < self.options.unseen) | ~self._had_holders
        factors = self.network(View.of(self._sampled(self.inputs.without(unseen)), self.learned))
        others = self._other_assets(len(user))
        loss = self._asset_loss(factors, user, asset, others, unseen)
        loss = loss + self._investor_loss(factors, user, asset, unseen)
        loss = loss + self.options.spread * self._overlap()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no annotation here
        self.optimizer.step()

    def _asset_loss(
        self, factors: torch.Tensor, user: IntArray, asset: IntArray, others: IntArray, unseen: Mask
    ) -> torch.Tensor:
        """For assets with holders, beside EASE: what attention has to add to co-investment."""
        shown = np.concatenate([asset[:, None], others], axis=1)
        theirs = self.ever[user].toarray() > 0
        usable = ~unseen[others] & ~np.take_along_axis(theirs, others, 1) & (others != asset[:, None])
        usable &= ~unseen[asset][:, None]
        ease = np.take_along_axis(self.ever[user] @ self.ease, shown, 1)
        score = self._mixed(self._profile(factors, user), factors[torch.as_tensor(shown)], ease)
        return _bpr(score[:, :1] - score[:, 1:], usable)

    def _investor_loss(self, factors: torch.Tensor, user: IntArray, asset: IntArray, unseen: Mask) -> torch.Tensor:
        """Which investors buy it: what counts for new issues."""
        others = self.rng.choice(self._investors, (len(user), self.options.negatives))
        flat = np.concatenate([user[:, None], others], axis=1)
        profiles = self._profile(factors, flat.ravel()).reshape(*flat.shape, -1)
        score = (profiles * factors[torch.as_tensor(asset)][:, None]).sum(2) * self.network.mix[1].exp()
        return _bpr(score[:, :1] - score[:, 1:], others != user[:, None])

    def _mixed(self, profile: torch.Tensor, factors: torch.Tensor, ease: npt.NDArray[np.float32]) -> torch.Tensor:
        scale = self.network.mix.exp()
        own = (profile[:, None] * factors).sum(2)
        return scale[0] * torch.as_tensor(ease.astype(np.float32)) + scale[1] * own

    def _profile(self, factors: torch.Tensor, user: IntArray) -> torch.Tensor:
        """(n, d): the sum of the vectors of what each investor has, by the root of its number."""
        total: torch.Tensor = torch.sparse.mm(_sparse(self.scaled[user]), factors)
        return total

    def _overlap(self) -> torch.Tensor:
        """Mean squared cosine of learned vectors with each other."""
        unit = torch.nn.functional.normalize(self.network.vectors, dim=1)
        second = unit.T @ unit / len(unit)
        return (second**2).sum()

    def _other_assets(self, n: int) -> IntArray:
        """(n, negatives): half drawn by popularity, half evenly."""
        half = self.options.negatives // 2
        popular = self.rng.choice(self.train[1], (n, half))
        return np.concatenate([popular, self.rng.integers(0, len(self.inputs.assets), (n, half))], axis=1)

    def _sampled(self, inputs: AttentionInputs) -> AttentionInputs:
        """At most `fanout` holders of each asset where the graph is large."""
        if len(inputs.source) <= self.options.sample_above:
            return inputs
        order = np.lexsort((self.rng.random(len(inputs.source)), inputs.kind, inputs.target))
        group = (inputs.target * len(EDGE_TYPES) + inputs.kind)[order]
        first = np.r_[True, group[1:] != group[:-1]]
        place = np.arange(len(group)) - np.maximum.accumulate(np.where(first, np.arange(len(group)), 0))
        return inputs.take(np.sort(order[place < self.options.fanout]))

    def validate(self) -> float:
        """nDCG@10 of the held-out investors over assets with holders, EASE and attention together."""
        if not len(self.held_out[0]):
            return 0.0
        users, place = np.unique(self.held_out[0], return_inverse=True)
        with torch.no_grad():
            factors = self.network(View.of(self.inputs, self.learned))
            mix = self.network.mix.exp().numpy()
            own = (self._profile(factors, users) @ factors.T).numpy()
        scores = mix[0] * (self.ever[users] @ self.ease) + mix[1] * own
        scores[self.ever[users].toarray() > 0] = -np.inf
        scores[:, ~self._had_holders] = -np.inf
        relevant = sp.csr_array((np.ones(len(place)), (place, self.held_out[1])), shape=scores.shape)
        return ndcg(scores, relevant)

    @property
    def _had_holders(self) -> Mask:
        return np.bincount(self.ever.indices, minlength=self.ever.shape[1]) > 0

    @property
    def _investors(self) -> IntArray:
        return np.flatnonzero(np.diff(self.ever.indptr))


def _sparse(matrix: sp.csr_array) -> torch.Tensor:
    """A torch tensor with the same entries, float32."""
    entries = sp.coo_array(matrix)
    index = torch.as_tensor(np.stack(entries.coords).astype(np.int64))
    values = torch.as_tensor(entries.data.astype(np.float32))
    return torch.sparse_coo_tensor(index, values, entries.shape, check_invariants=True).coalesce()


def _bpr(difference: torch.Tensor, usable: Mask) -> torch.Tensor:
    """Mean of -log sigmoid(difference) over the usable pairs (Rendle et al. 2009)."""
    mask = torch.as_tensor(usable)
    losses = torch.nn.functional.softplus(-difference) * mask
    return losses.sum() / mask.sum().clamp(min=1)


def ndcg(scores: FloatArray, relevant: sp.csr_array, k: int = 10) -> float:
    """Mean nDCG@k over rows with relevant columns; the ideal is over all of them."""
    top = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    gain = np.take_along_axis(relevant.toarray() > 0, top, axis=1) / np.log2(np.arange(2, top.shape[1] + 2))
    ideal = np.cumsum(1 / np.log2(np.arange(2, k + 2)))[np.minimum(np.diff(relevant.indptr), k) - 1]
    has = np.diff(relevant.indptr) > 0
    return float((gain.sum(axis=1)[has] / ideal[has]).mean())
