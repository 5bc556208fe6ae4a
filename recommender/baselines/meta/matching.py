"""Matching Networks: an asset scores by the attention that it pays to the support (Vinyals et al. 2016).

    a(j, i) = softmax over i of tau * cosine(f(u, j), f(u, i)),   i of the support, p0 and the contrasts
    score(u, j) = log of the sum of a(j, i) over the support and p0, whose label is 1; the contrasts' is 0

p0 is a learned example that everybody has, so that an investor without positions has one. The paper's full-context
embeddings (an LSTM over the support) are left out: five positions have no order but their dates.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from pathfolio.recommender.baselines.meta.learner import MetaLearner, MetaWeights
from pathfolio.recommender.baselines.meta.pair_model import (
    AssetTensors,
    PairTask,
    query_features,
    support_features,
)
from pathfolio.recommender.baselines.meta.prototypical import embedded, start_embedding

_NEVER = -1e9


class Matching(MetaLearner):
    """See the module."""

    def start(self, width: int, generator: torch.Generator) -> MetaWeights:
        """Random weights, and tau as its logarithm."""
        return start_embedding(width, generator) | {"log_tau": torch.tensor(2.0)}

    def scores(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> Tensor:
        """(n,) logarithms of attention."""
        pairs = embedded(weights, query_features(assets, task))
        support = embedded(weights, support_features(assets, task))[:, 0]
        examples = torch.cat([weights["prior"][None], support, pairs[assets.contrasts]])
        cosines = normalize(pairs, dim=1) @ normalize(examples, dim=1).T * weights["log_tau"].exp()
        own = torch.cat([task.given.new_zeros(1), (task.given - 1.0) * -_NEVER])
        theirs = task.had[assets.contrasts] * _NEVER
        cosines = cosines + torch.cat([own, theirs])
        attended = len(own)
        return torch.logsumexp(cosines[:, :attended], 1) - torch.logsumexp(cosines, 1)
