"""How far a forecast of variance, or of anything else, is from what came: by name, lower is better."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

import numpy as np

from pathfolio.kg.graph import FloatArray

Loss = Callable[[FloatArray, FloatArray], FloatArray]
"""loss(forecast, truth): element by element."""

PERCENT: Final = 1e4
"""Variances are of returns in percent, as the literature has them."""

_FLOOR: Final = 1e-8


def qlike(forecast: FloatArray, truth: FloatArray) -> FloatArray:
    """ln f + y / f of variances in squared percent (Patton 2011): robust to noise in y, and a bias costs.

    >>> float(qlike(np.array([1e-4]), np.array([1e-4]))[0])
    1.0
    """
    f = np.maximum(forecast, _FLOOR) * PERCENT
    return np.log(f) + truth * PERCENT / f


def log1p_error(forecast: FloatArray, truth: FloatArray) -> FloatArray:
    """(ln(1 + f) - ln(1 + y))² of variances in squared percent; shrinking every forecast betters it, so QLIKE leads."""
    difference = np.log1p(np.maximum(forecast, 0) * PERCENT) - np.log1p(truth * PERCENT)
    return np.asarray(difference**2)


def squared_error(forecast: FloatArray, truth: FloatArray) -> FloatArray:
    """(f - y)²."""
    return np.asarray((forecast - truth) ** 2)


LOSSES: Final = MappingProxyType[str, Loss]({"qlike": qlike, "mse_log1p": log1p_error, "mse": squared_error})
