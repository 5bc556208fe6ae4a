"""The triples that embeddings are learned from: which, how they are split, and what may stand at their ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from pathfolio.kg.graph import IntArray, KnowledgeGraph
from pathfolio.kg.schema import RELATION_CODE, Relation, Role, of_role

LEFT_OUT: Final = (*of_role(Role.FACT), *of_role(Role.TRADE), *of_role(Role.CHOICE))
"""Relations whose tail says nothing without the edge's value: every asset with a price has the same metrics; trades,
since positions tell what they led to; and choices, which are nobody's but the investor's."""


@dataclass(frozen=True)
class Triples:
    """Dense triples of a snapshot.

    Attributes:
        entities: (n,) int64, the snapshot's rows of the entities that occur, ascending.
        relations: (r,) int64, the codes of `pathfolio.kg.schema.RELATION_KINDS` that occur, ascending.
        hrt: (k, 3) int64: positions in `entities`, `relations`, `entities`.
    """

    entities: IntArray
    relations: IntArray
    hrt: IntArray

    def take(self, rows: IntArray) -> Triples:
        """The triples at `rows`, over the same entities and relations."""
        return Triples(self.entities, self.relations, self.hrt[rows])

    @cached_property
    def of_relation(self) -> tuple[IntArray, ...]:
        """For each relation the positions of its triples."""
        order = np.argsort(self.hrt[:, 1], kind="stable")
        ends = np.cumsum(np.bincount(self.hrt[:, 1], minlength=len(self.relations)))
        return tuple(np.split(order, ends[:-1]))


@dataclass(frozen=True)
class Split:
    """Triples to learn from, to stop early on, and to report metrics of; every entity occurs in `train`."""

    train: Triples
    validation: Triples
    test: Triples


def triples_of(graph: KnowledgeGraph) -> Triples:
    """The current relations of `graph` but `LEFT_OUT`; whoever HELD an asset counts as one who HOLDS it."""
    rows = graph.triples()
    rows = rows[~np.isin(rows[:, 1], [RELATION_CODE[relation] for relation in LEFT_OUT])]
    rows[rows[:, 1] == RELATION_CODE[Relation.HELD], 1] = RELATION_CODE[Relation.HOLDS]
    entities, ends = np.unique(rows[:, [0, 2]], return_inverse=True)
    relations, middle = np.unique(rows[:, 1], return_inverse=True)
    ends = ends.reshape(-1, 2)
    return Triples(entities, relations, np.stack([ends[:, 0], middle, ends[:, 1]], axis=1).astype(np.int64))


def split(triples: Triples, share: float, limit: int, rng: np.random.Generator) -> Split:
    """Hold out `share` of the triples, `limit` at most, twice: for validation and for test.

    A triple whose head or tail would then occur nowhere else stays in the training part.
    """
    order = rng.permutation(len(triples.hrt))
    n = min(int(len(order) * share), limit)
    rest = triples.hrt[order[2 * n :]]
    covered = np.zeros(len(triples.entities), bool)
    covered[rest[:, [0, 2]]] = True
    kept = [part[covered[triples.hrt[part][:, [0, 2]]].all(axis=1)] for part in (order[:n], order[n : 2 * n])]
    train = np.setdiff1d(order, np.concatenate(kept))
    return Split(triples.take(train), triples.take(np.sort(kept[0])), triples.take(np.sort(kept[1])))


def excerpt(graph: KnowledgeGraph, triples: Triples, size: int, rng: np.random.Generator) -> Triples:
    """About `size` triples: all those between assets and attributes, and those of as many investors as fit."""
    is_user = np.isin(triples.entities, graph.users)
    of_user = is_user[triples.hrt[:, 0]]
    n_user = int(of_user.sum())
    if len(triples.hrt) <= size or not n_user:
        return triples
    share = max(size - (len(triples.hrt) - n_user), size // 4) / n_user
    chosen = ~is_user | (rng.random(len(is_user)) < share)
    return _compact(triples, triples.hrt[chosen[triples.hrt[:, 0]]])


def _compact(triples: Triples, hrt: IntArray) -> Triples:
    """`hrt` over the entities and relations that occur in it."""
    used, ends = np.unique(hrt[:, [0, 2]], return_inverse=True)
    relations, middle = np.unique(hrt[:, 1], return_inverse=True)
    ends = ends.reshape(-1, 2)
    dense = np.stack([ends[:, 0], middle, ends[:, 1]], axis=1).astype(np.int64)
    return Triples(triples.entities[used], triples.relations[relations], dense)


def candidates(graph: KnowledgeGraph, triples: Triples) -> dict[tuple[int, int], IntArray]:
    """For (relation, column 0 or 2) the entities that may stand there: all of the kinds that do stand there."""
    kind = graph.nodes.kind[triples.entities]
    out: dict[tuple[int, int], IntArray] = {}
    for relation, rows in enumerate(triples.of_relation):
        for column in (0, 2):
            there = np.unique(kind[triples.hrt[rows, column]])
            out[relation, column] = np.flatnonzero(np.isin(kind, there))
    return out
