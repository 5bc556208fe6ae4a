"""Bootstrap intervals of means: investors are drawn again, with all their values together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import FloatArray


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % bootstrap interval and standard error."""

    mean: float
    low: float
    high: float
    error: float


@dataclass(frozen=True)
class Bootstrap:
    """The same draws of investors for every mean that is asked of it, so that differences are paired.

    Percentile intervals (Efron and Tibshirani 1993). Values of one investor (`clusters` names them) are drawn
    together, because an investor's events resemble each other.

    Args:
        clusters: (n,) who each value belongs to; any hashable ids.
        seed: draws are the same for the same seed.
        repeats: number of draws.
    """

    clusters: npt.NDArray[Any]
    seed: int = 0
    repeats: int = 1000

    @cached_property
    def _codes(self) -> npt.NDArray[np.int64]:
        return np.unique(self.clusters.astype(str), return_inverse=True)[1].astype(np.int64)

    @cached_property
    def _draws(self) -> npt.NDArray[np.float32]:
        """(repeats, clusters) how often each cluster is drawn."""
        n = int(self._codes.max()) + 1
        rng = np.random.default_rng(self.seed)
        return rng.multinomial(n, np.full(n, 1.0 / n), size=self.repeats).astype(np.float32)

    def estimate(self, values: FloatArray) -> Estimate:
        """Mean of (n,) `values` and its interval; NaN throughout where there are none."""
        if not len(values):
            return Estimate(*[float("nan")] * 4)
        sums = np.bincount(self._codes, weights=values)
        counts = np.bincount(self._codes).astype(np.float64)
        means = (self._draws @ sums) / (self._draws @ counts)
        low, high = np.percentile(means, [2.5, 97.5])
        return Estimate(float(values.mean()), float(low), float(high), float(means.std()))
