"""The served score: a named base plus channels, each linear in what the investor holds or states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray, KnowledgeGraph, Mask
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.account import ScoreAccount
from pathfolio.recommender.beginners import first_choices
from pathfolio.recommender.channels.base import Channel, HoldingChannel
from pathfolio.recommender.channels.co_investment import CoInvestment
from pathfolio.recommender.channels.shipped import CHANNELS
from pathfolio.recommender.channels.towers import TwoTowerScores
from pathfolio.recommender.demand import Demand, lasting
from pathfolio.recommender.groups import SMALLEST_GROUP, Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.score_inputs import LearnedParts, ScoreInputs, ScoreOptions
from pathfolio.recommender.towers.placed import PlacedTowers

Found = TypeVar("Found", bound=Channel)

FEWEST_LED_TO: Final = 20
"""Of a kind of which paths lead to fewer assets, an investor may be recommended those without a path too."""


BASE: Final = ("new_issue", "recent_demand", "popularity")
"""The parts of the score that are the same for everybody."""

FIRST_CHOICES: Final = "first_choices"
"""The part that is the same for all who have no positions, and nothing for others."""


@dataclass(frozen=True)
class Scorer:
    """A fitted score over one snapshot; see `pathfolio.recommender.model.ExplainedModel`."""

    interactions: Interactions
    learned: LearnedParts
    options: ScoreOptions
    demand: Demand
    channels: tuple[Channel, ...]

    @property
    def graph(self) -> KnowledgeGraph:
        """The snapshot whose investors and assets it scores."""
        return self.interactions.graph

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64; higher is better, -inf for what no path leads to (see `led_to`)."""
        return self.score_rows(InvestorRows.of(self.interactions, users))

    def score_rows(self, investors: InvestorRows) -> FloatArray:
        """(n, assets) float64 for rows of investors that may differ from the snapshot (what-if)."""
        return np.where(self.led_to(investors), self.sum_rows(investors), -np.inf)

    def led_to(self, investors: InvestorRows) -> Mask:
        """(n, assets) bool: where a path leads from the investor's positions or profile to the asset.

        What cannot be shown cannot carry a recommendation. Somebody new, without positions, may be recommended all,
        and so may everybody of a kind of asset of which paths lead to fewer than `FEWEST_LED_TO`, that lists are whole.
        """
        led = np.asarray(investors.ever @ self._reach) > 0
        for channel in self._row_channels:
            led |= channel.reached(investors)
        led |= investors.begins[:, None]
        for of_kind in self._kinds:
            led |= of_kind & (led[:, of_kind].sum(axis=1) < FEWEST_LED_TO)[:, None]
        return led

    def sum_rows(self, investors: InvestorRows) -> FloatArray:
        """(n, assets) float64: the sums of all parts, whether paths lead there or not."""
        usual = self.usual_rows(investors)
        if investors.begins.any():
            usual[investors.begins] += self.first_choices
        return usual

    def usual_rows(self, investors: InvestorRows) -> FloatArray:
        """(n, assets) float64: the sums of the base and the channels, as if nobody was new."""
        out = np.asarray(investors.ever @ self._kernels[1], dtype=np.float64) * investors.scale
        out += investors.ever @ self._kernels[0]
        for channel in self._row_channels:
            out += channel.scores(investors)
        out += self._base_total
        return out

    def account(self, user: Position, asset: Position) -> ScoreAccount:
        """The score of the investor at position `user` and the asset at position `asset`, taken apart."""
        return self.account_row(self._investor(user), asset)

    def _investor(self, user: Position) -> InvestorRows:
        """One investor; the last one asked for is remembered, since lists ask for several assets of one."""
        found = self._latest.get(user)
        if found is None:
            found = InvestorRows.of(self.interactions, Positions(np.array([user])))
            self._latest.clear()
            self._latest[user] = found
        return found

    @cached_property
    def _latest(self) -> dict[Position, InvestorRows]:
        return {}

    def account_row(self, investor: InvestorRows, asset: Position) -> ScoreAccount:
        """The same for one row of investors."""
        channels = [part for channel in self.channels for part in channel.account(investor, asset)]
        base = tuple((name, float(values[asset])) for name, values in self.base.items())
        if investor.begins[0] and self.first_choices[asset]:
            base = (*base, (FIRST_CHOICES, float(self.first_choices[asset])))
        score = sum(value for _, value in base) + sum(channel.value for channel in channels)
        return ScoreAccount(investor.first_row, self.graph.asset_span.row(asset), score, base, tuple(channels))

    def refresh(self, graph: KnowledgeGraph) -> Scorer:
        """The same weights over another day's snapshot: learned vectors are folded in, nothing is trained.

        Co-investment, demand and profile are counts of the day's graph and closed forms of them.
        """
        return assemble_scorer(graph, self.learned, self.options)

    def for_days(self, days: float) -> Scorer:
        """The same score for lists that are to serve so many days (see `DemandOptions.horizon`)."""
        demand = replace(self.options.demand, horizon=float(days))
        options = replace(self.options, demand=demand)
        return assemble_scorer(self.graph, self.learned, options, self.co_investment_weights, self.placed_towers)

    def find(self, kind: type[Found]) -> Found | None:
        """The channel of a class, None where it is not served."""
        return next((channel for channel in self.channels if isinstance(channel, kind)), None)

    def channel(self, kind: type[Found]) -> Found:
        """The channel of a class that every score has.

        Raises:
            UsageError: this one has none.
        """
        found = self.find(kind)
        if found is None:
            raise UsageError(f"no channel {kind.__name__} in the score: its parts are {', '.join(self.part_names)}")
        return found

    @property
    def part_names(self) -> tuple[str, ...]:
        """Under which accounts show the parts of the score."""
        return (*BASE, FIRST_CHOICES, *(name for channel in self.channels for name in channel.names))

    @property
    def groups(self) -> Groups:
        """All that is known of other investors."""
        return self.channel(CoInvestment).groups

    @property
    def co_investment_weights(self) -> npt.NDArray[np.float32]:
        """(assets, assets) EASE's weights."""
        return self.channel(CoInvestment).weights

    @property
    def placed_towers(self) -> PlacedTowers | None:
        """The two towers over the snapshot, where they are served."""
        found = self.find(TwoTowerScores)
        return found.placed if found is not None else None

    @cached_property
    def _holding_channels(self) -> tuple[HoldingChannel, ...]:
        """Those that are sums over holdings, whose kernels are added up once."""
        return tuple(channel for channel in self.channels if isinstance(channel, HoldingChannel))

    @cached_property
    def _row_channels(self) -> tuple[Channel, ...]:
        """The others, which score each row anew."""
        return tuple(channel for channel in self.channels if not isinstance(channel, HoldingChannel))

    @cached_property
    def base(self) -> dict[str, FloatArray]:
        """Name to (assets,) float64: what is the same for everybody."""
        options = self.options
        demand = self.demand
        values = (
            options.issue * demand.issue,
            options.recent * np.log1p(np.maximum(demand.recent, SMALLEST_GROUP)),
            options.popularity * np.log1p(np.maximum(demand.holders, SMALLEST_GROUP)),
        )
        return dict(zip(BASE, values, strict=True))

    @cached_property
    def first_choices(self) -> FloatArray:
        """(assets,) float64: what the score of somebody without positions has besides."""
        daily = self.options.beginners_daily
        weight = self.options.beginners * (daily + (1 - daily) * lasting(self.options.demand.horizon))
        counts = first_choices(self.groups) if weight else np.zeros(len(self.graph.assets), np.int64)
        return np.asarray(weight * counts / max(int(counts.sum()), 1))

    @cached_property
    def _base_total(self) -> FloatArray:
        return np.asarray(sum(self.base.values()))

    @cached_property
    def _kinds(self) -> tuple[Mask, ...]:
        """(assets,) bool for each kind of asset that there is."""
        kinds = self.graph.nodes.kind[self.graph.assets]
        return tuple(kinds == kind for kind in np.unique(kinds))

    @cached_property
    def _reach(self) -> npt.NDArray[np.float32]:
        """(assets, assets) 1 where a walk of some channel joins the row's asset, held, to the column's."""
        reach = np.zeros((len(self.graph.assets),) * 2, bool)
        for channel in self._holding_channels:
            reach |= channel.reach()
        np.fill_diagonal(reach, False)
        return reach.astype(np.float32)

    @cached_property
    def _kernels(self) -> tuple[FloatArray, FloatArray]:
        """(assets, assets) sums of the channels' kernels: those taken as they are, and those to be scaled."""
        size = len(self.graph.assets)
        plain, scaled = np.zeros((size, size)), np.zeros((size, size))
        for channel in self._holding_channels:
            (scaled if channel.scaled else plain).__iadd__(channel.kernel())
        return plain, scaled


def assemble_scorer(
    graph: KnowledgeGraph,
    learned: LearnedParts,
    options: ScoreOptions,
    weights: npt.NDArray[np.float32] | None = None,
    placed: PlacedTowers | None = None,
) -> Scorer:
    """A scorer over `graph` from parts that are already trained.

    Args:
        weights: (assets, assets) EASE's weights where they are known; else they are computed.
        placed: the two towers over the snapshot, where they are known; else those of `learned`, if any, are placed.
    """
    inputs = ScoreInputs(Interactions(graph), learned, options, weights, placed)
    fitted = [maker.fit(inputs) for maker in (*CHANNELS, *learned.own)]
    channels = tuple(channel for channel in fitted if channel is not None)
    return Scorer(inputs.interactions, learned, options, inputs.demand, channels)
