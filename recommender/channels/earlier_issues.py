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

from pathfolio.kg.graph import FloatArray, KnowledgeGraph, Mask
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
            earlier = self._earlier(Position(int(asset)))
            if len(earlier):
                out[:, asset] = self._unit[:, earlier].mean(axis=1) * self.pull[asset]
                out[asset, asset] = 0.0
        return out

    def reach(self) -> Mask:
        """(assets, assets) bool: where a part is not 0."""
        return np.asarray(self.kernel() != 0)

    def account(self, investor: InvestorRows, asset: Position) -> tuple[ChannelAccount, ...]:
        """One walk per holding and earlier issue that others hold or held together; every part lies on one."""
        earlier = self._earlier(asset) if self.pull[asset] else Positions(np.zeros(0, np.int64))
        walks = [walk for issue in earlier.tolist() for walk in self._walks(investor, asset, issue, len(earlier))]
        value = sum(walk.contribution for walk in walks)
        return (ChannelAccount(EARLIER_ISSUES, value, tuple(walks), 0.0),) if walks else ()

    def _walks(self, investor: InvestorRows, asset: Position, issue: Position, of: int) -> list[Walk]:
        """Investor - holding - others - earlier issue - class - asset."""
        parts = self._unit[investor.holdings, issue] * (self.pull[asset] / of) * (investor.holdings != asset)
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

    def _earlier(self, asset: Position) -> Positions:
        """Positions of the earlier issues of an asset's class."""
        same = self.drew & (self._class == self._class[asset]) & (self._class[asset] >= 0)
        return Positions(np.flatnonzero(same))

    @cached_property
    def _class(self) -> npt.NDArray[np.int64]:
        """(assets,) row of each asset's class, -1 where it has none."""
        at = self.graph.edges_between(Relation.IN_CLASS)
        out = np.full(len(self.graph.assets), -1, np.int64)
        out[self.graph.asset_span.position(self.graph.edges.head[at])] = self.graph.edges.tail[at]
        return out

    @cached_property
    def _unit(self) -> FloatArray:
        """(assets, assets) float64: the weights, columns of earlier issues of unit length, others 0."""
        columns = np.where(self.drew, self.weights.astype(np.float64), 0.0)
        return np.asarray(columns / np.maximum(np.sqrt((columns**2).sum(axis=0)), 1e-9))
