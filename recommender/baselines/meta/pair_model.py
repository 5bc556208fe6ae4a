"""The one small pair model that all learners adapt: a layer of 32 over features of an investor and an asset.

    score(u, j) = v . relu(W x + b) + w . x
    x = [asset's vectors, these times the mean of the investor's, popularity, two cosines, share of the support filled]

Its weights are one flat vector theta, which is what learners of gradients work on. Both losses are listwise: minus the
log of the softmax of what was bought among the others.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from pathfolio.kg.graph import Mask
from pathfolio.recommender.baselines.meta.assets import DIMENSIONS, AssetTable
from pathfolio.recommender.baselines.meta.tasks import SUPPORT, TaskArrays

HIDDEN: Final = 32
_NEVER: Final = -1e9


class AssetTensors(NamedTuple):
    """An `AssetTable` for torch: (n, d), (n, p), (c,) and whether each is a candidate (n,)."""

    vectors: Tensor
    popular: Tensor
    contrasts: Tensor
    candidates: Tensor


class PairTask(NamedTuple):
    """One investor, or, with one dimension more, a batch of them: `TaskArrays` for torch."""

    total: Tensor
    size: Tensor
    support: Tensor
    given: Tensor
    had: Tensor
    bought: Tensor


def asset_tensors(table: AssetTable, used: Mask, dtype: torch.dtype = torch.float32) -> AssetTensors:
    """Columns of popularity that are not `used`, since no lesson tells anything of them, are zero."""
    vectors = torch.as_tensor(table.vectors, dtype=dtype)
    popular = torch.as_tensor(np.where(used, table.popular, 0.0), dtype=dtype)
    return AssetTensors(vectors, popular, torch.as_tensor(table.contrasts), torch.as_tensor(table.candidates))


def task_tensors(arrays: TaskArrays, dtype: torch.dtype = torch.float32) -> PairTask:
    """A batch."""
    return PairTask(
        torch.as_tensor(arrays.total, dtype=dtype),
        torch.as_tensor(arrays.count, dtype=dtype),
        torch.as_tensor(arrays.support),
        torch.as_tensor(arrays.given, dtype=dtype),
        torch.as_tensor(arrays.had),
        torch.as_tensor(arrays.bought),
    )


def width_of(assets: AssetTensors) -> int:
    """Of the features of a pair."""
    return 2 * assets.vectors.shape[1] + assets.popular.shape[1] + len(DIMENSIONS) + 1


def start_theta(width: int, generator: torch.Generator) -> Tensor:
    """Random weights of the layer, zero for all else."""
    layer = torch.randn(width * HIDDEN, generator=generator) / width**0.5
    return torch.cat([layer, torch.zeros(HIDDEN), 0.1 * torch.randn(HIDDEN, generator=generator), torch.zeros(width)])


def features(assets: AssetTensors, mean: Tensor, filled: Tensor, items: Tensor) -> Tensor:
    """(k, width): of the pairs of one investor with the assets at `items`, (k,).

    Args:
        mean: (d,) of the vectors of what the investor has.
        filled: () how many assets of the support there are, of five.
    """
    vectors = assets.vectors[items]
    both = vectors * mean
    cosines = [part.sum(1, keepdim=True) for part in torch.split(both, list(DIMENSIONS), dim=1)]
    return torch.cat([vectors, both, assets.popular[items], *cosines, filled.expand(len(items), 1)], dim=1)


def hidden(theta: Tensor, x: Tensor) -> Tensor:
    """(…, 32): what the layer makes of features."""
    width = x.shape[-1]
    layer = theta[: width * HIDDEN].view(width, HIDDEN)
    return torch.relu(x @ layer + theta[width * HIDDEN : (width + 1) * HIDDEN])


def output(theta: Tensor, x: Tensor) -> Tensor:
    """(…,) scores of pairs by their features."""
    width = x.shape[-1]
    rest = theta[(width + 1) * HIDDEN :]
    return hidden(theta, x) @ rest[:HIDDEN] + x @ rest[HIDDEN:]


def query_features(assets: AssetTensors, task: PairTask) -> Tensor:
    """(n, width): one investor with all assets."""
    mean = task.total / task.size.clamp(min=1.0)
    everything = torch.arange(assets.vectors.shape[0])
    return features(assets, mean, task.given.sum() / SUPPORT, everything)


def support_features(assets: AssetTensors, task: PairTask) -> Tensor:
    """(5, 1 + c, width): each position of the support, then the contrasts, as if the investor had not this one."""
    others = (task.total - assets.vectors[task.support]) / (task.size - 1.0).clamp(min=1.0)
    mean = torch.where(task.size > 1.5, others, torch.zeros_like(others))
    filled = (task.given.sum() - 1.0) / SUPPORT
    rows = [
        features(assets, mean[i], filled, torch.cat([task.support[i : i + 1], assets.contrasts]))
        for i in range(SUPPORT)
    ]
    return torch.stack(rows)


def support_loss(theta: Tensor, assets: AssetTensors, task: PairTask) -> Tensor:
    """() of each position of the support among the contrasts that the investor has not; 0 without support."""
    scores = output(theta, support_features(assets, task))
    own = torch.cat([torch.zeros(1, dtype=torch.bool), task.had[assets.contrasts]])
    losses = -torch.log_softmax(scores.masked_fill(own, _NEVER), dim=1)[:, 0]
    return (losses * task.given).sum() / task.given.sum().clamp(min=1.0)


def query_loss(scores: Tensor, assets: AssetTensors, task: PairTask) -> Tensor:
    """() of what the investor bought among all that he had not and somebody had."""
    open_to = assets.candidates & ~task.had
    chances = torch.log_softmax(scores.masked_fill(~open_to, _NEVER), dim=0)
    bought = task.bought.to(chances.dtype)
    return -(chances * bought).sum() / bought.sum().clamp(min=1.0)
