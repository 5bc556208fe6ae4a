"""PyKEEN's models as `pathfolio.embeddings.train` trains them; the only file that imports PyKEEN."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pathfolio.embeddings.spectral import start_vectors
from pathfolio.embeddings.triples import Triples
from pathfolio.embeddings.vectors import VectorArray
from pathfolio.kg.graph import FloatArray, IntArray

if TYPE_CHECKING:
    import torch

BILINEAR: Final = ("DistMult", "ComplEx")
"""Their scores of all candidates are one product of matrices."""

MODELS: Final = ("TransE", "RotatE", *BILINEAR)

_SPREAD: Final = 0.1
"""Standard deviation of what bilinear models start from."""


@dataclass(frozen=True)
class PykeenScorer:
    """A PyKEEN model as a `pathfolio.embeddings.ranking.TripleScorer`."""

    model: Any

    def triples(self, hrt: IntArray) -> FloatArray:
        """See `TripleScorer`."""
        import torch

        with torch.no_grad():
            return _array(self.model.score_hrt(torch.as_tensor(hrt)).ravel())

    def ends(self, hrt: IntArray, column: int, candidates: IntArray) -> FloatArray:
        """See `TripleScorer`."""
        import torch

        with torch.no_grad():
            return _array(score_ends(self.model, torch.as_tensor(hrt), column, torch.as_tensor(candidates)))


def _array(scores: torch.Tensor) -> FloatArray:
    return scores.numpy().astype(np.float64)


def new_model(name: str, triples: Triples, dimension: int, seed: int) -> Any:
    """An untrained PyKEEN model over the entities and relations of `triples`.

    Bilinear models start from the leading eigenvectors of the triples' adjacency (`start_vectors`), which cost a
    second: vectors of two seeds then have most neighbours in common.
    """
    import torch

    with _quiet_pykeen():
        from pykeen.models import ComplEx, DistMult, RotatE, TransE
        from pykeen.triples import CoreTriplesFactory

        factory = CoreTriplesFactory(
            torch.as_tensor(triples.hrt), num_entities=len(triples.entities), num_relations=len(triples.relations)
        )
        common: dict[str, Any] = {"triples_factory": factory, "random_seed": seed}
        near_zero = partial(torch.nn.init.normal_, std=_SPREAD)
        if name == "TransE":
            return TransE(embedding_dim=dimension, scoring_fct_norm=2, **common)
        if name == "RotatE":
            return RotatE(embedding_dim=dimension // 2, **common)
        if name == "ComplEx":
            free: dict[str, Any] = {"entity_initializer": near_zero, "regularizer": None}
            model: Any = ComplEx(embedding_dim=dimension // 2, relation_initializer=near_zero, **free, **common)
            _start(model, start_vectors(triples, dimension // 2, seed))
            return model
        free = {"entity_initializer": near_zero, "entity_constrainer": None, "regularizer": None}
        model = DistMult(embedding_dim=dimension, relation_initializer=near_zero, **free, **common)
        _start(model, start_vectors(triples, dimension, seed))
        return model


def _start(model: Any, vectors: FloatArray) -> None:
    """Add to entities what is known of them before any training, to the real parts if there are others too; relations
    start near 1, so that at first the score is the adjacency's."""
    import torch

    entities, relations = (
        dict(part[0].named_parameters())["_embeddings.weight"]
        for part in (model.entity_representations, model.relation_representations)
    )
    step = 2 if type(model).__name__ == "ComplEx" else 1
    with torch.no_grad():
        entities.view(len(entities), -1)[:, : step * vectors.shape[1] : step] += torch.as_tensor(vectors).float()
        relations.view(len(relations), -1)[:, ::step] += 1.0


def score_ends(model: Any, hrt: torch.Tensor, column: int, candidates: torch.Tensor) -> Any:
    """(k, c) scores with each candidate as head (column 0) or tail (2)."""
    if type(model).__name__ in BILINEAR:
        return _flat(asked(model, hrt, column)) @ _flat(model.entity_representations[0](candidates)).T
    if column == 2:
        return model.score_t(hrt[:, :2], tails=candidates)
    return model.score_h(hrt[:, 1:], heads=candidates)


def asked(model: Any, hrt: torch.Tensor, column: int) -> Any:
    """(k, d) what a candidate's vector is multiplied with by a bilinear model: Re <h, r, conj(t)> is the real inner
    product of h * r and t, and of conj(r) * t and h (Trouillon et al. 2016); DistMult is the case without imaginary
    parts."""
    given = model.entity_representations[0](hrt[:, 2 - column])
    relation = model.relation_representations[0](hrt[:, 1])
    return given * (relation if column == 2 else relation.conj())


def cubes(model: Any, hrt: torch.Tensor) -> Any:
    """The mean of |h|^3 + |r|^3 + |t|^3, summed over columns: the nuclear 3-norm N3 of Lacroix et al. 2018."""
    of, relation = model.entity_representations[0], model.relation_representations[0]
    parts = (of(hrt[:, 0]), relation(hrt[:, 1]), of(hrt[:, 2]))
    return sum((_length(part) ** 3).sum() for part in parts) / len(hrt)


def _length(vectors: torch.Tensor) -> torch.Tensor:
    """Absolute values; those of complex numbers with a slope at zero."""
    if not vectors.is_complex():
        return vectors.abs()
    return (vectors.real**2 + vectors.imag**2 + 1e-12).sqrt()


def _flat(vectors: torch.Tensor) -> torch.Tensor:
    """(n, 2 d) real parts and imaginary parts of complex vectors; real ones as they are."""
    import torch

    return torch.cat([vectors.real, vectors.imag], dim=1) if vectors.is_complex() else vectors


def entity_vectors(model: Any) -> VectorArray:
    """(entities, dimension) float32; complex vectors as real parts followed by imaginary parts."""
    return _values(model.entity_representations[0])


def relation_vectors(model: Any) -> VectorArray:
    """(relations, dimension) float32, as `entity_vectors`."""
    return _values(model.relation_representations[0])


def _values(representation: Any) -> VectorArray:
    values: VectorArray = _flat(representation(None).detach()).numpy().astype(np.float32)
    return values


def train_by_pykeen(name: str, triples: Triples, dimension: int, seed: int, epochs: int) -> Any:
    """A model as PyKEEN itself trains it, with its standard loss, optimizer and negatives: what ours is compared with.

    One corruption of each triple, of head or tail, by any entity; Adam with 0.01, batches of 512, margin ranking loss
    or the model's own.
    """
    import torch

    with _quiet_pykeen():
        from pykeen.models import model_resolver
        from pykeen.training import SLCWATrainingLoop
        from pykeen.triples import CoreTriplesFactory

        factory = CoreTriplesFactory(
            torch.as_tensor(triples.hrt), num_entities=len(triples.entities), num_relations=len(triples.relations)
        )
        size = dimension // 2 if name in ("RotatE", "ComplEx") else dimension
        model = model_resolver.make(name, triples_factory=factory, embedding_dim=size, random_seed=seed)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        loop = SLCWATrainingLoop(model=model, triples_factory=factory, optimizer=optimizer)
        loop.train(factory, num_epochs=epochs, batch_size=512, use_tqdm=False, pin_memory=False)
        return model


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
