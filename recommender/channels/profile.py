"""Profile: what investors with the same risk level, objective, capacity or segment hold more often than others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from kg.graph import FloatArray, IntArray, KnowledgeGraph
from kg.schema import RELATIONS, Relation
from recommender.account import OTHER_INVESTORS, ChannelAccount, Walk
from recommender.channels.base import Investors
from recommender.interactions import PROFILE_RELATIONS, Interactions

PROFILE: Final = "profile"
_PRIOR: Final = 5.0
"""Holders that are added to what is seen and to what is expected, so that few holders say little."""


@dataclass(frozen=True)
class SharedProfile:
    """score(u, a) = weight / (1 + n_u) * mean over u's profile nodes p of lift(p, a).

    Beside a base of log demand this is naive Bayes over the profile, averaged since risk level, objective and the
    like say much the same; positions, where there are any, say more
    about an investor than answers do, so it fades with their number n_u.

    Attributes:
        interactions: the snapshot's positions and profiles, for the counts on the walks.
        nodes: (p,) rows of the profile nodes, ascending.
        lift: (p, assets) float64; log of the smoothed number of a node's investors who hold a over
            the number to be expected of a group of its size.
        weight: of the channel.
    """

    interactions: Interactions
    nodes: IntArray
    lift: FloatArray
    weight: float

    def scores(self, investors: Investors) -> FloatArray:
        """(n, assets) float64."""
        return np.asarray(investors.profile[:, self.nodes] @ self.lift) * (self.weight * self._fade(investors))

    def account(self, investor: Investors, asset: int) -> tuple[ChannelAccount, ...]:
        """One walk per profile node; a node of which no other investor holds the asset is in the remainder."""
        factor = self.weight * float(self._fade(investor)[0, 0])
        walks, value = [], 0.0
        own = self._own_levels(int(investor.row[0]), asset)
        for node in investor.levels:
            at = self._place.get(node)
            if at is None:  # nobody has given that answer
                continue
            part = float(self.lift[at, asset]) * factor
            count = int(self._together[at, asset]) - (node in own)
            value += part
            if count and part:
                walks.append(self._walk(int(investor.row[0]), node, asset, part, count))
        rest = value - sum(walk.contribution for walk in walks)
        return (ChannelAccount(PROFILE, value, tuple(walks), rest),) if value or walks else ()

    def _walk(self, user: int, node: int, asset: int, part: float, count: int) -> Walk:
        graph = self.interactions.graph
        relation = _relation(graph, node)
        target = int(graph.assets[asset])
        return Walk((user, node, OTHER_INVESTORS, target), (relation, relation, Relation.HOLDS), part, count)

    def _own_levels(self, user: int, asset: int) -> list[int]:
        """The profile nodes by which the investor at row `user` is among those who have them and hold the asset."""
        if user < 0:
            return []
        at = user - int(self.interactions.graph.users[0])
        held, profile = self.interactions.held, self.interactions.profile
        if asset not in held.indices[held.indptr[at] : held.indptr[at + 1]]:
            return []
        levels: list[int] = profile.indices[profile.indptr[at] : profile.indptr[at + 1]].tolist()
        return levels

    @cached_property
    def _together(self) -> IntArray:
        """(p, assets) int64: how many investors have each profile node and hold each asset now."""
        members = self.interactions.profile[:, self.nodes]
        counts: IntArray = np.rint((members.T @ self.interactions.held).toarray()).astype(np.int64)
        return counts

    @cached_property
    def _place(self) -> dict[int, int]:
        return {node: at for at, node in enumerate(self.nodes.tolist())}

    @staticmethod
    def _fade(investors: Investors) -> FloatArray:
        answers = np.maximum(np.diff(investors.profile.indptr), 1)
        return np.asarray(1.0 / ((1.0 + np.diff(investors.ever.indptr)) * answers))[:, None]


def fit_profile(interactions: Interactions, weight: float) -> SharedProfile:
    """lift(p, a) = log((k + 5) / (n s + 5)): n investors have p, k of them hold a, s is the share of all who do."""
    held, profile = interactions.held, interactions.profile
    share = np.asarray(held.sum(axis=0)).ravel() / max(held.shape[0], 1)
    nodes = np.unique(profile.indices).astype(np.int64)
    members = profile[:, nodes]
    size = np.asarray(members.sum(axis=0)).ravel()
    together = np.asarray((members.T @ held).toarray(), dtype=np.float64)
    lift = np.log((together + _PRIOR) / (size[:, None] * share + _PRIOR))
    return SharedProfile(interactions, nodes, lift, weight)


def _relation(graph: KnowledgeGraph, node: int) -> Relation:
    kind = graph.kind_of(node)
    return next(relation for relation in PROFILE_RELATIONS if kind in RELATIONS[relation].tails)
