"""Train what is learned: the KG embedding, the graph attention network and, if asked for, the two towers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.embeddings.threads import one_thread
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.progress import Progress
from pathfolio.recommender.demand_fit import learn_demand
from pathfolio.recommender.disclosed import disclosed
from pathfolio.recommender.ease import ease_weights
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.learning_excerpt import learning_excerpt
from pathfolio.recommender.momentum_fit import learn_momentum
from pathfolio.recommender.score_inputs import LearnedParts, ScoreOptions
from pathfolio.recommender.scorer import Scorer, assemble_scorer
from pathfolio.recommender.towers.indicators import check_indicators
from pathfolio.recommender.towers.model import TowerParts, train_towers
from pathfolio.recommender.towers.options import TowerOptions


@dataclass(frozen=True)
class TrainingOptions:
    """How the learned parts are trained.

    Attributes:
        seed: of everything that is random.
        embedding: the KG embedding's model, or "auto" for the best of all on an inner split.
        towers: train the two towers too, and serve them.
    """

    seed: int = 7
    embedding: str = "auto"
    towers: bool = False

    @staticmethod
    def of(manifest: Mapping[str, Any]) -> TrainingOptions:
        """Those that a build's manifest names."""
        return TrainingOptions(int(manifest["seed"]), str(manifest["embedding"]), bool(manifest.get("towers", False)))


def train_parts(
    graph: KnowledgeGraph, options: TrainingOptions, progress: Progress, prices: pd.DataFrame | None = None
) -> LearnedParts:
    """Train on `graph`; the same graph, seed and versions give the same parts.

    Args:
        prices: read by the two towers alone, up to the snapshot's date.

    Raises:
        UsageError: the snapshot has no investors or assets, or TA-Lib is missing and the towers have prices to read.
    """
    from pathfolio.embeddings.train import VectorOptions, train_vectors
    from pathfolio.recommender.gat.attention import AttentionOptions, train_attention

    _check_trainable(graph)
    graph = disclosed(graph)
    if options.towers and prices is not None:
        check_indicators()
    with one_thread():
        with progress.stage("train KG embedding") as details:
            vectors = train_vectors(graph, VectorOptions(model=options.embedding, seed=options.seed), progress)
            metrics = vectors.manifest.metrics
            details.extend([vectors.manifest.model, *(f"{name} {value:.3f}" for name, value in metrics.items())])
        with progress.stage("train graph attention network") as details:
            attention = train_attention(graph, AttentionOptions(seed=options.seed), progress)
            details.append(f"inner nDCG@10 {attention.ndcg:.3f}")
        towers = _towers(graph, options, progress, prices) if options.towers else None
    return LearnedParts(vectors, attention, towers)


def _towers(
    graph: KnowledgeGraph, options: TrainingOptions, progress: Progress, prices: pd.DataFrame | None
) -> TowerParts:
    with progress.stage("train two towers") as details:
        towers = train_towers(graph, prices, TowerOptions(seed=options.seed), progress)
        details += [f"{towers.epochs} epochs", f"inner nDCG@10 {towers.ndcg:.3f}"]
    return towers


def learn_options(
    graph: KnowledgeGraph, options: ScoreOptions, progress: Progress, prices: pd.DataFrame | None = None
) -> ScoreOptions:
    """The options with what past purchases show of demand (`demand_fit`) and of rising prices (`momentum_fit`)."""

    def weights_of(groups: Groups) -> npt.NDArray[np.float32]:
        return ease_weights(groups, options.regularisation, options.dropout, options.untold)

    with progress.stage("learn demand") as details:
        whole, graph = graph, learning_excerpt(graph)
        sampled = len(graph.user_span) if graph is not whole else 0
        if sampled:
            details.append(f"of {sampled:,} investors and {len(graph.asset_span):,} assets")
        fit = learn_demand(graph, replace(options.demand, sampled=sampled), weights_of)
        if fit.events:
            ndcg = f"nDCG@10 {fit.ndcg:.3f}, {fit.shipped_ndcg:.3f} unlearned, on {fit.events:,} past purchases"
            details.append(f"month^{fit.options.month_power:g} week^{fit.options.week_power:g}: {ndcg}")
        else:
            details.append("too few dated purchases: powers as shipped")
        momentum = learn_momentum(graph, prices, fit.options, weights_of)
        if momentum.investors:
            ndcg = f"nDCG@10 {momentum.ndcg:.3f}, {momentum.plain_ndcg:.3f} without"
            details.append(f"momentum {momentum.power:g}: {ndcg}, of {momentum.investors:,} investors")
    return replace(options, demand=replace(fit.options, momentum=momentum.power))


def fit_scorer(
    graph: KnowledgeGraph, seed: int = 7, prices: pd.DataFrame | None = None, *, towers: bool = False
) -> Scorer:
    """The served score, trained on `graph` from scratch; `prices` are read by the two towers, and tell of momentum."""
    progress = Progress(out=None)
    learned = train_parts(graph, TrainingOptions(seed, towers=towers), progress, prices)
    return assemble_scorer(graph, learned, learn_options(graph, ScoreOptions(), progress, prices))


def _check_trainable(graph: KnowledgeGraph) -> None:
    if not len(graph.assets):
        raise UsageError(f"no asset was known on {graph.as_of}: take a later --as-of")
    if not len(graph.users):
        raise UsageError(f"no investor was known on {graph.as_of}: add users and positions, or take a later --as-of")
