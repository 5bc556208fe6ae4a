"""What the served score is made from: its weights, what was trained, and what the snapshot's groups tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.embeddings.vectors import EntityVectors
from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.recommender.demand import Demand, DemandOptions, measure_demand
from pathfolio.recommender.ease import ease_weights
from pathfolio.recommender.gat.attention import GraphAttention
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.groups_at_once import GroupsAtOnce
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.towers.model import TowerParts
from pathfolio.recommender.towers.placed import PlacedTowers

if TYPE_CHECKING:
    from pathfolio.recommender.channels.own import OwnData


@dataclass(frozen=True)
class ScoreOptions:
    """The few numbers that weigh the channels; the same for every data set.

    Attributes:
        regularisation, dropout: of EASE's weights (`pathfolio.recommender.ease.ease_weights`).
        untold: the share of the number expected by chance that stands for a number of investors which is too small to
            be told, where EASE's weights are computed.
        attributes, kg, gat: weight of shared attributes and of learned closeness for a new issue; `standing` is
            their share for assets that are no new issues.
        standing: see above; small, since there co-investment knows better.
        funds: weight of look-through.
        profile: weight of the profile's log lifts.
        issue, recent: weights of the base: pull of a new issue, log of recent purchases.
        popularity: weight of the log of the number of holders.
        earlier_issues: weight, for a new issue, of what says so of earlier ones of its class; for lists of a day, and
            hardly any of it for those of a week.
        beginners: weight, for who has no positions, of an asset's share of what investors who began lately bought
            first; for lists of half a year, and less of it the shorter they serve.
        beginners_daily: the share of that weight which is left for lists of one day.
        towers: weight of the two towers' standardised score, where they are served, for lists of half a year.
        calendar: whether counts of people wait for the calendar of `pathfolio.recommender.releases`.
    """

    regularisation: float = 200.0
    dropout: float = 0.4
    untold: float = 1.0
    attributes: float = 0.15
    kg: float = 0.1
    gat: float = 0.25
    standing: float = 0.03
    funds: float = 0.01
    profile: float = 0.005
    issue: float = 0.25
    recent: float = 0.0025
    popularity: float = 0.003
    earlier_issues: float = 4.0
    beginners: float = 2.0
    beginners_daily: float = 0.2
    towers: float = 0.04
    calendar: bool = True
    demand: DemandOptions = field(default_factory=DemandOptions)

    def to_json(self) -> dict[str, Any]:
        """The options in JSON's types; that nothing was sampled goes without saying, as it did before it could be."""
        values = asdict(self)
        if not self.demand.sampled:
            del values["demand"]["sampled"]
        return values

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> ScoreOptions:
        """The options that `to_json` took apart; a weight that came later is 0: the build was without it.

        >>> from dataclasses import asdict
        >>> old = asdict(ScoreOptions())
        >>> _ = old.pop("towers")
        >>> ScoreOptions.from_json(old).towers
        0.0
        """
        later = {each.name: 0.0 for each in fields(ScoreOptions) if each.name not in values}
        return ScoreOptions(**{**later, **values, "demand": DemandOptions.from_json(values["demand"])})


@dataclass(frozen=True)
class LearnedParts:
    """What is made once and used on later days as it is.

    Attributes:
        vectors: the KG embedding's.
        attention: the graph attention network.
        towers: the two towers, where they were asked for.
        own: what the build's own channels are made of.
    """

    vectors: EntityVectors
    attention: GraphAttention
    towers: TowerParts | None = None
    own: tuple[OwnData, ...] = ()

    def with_prices(self, prices: pd.DataFrame | None) -> LearnedParts:
        """The same with the prices from which the two towers read indicators on later days."""
        return replace(self, towers=replace(self.towers, prices=prices)) if self.towers is not None else self


@dataclass(frozen=True)
class ScoreInputs:
    """What channels over one snapshot are fitted from.

    Attributes:
        interactions: the snapshot's positions and profiles.
        learned: what was trained, on this day or before.
        options: the weights.
        ease: (assets, assets) EASE's weights where they are known already.
        placed: the two towers over the snapshot where they are known already.
    """

    interactions: Interactions
    learned: LearnedParts
    options: ScoreOptions
    ease: npt.NDArray[np.float32] | None = None
    placed: PlacedTowers | None = None

    @property
    def graph(self) -> KnowledgeGraph:
        """The snapshot."""
        return self.interactions.graph

    @cached_property
    def groups(self) -> Groups:
        """All that may be known of other investors."""
        return Groups(self.interactions) if self.options.calendar else GroupsAtOnce(self.interactions)

    @cached_property
    def ease_weights(self) -> npt.NDArray[np.float32]:
        """(assets, assets) EASE's weights, computed where they are not known."""
        if self.ease is not None:
            return self.ease
        options = self.options
        return ease_weights(self.groups, options.regularisation, options.dropout, options.untold)

    @cached_property
    def demand(self) -> Demand:
        """What investors as a whole want at the moment."""
        return measure_demand(self.groups, self.options.demand)

    @cached_property
    def pull(self) -> FloatArray:
        """(assets,) float64: how much likeness counts for an asset; most for a new issue."""
        return self.demand.issue + self.options.standing * self.demand.factor
