"""Earlier issues: who has what the buyers of earlier new issues have is told of the next one.

Nobody holds a new issue who would speak for it, and what it shares with other assets says little: a bond is a bond.
But who subscribes is much the same from one issue to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Position, Positions, Row
from pathfolio.recommender.account import HOLDS_OR_HELD, OTHER_INVESTORS, ChannelAccount, Walk
from pathfolio.recommender.channels.base import Family, HoldingChannel
from pathfolio.recommender.channels.co_investment import others_with_both
from pathfolio.recommender.demand import left_of_issue
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.new_issues import NewIssues
from pathfolio.recommender.score_inputs import ScoreInputs

EARLIER_ISSUES: Final = "earlier_issues"

_FADING: Final = 1.0
"""Exponent of `left_of_issue`, beside the pull's own: who subscribes does so on one day, and that is soon over."""


@dataclass(frozen=True)
class EarlierIssues(HoldingChannel):
    """score(u, a) = pull(a) * mean over earlier issues e of a's class of sum over u's assets h of b(h, e).

    b is EASE's weight, its columns of unit length: what h says of e, without how much it says at all.

    Attributes:
        graph: the snapshot.
        groups: how many investors hold or held two assets, where they are enough to be told.
        weights: (assets, assets) float32, EASE's, as in `CoInvestment`.
        pull: (assets,) float64, how much a new issue counts, times the channel's weight; 0 for others.
        drew: (assets,) bool: issues whose first weeks are over, and of whose buyers something is told.
    """

    name: ClassVar[str] = EARLIER_ISSUES
    names: ClassVar[tuple[str, ...]] = (EARLIER_ISSUES,)
    family: ClassVar[Family] = Family.CO_INVESTMENT

    graph: KnowledgeGraph
    groups: Groups
    weights: npt.NDArray[np.float32]
    pull: FloatArray
    drew: Mask

    @classmethod
    def fit(cls, inputs: ScoreInputs) -> EarlierIssues | None:
        """Over a snapshot; None in builds of before."""
        options = inputs.options
        if not options.earlier_issues:
            return None
        issues = NewIssues(inputs.groups, options.demand.fade_days)
        pull = options.earlier_issues * left_of_issue(options.demand) ** _FADING * inputs.demand.issue
        return cls(inputs.graph, inputs.groups, inputs.ease_weights, pull, issues.is_earlier & (issues.drawn > 0))

    @property
    def scaled(self) -> bool:
        """EASE's sum over holdings is taken as it is."""
        return False

    def kernel(self) -> FloatArray:
        """(assets, assets) float64; columns of what is no new issue are 0."""
        out = np.zeros(self.weights.shape)
        for asset in np.flatnonzero(self.pull):
            places = self._places(Position(int(asset)))
            if len(places):
                out[:, asset] = self._unit[:, places].mean(axis=1) * self.pull[asset]
                out[asset, asset] = 0.0
        return out

    def reach(self) -> Mask:
        """(assets, assets) bool: where a part is not 0."""
        return np.asarray(self.kernel() != 0)

    def account(self, investor: InvestorRows, asset: Position) -> tuple[ChannelAccount, ...]:
        """One walk per holding and earlier issue that others hold or held together; every part lies on one."""
        places = self._places(asset).tolist() if self.pull[asset] else []
        walks = [walk for place in places for walk in self._walks(investor, asset, place, len(places))]
        value = sum(walk.contribution for walk in walks)
        return (ChannelAccount(EARLIER_ISSUES, value, tuple(walks), 0.0),) if walks else ()

    def _walks(self, investor: InvestorRows, asset: Position, place: int, of: int) -> list[Walk]:
        """Investor - holding - others - earlier issue - class - asset; the issue by its place among `_issues`."""
        issue = Position(int(self._issues[place]))
        parts = self._unit[investor.holdings, place] * (self.pull[asset] / of) * (investor.holdings != asset)
        others = others_with_both(self.groups, investor, issue)
        rows = self.graph.asset_span
        end = (OTHER_INVESTORS, rows.row(issue), Row(int(self._class[asset])), rows.row(asset))
        steps = (HOLDS_OR_HELD, HOLDS_OR_HELD, Relation.IN_CLASS, Relation.IN_CLASS)
        figures = zip(investor.positions(self.graph), parts.tolist(), others.tolist(), strict=True)
        return [
            Walk((investor.first_row, first, *end), (position, *steps), part, count)
            for (first, position), part, count in figures
            if part
        ]

    def _places(self, asset: Position) -> IntArray:
        """Which of `_issues` are of an asset's class."""
        return np.flatnonzero((self._class[self._issues] == self._class[asset]) & (self._class[asset] >= 0))

    @cached_property
    def _issues(self) -> Positions:
        """(issues,) positions of the earlier ones."""
        return Positions(np.flatnonzero(self.drew))

    @cached_property
    def _class(self) -> npt.NDArray[np.int64]:
        """(assets,) row of each asset's class, -1 where it has none."""
        at = self.graph.edges_between(Relation.IN_CLASS)
        out = np.full(len(self.graph.assets), -1, np.int64)
        out[self.graph.asset_span.position(self.graph.edges.head[at])] = self.graph.edges.tail[at]
        return out

    @cached_property
    def _unit(self) -> FloatArray:
        """(assets, issues) float64: the weights' columns of `_issues`, of unit length."""
        columns = self.weights[:, self._issues].astype(np.float64)
        return np.asarray(columns / np.maximum(np.sqrt((columns**2).sum(axis=0)), 1e-9))
