"""Ways to make vectors, side by side on one fold: the shipped one, PyKEEN's own training and plain factorisations."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pathfolio.embeddings.models import MODELS, PykeenScorer, entity_vectors, train_by_pykeen
from pathfolio.embeddings.ranking import TripleScorer
from pathfolio.embeddings.spectral import adjacency, co_holding_vectors, leading, near_vectors, normalised
from pathfolio.embeddings.threads import one_thread
from pathfolio.embeddings.train import AUTO, VectorOptions, fit_best, held_out_parts
from pathfolio.embeddings.triples import Split, Triples, triples_of
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.progress import Progress
from pathfolio.kg.schema import RELATION_CODE, Relation
from pathfolio.kg.span import Positions
from pathfolio.recommender.disclosed import disclosed
from pathfolio.recommender.evaluation.split import FoldData
from pathfolio.recommender.evaluation.vector_measures import (
    LaterPurchases,
    Vectors,
    labels_of,
    link_metrics,
    overlap,
    purity,
)

SHIPPED: Final = "shipped"

PYKEEN_EPOCHS: Final = 60
"""Passes that PyKEEN's own training makes; its runs take no early stopping."""

LEFT_OUT: Final = (Relation.IN_INDUSTRY, Relation.IN_SECTOR)
"""Attributes that purity asks for, after a training without them."""


@dataclass(frozen=True)
class Factors:
    """A product of factors as a `TripleScorer`: the relation does not matter."""

    left: FloatArray
    right: FloatArray

    def triples(self, hrt: IntArray) -> FloatArray:
        """See `TripleScorer`."""
        return np.asarray((self.left[hrt[:, 0]] * self.right[hrt[:, 2]]).sum(axis=1))

    def ends(self, hrt: IntArray, column: int, candidates: IntArray) -> FloatArray:
        """See `TripleScorer`."""
        if column == 2:
            return np.asarray(self.left[hrt[:, 0]] @ self.right[candidates].T)
        return np.asarray(self.right[hrt[:, 2]] @ self.left[candidates].T)


@dataclass(frozen=True)
class MadeVectors:
    """(entities, d) vectors of the triples' entities, by whose cosine they are near, and the model that scores triples,
    where there is one."""

    vectors: Vectors
    scorer: TripleScorer | None = None


Way = Callable[[KnowledgeGraph, Triples, Split, VectorOptions], MadeVectors]
"""Makes vectors from the training part; the test part may not be read."""


def _by_us(name: str, graph: KnowledgeGraph, triples: Triples, parts: Split, options: VectorOptions) -> MadeVectors:
    *_, fitted = fit_best(graph, triples, replace(options, model=name), Progress(out=None))
    return MadeVectors(fitted.vectors, fitted.scorer)


def _shipped(graph: KnowledgeGraph, triples: Triples, parts: Split, options: VectorOptions) -> MadeVectors:
    learned = _by_us(AUTO, graph, triples, parts, options)
    return replace(learned, vectors=near_vectors(learned.vectors, parts.train, options.seed))


def _by_pykeen(name: str, graph: KnowledgeGraph, triples: Triples, parts: Split, options: VectorOptions) -> MadeVectors:
    model = train_by_pykeen(name, parts.train, options.dimension, options.seed, PYKEEN_EPOCHS)
    return MadeVectors(entity_vectors(model), PykeenScorer(model))


def _svd(
    scale: Callable[[sp.csr_array], sp.csr_array],
    graph: KnowledgeGraph,
    triples: Triples,
    parts: Split,
    options: VectorOptions,
) -> MadeVectors:
    left, right = leading(scale(adjacency(parts.train)), options.dimension, options.seed)
    return MadeVectors(left, Factors(left, right))


def _co_holdings(graph: KnowledgeGraph, triples: Triples, parts: Split, options: VectorOptions) -> MadeVectors:
    return MadeVectors(co_holding_vectors(parts.train, _holds(triples), options.dimension, options.seed))


WAYS: Final = MappingProxyType[str, Way](
    {
        SHIPPED: _shipped,
        "learned": partial(_by_us, AUTO),
        "svd": partial(_svd, lambda matrix: matrix),
        "svd-normalised": partial(_svd, normalised),
        "svd-co-holdings": _co_holdings,
        **{name.lower(): partial(_by_us, name) for name in MODELS},
        **{f"pykeen-{name.lower()}": partial(_by_pykeen, name) for name in MODELS},
    }
)
"""Name to how vectors are made: as builds do it (near by `near_vectors`, or by what is learned alone), by singular
values of the adjacency (as it is, or divided by the roots of degrees) or of co-holdings, by one model with our
training, by one with PyKEEN's."""

USUAL: Final = (SHIPPED, "svd", "svd-normalised", "svd-co-holdings", "pykeen-rotate")


def choose_ways(text: str) -> tuple[str, ...]:
    """The ways named in `text`, separated by commas; `USUAL` for "all".

    Raises:
        UsageError: there is no such way.
    """
    names = USUAL if text == "all" else tuple(dict.fromkeys(text.split(",")))
    unknown = [name for name in names if name not in WAYS]
    if unknown:
        raise UsageError(f"no way {unknown[0]!r} to make vectors: choose all or of {', '.join(WAYS)}")
    return names


@dataclass(frozen=True)
class _Market:
    """What all ways learn from, and what they are asked."""

    data: FoldData
    whole: KnowledgeGraph
    less: KnowledgeGraph
    later: LaterPurchases


def evaluate_vectors(data: FoldData, ways: Sequence[str], seeds: Sequence[int], progress: Progress) -> pd.DataFrame:
    """A row per way and seed, of every measure and the processor seconds of one training.

    All learn from what groups of ten share at the cut (`disclosed`). Columns: window, way, seed, mrr, hits@10,
    mrr_of_kind, hits@10_of_kind, purity of each of `LEFT_OUT`, auc_score (investor and asset by the model's scoring
    function), auc_holdings (mean cosine to holdings), overlap (with the seed before), seconds; NaN where a way has no
    such thing.

    Raises:
        DataError: nobody with positions at the cut bought anything in the window.
    """
    later = LaterPurchases.of(data)
    if not len(later.users):
        raise DataError(
            f"{data.graph.name}: no investor with positions bought in {data.fold.name}: choose another window"
        )
    whole = disclosed(data.graph)
    market = _Market(data, whole, _without(whole, LEFT_OUT), later)
    rows = []
    for name in ways:
        before: Vectors | None = None
        for seed in seeds:
            progress.update(f"{name}, seed {seed}")
            row, vectors = _measured(market, WAYS[name], VectorOptions(seed=seed))
            shared = float("nan") if before is None else overlap(before, vectors)
            rows.append({"window": data.fold.name, "way": name, "seed": seed, **row, "overlap": shared})
            before = vectors
    return pd.DataFrame(rows)


def _measured(market: _Market, way: Way, options: VectorOptions) -> tuple[dict[str, float], Vectors]:
    """The measures of one seed, and the assets' vectors."""
    triples = triples_of(market.whole)
    parts = held_out_parts(triples, options)
    start = time.process_time()
    with one_thread():
        learned = way(market.whole, triples, parts, options)
    row = {"seconds": time.process_time() - start}
    vectors = _of_assets(market.whole, triples, learned)
    if learned.scorer is not None:
        links = link_metrics(market.whole, learned.scorer, triples, parts)
        row |= {"mrr": links.mrr, "hits@10": links.hits}
        row |= {"mrr_of_kind": links.mrr_of_kind, "hits@10_of_kind": links.hits_of_kind}
        row["auc_score"] = market.later.auc(_by_score(market, triples, learned.scorer))
    row["auc_holdings"] = market.later.auc(market.later.by_holdings(vectors))
    return row | _purities(market, way, options), vectors


def _purities(market: _Market, way: Way, options: VectorOptions) -> dict[str, float]:
    """Purity by attribute, after a training that never saw it."""
    triples = triples_of(market.less)
    with one_thread():
        learned = way(market.less, triples, held_out_parts(triples, options), options)
    vectors = _of_assets(market.less, triples, learned)
    return {f"purity_{name.lower()}": purity(vectors, labels_of(market.whole, name)) for name in LEFT_OUT}


def _without(graph: KnowledgeGraph, relations: Sequence[Relation]) -> KnowledgeGraph:
    kept = ~np.isin(graph.edges.relation, [RELATION_CODE[relation] for relation in relations])
    return replace(graph, edges=graph.edges.take(kept))


def _of_assets(graph: KnowledgeGraph, triples: Triples, learned: MadeVectors) -> Vectors:
    """(assets, d), zeros where there is no vector."""
    out = np.zeros((len(graph.assets), learned.vectors.shape[1]))
    at = np.flatnonzero(np.isin(triples.entities, graph.assets))
    out[np.searchsorted(graph.assets, triples.entities[at])] = learned.vectors[at]
    return out


def _by_score(market: _Market, triples: Triples, scorer: TripleScorer) -> FloatArray:
    """(m, assets) how likely each later buyer HOLDS an asset; 0 where one of them is unknown."""
    graph, users = market.whole, market.whole.user_span.row(market.later.users)
    known = np.flatnonzero(np.isin(users, triples.entities))
    assets = Positions(np.flatnonzero(np.isin(graph.assets, triples.entities)))
    heads = np.searchsorted(triples.entities, users[known])
    hrt = np.stack([heads, np.full(len(heads), _holds(triples)), np.zeros(len(heads), np.int64)], axis=1)
    out = np.full(market.later.had.shape, -np.inf)
    out[~np.isin(users, triples.entities)] = 0.0
    out[np.ix_(known, assets)] = scorer.ends(hrt, 2, np.searchsorted(triples.entities, graph.asset_span.row(assets)))
    return out


def _holds(triples: Triples) -> int:
    return int(np.searchsorted(triples.relations, RELATION_CODE[Relation.HOLDS]))
