"""Learned closeness: the KG embedding and the graph attention network, both linear in what they propagate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kg.graph import FloatArray, KnowledgeGraph
from kg.schema import ASSET_KINDS, NodeKind, Relation
from recommender.account import OTHER_INVESTORS, ChannelAccount, Walk
from recommender.channels.base import Investors, attribute_relation, position_relation
from recommender.propagation import LinearPropagation

KG_EMBEDDING = "kg_embedding"
GAT = "gat"


@dataclass(frozen=True)
class LearnedCloseness:
    """score(u, a) = pull(a) / sqrt(n_u) * sum over u's assets h of f(h) . f(a), with f = walks @ base.

    The dot product is a sum over pairs of walks h -> v and a -> w of weight times base(v) . base(w). Pairs that
    meet (v = w) are walks of the graph from the investor to the asset; what pairs that do not meet add is the
    learned remainder.
    """

    name: str
    graph: KnowledgeGraph
    propagation: LinearPropagation
    pull: FloatArray

    @property
    def scaled(self) -> bool:
        """Closeness is averaged over holdings, by the square root of their number."""
        return True

    def kernel(self) -> FloatArray:
        """(assets, assets) float64; an asset does not speak for itself."""
        factors = np.asarray(self.propagation.factors(), dtype=np.float64)
        closeness = factors @ factors.T
        np.fill_diagonal(closeness, 0.0)
        return closeness * self.pull

    def account(self, investor: Investors, asset: int) -> tuple[ChannelAccount, ...]:
        """One walk per holding and attribute that both have, and one for all co-investors of a holding."""
        if not self.pull[asset]:
            return ()
        holdings = investor.ever.indices[investor.ever.indptr[0] : investor.ever.indptr[1]]
        holdings = holdings[holdings != asset]
        if not len(holdings):
            return ()
        factor = float(self.pull[asset] * investor.scale[0, 0])
        value = float((self._factors[holdings] @ self._factors[asset]).sum()) * factor
        walks = [walk for held in holdings.tolist() for walk in self._walks(int(investor.row[0]), held, asset, factor)]
        rest = value - sum(walk.contribution for walk in walks)
        return (ChannelAccount(self.name, value, tuple(walks), rest),)

    def _walks(self, user: int, held: int, asset: int, factor: float) -> list[Walk]:
        walks = self.propagation.walks
        mine, theirs = (slice(walks.indptr[i], walks.indptr[i + 1]) for i in (held, asset))
        both, i, j = np.intersect1d(walks.indices[mine], walks.indices[theirs], True, return_indices=True)
        parts = walks.data[mine][i] * walks.data[theirs][j] * self._lengths[both] * factor
        first, target = int(self.graph.assets[held]), int(self.graph.assets[asset])
        position = position_relation(self.graph, user, first) if len(both) else Relation.HOLDS
        is_user = self._is_user[both]
        out = [
            self._walk(user, first, node, target, position, part)
            for node, part in zip(both[~is_user].tolist(), parts[~is_user].tolist(), strict=True)
        ]
        others = is_user & (both != user)
        if others.any():
            steps = (position, Relation.HOLDS, Relation.HOLDS)
            nodes = (user, first, OTHER_INVESTORS, target)
            out.append(Walk(nodes, steps, float(parts[others].sum()), int(others.sum())))
        return out

    def _walk(self, user: int, first: int, node: int, target: int, position: Relation, part: float) -> Walk:
        kind = self.graph.kind_of(node)
        if kind in ASSET_KINDS:
            inner = () if node in (first, target) else (node,)
            return Walk((user, first, *inner, target), (position, *(Relation.INVESTS_IN,) * (1 + len(inner))), part)
        relation = attribute_relation(kind)
        return Walk((user, first, node, target), (position, relation, relation), part)

    @cached_property
    def _factors(self) -> FloatArray:
        return np.asarray(self.propagation.factors(), dtype=np.float64)

    @cached_property
    def _lengths(self) -> FloatArray:
        return self.propagation.strength

    @cached_property
    def _is_user(self) -> np.ndarray:
        is_user = np.zeros(len(self.graph), bool)
        is_user[self.graph.rows(NodeKind.USER)] = True
        return is_user
