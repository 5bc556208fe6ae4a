"""Knowledge graph embeddings with PyKEEN; the only file that imports it.

The models are PyKEEN's. The loop over batches is ours: on a CPU a step in which all triples of a batch share
one draw of candidates of the right kind takes a tenth of the time of a step with sampled corruptions.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pathfolio.embeddings.ranking import link_prediction_metrics
from pathfolio.embeddings.threads import one_thread
from pathfolio.embeddings.triples import Split, Triples, candidates, excerpt, split, triples_of
from pathfolio.embeddings.vectors import Candidate, EntityVectors, VectorArray, VectorManifest
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.progress import Progress

if TYPE_CHECKING:
    import torch

MODELS: Final = ("TransE", "RotatE", "ComplEx", "DistMult")
AUTO: Final = "auto"

_TEMPERATURE: Final = {"TransE": 8.0, "RotatE": 2.0, "ComplEx": 1.0, "DistMult": 1.0}
"""Distances between unit vectors are small; the softmax over candidates needs them on a wider scale."""


@dataclass(frozen=True)
class VectorOptions:
    """How vectors are learned.

    Attributes:
        model: one of `MODELS`, or "auto": the one with the best filtered MRR in short runs.
        dimension: columns of the vectors, even (complex models have half as many complex ones).
        seed: of everything random.
        max_epochs: passes over the triples, at most; training stops when the validation MRR does not improve
            in `patience` passes, and keeps the best state.
        batch: triples per step, and `candidates` other ends that they share.
        learning_rate: of Adam.
        held_out: share of the triples held out for validation, and again for test, `held_out_limit` at most.
        trial_triples, trial_epochs: size and length of the short runs.
    """

    model: str = AUTO
    dimension: int = 64
    seed: int = 0
    max_epochs: int = 6
    patience: int = 2
    batch: int = 512
    candidates: int = 64
    learning_rate: float = 0.02
    held_out: float = 0.05
    held_out_limit: int = 1000
    trial_triples: int = 12_000
    trial_epochs: int = 3

    def __post_init__(self) -> None:
        if self.model not in (*MODELS, AUTO):
            raise UsageError(f"unknown embedding model {self.model!r}: choose auto, {', '.join(MODELS)}")
        if self.dimension < 2 or self.dimension % 2:
            raise UsageError(f"an embedding of dimension {self.dimension}: choose an even number, 2 at least")


def train_vectors(
    graph: KnowledgeGraph, options: VectorOptions | None = None, progress: Progress | None = None
) -> EntityVectors:
    """Learn a vector for every entity that occurs in the triples of `graph`.

    The same snapshot and options give the same vectors.

    Raises:
        DataError: the snapshot has no triples to learn from.
    """
    options = options or VectorOptions()
    progress = progress or Progress(out=None)
    triples = triples_of(graph)
    if not len(triples.hrt):
        raise DataError(f"{graph.name}: no relations on {graph.as_of} to learn from: add positions or attributes")
    with one_thread():
        tried = _try_models(graph, triples, options, progress) if options.model == AUTO else ()
        chosen = replace(options, model=tried[0].model if tried else options.model)
        fitted = _fit(graph, triples, chosen, chosen.max_epochs, progress)
    tried = tried or (Candidate(chosen.model, fitted.validation_mrr, fitted.epochs),)
    return _labelled(graph, triples, fitted, chosen, tried)


@dataclass(frozen=True)
class _Fitted:
    vectors: VectorArray
    epochs: int
    validation_mrr: float
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class _Scorer:
    """A PyKEEN model as a `TripleScorer`."""

    model: Any

    def triples(self, hrt: IntArray) -> FloatArray:
        import torch

        with torch.no_grad():
            return _array(self.model.score_hrt(torch.as_tensor(hrt)).ravel())

    def ends(self, hrt: IntArray, column: int, candidates: IntArray) -> FloatArray:
        import torch

        with torch.no_grad():
            return _array(_score_ends(self.model, torch.as_tensor(hrt), column, torch.as_tensor(candidates)))


def _array(scores: torch.Tensor) -> FloatArray:
    return scores.numpy().astype(np.float64)


def _score_ends(model: Any, hrt: torch.Tensor, column: int, candidates: torch.Tensor) -> Any:
    """(k, c) scores with each candidate as head (column 0) or tail (2)."""
    if column == 2:
        return model.score_t(hrt[:, :2], tails=candidates)
    return model.score_h(hrt[:, 1:], heads=candidates)


def _try_models(
    graph: KnowledgeGraph, triples: Triples, options: VectorOptions, progress: Progress
) -> tuple[Candidate, ...]:
    """Short runs of every model on the same excerpt, best validation MRR first."""
    part = excerpt(graph, triples, options.trial_triples, np.random.default_rng(options.seed))
    out = []
    for model in MODELS:
        progress.update(f"KG embedding: trying {model}")
        fitted = _fit(graph, part, replace(options, model=model), options.trial_epochs, progress)
        out.append(Candidate(model, fitted.validation_mrr, fitted.epochs))
    return tuple(sorted(out, key=lambda candidate: -candidate.mrr))


def _fit(graph: KnowledgeGraph, triples: Triples, options: VectorOptions, epochs: int, progress: Progress) -> _Fitted:
    """Train with early stopping on the validation part; the state of the best epoch is kept."""
    parts = split(triples, options.held_out, options.held_out_limit, np.random.default_rng(options.seed))
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
    return _Fitted(run.vectors(), best_epoch, best_mrr, run.metrics(parts.test))


@dataclass(frozen=True)
class _Training:
    """A model in training: the PyKEEN model and its optimizer are what changes from epoch to epoch."""

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
            choice = self.allowed[relation, column]
            if len(choice) > self.options.candidates:
                choice = self.rng.choice(choice, self.options.candidates, replace=False)
            self._step(self.train.hrt[rows], column, choice)

    def _batches(self) -> list[tuple[int, IntArray, int]]:
        """(relation, rows, column to predict); small relations in small batches, so that they get steps too."""
        out = []
        for relation, rows in enumerate(self.train.of_relation):
            size = int(np.clip(len(rows) // 8, 32, self.options.batch))
            shuffled = self.rng.permutation(rows)
            columns = (0, 2) if relation in self.both_ends else (2,)
            out += [(relation, shuffled[i : i + size], c) for i in range(0, len(rows), size) for c in columns]
        return [out[i] for i in self.rng.permutation(len(out))]

    def _step(self, hrt: IntArray, column: int, choice: IntArray) -> None:
        """Cross-entropy of the true end against the candidates (a sampled softmax over ends of the right kind)."""
        import torch

        triples = torch.as_tensor(hrt)
        others = _score_ends(self.model, triples, column, torch.as_tensor(choice))
        is_true = torch.as_tensor(hrt[:, column, None] == choice[None, :])
        scores = torch.cat([self.model.score_hrt(triples), others.masked_fill(is_true, -torch.inf)], dim=1)
        target = torch.zeros(len(hrt), dtype=torch.long)
        loss = torch.nn.functional.cross_entropy(scores * _TEMPERATURE[self.options.model], target)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no annotation here
        self.optimizer.step()
        self.model.post_parameter_update()

    def metrics(self, held_out: Triples) -> dict[str, float]:
        """Filtered link-prediction metrics; the same candidates at every call."""
        rng = np.random.default_rng(self.options.seed)
        return link_prediction_metrics(_Scorer(self.model), held_out, self.known, self.allowed, rng)

    def state(self) -> dict[str, torch.Tensor]:
        """A copy of the model's weights."""
        return {name: value.clone() for name, value in self.model.state_dict().items()}

    def vectors(self) -> VectorArray:
        """(entities, dimension) float32; complex vectors as real parts followed by imaginary parts."""
        values = self.model.entity_representations[0](None).detach().numpy()
        parts = [values.real, values.imag] if np.iscomplexobj(values) else [values]
        return np.concatenate(parts, axis=1).astype(np.float32)


def _start(graph: KnowledgeGraph, triples: Triples, parts: Split, options: VectorOptions) -> _Training:
    import torch

    model = _new_model(triples, options)
    is_user = np.isin(triples.entities, graph.users)
    both = {r for r, rows in enumerate(triples.of_relation) if not is_user[triples.hrt[rows, 0]].any()}
    optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
    allowed = candidates(graph, triples)
    rng = np.random.default_rng(options.seed)
    return _Training(model, optimizer, parts.train, triples, allowed, frozenset(both), options, rng)


def _new_model(triples: Triples, options: VectorOptions) -> Any:
    """An untrained PyKEEN model over the entities and relations of `triples`."""
    import torch

    with _quiet_pykeen():
        from pykeen.models import ComplEx, DistMult, RotatE, TransE
        from pykeen.triples import CoreTriplesFactory

        factory = CoreTriplesFactory(
            torch.as_tensor(triples.hrt), num_entities=len(triples.entities), num_relations=len(triples.relations)
        )
        d = options.dimension
        common: dict[str, Any] = {"triples_factory": factory, "random_seed": options.seed}
        if options.model == "TransE":
            return TransE(embedding_dim=d, scoring_fct_norm=2, **common)
        if options.model == "DistMult":
            return DistMult(embedding_dim=d, entity_constrainer=None, regularizer=None, **common)
        if options.model == "RotatE":
            return RotatE(embedding_dim=d // 2, **common)
        return ComplEx(embedding_dim=d // 2, regularizer=None, **common)


@contextmanager
def _quiet_pykeen() -> Iterator[None]:
    """PyKEEN makes folders in the home folder when it is imported, and talks: it does neither in here."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        before = os.environ.get("PYSTOW_HOME")
        os.environ["PYSTOW_HOME"] = folder
        warnings.simplefilter("ignore")
        logging.getLogger("pykeen").setLevel(logging.ERROR)
        try:
            yield
        finally:
            os.environ.pop("PYSTOW_HOME")
            if before is not None:
                os.environ["PYSTOW_HOME"] = before


def _labelled(
    graph: KnowledgeGraph, triples: Triples, fitted: _Fitted, options: VectorOptions, tried: tuple[Candidate, ...]
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
    return EntityVectors(graph.nodes.kind[rows], graph.nodes.id[rows], graph.nodes.name[rows], fitted.vectors, manifest)
