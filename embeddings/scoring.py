"""How vectors of a head, a relation and a tail become the plausibility of a triple, in NumPy alone."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

import numpy as np

GAT: Final = "GATv2"
TOWERS: Final = "two towers"
NEAR: Final = "learned and spectral"

FORMULAS: Final = MappingProxyType(
    {
        "DistMult": "sum_i h_i r_i t_i",
        "ComplEx": "Re(sum_i h_i r_i conj(t_i)), of complex vectors: their real parts, then their imaginary parts",
        "RotatE": "-|h * r - t|, of complex vectors: their real parts, then their imaginary parts",
        "TransE": "-|h + r - t|",
        GAT: "sum_i a_i b_i of two assets, the closeness that the score counts; no relations",
        NEAR: "sum_i a_i b_i, a mean cosine of learned vectors and the adjacency's eigenvectors (1:2); no relations",
        TOWERS: "sum_i u_i a_i of an asset and of the row of its kind of an investor; the last column is a bias",
    }
)
"""Model to its scoring function of h, r and t, the vectors of a head, a relation and a tail; higher is likelier."""


def score(model: str, h: Any, r: Any, t: Any) -> Any:
    """(n,) scores of n triples, given (n, d) vectors of heads, relations and tails, or what broadcasts to it."""
    if model in ("ComplEx", "RotatE"):
        h, r, t = (x[..., : x.shape[-1] // 2] + 1j * x[..., x.shape[-1] // 2 :] for x in (h, r, t))
    if model in ("GATv2", "two towers", "learned and spectral"):
        return (h * t).sum(-1)
    if model == "DistMult":
        return (h * r * t).sum(-1)
    if model == "ComplEx":
        return (h * r * t.conj()).sum(-1).real
    if model == "RotatE":
        return -np.linalg.norm(h * r - t, axis=-1)
    return -np.linalg.norm(h + r - t, axis=-1)
