"""Profile: what investors with the same risk level, objective, capacity or segment hold more often than others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np

from pathfolio.kg.graph import FloatArray, Mask
from pathfolio.kg.schema import profile_relation
from pathfolio.kg.span import Position, Row
from pathfolio.recommender.account import OTHER_INVESTORS, ChannelAccount, Walk
from pathfolio.recommender.channels.base import Channel, Family
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.score_inputs import ScoreInputs

PROFILE: Final = "profile"
_PRIOR: Final = 5.0
"""Holders that are added to what is seen and to what is expected, so that few holders say little."""


@dataclass(frozen=True)
class SharedProfile(Channel):
    """score(u, a) = weight / (1 + n_u) * mean over u's profile nodes p of lift(p, a).

    Beside a base of log demand this is naive Bayes over the profile, averaged since risk level, objective and the
    like say much the same; positions, where there are any, say more
    about an investor than answers do, so it fades with their number n_u.

    Attributes:
        groups: how many investors with a level hold an asset, where they are enough to be told.
        lift: (p, assets) float64, p as in `Groups.levels`; log of the smoothed number of a node's investors who hold
            a over the number to be expected of a group of its size; 0 where `groups` tells nothing.
        weight: of the channel.
    """

    name: ClassVar[str] = PROFILE
    names: ClassVar[tuple[str, ...]] = (PROFILE,)
    family: ClassVar[Family] = Family.PROFILE

    groups: Groups
    lift: FloatArray
    weight: float

    @classmethod
    def fit(cls, inputs: ScoreInputs) -> SharedProfile:
        """Over a snapshot."""
        return fit_profile(inputs.groups, inputs.options.profile)

    def scores(self, investors: InvestorRows) -> FloatArray:
        """(n, assets) float64."""
        return np.asarray(investors.profile[:, self.groups.levels] @ self.lift) * (self.weight * self._fade(investors))

    def reached(self, investors: InvestorRows) -> Mask:
        """(n, assets) bool: where a walk through one of the investor's levels leads to the asset."""
        return np.asarray(investors.profile[:, self.groups.levels] @ self._told > 0)

    def account(self, investor: InvestorRows, asset: Position) -> tuple[ChannelAccount, ...]:
        """One walk per profile node; every part lies on one."""
        factor = self.weight * float(self._fade(investor)[0, 0])
        walks = []
        own = self._own_levels(investor.first_row, asset)
        for node in investor.levels:
            at = self._place.get(node)
            if at is None:  # nobody has given that answer
                continue
            part = float(self.lift[at, asset]) * factor
            if part:
                count = int(self.groups.of_level_and_asset[at, asset]) - (node in own)
                walks.append(self._walk(investor.first_row, node, asset, part, count))
        value = sum(walk.contribution for walk in walks)
        return (ChannelAccount(PROFILE, value, tuple(walks), 0.0),) if walks else ()

    def _walk(self, user: Row, node: Row, asset: Position, part: float, count: int) -> Walk:
        graph = self.groups.interactions.graph
        relation = profile_relation(graph.kind_of(node))
        target = graph.asset_span.row(asset)
        steps = (relation, relation, self.groups.level_relation)
        return Walk((user, node, OTHER_INVESTORS, target), steps, part, count)

    def _own_levels(self, user: Row, asset: Position) -> list[Row]:
        """The profile nodes by which the investor at row `user` is among those who have them and hold the asset."""
        if user < 0:
            return []
        interactions = self.groups.interactions
        at = interactions.graph.user_span.position(user)
        if not self.groups.has_beside_level(at, asset):
            return []
        profile = interactions.profile
        levels: list[Row] = profile.indices[profile.indptr[at] : profile.indptr[at + 1]].tolist()
        return levels

    @cached_property
    def _told(self) -> FloatArray:
        """(levels, assets) 1 where a walk through the level leads to the asset."""
        return np.asarray((self.lift != 0) & (self.weight != 0), np.float64)

    @cached_property
    def _place(self) -> dict[Row, int]:
        return {node: at for at, node in enumerate(self.groups.levels.tolist())}

    @staticmethod
    def _fade(investors: InvestorRows) -> FloatArray:
        answers = np.maximum(np.diff(investors.profile.indptr), 1)
        return np.asarray(1.0 / ((1.0 + np.diff(investors.ever.indptr)) * answers))[:, None]


def fit_profile(groups: Groups, weight: float) -> SharedProfile:
    """lift(p, a) = log((k + 5) / (n s + 5)): n investors have p, k of them hold a, s is the share of all who do."""
    together = groups.of_level_and_asset
    share = groups.holders_by_level / max(groups.investors, 1)
    lift = np.log((together + _PRIOR) / (groups.of_level[:, None] * share + _PRIOR))
    return SharedProfile(groups, np.where(together > 0, lift, 0.0), weight)
