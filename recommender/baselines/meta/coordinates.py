"""What the two learned update rules share: one small LSTM for every weight, fed with that weight's gradient."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from pathfolio.recommender.baselines.meta.learner import MetaWeights

CELLS: Final = 8
_P: Final = 10.0


def start_cells(inputs: int, generator: torch.Generator) -> MetaWeights:
    """Weights of an LSTM of 8 cells."""
    return {
        "in": torch.randn(inputs, 4 * CELLS, generator=generator) / inputs**0.5,
        "again": torch.randn(CELLS, 4 * CELLS, generator=generator) / CELLS**0.5,
        "bias": torch.zeros(4 * CELLS),
    }


def preprocessed(values: Tensor) -> Tensor:
    """(…, 2): size and sign of gradients that differ by magnitudes (Andrychowicz et al. 2016, appendix A).

    (log|g| / p, sign g) where |g| >= exp(-p), (-1, exp(p) g) below, p = 10.
    """
    large = values.abs() >= math.exp(-_P)
    size = torch.where(large, values.abs().clamp(min=1e-12).log() / _P, -1.0)
    sign = torch.where(large, values.sign(), values * math.exp(_P))
    return torch.stack([size, sign], dim=-1)


def lstm_step(weights: MetaWeights, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """(h, c), each (coordinates, 8), after one step (Hochreiter and Schmidhuber 1997)."""
    h, c = state
    gates = x @ weights["in"] + h @ weights["again"] + weights["bias"]
    into, forget, out, new = gates.chunk(4, dim=-1)
    c = torch.sigmoid(forget + 1.0) * c + torch.sigmoid(into) * torch.tanh(new)
    return torch.sigmoid(out) * torch.tanh(c), c


def no_state(theta: Tensor) -> tuple[Tensor, Tensor]:
    """Before the first step."""
    zero = theta.new_zeros(len(theta), CELLS)
    return zero, zero
