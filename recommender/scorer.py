"""The served score: a named base plus channels, each linear in what the investor holds or states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.embeddings.vectors import EntityVectors
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.recommender.account import ScoreAccount
from pathfolio.recommender.channels.attributes import SharedAttributes, attribute_matrix
from pathfolio.recommender.channels.base import HoldingChannel, Investors
from pathfolio.recommender.channels.co_investment import CoInvestment, ease_weights
from pathfolio.recommender.channels.funds import FundHoldings, holdings_matrix
from pathfolio.recommender.channels.learned import GAT, KG_EMBEDDING, LearnedCloseness
from pathfolio.recommender.channels.profile import SharedProfile, fit_profile
from pathfolio.recommender.channels.towers import TwoTowerScores
from pathfolio.recommender.demand import Demand, DemandOptions, lasting, measure_demand
from pathfolio.recommender.gat.attention import GraphAttention
from pathfolio.recommender.groups import SMALLEST_GROUP, Groups, disclosed
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.propagation import kg_propagation
from pathfolio.recommender.towers.model import TowerParts
from pathfolio.recommender.towers.placed import PlacedTowers

FEWEST_LED_TO: Final = 20
"""Of a kind of which paths lead to fewer assets, an investor may be recommended those without a path too."""


@dataclass(frozen=True)
class ScoreOptions:
    """The few numbers that weigh the channels; the same for every data set.

    Attributes:
        regularisation, dropout: of EASE's weights (`pathfolio.recommender.channels.co_investment.ease_weights`).
        attributes, kg, gat: weight of shared attributes and of learned closeness for a new issue; `standing` is
            their share for assets that are no new issues.
        standing: see above; small, since there co-investment knows better.
        funds: weight of look-through.
        profile: weight of the profile's log lifts.
        issue, recent: weights of the base: pull of a new issue, log of recent purchases.
        popularity: weight of the log of the number of holders.
        towers: weight of the two towers' standardised score, where they are served, for lists of half a year.
    """

    regularisation: float = 200.0
    dropout: float = 0.4
    attributes: float = 0.15
    kg: float = 0.1
    gat: float = 0.25
    standing: float = 0.03
    funds: float = 0.01
    profile: float = 0.005
    issue: float = 0.09
    recent: float = 0.0025
    popularity: float = 0.003
    towers: float = 0.04
    demand: DemandOptions = field(default_factory=DemandOptions)

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> ScoreOptions:
        """The options that `dataclasses.asdict` took apart."""
        return ScoreOptions(**{**values, "demand": DemandOptions(**values["demand"])})


@dataclass(frozen=True)
class LearnedParts:
    """What is trained once and used on later days as it is; the two towers where they were asked for."""

    vectors: EntityVectors
    attention: GraphAttention
    towers: TowerParts | None = None

    def with_prices(self, prices: pd.DataFrame | None) -> LearnedParts:
        """The same with the prices from which the two towers read indicators on later days."""
        return replace(self, towers=replace(self.towers, prices=prices)) if self.towers is not None else self


@dataclass(frozen=True)
class Scorer:
    """A fitted score over one snapshot; see `pathfolio.recommender.model.ExplainedModel`."""

    interactions: Interactions
    learned: LearnedParts
    options: ScoreOptions
    demand: Demand
    holding_channels: tuple[HoldingChannel, ...]
    profile: SharedProfile
    towers: TwoTowerScores | None = None

    @property
    def graph(self) -> KnowledgeGraph:
        """The snapshot whose investors and assets it scores."""
        return self.interactions.graph

    def scores(self, users: IntArray) -> FloatArray:
        """(len(users), assets) float64; higher is better, -inf for what no path leads to (see `led_to`)."""
        return self.score_rows(Investors.of(self.interactions, users))

    def score_rows(self, investors: Investors) -> FloatArray:
        """(n, assets) float64 for rows of investors that may differ from the snapshot (what-if)."""
        return np.where(self.led_to(investors), self.sum_rows(investors), -np.inf)

    def led_to(self, investors: Investors) -> Mask:
        """(n, assets) bool: where a path leads from the investor's positions or profile to the asset.

        What cannot be shown cannot carry a recommendation. Somebody new, without positions, may be recommended all,
        and so may everybody of a kind of asset of which paths lead to fewer than `FEWEST_LED_TO`, that lists are whole.
        """
        led = np.asarray(investors.ever @ self._reach) > 0
        led |= self.profile.reached(investors)
        led |= (np.diff(investors.ever.indptr) == 0)[:, None]
        for of_kind in self._kinds:
            led |= of_kind & (led[:, of_kind].sum(axis=1) < FEWEST_LED_TO)[:, None]
        return led

    def sum_rows(self, investors: Investors) -> FloatArray:
        """(n, assets) float64: the sums of all parts, whether paths lead there or not."""
        out = np.asarray(investors.ever @ self._kernels[1], dtype=np.float64) * investors.scale
        out += investors.ever @ self._kernels[0]
        out += self.profile.scores(investors)
        if self.towers is not None:
            out += self.towers.scores(investors)
        out += self._base_total
        return out

    def account(self, user: int, asset: int) -> ScoreAccount:
        """The score of the investor at position `user` and the asset at position `asset`, taken apart."""
        return self.account_row(self._investor(user), asset)

    def _investor(self, user: int) -> Investors:
        """One investor; the last one asked for is remembered, since lists ask for several assets of one."""
        found = self._latest.get(user)
        if found is None:
            found = Investors.of(self.interactions, np.array([user]))
            self._latest.clear()
            self._latest[user] = found
        return found

    @cached_property
    def _latest(self) -> dict[int, Investors]:
        return {}

    def account_row(self, investor: Investors, asset: int) -> ScoreAccount:
        """The same for one row of investors."""
        channels = [part for channel in self.holding_channels for part in channel.account(investor, asset)]
        channels += self.profile.account(investor, asset)
        channels += self.towers.account(investor, asset) if self.towers is not None else ()
        base = tuple((name, float(values[asset])) for name, values in self.base.items())
        score = sum(value for _, value in base) + sum(channel.value for channel in channels)
        return ScoreAccount(int(investor.row[0]), int(self.graph.assets[asset]), score, base, tuple(channels))

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

    @property
    def co_investment_weights(self) -> npt.NDArray[np.float32]:
        """(assets, assets) EASE's weights."""
        return next(channel.weights for channel in self.holding_channels if isinstance(channel, CoInvestment))

    @property
    def placed_towers(self) -> PlacedTowers | None:
        """The two towers over the snapshot, where they are served."""
        return self.towers.placed if self.towers is not None else None

    @cached_property
    def base(self) -> dict[str, FloatArray]:
        """Name to (assets,) float64: what is the same for everybody."""
        return {
            "new_issue": self.options.issue * self.demand.issue,
            "recent_demand": self.options.recent * np.log1p(np.maximum(self.demand.recent, SMALLEST_GROUP)),
            "popularity": self.options.popularity * np.log1p(np.maximum(self.demand.holders, SMALLEST_GROUP)),
        }

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
        for channel in self.holding_channels:
            reach |= channel.reach()
        np.fill_diagonal(reach, False)
        return reach.astype(np.float32)

    @cached_property
    def _kernels(self) -> tuple[FloatArray, FloatArray]:
        """(assets, assets) sums of the channels' kernels: those taken as they are, and those to be scaled."""
        size = len(self.graph.assets)
        plain, scaled = np.zeros((size, size)), np.zeros((size, size))
        for channel in self.holding_channels:
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
    interactions = Interactions(graph)
    groups = Groups(interactions)
    if weights is None:
        weights = ease_weights(groups, options.regularisation, options.dropout)
    demand = measure_demand(groups, options.demand)
    pull = demand.issue + options.standing * demand.factor
    channels: tuple[HoldingChannel, ...] = (
        CoInvestment(graph, groups, weights, demand.factor),
        LearnedCloseness(KG_EMBEDDING, graph, kg_propagation(graph, learned.vectors), options.kg * pull),
        LearnedCloseness(GAT, graph, learned.attention.propagation(graph), options.gat * pull),
        SharedAttributes(graph, attribute_matrix(graph), options.attributes * pull),
        FundHoldings(graph, holdings_matrix(graph), options.funds * (demand.issue + demand.factor)),
    )
    placed = placed or (learned.towers.place(disclosed(graph)) if learned.towers is not None else None)
    weight = options.towers * lasting(options.demand.horizon)
    towers = TwoTowerScores(interactions, placed, weight) if placed is not None else None
    profile = fit_profile(groups, options.profile)
    return Scorer(interactions, learned, options, demand, channels, profile, towers)
