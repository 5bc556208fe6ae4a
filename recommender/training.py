"""Train what is learned: the KG embedding and the graph attention network."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kg.errors import UsageError
from kg.graph import KnowledgeGraph
from kg.progress import Progress
from recommender.demand_fit import learn_demand
from recommender.scorer import LearnedParts, ScoreOptions, Scorer, assemble_scorer


@dataclass(frozen=True)
class TrainingOptions:
    """How the learned parts are trained.

    Attributes:
        seed: of everything that is random.
        embedding: the KG embedding's model, or "auto" for the best of all on an inner split.
    """

    seed: int = 7
    embedding: str = "auto"


def train_parts(graph: KnowledgeGraph, options: TrainingOptions, progress: Progress) -> LearnedParts:
    """Train on `graph`; the same graph, seed and versions give the same parts.

    Raises:
        UsageError: the snapshot has no investors or assets.
    """
    from embeddings.train import VectorOptions, train_vectors
    from recommender.gat import AttentionOptions, train_attention

    _check_trainable(graph)
    _use_one_thread()
    with progress.stage("train KG embedding") as details:
        vectors = train_vectors(graph, VectorOptions(model=options.embedding, seed=options.seed), progress)
        metrics = vectors.manifest.metrics
        details.extend([vectors.manifest.model, *(f"{name} {value:.3f}" for name, value in metrics.items())])
    with progress.stage("train graph attention network") as details:
        attention = train_attention(graph, AttentionOptions(seed=options.seed), progress)
        details.append(f"inner nDCG@10 {attention.ndcg:.3f}")
    return LearnedParts(vectors, attention)


def learn_options(graph: KnowledgeGraph, options: ScoreOptions, progress: Progress) -> ScoreOptions:
    """The options with demand's powers as past purchases show them (`recommender.demand_fit`)."""
    with progress.stage("learn demand") as details:
        fit = learn_demand(graph, options.demand, regularisation=options.regularisation, dropout=options.dropout)
        if fit.events:
            ndcg = f"nDCG@10 {fit.ndcg:.3f}, {fit.shipped_ndcg:.3f} unlearned, on {fit.events:,} past purchases"
            details.append(f"month^{fit.options.month_power:g} week^{fit.options.week_power:g}: {ndcg}")
        else:
            details.append("too few dated purchases: powers as shipped")
    return replace(options, demand=fit.options)


def fit_scorer(
    graph: KnowledgeGraph, seed: int = 7, score: ScoreOptions | None = None, progress: Progress | None = None
) -> Scorer:
    """The served score, trained on `graph` from scratch."""
    progress = progress or Progress(out=None)
    learned = train_parts(graph, TrainingOptions(seed), progress)
    return assemble_scorer(graph, learned, learn_options(graph, score or ScoreOptions(), progress))


def _use_one_thread() -> None:
    """Keep torch to one thread: on batches this small, threads wait for each other longer than they compute, and
    results do not depend on the machine's number of cores."""
    import torch

    torch.set_num_threads(1)


def _check_trainable(graph: KnowledgeGraph) -> None:
    if not len(graph.assets):
        raise UsageError(f"no asset was known on {graph.as_of}: take a later --as-of")
    if not len(graph.users):
        raise UsageError(f"no investor was known on {graph.as_of}: add users and positions, or take a later --as-of")
