"""How good vectors are: link prediction, attributes that were left out, later purchases, likeness over seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from pathfolio.embeddings.ranking import TripleScorer, link_prediction_metrics
from pathfolio.embeddings.spectral import unit_length
from pathfolio.embeddings.triples import Split, Triples, candidates
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Positions
from pathfolio.recommender.evaluation.split import FoldData
from pathfolio.recommender.propagation import asset_edges

NEAREST: Final = 10
"""How many neighbours purity and overlap look at."""

MOST_BUYERS: Final = 1500
"""Later purchases are those of so many investors at most, drawn by the same seed for all."""

Vectors = npt.NDArray[np.float32] | FloatArray


@dataclass(frozen=True)
class LinkMetrics:
    """Filtered MRR and hits@10 of held-out triples, heads and tails, among all entities and those of the right kind."""

    mrr: float
    hits: float
    mrr_of_kind: float
    hits_of_kind: float


def link_metrics(graph: KnowledgeGraph, model: TripleScorer, triples: Triples, parts: Split) -> LinkMetrics:
    """Of the test part; every candidate is ranked, none is sampled."""
    of_kind = candidates(graph, triples)
    everything = np.arange(len(triples.entities))
    found = [
        link_prediction_metrics(model, parts.test, triples, allowed, np.random.default_rng(0), len(everything))
        for allowed in (dict.fromkeys(of_kind, everything), of_kind)
    ]
    return LinkMetrics(*(each[name] for each in found for name in ("mrr", "hits_at_10")))


def labels_of(graph: KnowledgeGraph, relation: Relation) -> IntArray:
    """(assets,) the row of each asset's attribute; -1 where it has none."""
    asset, node = asset_edges(graph, relation)
    out = np.full(len(graph.assets), -1)
    out[asset] = node
    return out


def purity(vectors: Vectors, labels: IntArray) -> float:
    """Mean share of an asset's `NEAREST` by cosine that have its label, among assets with label and vector."""
    rows = np.flatnonzero((labels >= 0) & (np.abs(vectors).sum(axis=1) > 0))
    if len(rows) <= NEAREST:
        return float("nan")
    near = nearest(vectors[rows])
    return float((labels[rows][near] == labels[rows][:, None]).mean())


def overlap(first: Vectors, second: Vectors) -> float:
    """Mean share of an asset's `NEAREST` by cosine that two sets of vectors have in common."""
    rows = np.flatnonzero((np.abs(first).sum(axis=1) > 0) & (np.abs(second).sum(axis=1) > 0))
    if len(rows) <= NEAREST:
        return float("nan")
    pairs = zip(nearest(first[rows]), nearest(second[rows]), strict=True)
    return float(np.mean([len(np.intersect1d(a, b)) / NEAREST for a, b in pairs]))


def nearest(vectors: Vectors, block: int = 512) -> IntArray:
    """(n, `NEAREST`) the rows of the nearest others by cosine, in no order."""
    unit = unit_length(vectors)
    out = np.empty((len(unit), NEAREST), np.int64)
    for start in range(0, len(unit), block):
        cosine = unit[start : start + block] @ unit.T
        rows = np.arange(len(cosine))
        cosine[rows, start + rows] = -np.inf
        out[start : start + block] = np.argpartition(-cosine, NEAREST - 1, axis=1)[:, :NEAREST]
    return out


@dataclass(frozen=True)
class LaterPurchases:
    """What some investors with positions at the cut bought afterwards.

    Attributes:
        users: (m,) their positions among the snapshot's investors.
        had, bought: (m, assets) bool: what they held or had held, and what they bought first in the window.
    """

    users: Positions
    had: Mask
    bought: Mask

    @staticmethod
    def of(data: FoldData) -> LaterPurchases:
        """Those of at most `MOST_BUYERS` investors of a fold."""
        graph, ever = data.graph, data.interactions.ever
        user_of = {key: at for at, key in enumerate(graph.nodes.id[graph.users].tolist())}
        asset_of = {key: at for at, key in enumerate(graph.nodes.id[graph.assets].tolist())}
        known = data.purchases[data.purchases["user_id"].isin(user_of) & data.purchases["asset_id"].isin(asset_of)]
        user = known["user_id"].map(user_of).to_numpy(np.int64)
        asset = known["asset_id"].map(asset_of).to_numpy(np.int64)
        buyers = np.unique(user[data.warm_users[user]])
        chosen = np.sort(np.random.default_rng(0).permutation(buyers)[:MOST_BUYERS])
        bought = np.zeros((len(chosen), ever.shape[1]), bool)
        of_chosen = np.isin(user, chosen)
        bought[np.searchsorted(chosen, user[of_chosen]), asset[of_chosen]] = True
        return LaterPurchases(Positions(chosen), ever[chosen].toarray() > 0, bought)

    def by_holdings(self, vectors: Vectors) -> FloatArray:
        """(m, assets) the mean cosine of each asset to what an investor had."""
        unit = unit_length(vectors)
        mean = (self.had / self.had.sum(axis=1, keepdims=True)) @ unit
        return np.asarray(mean @ unit.T)

    def auc(self, scores: FloatArray) -> float:
        """The mean over investors of the chance that an asset bought ranks above one that was not, of those never had
        before (area under the ROC curve; ties count half)."""
        rows = zip(scores, self.had, self.bought, strict=True)
        return float(np.mean([_auc(row[~had], bought[~had]) for row, had, bought in rows if bought[~had].any()]))


def _auc(scores: FloatArray, is_true: Mask) -> float:
    """Mann-Whitney's U over the number of pairs."""
    n, others = int(is_true.sum()), int((~is_true).sum())
    return float((rankdata(scores)[is_true].sum() - n * (n + 1) / 2) / (n * others))
