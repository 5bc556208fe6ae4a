"""Filtered link prediction: how high a model ranks the true end of a held-out triple."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

import numpy as np
import scipy.sparse as sp

from pathfolio.embeddings.triples import Triples
from pathfolio.kg.graph import FloatArray, IntArray

HITS: Final = (1, 3, 10)


class TripleScorer(Protocol):
    """What a link-prediction model offers; higher is more plausible."""

    def triples(self, hrt: IntArray) -> FloatArray:
        """(k,) scores of (k, 3) triples."""
        ...

    def ends(self, hrt: IntArray, column: int, candidates: IntArray) -> FloatArray:
        """(k, c) scores of the triples with each candidate instead of their head (0) or tail (2)."""
        ...


def link_prediction_metrics(
    model: TripleScorer,
    held_out: Triples,
    known: Triples,
    candidates: Mapping[tuple[int, int], IntArray],
    rng: np.random.Generator,
    limit: int = 1000,
) -> dict[str, float]:
    """Filtered MRR and hits@k over both ends of the held-out triples (Bordes et al. 2013).

    Candidates are the entities of the kinds that the relation allows (the type-constrained protocol of Krompass
    et al. 2015), a sample of `limit` where there are more; ones that make another known triple are filtered
    out. Ties count half (the realistic rank).

    Returns:
        mrr, hits_at_1, hits_at_3, hits_at_10, and the MRR of heads, of tails and of each relation's tails.
    """
    head, tail = (_reciprocal_ranks(model, held_out, known, candidates, rng, limit, column) for column in (0, 2))
    both = np.concatenate([head, tail])
    if not len(both):
        return {"mrr": 0.0, "mrr_head": 0.0, "mrr_tail": 0.0} | {f"hits_at_{k}": 0.0 for k in HITS}
    metrics = {"mrr": both.mean(), "mrr_head": head.mean(), "mrr_tail": tail.mean()}
    metrics |= {f"hits_at_{k}": np.mean(both >= 1 / k) for k in HITS}
    return {name: float(value) for name, value in metrics.items()}


def _reciprocal_ranks(
    model: TripleScorer,
    held_out: Triples,
    known: Triples,
    candidates: Mapping[tuple[int, int], IntArray],
    rng: np.random.Generator,
    limit: int,
    column: int,
) -> FloatArray:
    """(k,) 1 / rank of the true head (column 0) or tail (2), relation by relation."""
    out = [np.zeros(0)]
    for relation, rows in enumerate(held_out.of_relation):
        choice = candidates[relation, column]
        if len(choice) > limit:
            choice = np.sort(rng.choice(choice, limit, replace=False))
        hrt = held_out.hrt[rows]
        for part, others in _filters(hrt, known.hrt[known.of_relation[relation]], column, choice):
            scores = np.where(others, -np.inf, model.ends(part, column, choice))
            true = model.triples(part)[:, None]
            out.append(1 / (1 + (scores > true).sum(axis=1) + (scores == true).sum(axis=1) / 2))
    return np.concatenate(out)


def _filters(
    hrt: IntArray, known: IntArray, column: int, choice: IntArray, size: int = 256
) -> Iterator[tuple[IntArray, np.ndarray[tuple[int, int], np.dtype[np.bool_]]]]:
    """Batches of triples, each with a (batch, candidates) mask of the candidates that make a known triple."""
    given = 2 - column
    n = int(max(known[:, [0, 2]].max(initial=0), hrt[:, [0, 2]].max(initial=0), choice.max(initial=0))) + 1
    pairs = sp.csr_array((np.ones(len(known), bool), (known[:, given], known[:, column])), shape=(n, n))
    for start in range(0, len(hrt), size):
        part = hrt[start : start + size]
        mask = pairs[part[:, given]][:, choice].toarray()
        yield part, mask | (part[:, column][:, None] == choice[None, :])
