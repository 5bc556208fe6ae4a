"""Path finding in a snapshot's arrays: all paths from investors to assets along given metapaths, scored, many at once.

Paths are simple (no node twice). Those that differ only in the other investor they go through are one aggregated
path with a count, so hubs cost no more than other nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.links import Hop, Links
from pathfolio.kg.metapaths import Metapath, Step, metapaths_of_schema
from pathfolio.kg.span import Row, Rows

OTHERS: Final = -1
"""Stands in a path for all other investors who fit there."""

NO_NODE: Final = -2
"""Fills the places of `PathTable.nodes` behind a path's last node."""

PAIRS_PER_CHUNK: Final = 16384
SAME_METAPATH: Final = 0.5
"""What a path's score counts for each better path of its metapath when the best few are chosen."""


@dataclass(frozen=True)
class FoundPath:
    """One path; `nodes` are rows of the snapshot, `OTHERS` for `count` other investors summed up."""

    nodes: tuple[Row, ...]
    metapath: Metapath
    score: float
    count: int


@dataclass(frozen=True)
class PathTable:
    """The paths of n pairs, ordered by pair, the chosen order within a pair.

    Attributes:
        metapaths: what `metapath` counts in.
        pair: (p,) int64, positions in the given pairs.
        metapath: (p,) int16.
        nodes: (p, longest + 1) int32, rows of nodes; `OTHERS` or `NO_NODE` where there is no single one.
        score: (p,) float64, the degree-weighted path count (see `pathfolio.kg.links.Links`).
        count: (p,) int32, how many concrete paths it stands for.
    """

    metapaths: tuple[Metapath, ...]
    pair: IntArray
    metapath: npt.NDArray[np.int16]
    nodes: npt.NDArray[np.int32]
    score: FloatArray
    count: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.pair)

    def take(self, at: IntArray) -> PathTable:
        """The paths at these positions, in that order."""
        nodes = self.nodes[at]
        count = self.count[at]
        return PathTable(self.metapaths, self.pair[at], self.metapath[at], nodes, self.score[at], count)

    def of(self, pair: int) -> Iterator[FoundPath]:
        """The paths of one pair."""
        low, high = np.searchsorted(self.pair, [pair, pair + 1])
        for at in range(int(low), int(high)):
            metapath = self.metapaths[self.metapath[at]]
            nodes = tuple(self.nodes[at, : len(metapath.steps) + 1].tolist())
            yield FoundPath(nodes, metapath, float(self.score[at]), int(self.count[at]))


class PathFinder:
    """Finds the paths of one snapshot; keep it, since it remembers the matrices that it has made.

    Args:
        graph: the snapshot.
        metapaths: what to look for; by default everything up to three hops that the schema allows.
    """

    def __init__(self, graph: KnowledgeGraph, metapaths: Sequence[Metapath] | None = None) -> None:
        """Make no matrix yet."""
        self.graph = graph
        self.links = Links(graph)
        asked = metapaths_of_schema() if metapaths is None else metapaths
        self.metapaths = tuple(metapath for metapath in asked if self.links.occurs(metapath))

    def find(self, users: Rows, assets: Rows, top: int | None = None) -> PathTable:
        """The paths of the pairs (users[i], assets[i]), all of them or a diverse choice of the `top` best.

        Args:
            users, assets: (n,) rows of nodes.
        """
        longest = max((len(metapath.steps) for metapath in self.metapaths), default=0)
        starts = range(0, len(users), PAIRS_PER_CHUNK)
        slices = [slice(start, start + PAIRS_PER_CHUNK) for start in starts]
        parts = [self._chunk(users[s], assets[s], s.start, top, longest) for s in slices]
        return _stacked(self.metapaths, parts, longest)

    def _chunk(self, users: IntArray, assets: IntArray, start: int, top: int | None, longest: int) -> PathTable:
        begun: dict[tuple[Hop, ...], _Frontier] = {}
        parts = []
        for number, metapath in enumerate(self.metapaths):
            found = _search(self.links, metapath, users.astype(np.int64), assets.astype(np.int64), begun)
            parts.append(found.table(self.metapaths, number, metapath, assets, longest))
        table = _ordered(_stacked(self.metapaths, parts, longest), top)
        return PathTable(self.metapaths, table.pair + start, table.metapath, table.nodes, table.score, table.count)


# -- one metapath --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Frontier:
    """Half-found paths: from the investor on in `ahead`, from the asset back in `behind` (nearest to it first).

    Attributes:
        pair: (k,) which pair each belongs to.
    """

    pair: IntArray
    ahead: tuple[IntArray, ...]
    behind: tuple[IntArray, ...]
    score: FloatArray
    count: IntArray

    def take(self, at: IntArray | npt.NDArray[np.bool_]) -> _Frontier:
        ahead, behind = (tuple(nodes[at] for nodes in side) for side in (self.ahead, self.behind))
        return _Frontier(self.pair[at], ahead, behind, self.score[at], self.count[at])

    def table(
        self, metapaths: tuple[Metapath, ...], number: int, metapath: Metapath, assets: IntArray, longest: int
    ) -> PathTable:
        nodes = np.full((len(self.pair), longest + 1), NO_NODE, np.int32)
        columns = iter((*self.ahead, *self.behind[::-1], assets[self.pair]))
        for place in range(len(metapath.steps) + 1):
            nodes[:, place] = OTHERS if place in metapath.through_others else next(columns)
        kind = np.full(len(self.pair), number, np.int16)
        return PathTable(metapaths, self.pair, kind, nodes, self.score, self.count.astype(np.int32))


def _search(
    links: Links, metapath: Metapath, users: IntArray, assets: IntArray, begun: dict[tuple[Hop, ...], _Frontier]
) -> _Frontier:
    """All paths of one metapath: expand whichever side has fewer, and look up the hop at which both meet."""
    hops = links.hops(metapath)
    first, last = 0, len(hops)
    one = np.ones(len(users))
    state = _Frontier(np.arange(len(users)), (users,), (), one, one.astype(np.int64))
    while last - first > 1:
        if not state.behind and hops[: first + 1] in begun:
            state = begun[hops[: first + 1]]
            first += 1
            continue
        ahead = links.link(hops[first]).degree(state.ahead[-1]).sum()
        ends = state.behind[-1] if state.behind else assets[state.pair]
        if first == 0 or ahead <= links.link(hops[last - 1], back=True).degree(ends).sum():
            state = _forward(links, hops[first], state, users, assets)
            first += 1
            if not state.behind:
                begun[hops[:first]] = state
        else:
            state = _backward(links, hops[last - 1], state, users, assets)
            last -= 1
    return _meet(links, hops[first], state, users, assets)


def _forward(links: Links, hop: Hop, state: _Frontier, users: IntArray, assets: IntArray) -> _Frontier:
    link = links.link(hop)
    owner, at = link.expand(state.ahead[-1])
    new = link.indices[at].astype(np.int64)
    grown = state.take(owner)
    own = _own(links, hop, users[grown.pair], grown.ahead[-1], new)
    grown = _multiplied(grown, link.score[at], None if link.count is None else link.count[at], own)
    grown = _Frontier(grown.pair, (*grown.ahead, new), grown.behind, grown.score, grown.count)
    return grown.take(_is_new(grown, new, (*grown.ahead[:-1], *grown.behind, assets[grown.pair])))


def _backward(links: Links, hop: Hop, state: _Frontier, users: IntArray, assets: IntArray) -> _Frontier:
    link = links.link(hop, back=True)
    ends = state.behind[-1] if state.behind else assets[state.pair]
    owner, at = link.expand(ends)
    new = link.indices[at].astype(np.int64)
    grown = state.take(owner)
    own = _own(links, hop, users[grown.pair], new, ends[owner])
    grown = _multiplied(grown, link.score[at], None if link.count is None else link.count[at], own)
    grown = _Frontier(grown.pair, grown.ahead, (*grown.behind, new), grown.score, grown.count)
    return grown.take(_is_new(grown, new, (*grown.ahead, *grown.behind[:-1], assets[grown.pair])))


def _meet(links: Links, hop: Hop, state: _Frontier, users: IntArray, assets: IntArray) -> _Frontier:
    link = links.link(hop)
    ends = state.behind[-1] if state.behind else assets[state.pair]
    at = link.lookup(state.ahead[-1], ends)
    hit = (at >= 0) & (state.ahead[-1] != ends)
    found = state.take(hit)
    at = at[hit]
    ends = ends[hit]
    own = _own(links, hop, users[found.pair], found.ahead[-1], ends)
    found = _multiplied(found, link.score[at], None if link.count is None else link.count[at], own)
    return found.take(found.count > 0)


def _own(
    links: Links, hop: Hop, users: IntArray, start: IntArray, end: IntArray
) -> tuple[FloatArray, npt.NDArray[np.bool_]] | None:
    """What the investor adds to a hop through others, being no other: its score (k,), and whether (k,) bool."""
    if len(hop) == 1:
        return None
    to_start, to_end = (Step(step.relation) for step in hop)
    second = links.step_score(to_end, users, end)
    if not second.any():
        return None
    score = second * links.step_score(to_start, users, start)
    return score, score > 0


def _multiplied(
    state: _Frontier,
    score: FloatArray,
    count: npt.NDArray[np.int32] | None,
    own: tuple[FloatArray, npt.NDArray[np.bool_]] | None,
) -> _Frontier:
    if own is not None and count is not None:
        score = score - own[0]
        count = count - own[1].astype(np.int32)
    counted = state.count if count is None else state.count * count
    return _Frontier(state.pair, state.ahead, state.behind, state.score * score, counted)


def _is_new(state: _Frontier, new: IntArray, others: tuple[IntArray, ...]) -> npt.NDArray[np.bool_]:
    keep: npt.NDArray[np.bool_] = state.count > 0
    for nodes in others:
        keep &= nodes != new
    return keep


# -- many metapaths ------------------------------------------------------------------------------------------


def _stacked(metapaths: tuple[Metapath, ...], parts: Sequence[PathTable], longest: int) -> PathTable:
    if not parts:
        none = np.zeros(0, np.int64)
        nodes = np.zeros((0, longest + 1), np.int32)
        return PathTable(metapaths, none, none.astype(np.int16), nodes, none.astype(np.float64), none.astype(np.int32))
    columns = (np.concatenate([getattr(p, c) for p in parts]) for c in ("pair", "metapath", "nodes", "score", "count"))
    return PathTable(metapaths, *columns)


def _ordered(table: PathTable, top: int | None) -> PathTable:
    """By pair, then by score times 0.5 for each better path of the same pair and metapath; the `top` first of these."""
    best_first = np.argsort(-table.score, kind="stable")
    groups = table.pair[best_first] * max(len(table.metapaths), 1) + table.metapath[best_first]
    order = best_first[np.argsort(groups, kind="stable")]
    place = _place_in_run(table.pair[order] * max(len(table.metapaths), 1) + table.metapath[order])
    worth = table.score[order] * SAME_METAPATH**place
    order = order[np.lexsort((-worth, table.pair[order]))]
    if top is not None:
        order = order[_place_in_run(table.pair[order]) < top]
    return table.take(order)


def _place_in_run(values: IntArray) -> IntArray:
    """How many equal values stand right before each; `values` are sorted.

    >>> _place_in_run(np.array([4, 4, 7, 7, 7])).tolist()
    [0, 1, 0, 1, 2]
    """
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]]) if len(values) else np.zeros(0, np.int64)
    return np.arange(len(values)) - np.repeat(starts, np.diff(np.r_[starts, len(values)]))
