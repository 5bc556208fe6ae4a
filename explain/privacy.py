"""`GroupGuard`: which groups of other investors may be shown, so that no page, nor two compared, singles one out."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from explain.evidence import HOLDS_OR_HELD, SMALLEST_GROUP
from kg.graph import IntArray, KnowledgeGraph
from kg.schema import PROFILE_KINDS, RELATION_KINDS, RELATIONS, Relation
from recommender.account import OTHER_INVESTORS, Walk

_PROFILE_RELATIONS = tuple(r for r in RELATION_KINDS if set(RELATIONS[r].tails) & set(PROFILE_KINDS))


class GroupGuard:
    """Decides about walks through other investors of one snapshot.

    A group of fewer than `SMALLEST_GROUP` is never shown. Groups that split the holders of an asset among them
    (by risk level, say) could be subtracted from one another: where the groups left out would together be fewer
    than that, the smallest shown one is left out too (complementary suppression, as statistical offices do for
    tables: Hundepool et al., "Statistical Disclosure Control", 2012, ch. 4). Co-investors of two assets could be
    subtracted from the holders of either, whose number stands on its page: they are left out where that would leave
    a small group. What is left out depends on the snapshot alone, and on the viewer's own place in it.

    Co-investors are counted by what they hold now; where these are too few, by what they hold or held, which is
    what the weights of co-investment are learned from. No pair of assets is counted in both ways, or the difference
    would be a small group: a viewer who belongs to it sees one less, so a group of 9 is counted in neither.
    """

    def __init__(self, graph: KnowledgeGraph) -> None:
        """Count nothing yet."""
        self._graph = graph
        self._sacrificed: dict[tuple[Relation, Relation], IntArray] = {}
        self._latest: dict[int, tuple[frozenset[int], frozenset[int]]] = {}

    def shown(self, walk: Walk) -> tuple[int, tuple[str, ...]] | None:
        """How many other investors the walk counts in public, and by which relations; None for too few."""
        if walk.nodes.count(OTHER_INVESTORS) != 1:
            return None
        at = walk.nodes.index(OTHER_INVESTORS)
        before, after = walk.relations[at - 1], walk.relations[at]
        if before in _PROFILE_RELATIONS:
            asset = walk.nodes[at + 1] - int(self._graph.assets[0])
            hidden = walk.count < SMALLEST_GROUP or walk.nodes[at - 1] == int(self._sacrifices(before, after)[asset])
            return None if hidden else (walk.count, walk.relations)
        if walk.count >= SMALLEST_GROUP:
            return (walk.count, walk.relations) if self._leaves_none_small(walk, at, walk.count, ever=False) else None
        if walk.count == SMALLEST_GROUP - 1 or not self._leaves_none_small(walk, at, walk.count_ever, ever=True):
            return None
        return walk.count_ever, (*walk.relations[: at - 1], HOLDS_OR_HELD, HOLDS_OR_HELD, *walk.relations[at + 1 :])

    def _leaves_none_small(self, walk: Walk, at: int, count: int, *, ever: bool) -> bool:
        """Whether neither the group nor what is left of either asset's other holders is a small group."""
        holders, own = self._holders[ever], self._own(walk.nodes[0])[ever]
        for asset in (walk.nodes[at - 1], walk.nodes[at + 1]):
            if 0 < holders[asset] - (asset in own) - count < SMALLEST_GROUP:
                return False
        return count >= SMALLEST_GROUP

    def _own(self, user: int) -> tuple[frozenset[int], frozenset[int]]:
        """Rows of the assets that the investor holds, and of those that they hold or held; the latest is remembered."""
        found = self._latest.get(user)
        if found is None:
            known = (Relation.HOLDS, Relation.HELD) if user >= 0 else ()
            now, before = [frozenset(self._graph.outgoing(relation).of(user).tolist()) for relation in known] or [
                frozenset()
            ] * 2
            found = now, now | before
            self._latest.clear()
            self._latest[user] = found
        return found

    @cached_property
    def _holders(self) -> tuple[list[int], list[int]]:
        """(nodes,) how many investors hold each asset, and how many hold or held it."""
        now, before = (self._graph.incoming(relation).degree() for relation in (Relation.HOLDS, Relation.HELD))
        return now.tolist(), (now + before).tolist()

    def _sacrifices(self, profile: Relation, position: Relation) -> IntArray:
        """(assets,) the profile node that must be left out for each asset, -1 for none."""
        key = (profile, position)
        if key not in self._sacrificed:
            nodes, counts, unknown = self._table(profile, position)
            self._sacrificed[key] = _smallest_to_hide(nodes, counts, unknown)
        return self._sacrificed[key]

    def _table(
        self, profile: Relation, position: Relation
    ) -> tuple[IntArray, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Profile nodes, (nodes, assets) how many of their investors hold each asset, and (assets,) of no node."""
        graph, n = self._graph, len(self._graph)
        at = graph.edges_between(position)
        held = sp.csr_array((np.ones(len(at), np.int64), (graph.edges.head[at], graph.edges.tail[at])), (n, n))
        columns = held[:, graph.assets]
        at = graph.edges_between(profile)
        nodes = np.unique(graph.edges.tail[at]).astype(np.int64)
        where = (np.searchsorted(nodes, graph.edges.tail[at]), graph.edges.head[at])
        members = sp.csr_array((np.ones(len(at), np.int64), where), (len(nodes), n))
        counts = np.asarray((members @ columns).toarray())
        return nodes, counts, np.asarray(columns.sum(axis=0)).ravel() - counts.sum(axis=0)


def _smallest_to_hide(nodes: IntArray, counts: npt.NDArray[np.int64], unknown: npt.NDArray[np.int64]) -> IntArray:
    """For each asset the node of the smallest shown count, where all that is hidden are too few; else -1.

    >>> _smallest_to_hide(np.array([7, 8, 9]), np.array([[50], [12], [1]]), np.array([0])).tolist()
    [8]
    """
    if not len(nodes):
        return np.full(counts.shape[1], -1, np.int64)
    shown = counts >= SMALLEST_GROUP
    hidden = np.where(shown, 0, counts).sum(axis=0) + unknown
    smallest = np.where(shown, counts, np.iinfo(np.int64).max).argmin(axis=0)
    too_few = (hidden > 0) & (hidden < SMALLEST_GROUP) & shown.any(axis=0)
    return np.where(too_few, nodes[smallest], -1)
