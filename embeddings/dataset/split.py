"""Which relations are learned from, tuned on and tested on: by the day on which each was first known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import Days, KnowledgeGraph, to_date, to_days
from pathfolio.kg.schema import RELATION_CODE, UNDATED, Relation

TRAINED: Final = 0.8
"""About so much of what has a date is for training, and half of the rest for validation, where nobody names days."""

PartCodes = npt.NDArray[np.int8]


class Part(StrEnum):
    """What a relation is for, in the order of time."""

    TRAIN = "train"
    VALID = "valid"
    TEST = "test"


@dataclass(frozen=True)
class CutOffs:
    """The last days of two parts; what is first known later is for the test.

    Attributes:
        train: what is known on this day is learned from.
        valid: what is first known after `train` and until this day is tuned on.

    Raises:
        UsageError: the second day is not after the first one.
    """

    train: date
    valid: date

    def __post_init__(self) -> None:
        if self.valid < self.train:
            raise UsageError(f"the cut-off {self.valid} is before {self.train}: name the earlier day first")

    def check(self, as_of: date) -> None:
        """Raise UsageError where nothing of a graph of the day `as_of` could be later than the cut-offs."""
        if not self.train < self.valid < as_of:
            raise UsageError(
                f"cut-offs {self.train} and {self.valid} leave no part of a graph of {as_of}: name two earlier days"
            )


def first_known(graph: KnowledgeGraph, start: Days) -> Days:
    """(m,) int32: for each version the first day on which a relation of its kind between its two nodes was known.

    To have held is to hold, later: the first day of the two counts for both.

    Args:
        start: (m,) from which day each version could be seen (`pathfolio.kg.store.lifetimes`).
    """
    edges = graph.edges
    kind = np.where(edges.relation == RELATION_CODE[Relation.HELD], RELATION_CODE[Relation.HOLDS], edges.relation)
    order = np.lexsort((edges.tail, edges.head, kind))
    is_new = np.ones(len(order), bool)
    is_new[1:] = np.any([key[order][1:] != key[order][:-1] for key in (kind, edges.head, edges.tail)], axis=0)
    out = np.empty(len(order), np.int32)
    if len(order):
        first = np.minimum.reduceat(start[order], np.flatnonzero(is_new))
        out[order] = first[np.cumsum(is_new) - 1]
    return out


def parts_of(first: Days, cuts: CutOffs) -> PartCodes:
    """(m,) int8: the place in `Part` of what is first known on these days."""
    return np.searchsorted([to_days(cuts.train), to_days(cuts.valid)], first, side="left").astype(np.int8)


def usual_cut_offs(first: Days, as_of: date) -> CutOffs:
    """The day nearest to a share of `TRAINED` of all that has a date, and that nearest to the middle of the rest.

    Where dates leave no two such days, everything is for training: both cut-offs are `as_of`.

    >>> days = np.repeat(np.arange(10, dtype=np.int32), 10)
    >>> usual_cut_offs(days, date(1970, 1, 31))
    CutOffs(train=datetime.date(1970, 1, 8), valid=datetime.date(1970, 1, 9))
    """
    days, counts = np.unique(first[first > to_days(UNDATED)], return_counts=True)
    if len(days) < len(Part):
        return CutOffs(as_of, as_of)
    share = np.cumsum(counts) / counts.sum()
    train = _nearest(share[:-2], TRAINED)  # two days are left, for one part each
    valid = train + 1 + _nearest(share[train + 1 : -1], (share[train] + 1) / 2)
    return CutOffs(to_date(days[train]), to_date(days[valid]))


def _nearest(shares: npt.NDArray[np.float64], to: float) -> int:
    return int(np.argmin(np.abs(shares - to)))
