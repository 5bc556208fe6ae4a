"""Training of the graph attention network on an inner temporal split, by Bayesian personalised ranking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.progress import Progress
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.span import Positions
from pathfolio.recommender.ease import ease_weights
from pathfolio.recommender.gat.attention import AttentionOptions, AttentionWeights, GraphAttention
from pathfolio.recommender.gat.codes import code_columns, node_codes
from pathfolio.recommender.gat.inputs import AttentionInputs, attention_inputs
from pathfolio.recommender.gat.network import Network, View, arrays_of, choose_engine, sparse_tensor
from pathfolio.recommender.gat.split import inner_split
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.ranking import best_first

VALIDATION: Final = 0.2
"""Share of the investors with purchases that are kept for early stopping."""

MOST_VALIDATED: Final = 25_000_000
"""Scores that validation makes in each epoch; where there would be more, fewer investors are kept for it."""

FUSION: Final = 0.01
"""Weight of a closeness of standard deviation 1 beside EASE, at which the inner nDCG is measured."""

AVERAGING: Final = 0.97
"""The network that is kept is a moving average of the one in training; each step counts 1 - AVERAGING."""

HARD: Final = 50
"""Half of the other assets in a step are drawn from this many that EASE ranks highest for the investor."""


OTHER_INVESTORS: Final = 64
"""Investors that the buyers of a whole batch are compared with."""


def train(graph: KnowledgeGraph, options: AttentionOptions, progress: Progress) -> GraphAttention:
    """See `pathfolio.recommender.gat.attention.train_attention`."""
    run = AttentionTraining.start(graph, options)
    best = run.weights()
    best_metric = -1.0
    best_ndcg = float("nan")
    best_epoch = 0
    for epoch in range(1, options.max_epochs + 1):
        run.epoch()
        ranking, reach = run.validate()
        progress.update(f"graph attention: epoch {epoch}, inner nDCG@10 {ranking:.3f}, AUC of new issues {reach:.3f}")
        metric = float(np.nan_to_num(ranking)) + reach
        if metric > best_metric:
            best = run.weights()
            best_metric = metric
            best_ndcg = ranking
            best_epoch = epoch
        elif epoch - best_epoch >= options.patience:
            break
    about = {"engine": run.network.engine.name, "seed": str(options.seed), "epochs": str(best_epoch)}
    return _finish(graph, run.learned, best, best_ndcg, about)


def _finish(
    graph: KnowledgeGraph, learned: IntArray, weights: AttentionWeights, ndcg: float, about: dict[str, str]
) -> GraphAttention:
    """The network with the scale of the snapshot it will serve."""
    network = GraphAttention(graph.nodes.kind[learned], graph.nodes.id[learned], weights, 1.0, ndcg, about)
    squares = (network.propagation(graph).factors() ** 2).sum(axis=1)
    size = float(squares[squares > 0].mean()) if (squares > 0).any() else 1.0
    return replace(network, scale=size**-0.5)


@dataclass(frozen=True)
class AttentionTraining:
    """The network in training, and what it is trained on.

    Attributes:
        learned: rows of the nodes with vectors: all but investors.
        ever: (investors, assets) csr, positions before the purchases; `scaled` with rows over sqrt(their number).
        ease: (assets, assets) EASE's weights, which the network is trained beside.
        train, held_out: positions of investors and assets of the purchases.
        half: (assets,) the assets that validation takes for new issues.
    """

    network: Network
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    inputs: AttentionInputs
    learned: IntArray
    codes: npt.NDArray[np.float32]
    group_of: IntArray
    ever: sp.csr_array
    scaled: sp.csr_array
    ease: FloatArray
    train: tuple[IntArray, IntArray]
    held_out: tuple[IntArray, IntArray]
    half: Mask
    options: AttentionOptions
    rng: np.random.Generator

    @staticmethod
    def start(graph: KnowledgeGraph, options: AttentionOptions) -> AttentionTraining:
        """An untrained network; a share of the investors is held out."""
        rng = np.random.default_rng(options.seed)
        split = inner_split(graph, options.horizon_days, rng)
        groups = Groups(Interactions(split.past))
        ever = groups.interactions.ever
        known = np.ones(len(graph), bool)
        # a figure's node says nothing without the edge's value, so that more figures leave training as it was
        known[np.concatenate([graph.users, graph.rows(NodeKind.METRIC)])] = False
        learned = np.flatnonzero(known)
        kind = graph.nodes.kind[learned]
        ids = graph.nodes.id[learned]
        group_of = code_columns(kind)
        network = Network(len(learned), int(group_of.max()) + 1, options, choose_engine(options.engine))
        buyers = np.unique(split.user)
        held_out = buyers[rng.random(len(buyers)) < VALIDATION]
        out = np.isin(split.user, held_out[:: 1 + len(held_out) * len(graph.asset_span) // MOST_VALIDATED])
        return AttentionTraining(
            network,
            AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING)),  # type: ignore[no-untyped-call]  # torch
            torch.optim.Adam(network.parameters(), lr=options.learning_rate, weight_decay=options.decay),
            attention_inputs(split.past, known, groups.holders).without(~_any_holder(ever)),
            learned,
            node_codes(graph, kind, ids),
            group_of,
            ever,
            sp.csr_array(sp.diags_array(1 / np.sqrt(np.maximum(np.diff(ever.indptr), 1))) @ ever),
            ease_weights(groups).astype(np.float64),  # else each product of a step makes it so again
            (split.user[~out], split.asset[~out]),
            (split.user[out], split.asset[out]),
            rng.random(len(graph.assets)) < 0.5,
            options,
            rng,
        )

    def weights(self) -> AttentionWeights:
        """The averaged network's arrays."""
        return arrays_of(self.average.module)

    def epoch(self) -> None:
        """One pass over the training purchases in random order."""
        order = self.rng.permutation(len(self.train[0]))
        for start in range(0, len(order), self.options.batch):
            rows = order[start : start + self.options.batch]
            self._step(self.train[0][rows], self.train[1][rows])

    def _step(self, user: IntArray, asset: IntArray) -> None:
        """BPR twice: the asset bought against others, and the buyer against other investors."""
        unseen = (self.rng.random(len(self.inputs.assets)) < self.options.unseen) | ~self._had_holders
        factors = self.network(self._view(self.inputs.without(unseen)))
        loss = self._asset_loss(factors, user, asset, unseen) + self._investor_loss(factors, user, asset)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no annotation here
        self.optimizer.step()
        self.average.update_parameters(self.network)

    def _view(self, inputs: AttentionInputs) -> View:
        return View.of(inputs, self.learned, self.codes, self.group_of)

    def _asset_loss(
        self, factors: tuple[torch.Tensor, torch.Tensor], user: IntArray, asset: IntArray, unseen: Mask
    ) -> torch.Tensor:
        """For assets with holders, beside EASE: what attention has to add to co-investment."""
        ease = self.ever[user] @ self.ease
        others = self._other_assets(ease)
        theirs = self.ever[user].toarray() > 0
        usable = ~unseen[others] & ~np.take_along_axis(theirs, others, 1) & (others != asset[:, None])
        usable &= ~unseen[asset][:, None]
        shown = np.concatenate([asset[:, None], others], axis=1)
        rows = torch.as_tensor(shown)
        codes, learned = ((self._profile(f, user)[:, None] * f[rows]).sum(2) for f in factors)
        scale = self.network.mix.exp()
        co_investment = torch.as_tensor(np.take_along_axis(ease, shown, 1).astype(np.float32))
        own = scale[1] * (codes + learned)
        score = scale[0] * co_investment + own
        beside = _bpr(score[:, :1] - score[:, 1:], usable)
        alone = _bpr(own[:, :1] - own[:, 1:], usable & (np.arange(others.shape[1]) >= others.shape[1] // 2))
        return beside + self.options.alone * alone + self._excess(learned, scale[1])

    def _investor_loss(
        self, factors: tuple[torch.Tensor, torch.Tensor], user: IntArray, asset: IntArray
    ) -> torch.Tensor:
        """Which investors buy it: what counts for new issues."""
        others = np.unique(self.rng.choice(self._investors, OTHER_INVESTORS))
        both = np.concatenate([user, others])
        codes, learned = (self._against(self._profile(f, both), f[torch.as_tensor(asset)]) for f in factors)
        scale = self.network.mix[1].exp()
        score = scale * (codes + learned)
        return _bpr(score[:, :1] - score[:, 1:], others != user[:, None]) + self._excess(learned, scale)

    @staticmethod
    def _against(profiles: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """(n, 1 + others): scores of each target for its own investor, the first n profiles, and for the others."""
        n = len(targets)
        return torch.cat([(profiles[:n] * targets).sum(1, keepdim=True), targets @ profiles[n:].T], dim=1)

    def _excess(self, learned: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        """The price of closeness that codes do not carry: it lies on no closed walk."""
        return self.options.spread * ((scale * learned) ** 2).mean()

    def _profile(self, factors: torch.Tensor, user: IntArray) -> torch.Tensor:
        """(n, d): the sum of the vectors of what each investor has, by the root of its number."""
        total: torch.Tensor = torch.sparse.mm(sparse_tensor(self.scaled[user]), factors)
        return total

    def _other_assets(self, ease: FloatArray) -> IntArray:
        """(n, negatives): half from the top of EASE's ranking, a quarter by popularity, a quarter evenly."""
        n, size = ease.shape
        quarter = max(self.options.negatives // 4, 1)
        top = min(HARD, size)
        ranked = np.argpartition(-ease, top - 1, axis=1)[:, :top]
        hard = np.take_along_axis(ranked, self.rng.integers(0, top, (n, 2 * quarter)), axis=1)
        popular = self.rng.choice(self.train[1], (n, quarter))
        return np.concatenate([hard, popular, self.rng.integers(0, size, (n, quarter))], axis=1)

    def validate(self) -> tuple[float, float]:
        """nDCG@10 of the held-out investors, beside EASE; and the AUC of buyers of assets taken for new ones."""
        if not len(self.held_out[0]):
            return float("nan"), 0.0
        with torch.no_grad():
            seen = torch.cat(self.average(self._view(self.inputs)), dim=1)
            new = torch.cat(self.average(self._view(self.inputs.without(self.half))), dim=1)
            return self._ranking(seen), self._reach(new)

    def _ranking(self, factors: torch.Tensor) -> float:
        users, place = np.unique(self.held_out[0], return_inverse=True)
        own = (self._profile(factors, users) @ factors.T).numpy()
        scores = self.ever[users] @ self.ease + FUSION / max(float(own.std()), 1e-9) * own
        scores[self.ever[users].toarray() > 0] = -np.inf
        scores[:, ~self._had_holders] = -np.inf
        relevant = sp.csr_array((np.ones(len(place)), (place, self.held_out[1])), shape=scores.shape)
        return ndcg(scores, relevant)

    def _reach(self, factors: torch.Tensor) -> float:
        new = self.half[self.held_out[1]] | ~self._had_holders[self.held_out[1]]
        user, asset = (part[new] for part in self.held_out)
        if not len(user):
            return 0.0
        others = self._investors[:: max(len(self._investors) // 1000, 1)]
        target = factors[torch.as_tensor(asset)]
        buyer = (self._profile(factors, user) * target).sum(1, keepdim=True)
        other = target @ self._profile(factors, others).T
        return float(((buyer > other).float() + (buyer == other).float() / 2).mean())

    @cached_property
    def _had_holders(self) -> Mask:
        return _any_holder(self.ever)

    @cached_property
    def _investors(self) -> IntArray:
        return np.flatnonzero(np.diff(self.ever.indptr))


def _any_holder(ever: sp.csr_array) -> Mask:
    return np.bincount(ever.indices, minlength=ever.shape[1]) > 0


def _bpr(difference: torch.Tensor, usable: Mask) -> torch.Tensor:
    """Mean of -log sigmoid(difference) over the usable pairs (Rendle et al. 2009)."""
    mask = torch.as_tensor(usable)
    losses = torch.nn.functional.softplus(-difference) * mask
    return losses.sum() / mask.sum().clamp(min=1)


def ndcg(scores: FloatArray, relevant: sp.csr_array, k: int = 10) -> float:
    """Mean nDCG@k over rows with relevant columns; the ideal is over all of them."""
    top = best_first(scores, Positions(np.arange(scores.shape[1])), k)
    gain = np.take_along_axis(relevant.toarray() > 0, top, axis=1) / np.log2(np.arange(2, top.shape[1] + 2))
    ideal = np.cumsum(1 / np.log2(np.arange(2, k + 2)))[np.minimum(np.diff(relevant.indptr), k) - 1]
    has = np.diff(relevant.indptr) > 0
    return float((gain.sum(axis=1)[has] / ideal[has]).mean())
