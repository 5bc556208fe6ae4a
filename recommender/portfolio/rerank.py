"""Lists put into another order by how far they move together; off unless it is asked for. No score is changed.

Both look at the best candidates by score alone, and weigh by `weight` in [0, 1], of which 0 leaves the order as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from pathfolio.kg.figures import LONGEST_GAP
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.span import Positions
from pathfolio.recommender.portfolio.allocate import moments_of
from pathfolio.recommender.portfolio.panel import close_panel

HISTORY_DAYS: Final = 182
"""Of closes before the snapshot's day, from which risk is told."""

CANDIDATES: Final = 50
"""As many of the best by score may come into a list of ten."""

AVERSION: Final = 2.0
"""gamma, as in the paper's program."""

_FEWEST: Final = 60


@dataclass(frozen=True)
class Moments:
    """What half a year of daily returns says of n assets, in the snapshot's order, a day.

    Attributes:
        known: (n,) bool: they have closes over all that time.
        expected: (n,) mean returns, drawn towards each other (James and Stein); 0 where not known.
        covariance: (n, n) as Ledoit and Wolf's; 0 where not known.
    """

    known: Mask
    expected: FloatArray
    covariance: FloatArray


def moments_at(graph: KnowledgeGraph, prices: pd.DataFrame | None) -> Moments | None:
    """Of the snapshot's assets on its day; None where fewer than two have half a year of closes.

    Args:
        prices: asset_id, date, close; what is after the snapshot's day is left out.
    """
    panel = close_panel(graph, prices)
    if panel is None:
        return None
    begin = panel.row_of(panel.days[-1] - np.timedelta64(HISTORY_DAYS, "D"))
    closes = panel.closes[max(begin, 0) :]
    known = np.asarray(~np.isnan(closes[0]) & (panel.age[-1] <= LONGEST_GAP), bool)
    if begin < 0 or len(closes) <= _FEWEST or known.sum() < 2:
        return None
    returns = closes[1:, known] / closes[:-1, known] - 1.0
    covariance, expected = moments_of(returns)
    n = len(known)
    at = np.flatnonzero(known)
    whole = np.zeros((n, n))
    whole[np.ix_(at, at)] = covariance
    means = np.zeros(n)
    means[at] = expected
    return Moments(known, means, whole)


Reranker = Callable[[FloatArray, Positions, IntArray, Moments, float], Positions]
"""(scores (m,) of candidates, the best first; their positions (m,); held positions; moments; weight) -> positions."""


def by_variance(
    scores: FloatArray, candidates: Positions, held: IntArray, moments: Moments, weight: float
) -> Positions:
    """Greedy mean-variance: each place goes to what scores high and leaves the list's variance low.

    As in Wang and Zhu 2009 ("Portfolio Theory of Information Retrieval"): the mean is the score, the variance that of
    returns of the list in equal parts. Of the candidate i after the list L:

        (1 - weight) * s_i - weight * v_i,   v_i = variance of L and i in equal parts

    with s and v drawn to [0, 1] over what is left. Nothing is said of returns to come. `held` changes nothing.
    """
    covariance = moments.covariance[np.ix_(candidates, candidates)]
    left = np.ones(len(candidates), bool)
    chosen: list[int] = []
    shared = np.zeros(len(candidates))
    within = 0.0
    for _ in range(len(candidates)):
        size = len(chosen) + 1
        variance = (within + 2.0 * shared + np.diag(covariance)) / size**2
        value = (1.0 - weight) * _spread(scores, left) - weight * _spread(variance, left)
        best = int(np.argmax(np.where(left, value, -np.inf)))
        within += 2.0 * shared[best] + covariance[best, best]
        shared += covariance[best]
        left[best] = False
        chosen.append(best)
    return Positions(candidates[chosen])


def by_sampling(
    scores: FloatArray, candidates: Positions, held: IntArray, moments: Moments, weight: float
) -> Positions:
    """The mean-variance efficient sampling of PfoTGNRec (Lee et al. 2024, arXiv 2404.07223) as an order of its own.

        y_i = (mu_i / gamma - sum over the m held assets j of sigma_ij / (2 m)) / sigma_i^2

    and the candidates stand by weight * rank of y + (1 - weight) * rank of the score. The paper draws by it what its
    network learns from; here it orders what any score found. It reckons with past means as if they would return.
    """
    own = held[moments.known[held]]
    shared = moments.covariance[np.ix_(candidates, own)].mean(axis=1) if len(own) else np.zeros(len(candidates))
    variance = np.maximum(moments.covariance[candidates, candidates], 1e-12)
    efficient = (moments.expected[candidates] / AVERSION - 0.5 * shared) / variance
    rank = weight * rankdata(efficient) + (1.0 - weight) * rankdata(scores)
    return Positions(candidates[np.argsort(-rank, kind="stable")])


def _spread(values: FloatArray, left: Mask) -> FloatArray:
    """Drawn to [0, 1] over those that are left."""
    low, high = values[left].min(), values[left].max()
    return (values - low) / (high - low) if high > low else np.zeros(len(values))


RERANKERS: Final = MappingProxyType[str, Reranker]({"mean-variance": by_variance, "pfotgnrec": by_sampling})
"""By name."""


def reranked(
    lists: Positions, scores: FloatArray, held: Mask, moments: Moments, reranker: Reranker, weight: float
) -> Positions:
    """(n, k) the lists in another order, -1 for none.

    Args:
        lists: (n, k) positions of the best candidates by score, all of known risk, -1 where there are fewer.
        scores: (n, assets).
        held: (n, assets) bool: what each investor has.
    """
    out = np.full(lists.shape, -1, np.int64)
    for row, made in enumerate(lists):
        some = Positions(made[made >= 0])
        own = np.flatnonzero(held[row])
        out[row, : len(some)] = reranker(scores[row, some], some, own, moments, weight)
    return Positions(out)
