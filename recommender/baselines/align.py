"""Weights that were learned over one snapshot's assets, laid over another snapshot's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Text
from pathfolio.kg.span import Positions


def find(wanted: Text, ids: Text) -> IntArray:
    """(len(wanted),) the place of each id in `ids`, -1 where it is not there.

    >>> find(np.array(["b", "z"], object), np.array(["a", "b"], object)).tolist()
    [1, -1]
    """
    return np.asarray(pd.Index(ids, dtype=object).get_indexer(pd.Index(wanted, dtype=object)), np.int64)


def old_positions(old: KnowledgeGraph, new: KnowledgeGraph) -> Positions:
    """(assets of `new`,) each asset's position in `old`, -1 where it was not there."""
    return Positions(find(new.asset_ids, old.asset_ids))


def lay_over(weights: FloatArray, old: KnowledgeGraph, new: KnowledgeGraph) -> FloatArray:
    """(assets of `new`, …) the rows of `weights` (assets of `old`, …); zero for what is new.

    Where the last axis runs over assets of `old` as well, give it to `lay_over_pairs`.
    """
    at = old_positions(old, new)
    out = np.zeros((len(at), *weights.shape[1:]), weights.dtype)
    out[at >= 0] = weights[at[at >= 0]]
    return out


def lay_over_pairs(weights: FloatArray, old: KnowledgeGraph, new: KnowledgeGraph) -> FloatArray:
    """(assets of `new`, assets of `new`) from (assets of `old`, assets of `old`); zero for what is new."""
    at = old_positions(old, new)
    out = np.zeros((len(at), len(at)), weights.dtype)
    known = np.flatnonzero(at >= 0)
    out[np.ix_(known, known)] = weights[np.ix_(at[known], at[known])]
    return out
