"""Training of the two towers, and the pass that makes their vectors for a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import softplus
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pathfolio.embeddings.vectors import EntityVectors
from pathfolio.kg.graph import KnowledgeGraph, Mask
from pathfolio.kg.progress import Progress
from pathfolio.kg.span import Positions
from pathfolio.recommender.evaluation.metrics import hits_of, ndcg
from pathfolio.recommender.gat.split import InnerSplit
from pathfolio.recommender.towers.batches import TrainingStep, hard_negatives, pairs_of, steps, whole
from pathfolio.recommender.towers.inputs import Single, TowerInputs, Vocabulary, tower_inputs
from pathfolio.recommender.towers.model import score
from pathfolio.recommender.towers.network import AssetView, Towers, products
from pathfolio.recommender.towers.options import TowerOptions

Weights = Mapping[str, npt.NDArray[Any]]

_CHUNK: Final = 2048
_LARGEST_STEP: Final = 5.0
"""Norm to which gradients are cut."""


@dataclass(frozen=True)
class Fitted:
    """What training leaves behind.

    Attributes:
        weights: the network's arrays by name.
        epochs: passes over the investors.
        ndcg: nDCG@10 on the inner window at that number of passes, NaN where nothing could be validated.
    """

    weights: Weights
    epochs: int
    ndcg: float


def fit(
    graph: KnowledgeGraph,
    split: InnerSplit,
    vocabulary: Vocabulary,
    vectors: EntityVectors,
    prices: pd.DataFrame | None,
    options: TowerOptions,
    progress: Progress,
) -> Fitted:
    """Find the number of epochs on the inner split, then train that long on all that is known on the day."""
    early = graph.as_of - timedelta(days=options.horizon_days)
    past = tower_inputs(split.past, vocabulary, vectors, prices, early)
    epochs, best = _search(past, split, vocabulary, options, progress)
    run = TowerTraining.start(vocabulary, tower_inputs(graph, vocabulary, vectors, prices), options)
    for epoch in range(epochs):
        run.epoch()
        progress.update(f"two towers: epoch {epoch + 1} of {epochs}")
    return Fitted({name: value.numpy().copy() for name, value in run.kept.state_dict().items()}, epochs, best)


def _search(
    past: TowerInputs, split: InnerSplit, vocabulary: Vocabulary, options: TowerOptions, progress: Progress
) -> tuple[int, float]:
    """The number of epochs with the best nDCG@10 on the inner window's purchases, and that nDCG@10."""
    run = TowerTraining.start(vocabulary, past, options)
    users, relevant = _questions(split, options)
    best = -1.0
    best_epoch = 1
    for epoch in range(1, options.max_epochs + 1):
        run.epoch()
        reached = run.validate(users, relevant) if len(users) else 0.0
        progress.update(f"two towers: epoch {epoch}, inner nDCG@10 {reached:.4f}")
        if reached > best:
            best = reached
            best_epoch = epoch
        elif epoch - best_epoch >= options.patience:
            break
    return best_epoch, best if len(users) else float("nan")


def _questions(split: InnerSplit, options: TowerOptions) -> tuple[Positions, Mask]:
    """Investors who validate, and what each newly bought."""
    users = Positions(np.unique(split.user))
    rng = np.random.default_rng(options.seed)
    users = Positions(np.sort(rng.permutation(users)[: options.validation]))
    mine = np.isin(split.user, users)
    relevant = np.zeros((len(users), len(split.past.assets)), bool)
    relevant[np.searchsorted(users, split.user[mine]), split.asset[mine]] = True
    return users, relevant


@dataclass(frozen=True)
class TowerTraining:
    """The towers in training on one snapshot.

    `average` is the moving average of the network over the steps; it is what is validated and kept.
    """

    network: Towers
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    inputs: TowerInputs
    views: list[AssetView]
    kind_of: Tensor
    options: TowerOptions
    rng: np.random.Generator

    @staticmethod
    def start(vocabulary: Vocabulary, inputs: TowerInputs, options: TowerOptions) -> TowerTraining:
        """Random weights by the seed."""
        torch.manual_seed(options.seed)
        network = Towers(vocabulary, inputs, options)
        adam = torch.optim.Adam(network.parameters(), lr=options.rate, weight_decay=options.penalty)
        schedule = torch.optim.lr_scheduler.ExponentialLR(adam, options.rate_decay)
        views = [AssetView.of(part) for part in inputs.kinds]
        kind_of = torch.as_tensor(inputs.kind_of)
        rng = np.random.default_rng(options.seed)
        average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(options.averaging))  # type: ignore[no-untyped-call]  # torch
        return TowerTraining(network, average, adam, schedule, inputs, views, kind_of, options, rng)

    @property
    def kept(self) -> Towers:
        """The averaged network."""
        return cast(Towers, self.average.module)

    def epoch(self) -> None:
        """One pass over the investors."""
        self.network.train()
        for step in steps(self.inputs, self.options, self.rng):
            loss = self._loss(step)
            self.optimizer.zero_grad()
            torch.autograd.backward([loss])
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_STEP)
            self.optimizer.step()
            self.average.update_parameters(self.network)
        self.schedule.step()

    def _loss(self, step: TrainingStep) -> Tensor:
        unseen = torch.as_tensor((self.rng.random(len(self.kind_of)) < self.options.unseen).astype(np.float32))
        assets, past = self.network.assets(self.views, unseen)
        investors = self.network.investors(step.readers, past)
        row = torch.as_tensor(step.row)
        asset = torch.as_tensor(step.asset)
        weight = torch.as_tensor(step.weight)
        bought = (investors[row, self.kind_of[asset]] * assets[asset]).sum(1)
        loss = self._against_candidates(step, investors, assets, bought, row, weight)
        if self.options.hard:
            hard = self._hard(step, investors, assets)
            each = torch.arange(len(investors))[:, None]
            others = (investors[each, self.kind_of[hard]] * assets[hard]).sum(2)
            pairs = softplus(others[row] - bought[:, None]).mean(1)
            loss = loss + self.options.hard_weight * (pairs * weight).sum() / weight.sum()
        return loss

    def _against_candidates(
        self, step: TrainingStep, investors: Tensor, assets: Tensor, bought: Tensor, row: Tensor, weight: Tensor
    ) -> Tensor:
        """The loss of the purchases against the step's candidates, both corrected for the chance to be drawn."""
        at = torch.as_tensor(step.candidates)
        log_chance = torch.as_tensor(step.log_chance)
        others = products(investors, assets[at], self.kind_of[at]) - log_chance
        others = others.masked_fill(torch.as_tensor(step.theirs[:, step.candidates]), -torch.inf)
        own = bought - log_chance[torch.searchsorted(at, torch.as_tensor(step.asset))]
        return purchase_loss(self.options.loss, own, others, row, weight)

    def _hard(self, step: TrainingStep, investors: Tensor, assets: Tensor) -> Tensor:
        scores = products(investors.detach(), assets.detach(), self.kind_of).numpy()
        return torch.as_tensor(hard_negatives(scores, step.theirs, self.options, self.rng))

    def validate(self, users: Positions, relevant: Mask) -> float:
        """nDCG@10 of lists without what the investors have, over assets that somebody has."""
        investors, assets = vectors_of(self.kept, self.inputs, users)
        scores = score(investors, assets, self.inputs.kind_of)
        row, pairs = pairs_of(self.inputs, users)
        scores[row, self.inputs.asset[pairs]] = -np.inf
        scores[:, self.inputs.holders == 0] = -np.inf
        lists = Positions(np.argsort(-scores, axis=1, kind="stable")[:, :10])
        return float(ndcg(hits_of(lists, relevant), relevant.sum(axis=1), 10).mean())


def purchase_loss(kind: str, own: Tensor, others: Tensor, row: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean over purchases of their loss against the other assets.

    Args:
        kind: "softmax", "bpr" or "bce".
        own: (p,) logits of the purchases.
        others: (b, c) logits of the other assets for each investor, minus infinity where one is no negative.
        row: (p,) the investor of each purchase.
        weight: (p,) of the purchases.
    """
    if kind == "softmax":
        losses = softplus(torch.logsumexp(others, 1)[row] - own)
    elif kind == "bpr":
        usable = torch.isfinite(others)[row]
        losses = (softplus(others[row] - own[:, None]) * usable).sum(1) / usable.sum(1).clamp(min=1)
    else:
        losses = softplus(-own) + softplus(others).sum(1)[row] / torch.bincount(row, minlength=len(others))[row]
    return (losses * weight).sum() / weight.sum()


def vectors_of(network: Towers, inputs: TowerInputs, users: Positions) -> tuple[Single, Single]:
    """(users, kinds, d + 1) and (assets, d + 1) float32, as they are served."""
    network.eval()
    with torch.no_grad():
        assets, past = network.assets([AssetView.of(part) for part in inputs.kinds])
        parts = [
            network.investors(whole(inputs, Positions(users[start : start + _CHUNK]), network.options), past)
            for start in range(0, len(users), _CHUNK)
        ]
        investors = torch.cat(parts) if parts else assets.new_zeros(0, len(inputs.kinds), assets.shape[1])
        return investors.numpy(), assets.numpy()


def encode(
    weights: Weights, vocabulary: Vocabulary, inputs: TowerInputs, options: TowerOptions
) -> tuple[Single, Single]:
    """The vectors of all investors and assets of a snapshot by trained weights."""
    network = _network(weights, vocabulary, inputs, options)
    return vectors_of(network, inputs, Positions(np.arange(len(inputs.profile))))


def encode_assets(
    weights: Weights, vocabulary: Vocabulary, inputs: TowerInputs, options: TowerOptions
) -> tuple[Single, Single]:
    """(assets, d + 1) vectors to rank and (assets + 1, d) vectors to be read as positions, by trained weights."""
    network = _network(weights, vocabulary, inputs, options).eval()
    with torch.no_grad():
        assets, past = network.assets([AssetView.of(part) for part in inputs.kinds])
    return assets.numpy(), past.numpy()


def _network(weights: Weights, vocabulary: Vocabulary, inputs: TowerInputs, options: TowerOptions) -> Towers:
    network = Towers(vocabulary, inputs, options)
    network.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()})
    return network
