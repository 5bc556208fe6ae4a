"""LightGCN: embeddings smoothed over the graph of investors and assets, trained for ranking in plain torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from pathfolio.embeddings.threads import one_thread
from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.span import Positions
from pathfolio.recommender.baselines.align import find, lay_over
from pathfolio.recommender.interactions import Interactions

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class LightGcnOptions:
    """How LightGCN is trained.

    Attributes:
        dimension: of the embeddings.
        layers: how many steps the embeddings travel.
        steps: updates.
        batch: positions drawn for an update (all there are, if fewer), each with one random asset against it.
        rate: Adam's learning rate.
        penalty: L2 on the embeddings of each sampled triple.
    """

    dimension: int = 64
    layers: int = 3
    steps: int = 150
    batch: int = 16384
    rate: float = 0.01
    penalty: float = 0.05


@dataclass(frozen=True)
class LightGcnModel:
    """Dot products of the mean over layers of the smoothed embeddings.

    Attributes:
        graph: the snapshot that it scores; embeddings are smoothed over its positions.
        users: (investors, d) float64 embeddings of layer 0, zero for investors who were not there in training.
        assets: (assets, d) float64, likewise.
        layers: how many smoothing steps.
    """

    graph: KnowledgeGraph
    users: FloatArray
    assets: FloatArray
    layers: int

    @cached_property
    def _smoothed(self) -> tuple[FloatArray, FloatArray]:
        over = normalised(Interactions(self.graph).ever)
        users = [self.users]
        assets = [self.assets]
        for _ in range(self.layers):
            from_assets = over @ assets[-1]
            assets.append(over.T @ users[-1])
            users.append(from_assets)
        return np.mean(users, axis=0), np.mean(assets, axis=0)

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64."""
        of_users, of_assets = self._smoothed
        return np.asarray(of_users[users] @ of_assets.T, np.float64)

    def refresh(self, graph: KnowledgeGraph) -> LightGcnModel:
        """The same embeddings, smoothed over the new snapshot's positions."""
        at = find(graph.user_ids, self.graph.user_ids)
        users = np.where((at >= 0)[:, None], self.users[at], 0.0)
        return replace(self, graph=graph, users=users, assets=lay_over(self.assets, self.graph, graph))


def normalised(ever: sp.csr_array) -> sp.csr_array:
    """(investors, assets): 1 / sqrt(n_u n_i) where u has i; rows and columns without entries stay zero."""
    of_user = np.maximum(np.asarray(ever.sum(axis=1), np.float64).ravel(), 1.0) ** -0.5
    of_asset = np.maximum(np.asarray(ever.sum(axis=0), np.float64).ravel(), 1.0) ** -0.5
    return sp.csr_array(ever.multiply(of_user[:, None]).multiply(of_asset[None, :]))


def fit_lightgcn(graph: KnowledgeGraph, seed: int = 0, *, options: LightGcnOptions | None = None) -> LightGcnModel:
    """LightGCN (He et al. 2020) trained with BPR (Rendle et al. 2009)."""
    options = options or LightGcnOptions()
    ever = Interactions(graph).ever
    with one_thread():
        users, assets = _train(ever, seed, options)
    return LightGcnModel(graph, users, assets, options.layers)


def _train(ever: sp.csr_array, seed: int, options: LightGcnOptions) -> tuple[FloatArray, FloatArray]:
    """(investors, d) and (assets, d) embeddings of layer 0; zero for investors without positions."""
    import torch
    from torch.nn.functional import embedding, softplus

    generator = torch.Generator().manual_seed(seed)
    some = np.flatnonzero(np.diff(ever.indptr))
    over = normalised(ever[some])
    step = _product(over)
    back = _product(sp.csr_array(over.T))
    of_users = (0.1 * torch.randn(len(some), options.dimension, generator=generator)).requires_grad_()
    of_assets = (0.1 * torch.randn(ever.shape[1], options.dimension, generator=generator)).requires_grad_()
    pairs = [torch.as_tensor(index.astype(np.int64)) for index in ever[some].nonzero()]
    held = torch.as_tensor(np.flatnonzero(np.asarray(ever.sum(axis=0)).ravel()))
    size = min(options.batch, len(pairs[0]))
    adam = torch.optim.Adam([of_users, of_assets], lr=options.rate)
    for _ in range(options.steps):
        batch = torch.randint(len(pairs[0]), (size,), generator=generator)
        user = pairs[0][batch]
        asset = pairs[1][batch]
        other = held[torch.randint(len(held), (size,), generator=generator)]
        u = [of_users]
        a = [of_assets]
        for _ in range(options.layers):
            from_assets = step(a[-1])
            a.append(back(u[-1]))
            u.append(from_assets)
        mean_u = torch.stack(u).mean(0)
        mean_a = torch.stack(a).mean(0)
        margin = (embedding(user, mean_u) * (embedding(asset, mean_a) - embedding(other, mean_a))).sum(1)
        norms = embedding(user, of_users).pow(2).sum() + embedding(torch.cat([asset, other]), of_assets).pow(2).sum()
        loss = softplus(-margin).mean() + options.penalty * norms / size
        adam.zero_grad()
        torch.autograd.backward([loss])
        adam.step()
    all_users = np.zeros((ever.shape[0], options.dimension))
    all_users[some] = of_users.detach().numpy()
    return all_users, of_assets.detach().numpy().astype(np.float64)


def _product(matrix: sp.csr_array) -> Callable[[Tensor], Tensor]:
    """x -> matrix @ x with its gradient, by scipy: torch's own sparse product is far slower on a CPU."""
    import torch

    forward = matrix.astype(np.float32)
    backward = sp.csr_array(matrix.T).astype(np.float32)

    class Product(torch.autograd.Function):
        """matrix @ x; the gradient is matrix' @ gradient."""

        @staticmethod
        def forward(context: object, x: Tensor) -> Tensor:
            return torch.from_numpy(forward @ x.detach().numpy())

        @staticmethod
        def backward(context: object, *gradients: Tensor) -> Tensor:
            return torch.from_numpy(backward @ gradients[0].numpy())

    apply: Callable[[Tensor], Tensor] = Product.apply
    return apply
