"""The pair model trained on all investors together and never adapted: what the meta-learners have to beat."""

from __future__ import annotations

import torch
from torch import Tensor

from pathfolio.recommender.baselines.meta.learner import MetaLearner, MetaWeights
from pathfolio.recommender.baselines.meta.pair_model import (
    AssetTensors,
    PairTask,
    output,
    query_features,
    start_theta,
)


class Joint(MetaLearner):
    """min over theta of the mean over investors of the loss of their query."""

    def start(self, width: int, generator: torch.Generator) -> MetaWeights:
        """Random weights."""
        return {"theta": start_theta(width, generator)}

    def scores(self, weights: MetaWeights, assets: AssetTensors, task: PairTask) -> Tensor:
        """(n,) by the features alone."""
        return output(weights["theta"], query_features(assets, task))
