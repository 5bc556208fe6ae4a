"""Ranking metrics of top-k lists: per investor (nDCG, recall, …) and over all lists (coverage, Gini, novelty).

A list is a row of asset positions, best first, -1 where it is shorter; `hits` marks the entries that the investor
then bought. "Strict" means that the ideal of nDCG counts all that the investor bought, not only what a list can hold.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import FloatArray, IntArray, Mask
from pathfolio.kg.span import Positions

USER_METRICS: Final = ("ndcg@5", "ndcg@10", "precision@10", "recall@10", "hit@10", "mrr@10")
"""Names of what `user_metrics` returns, in that order."""


def discounts(k: int) -> FloatArray:
    """(k,) the weight of each rank: 1 / log2(rank + 1) (Järvelin and Kekäläinen 2002).

    >>> discounts(3).round(4).tolist()
    [1.0, 0.6309, 0.5]
    """
    return np.asarray(1.0 / np.log2(np.arange(2, k + 2)), np.float64)


def hits_of(lists: Positions, relevant: npt.NDArray[np.bool_]) -> Mask:
    """(n, k) bool: which entries of the lists are relevant.

    Args:
        lists: (n, k) asset positions, -1 for none.
        relevant: (n, assets) bool.
    """
    found = np.take_along_axis(relevant, np.maximum(lists, 0), axis=1)
    return found & (lists >= 0)


def ndcg(hits: Mask, relevant: IntArray, k: int) -> FloatArray:
    """(n,) strict nDCG@k: discounted hits over those of the best list, min(k, relevant) hits from the top.

    Args:
        hits: (n, at least k) bool, best first.
        relevant: (n,) how many assets each investor bought; at least 1.

    >>> ndcg(np.array([[False, True, False]]), np.array([5]), 3).round(4).tolist()
    [0.2961]
    """
    weights = discounts(k)
    gain = np.asarray(hits[:, :k] @ weights[: hits[:, :k].shape[1]], np.float64)
    ideal = np.cumsum(weights)[np.minimum(relevant, k) - 1]
    return np.asarray(gain / ideal, np.float64)


def reciprocal_rank(hits: Mask) -> FloatArray:
    """(n,) one over the rank of the first hit, 0 where there is none.

    >>> reciprocal_rank(np.array([[False, True], [False, False]])).tolist()
    [0.5, 0.0]
    """
    return np.where(hits.any(axis=1), 1.0 / (hits.argmax(axis=1) + 1.0), 0.0)


def user_metrics(hits: Mask, relevant: IntArray) -> dict[str, FloatArray]:
    """Every metric of `USER_METRICS`, each (n,) float64 in [0, 1].

    Args:
        hits: (n, k) bool; a list shorter than 10 counts as misses below its end.
        relevant: (n,) how many assets each investor bought; at least 1.
    """
    found = hits[:, :10].sum(axis=1).astype(np.float64)
    values = (ndcg(hits, relevant, 5), ndcg(hits, relevant, 10), found / 10, found / relevant)
    return dict(zip(USER_METRICS, (*values, (found > 0) * 1.0, reciprocal_rank(hits[:, :10])), strict=True))


def coverage(lists: Positions, candidates: int) -> float:
    """The share of `candidates` assets that stand in at least one list."""
    return len(np.unique(lists[lists >= 0])) / candidates if candidates else 0.0


def gini(lists: Positions, candidates: int) -> float:
    """How unequally the lists share out attention: 0 if every asset stands in as many, 1 if one takes all.

    The Gini index of the number of lists that each of `candidates` assets stands in.

    >>> gini(np.array([[0], [1]]), 2), round(gini(np.array([[0], [0]]), 2), 2)
    (0.0, 0.5)
    """
    counts = np.bincount(lists[lists >= 0])
    counts = np.sort(np.concatenate([np.zeros(max(candidates - len(counts), 0), counts.dtype), counts]))
    total = counts.sum()
    n = len(counts)
    if not total:
        return 0.0
    return float(((2 * np.arange(1, n + 1) - n - 1) * counts).sum() / (n * total))


def novelty(lists: Positions, holders: FloatArray, investors: int) -> float:
    """Mean self-information of what is recommended, in bits: -log2 of the share of investors who have it.

    Zhou et al. 2010 (PNAS 107:4511); shares are (holders + 1) / (investors + 1), so that an asset without holders
    has a finite value.
    """
    shown = lists[lists >= 0]
    bits = -np.log2((holders + 1.0) / (investors + 1.0))
    return float(bits[shown].mean()) if len(shown) else 0.0


def share_that_fits(lists: Positions, fits: npt.NDArray[np.float64]) -> float:
    """The share of recommended assets that the investor's risk level allows, NaN where no risk is known.

    Args:
        fits: (n, assets) 1 fits, 0 does not, NaN not known (and then not counted).
    """
    shown = np.where(lists >= 0, np.take_along_axis(fits, np.maximum(lists, 0), axis=1), np.nan)
    known = ~np.isnan(shown)
    return float(shown[known].mean()) if known.any() else float("nan")
