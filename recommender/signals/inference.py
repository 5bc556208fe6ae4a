"""What a series of daily figures says of their mean, where neighbours depend on each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import norm

from pathfolio.kg.graph import FloatArray

_DRAWS: Final = 1000
_SHORTEST_BLOCK: Final = 20
_EULER: Final = 0.5772156649015329


@dataclass(frozen=True)
class SeriesMean:
    """A mean with what is known of its error.

    Attributes:
        mean, deviation: of the series.
        error: Newey and West's (1987), NaN for fewer than two.
        low, high: 95%, by moving blocks drawn again (Künsch 1989).
        n: how many.
    """

    mean: float
    deviation: float
    error: float
    low: float
    high: float
    n: int

    @property
    def t(self) -> float:
        """The mean over its error."""
        return self.mean / self.error if self.error > 0 else math.nan


def newey_west(series: FloatArray, lags: int) -> float:
    """The standard error of the mean of a series, with Bartlett's weights.

    >>> round(newey_west(np.array([1.0, -1.0, 1.0, -1.0]), 0), 3)
    0.5
    """
    n = len(series)
    if n < 2:
        return math.nan
    left = series - series.mean()
    total = float(left @ left)
    for lag in range(1, min(lags, n - 1) + 1):
        total += 2 * (1 - lag / (lags + 1)) * float(left[lag:] @ left[:-lag])
    return math.sqrt(max(total, 0.0)) / n


def series_mean(series: FloatArray, overlap: int, seed: int = 0) -> SeriesMean:
    """The mean of what is finite, its error and its interval.

    Args:
        overlap: so many neighbours share days; lags and blocks are no shorter.
    """
    known = series[np.isfinite(series)]
    n = len(known)
    if not n:
        return SeriesMean(math.nan, math.nan, math.nan, math.nan, math.nan, 0)
    lags = max(overlap, math.floor(4 * (n / 100) ** (2 / 9)))
    length = min(n, max(overlap, _SHORTEST_BLOCK))
    rng = np.random.default_rng(seed)
    blocks = math.ceil(n / length)
    starts = rng.integers(0, n - length + 1, (_DRAWS, blocks))
    drawn = known[(starts[:, :, None] + np.arange(length)).reshape(_DRAWS, -1)[:, :n]]
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    return SeriesMean(float(known.mean()), float(known.std()), newey_west(known, lags), float(low), float(high), n)


def expected_best_sharpe(ratios: FloatArray, trials: int) -> float:
    """The Sharpe ratio that the best of so many trials without any skill is expected to have.

    Bailey and López de Prado (2014), "The Deflated Sharpe Ratio".

    Args:
        ratios: of the trials that are known, per day; their spread is taken for that of all.
    """
    known = ratios[np.isfinite(ratios)]
    if trials < 2 or len(known) < 2:
        return 0.0
    high, higher = norm.ppf(1 - 1 / trials), norm.ppf(1 - 1 / (trials * math.e))
    return float(known.std(ddof=1) * ((1 - _EULER) * high + _EULER * higher))


def deflated_sharpe(returns: FloatArray, best_by_chance: float) -> float:
    """How probable it is that a Sharpe ratio is above that of the best by chance, both per day.

    >>> bool(deflated_sharpe(np.tile([0.02, -0.01], 200), 0.0) > 0.99)
    True
    """
    known = returns[np.isfinite(returns)]
    if len(known) < 3 or np.ptp(known) == 0:
        return math.nan
    ratio = known.mean() / known.std(ddof=1)
    z = (known - known.mean()) / known.std()
    skew, kurtosis = float((z**3).mean()), float((z**4).mean())
    spread = math.sqrt(max(1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2, 1e-12))
    return float(norm.cdf((ratio - best_by_chance) * math.sqrt(len(known) - 1) / spread))
