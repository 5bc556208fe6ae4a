"""The two towers in the score: what they add is learned, and on no path. Opt-in (`pathfolio build --towers`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np

from pathfolio.kg.graph import FloatArray, IntArray, Mask, to_days
from pathfolio.kg.span import Position, Positions, Rows
from pathfolio.recommender.account import ChannelAccount
from pathfolio.recommender.channels.base import Channel, Family
from pathfolio.recommender.demand import lasting
from pathfolio.recommender.disclosed import disclosed
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.score_inputs import ScoreInputs
from pathfolio.recommender.towers.batches import Readers, read_positions
from pathfolio.recommender.towers.figures import age_numbers
from pathfolio.recommender.towers.inputs import PROFILE_INPUTS, UNKNOWN, Single
from pathfolio.recommender.towers.placed import PlacedTowers

TWO_TOWERS: Final = "two_towers"


@dataclass(frozen=True)
class TwoTowerScores(Channel):
    """score(u, a) = weight * (t(u, a) - mean) / deviation, of the towers' scores t over all assets.

    An investor without positions gets nothing from it: profile and demand know them better.

    Attributes:
        interactions: the snapshot's positions, for their order in time.
        placed: the towers over the snapshot.
        weight: of the channel.
    """

    name: ClassVar[str] = TWO_TOWERS
    names: ClassVar[tuple[str, ...]] = (TWO_TOWERS,)
    family: ClassVar[Family] = Family.LEARNED

    interactions: Interactions
    placed: PlacedTowers
    weight: float

    @classmethod
    def fit(cls, inputs: ScoreInputs) -> TwoTowerScores | None:
        """Over a snapshot, on which the towers are placed where they are not yet; None where none were trained."""
        placed = inputs.placed
        towers = inputs.learned.towers
        options = inputs.options
        if placed is None and towers is not None:
            placed = towers.place(disclosed(inputs.graph))
        weight = options.towers * lasting(options.demand.horizon)
        return cls(inputs.interactions, placed, weight) if placed is not None else None

    def scores(self, investors: InvestorRows) -> FloatArray:
        """(n, assets) float64."""
        found = self.placed.scores(self._readers(investors)).astype(np.float64)
        spread = found.std(axis=1, keepdims=True)
        standard = (found - found.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
        return np.asarray(standard * (self.weight * (np.diff(investors.ever.indptr) > 0))[:, None])

    def reached(self, investors: InvestorRows) -> Mask:
        """Nothing: what is learned here lies on no path."""
        return np.zeros((1, 1), bool)

    def account(self, investor: InvestorRows, asset: Position) -> tuple[ChannelAccount, ...]:
        """All of it is remainder."""
        if not len(investor.holdings):
            return ()
        asked, row = self._latest.get(0, (None, None))
        if asked is not investor or row is None:  # lists ask for several assets of one investor
            row = self.scores(investor)[0]
            self._latest[0] = investor, row
        value = float(row[asset])
        return (ChannelAccount(TWO_TOWERS, value, (), value),)

    @cached_property
    def _latest(self) -> dict[int, tuple[InvestorRows, FloatArray]]:
        return {}

    def _readers(self, investors: InvestorRows) -> Readers:
        """Positions in the order of time; those that the snapshot does not have are the newest."""
        today = to_days(self.interactions.graph.as_of)
        row = np.repeat(np.arange(len(investors)), np.diff(investors.ever.indptr))
        asset = investors.ever.indices.astype(np.int64)
        since = self._since(Rows(investors.row[row]), Positions(asset), today)
        order = np.lexsort((asset, since, row))
        late = since[order] > today - self.placed.horizon_days
        return read_positions(
            self._codes(investors), self._ages(investors), row[order], asset[order], late, self.placed.kind_of,
            self.placed.memory,
        )  # fmt: skip

    def _since(self, user: Rows, asset: Positions, today: int) -> IntArray:
        key = self.interactions.graph.user_span.position(user) * len(self.placed.assets) + asset
        at = np.minimum(np.searchsorted(self._keys, key), max(len(self._keys) - 1, 0))
        there = (user >= 0) & (self._keys[at] == key) if len(self._keys) else np.zeros(len(key), bool)
        return np.where(there, self.interactions.since[at], today) if len(self._keys) else np.full(len(key), today)

    def _codes(self, investors: InvestorRows) -> IntArray:
        """(n, profile relations) codes of the levels that training saw; of two of a relation the first counts."""
        row = np.repeat(np.arange(len(investors)), np.diff(investors.profile.indptr))
        column, code = self._level[investors.profile.indices].T
        known = np.flatnonzero(column >= 0)[::-1]  # backwards: the first of two is written last
        codes = np.full((len(investors), len(PROFILE_INPUTS)), UNKNOWN, np.int64)
        codes[row[known], column[known]] = code[known]
        return codes

    def _ages(self, investors: InvestorRows) -> Single:
        known = investors.row >= 0
        ages = np.zeros((len(investors), 2), np.float32)
        ages[known] = self._age[self.interactions.graph.user_span.position(Rows(investors.row[known]))]
        return ages

    @cached_property
    def _level(self) -> IntArray:
        """(nodes, 2) position in `PROFILE_INPUTS` and code of each level, -1 where training saw none."""
        level = np.full((len(self.interactions.graph), 2), -1, np.int64)
        level[self.placed.profile[:, 0]] = self.placed.profile[:, 1:]
        return level

    @cached_property
    def _age(self) -> Single:
        return age_numbers(self.interactions.graph)

    @cached_property
    def _keys(self) -> IntArray:
        """One number per pair of `Interactions.ever`, ascending."""
        user, asset = self.interactions.ever.nonzero()
        return user.astype(np.int64) * len(self.placed.assets) + asset
