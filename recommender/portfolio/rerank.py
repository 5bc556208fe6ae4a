"""Lists put into another order by how far they move together; off unless it is asked for. No score is changed.

Both look at the best candidates by score alone, and weigh by `weight` in [0, 1], of which 0 leaves the order as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from pathfolio.kg.errors import UsageError
from pathfolio.kg.figures import LONGEST_GAP, measures_of
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.span import Positions
from pathfolio.recommender.portfolio.panel import ClosePanel, close_panel

HISTORY_DAYS: Final = 182
"""Of closes before the snapshot's day, from which risk is told."""

CANDIDATES: Final = 50
"""As many of the best by score may come into a list of ten."""

AVERSION: Final = 2.0
"""gamma, as in the paper's program."""

DEFAULT_WEIGHT: Final = 0.25
MEAN_VARIANCE: Final = "mean-variance"

_FEWEST: Final = 60
_DIGITS: Final = 12
"""Moments are rounded to so many decimals, so that processors that add up in another order agree."""


@dataclass(frozen=True)
class Moments:
    """What half a year of daily returns says of n assets, in the snapshot's order, a day.

    Attributes:
        known: (n,) bool: they have closes over all that time.
        expected: (n,) mean returns; 0 where not known.
        covariance: (n, n); 0 where not known.
    """

    known: Mask
    expected: FloatArray
    covariance: FloatArray


@dataclass(frozen=True)
class HalfYear:
    """The closes of the half year before a snapshot's day.

    Attributes:
        panel: closes of all assets on all days of it.
        known: (n,) bool: assets with closes over all that time.
    """

    panel: ClosePanel
    known: Mask

    @cached_property
    def moments(self) -> Moments:
        """Sample means and covariances; what is little held together by so few days is for ordering only."""
        at = np.flatnonzero(self.known)
        closes = self.panel.closes[:, at]
        returns = closes[1:] / closes[:-1] - 1.0
        n = len(self.known)
        covariance, expected = np.zeros((n, n)), np.zeros(n)
        covariance[np.ix_(at, at)] = np.round(np.cov(returns, rowvar=False), _DIGITS)
        expected[at] = np.round(returns.mean(axis=0), _DIGITS)
        return Moments(self.known, expected, covariance)

    def volatility(self, assets: Positions) -> tuple[float, date, date]:
        """A year's volatility of assets in equal parts, restored daily, and the days of the first and last close.

        A day counts if one of them has a close.
        """
        days = (self.panel.age[:, assets] == 0).any(axis=1)
        closes = self.panel.closes[days][:, assets]
        first, last = (pd.Timestamp(day).date() for day in self.panel.days[days][[0, -1]])
        returns = (closes[1:] / closes[:-1] - 1.0).mean(axis=1)
        a_year = len(returns) * 365.0 / (last - first).days
        return measures_of(returns, a_year, None).volatility, first, last


def half_year(graph: KnowledgeGraph, prices: pd.DataFrame | None) -> HalfYear | None:
    """Of the snapshot's assets before its day; None where fewer than two have closes over all that time.

    Args:
        prices: asset_id, date, close; what is after the snapshot's day is left out.
    """
    panel = close_panel(graph, prices)
    if panel is None:
        return None
    begin = panel.row_of(panel.days[-1] - np.timedelta64(HISTORY_DAYS, "D"))
    if begin < 0 or len(panel.days) - begin <= _FEWEST:
        return None
    part = ClosePanel(panel.days[begin:], panel.closes[begin:], panel.age[begin:])
    known = np.asarray(~np.isnan(part.closes[0]) & (part.age[-1] <= LONGEST_GAP), bool)
    return HalfYear(part, known) if known.sum() > 1 else None


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


RERANKERS: Final = MappingProxyType[str, Reranker]({MEAN_VARIANCE: by_variance, "pfotgnrec": by_sampling})
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


@dataclass(frozen=True)
class RiskOrder:
    """An order that somebody asked for: by variance, which weighs `weight` of 0 to 1 against the score."""

    weight: float = DEFAULT_WEIGHT

    @classmethod
    def parse(cls, text: str) -> RiskOrder:
        """The order written mean-variance or mean-variance:WEIGHT.

        Raises:
            UsageError: it is neither.

        >>> RiskOrder.parse("mean-variance:0.5").name
        'mean-variance:0.5'
        """
        name, said, weight = text.partition(":")
        if name == MEAN_VARIANCE:
            with suppress(ValueError):
                found = float(weight) if said else DEFAULT_WEIGHT
                if 0.0 <= found <= 1.0:
                    return cls(found)
        raise UsageError(f"no order {text!r}: write {MEAN_VARIANCE} or {MEAN_VARIANCE}:WEIGHT, with a weight of 0 to 1")

    @property
    def name(self) -> str:
        """As on the command line."""
        return f"{MEAN_VARIANCE}:{self.weight:g}"

    def of(self, scores: FloatArray, ranked: Positions, closes: HalfYear) -> Positions:
        """`ranked` in this order: of its first `CANDIDATES`, those with closes change places among themselves.

        Args:
            scores: (assets,).
            ranked: (m,) positions, the highest score first.
        """
        best = ranked[:CANDIDATES]
        places = np.flatnonzero(closes.known[best])
        movable = Positions(best[places])
        out = ranked.copy()
        out[places] = by_variance(scores[movable], movable, movable[:0], closes.moments, self.weight)
        return Positions(out)
