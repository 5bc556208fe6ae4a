"""`disclosed`: the snapshot that models are trained on, in which no position tells of few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pathfolio.kg.graph import IntArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import POSITION_CODES
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.releases import WAITS


def disclosed(graph: KnowledgeGraph) -> KnowledgeGraph:
    """The snapshot that models are trained on: any two positions of one investor are told to belong together.

    An investor's positions are gone through by how many hold the asset, most first; one that some position kept
    before is not told to belong to is left out, with all its versions, as is one that itself is not told. So no vector
    can have learned what an investor's rare combination would tell, nor what came since counts moved last.
    """
    interactions = Interactions(graph)
    ever = interactions.ever
    user = np.repeat(np.arange(ever.shape[0]), np.diff(ever.indptr))
    kept_keys = (user * ever.shape[1] + ever.indices)[_kept(Groups(interactions), user)]
    edges = graph.edges
    at = np.flatnonzero(np.isin(edges.relation, POSITION_CODES))
    kept = np.ones(len(edges), bool)
    kept[at] = np.isin(interactions.keys(at), kept_keys)
    return replace(graph, edges=edges.take(kept))


@dataclass(frozen=True)
class _Ties:
    """Which positions of one investor are told to belong together, as places among the entries of `Interactions.ever`.

    Attributes:
        before, after: (m,) the one that is gone through first, and the other; by the turn of the other.
        ends: (turns + 1,) where the ties of each turn of the other begin.
    """

    before: IntArray
    after: IntArray
    ends: IntArray

    def of_turn(self, turn: int) -> tuple[IntArray, IntArray]:
        """Those whose later one is gone through in this turn."""
        of = slice(self.ends[turn], self.ends[turn + 1])
        return self.before[of], self.after[of]


def _kept(groups: Groups, user: IntArray) -> Mask:
    """(pairs,) bool: which entries of `Interactions.ever`, each of an investor, models may learn from.

    All investors are gone through at a time: in each turn one position of everybody who has so many.
    """
    turn = _turns(groups, user)
    ties = _ties(groups, turn)
    kept = np.zeros(len(user), bool)
    number = np.zeros(groups.interactions.shape[0], np.int64)
    for at, entries in enumerate(_by_turn(turn)):
        before, after = ties.of_turn(at)
        tied_to = np.bincount(np.searchsorted(entries, after), kept[before], len(entries))
        stays = entries[(groups.told[entries] != WAITS) & (tied_to == number[user[entries]])]
        kept[stays] = True
        number[user[stays]] += 1
    return kept


def _turns(groups: Groups, user: IntArray) -> IntArray:
    """(pairs,) int64: the place of each entry among its investor's, by how many hold the asset, most first."""
    ever = groups.interactions.ever
    order = np.lexsort((ever.indices, -groups.holders[ever.indices], user))
    turn = np.empty(len(order), np.int64)
    turn[order] = np.arange(len(order)) - ever.indptr[user[order]]
    return turn


def _ties(groups: Groups, turn: IntArray) -> _Ties:
    """Told pairs of entries whose assets have a count."""
    of = groups.interactions.ever.indices
    none = np.zeros(0, np.int64)
    parts = [(none, none)]
    for first, second in groups.told_pairs():
        if len(first):
            has = np.asarray(groups.together[of[first], of[second]]).ravel() > 0
            parts.append((first[has], second[has]))
    first, second = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    is_later = turn[first] < turn[second]
    before, after = np.where(is_later, first, second), np.where(is_later, second, first)
    order = np.argsort(turn[after], kind="stable")
    ends = np.searchsorted(turn[after][order], np.arange(int(turn.max(initial=-1)) + 2))
    return _Ties(before[order], after[order], ends)


def _by_turn(turn: IntArray) -> Iterator[IntArray]:
    """The entries of each turn, ascending."""
    order = np.argsort(turn, kind="stable")
    bounds = np.flatnonzero(np.diff(turn[order], prepend=-1, append=-1))
    return (order[start:end] for start, end in pairwise(bounds.tolist()))
