"""Training of knowledge graph embeddings.

The models are PyKEEN's. The loop over batches is ours: on a CPU a step in which all triples of a batch share
one draw of candidates takes a tenth of the time of a step with sampled corruptions, and where the model is bilinear
the scores of hundreds of candidates are one product of matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pathfolio.embeddings.models import (
    BILINEAR,
    MODELS,
    PykeenScorer,
    cubes,
    entity_vectors,
    new_model,
    relation_vectors,
    score_ends,
)
from pathfolio.embeddings.ranking import link_prediction_metrics
from pathfolio.embeddings.threads import one_thread
from pathfolio.embeddings.triples import Split, Triples, candidates, excerpt, split, triples_of
from pathfolio.embeddings.vectors import Candidate, EntityVectors, RelationVectors, VectorArray, VectorManifest
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.progress import Progress
from pathfolio.kg.schema import PROFILE_RELATIONS, RELATION_KINDS

if TYPE_CHECKING:
    import torch

AUTO: Final = "auto"

TRIED: Final = BILINEAR
"""What "auto" chooses from: models of distances take ten times the processor time to rank as well."""

_TEMPERATURE: Final = {"TransE": 8.0, "RotatE": 2.0, "ComplEx": 1.0, "DistMult": 1.0}
"""Distances between unit vectors are small; the softmax over candidates needs them on a wider scale."""

_FEWER: Final = 8
"""Models of distances take so many times fewer candidates, for each costs a pass over the batch."""

_CUBES: Final = 0.01
"""Weight of `cubes` in the loss."""


@dataclass(frozen=True)
class VectorOptions:
    """How vectors are learned.

    Attributes:
        model: one of `MODELS`, or "auto": the one of `TRIED` that ranks best among all entities in short runs.
        dimension: columns of the vectors, even (complex models have half as many complex ones).
        seed: of everything random.
        max_epochs: passes over the triples, at most; training stops when the validation MRR does not improve
            in `patience` passes, and keeps the best state.
        most_triples: steps see no more than so many triples, in whole passes, of which there are `patience` at least:
            what is large learns enough in fewer. Of what is larger still those of some investors are drawn
            (`excerpt`), and the others have no vectors, as who comes later has none: the score asks for none.
        batch: triples per step, which share `candidates` other ends of the right kind and `others` of any other kind:
            without the latter a model cannot tell a sector from a country.
        learning_rate: of Adam, for models of distances; `bilinear_rate` of Adagrad, for the others.
        held_out: share of the triples held out for validation, and again for test, `held_out_limit` at most.
        trial_triples, trial_epochs: size and length of the short runs.
    """

    model: str = AUTO
    dimension: int = 64
    seed: int = 0
    max_epochs: int = 10
    patience: int = 2
    most_triples: int = 600_000
    batch: int = 512
    candidates: int = 512
    others: int = 256
    learning_rate: float = 0.02
    bilinear_rate: float = 0.1
    held_out: float = 0.05
    held_out_limit: int = 1000
    trial_triples: int = 8_000
    trial_epochs: int = 3

    def __post_init__(self) -> None:
        if self.model not in (*MODELS, AUTO):
            raise UsageError(f"unknown embedding model {self.model!r}: choose auto, {', '.join(MODELS)}")
        if self.dimension < 2 or self.dimension % 2:
            raise UsageError(f"an embedding of dimension {self.dimension}: choose an even number, 2 at least")


def train_vectors(
    graph: KnowledgeGraph, options: VectorOptions | None = None, progress: Progress | None = None
) -> EntityVectors:
    """Learn a vector for every entity that occurs in the triples of `graph`, or in an excerpt of them where they are
    many (see `VectorOptions.most_triples`).

    The same snapshot and options give the same vectors.

    Raises:
        DataError: the snapshot has no triples to learn from.
    """
    options = options or VectorOptions()
    progress = progress or Progress(out=None)
    everything = triples_of(graph)
    if not len(everything.hrt):
        raise DataError(f"{graph.name}: no relations on {graph.as_of} to learn from: add positions or attributes")
    most = options.most_triples // max(min(options.patience, options.max_epochs), 1)
    triples = excerpt(graph, everything, most, np.random.default_rng(options.seed))
    with one_thread():
        chosen, tried, fitted = fit_best(graph, triples, options, progress)
    vectors = _labelled(graph, triples, fitted, chosen, tried)
    drawn_from = len(everything.hrt) if triples is not everything else 0
    return replace(vectors, manifest=replace(vectors.manifest, drawn_from=drawn_from))


def fit_best(
    graph: KnowledgeGraph, triples: Triples, options: VectorOptions, progress: Progress
) -> tuple[VectorOptions, tuple[Candidate, ...], FittedVectors]:
    """Train the model of `options`, or the best of those that are tried: the options with its name, what was tried, and
    what came of it. The parts held out are those of `split` with `options`."""
    tried = _try_models(graph, triples, options, progress) if options.model == AUTO else ()
    chosen = replace(options, model=tried[0].model if tried else options.model)
    epochs = int(
        np.clip(chosen.most_triples // len(triples.hrt), min(chosen.patience, chosen.max_epochs), chosen.max_epochs)
    )
    fitted = _fit(graph, triples, chosen, epochs, progress)
    return chosen, tried or (Candidate(chosen.model, fitted.validation_mrr, fitted.epochs),), fitted


def held_out_parts(triples: Triples, options: VectorOptions) -> Split:
    """What a model learns from, is stopped by and is measured on."""
    return split(triples, options.held_out, options.held_out_limit, np.random.default_rng(options.seed))


@dataclass(frozen=True)
class FittedVectors:
    """A model after training.

    Attributes:
        vectors, relations: (entities, d) and (relations, d) float32, in the order of the triples'.
        epochs, validation_mrr: of the best state, which is kept.
        metrics: on the part held out for the test.
        scorer: the model.
    """

    vectors: VectorArray
    relations: VectorArray
    epochs: int
    validation_mrr: float
    metrics: Mapping[str, float]
    scorer: PykeenScorer


def _try_models(
    graph: KnowledgeGraph, triples: Triples, options: VectorOptions, progress: Progress
) -> tuple[Candidate, ...]:
    """Short runs of each of `TRIED` on the same excerpt, best first by the validation MRR among all entities.

    Among those of the right kind a model does well, too, that takes one investor for what another one holds.
    """
    part = excerpt(graph, triples, options.trial_triples, np.random.default_rng(options.seed))
    out = []
    for model in TRIED:
        progress.update(f"KG embedding: trying {model}")
        fitted = _fit(graph, part, replace(options, model=model), options.trial_epochs, progress)
        out.append(Candidate(model, _mrr_among_all(fitted.scorer, part, options), fitted.epochs))
    return tuple(sorted(out, key=lambda candidate: -candidate.mrr))


def _mrr_among_all(scorer: PykeenScorer, triples: Triples, options: VectorOptions) -> float:
    everything = np.arange(len(triples.entities))
    allowed = {(relation, column): everything for relation in range(len(triples.relations)) for column in (0, 2)}
    held_out, rng = held_out_parts(triples, options).validation, np.random.default_rng(options.seed)
    return link_prediction_metrics(scorer, held_out, triples, allowed, rng, len(everything))["mrr"]


def _fit(
    graph: KnowledgeGraph, triples: Triples, options: VectorOptions, epochs: int, progress: Progress
) -> FittedVectors:
    """Train with early stopping on the validation part; the state of the best epoch is kept."""
    parts = held_out_parts(triples, options)
    run = _start(graph, triples, parts, options)
    best_mrr = -1.0
    best_epoch = 0
    best_state = run.state()
    for epoch in range(1, epochs + 1):
        progress.update(f"KG embedding: {options.model}, epoch {epoch} of at most {epochs}")
        run.epoch()
        mrr = run.metrics(parts.validation)["mrr"]
        if mrr > best_mrr:
            best_mrr = mrr
            best_epoch = epoch
            best_state = run.state()
        elif epoch - best_epoch >= options.patience:
            break
    run.model.load_state_dict(best_state)
    vectors, relations = entity_vectors(run.model), relation_vectors(run.model)
    return FittedVectors(vectors, relations, best_epoch, best_mrr, run.metrics(parts.test), PykeenScorer(run.model))


@dataclass(frozen=True)
class _Choice:
    """(c,) candidates, and the log of how many each stands for."""

    ends: IntArray
    log_weight: FloatArray


@dataclass(frozen=True)
class _Training:
    """A model in training: the PyKEEN model and its optimizer are what changes from epoch to epoch.

    `both_ends` are the relations of which heads are predicted too; nothing tells who of thousands has a risk level.
    """

    model: Any
    optimizer: torch.optim.Optimizer
    train: Triples
    known: Triples
    allowed: Mapping[tuple[int, int], IntArray]
    both_ends: frozenset[int]
    options: VectorOptions
    rng: np.random.Generator

    def epoch(self) -> None:
        """One pass over the training triples in random order."""
        for relation, rows, column in self._batches():
            self._step(self.train.hrt[rows], column, self._draw(relation, column))

    def _draw(self, relation: int, column: int) -> _Choice:
        """Ends of the right kind and others, each weighing as many as it stands for (Bengio and Senecal 2008)."""
        share = 1 if self.options.model in BILINEAR else _FEWER
        right = self.allowed[relation, column]
        drawn = [
            self._some(right, self.options.candidates // share),
            self._some(self._wrong[relation, column], self.options.others // share),
        ]
        weights = [np.full(len(some), of / max(len(some), 1)) for some, of in drawn]
        return _Choice(np.concatenate([some for some, _ in drawn]), np.log(np.concatenate(weights)))

    def _some(self, of: IntArray, most: int) -> tuple[IntArray, int]:
        """All of them, or `most` at random; and how many there are."""
        return (of if len(of) <= most else self.rng.choice(of, most, replace=False)), len(of)

    @cached_property
    def _wrong(self) -> dict[tuple[int, int], IntArray]:
        """For (relation, column) the entities that cannot stand there."""
        everything = np.arange(len(self.train.entities))
        return {key: np.setdiff1d(everything, right) for key, right in self.allowed.items()}

    def _batches(self) -> list[tuple[int, IntArray, int]]:
        """(relation, rows, column to predict); small relations in small batches, so that they get steps too."""
        out = []
        for relation, rows in enumerate(self.train.of_relation):
            size = int(np.clip(len(rows) // 8, max(self.options.batch // 8, 32), self.options.batch))
            shuffled = self.rng.permutation(rows)
            columns = (0, 2) if relation in self.both_ends else (2,)
            out += [(relation, shuffled[i : i + size], c) for i in range(0, len(rows), size) for c in columns]
        return [out[i] for i in self.rng.permutation(len(out))]

    def _step(self, hrt: IntArray, column: int, choice: _Choice) -> None:
        """Cross-entropy of the true end against the candidates (a sampled softmax over all entities)."""
        import torch

        triples = torch.as_tensor(hrt)
        scale = _TEMPERATURE[self.options.model]
        others = score_ends(self.model, triples, column, torch.as_tensor(choice.ends)) * scale
        others = others + torch.as_tensor(choice.log_weight, dtype=others.dtype)
        is_true = torch.as_tensor(hrt[:, column, None] == choice.ends[None, :])
        true = self.model.score_hrt(triples) * scale
        scores = torch.cat([true, others.masked_fill(is_true, -torch.inf)], dim=1)
        loss = torch.nn.functional.cross_entropy(scores, torch.zeros(len(hrt), dtype=torch.long))
        if self.options.model in BILINEAR:
            loss = loss + _CUBES * cubes(self.model, triples)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no annotation here
        self.optimizer.step()
        self.model.post_parameter_update()

    def metrics(self, held_out: Triples) -> dict[str, float]:
        """Filtered link-prediction metrics; the same candidates at every call."""
        rng = np.random.default_rng(self.options.seed)
        return link_prediction_metrics(PykeenScorer(self.model), held_out, self.known, self.allowed, rng)

    def state(self) -> dict[str, torch.Tensor]:
        """A copy of the model's weights."""
        return {name: value.clone() for name, value in self.model.state_dict().items()}


def _start(graph: KnowledgeGraph, triples: Triples, parts: Split, options: VectorOptions) -> _Training:
    model = new_model(options.model, parts.train, options.dimension, options.seed)
    told = [RELATION_KINDS[code] in PROFILE_RELATIONS for code in triples.relations]
    both = frozenset(np.flatnonzero(~np.array(told)).tolist())
    allowed = candidates(graph, triples)
    rng = np.random.default_rng(options.seed)
    return _Training(model, _optimizer(model, options), parts.train, triples, allowed, both, options, rng)


def _optimizer(model: Any, options: VectorOptions) -> torch.optim.Optimizer:
    import torch

    if options.model in BILINEAR:
        return torch.optim.Adagrad(model.parameters(), lr=options.bilinear_rate)
    return torch.optim.Adam(model.parameters(), lr=options.learning_rate)


def _labelled(
    graph: KnowledgeGraph, triples: Triples, fitted: FittedVectors, options: VectorOptions, tried: tuple[Candidate, ...]
) -> EntityVectors:
    rows = triples.entities
    manifest = VectorManifest(
        model=options.model,
        dimension=options.dimension,
        seed=options.seed,
        epochs=fitted.epochs,
        metrics=fitted.metrics,
        candidates=tried,
        graph_hash=graph.content_hash,
        as_of=graph.as_of,
        triples=len(triples.hrt),
        versions={name: version(name) for name in ("pykeen", "torch", "numpy")},
    )
    labels = (graph.nodes.kind[rows], graph.nodes.id[rows], graph.nodes.name[rows])
    names = tuple(RELATION_KINDS[code].value for code in triples.relations)
    return EntityVectors(*labels, fitted.vectors, manifest, RelationVectors(names, fitted.relations))
