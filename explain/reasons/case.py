"""`Case`: one explanation whose reasons are looked for, and what is looked up for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.explain.early import EarlyBuyers
from pathfolio.explain.evidence import Fact, Path, PathNode
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.facts import FactBook, told_fact
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.tracer import Tracer
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Row
from pathfolio.recommender.beginners import first_choices
from pathfolio.recommender.channels.base import Family
from pathfolio.recommender.channels.own import OWN_VECTORS
from pathfolio.recommender.channels.shipped import CHANNELS
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.momentum import standing
from pathfolio.recommender.suitability.rulefile import rules_for
from pathfolio.recommender.suitability.rules import RuleSet

LEARNED_CHANNELS: Final = frozenset(
    name for channel in CHANNELS if channel.family is Family.LEARNED for name in channel.names
) | {OWN_VECTORS}
"""Channels of what a model has learned, not of what a source states."""

NEW_DAYS: Final = 90
"""An asset counts as newly listed for so many days."""


@dataclass(frozen=True)
class Investor:
    """What claims need to know of an investor.

    Attributes:
        holdings: rows of the assets held now.
        profile: relation to (edge, row of the level); edge -1 where no edge states it, but the investor told it.
        told: relation to the day on which the investor told such a level.
    """

    row: Row
    holdings: tuple[Row, ...]
    profile: Mapping[Relation, tuple[int, Row]] = field(default_factory=dict)
    told: Mapping[Relation, date] = field(default_factory=dict)


class Lookups:
    """What claims about a snapshot's investors and assets look up, made once per snapshot.

    Args:
        rules: whose risk classes count; by default those that are shipped for the snapshot's market.
        groups: what is known of other investors; by default what builds tell that are made now.
        momentum: how much more weight the score gives to what has risen (`DemandOptions.momentum`).
    """

    def __init__(
        self, tracer: Tracer, rules: RuleSet | None = None, groups: Groups | None = None, momentum: float = 0.0
    ) -> None:
        """Look nothing up yet."""
        self.momentum = momentum
        self.tracer = tracer
        self.graph: KnowledgeGraph = tracer.graph
        self._rules = rules
        self.groups = groups or Groups(Interactions(self.graph))
        self.early = EarlyBuyers(self.groups)
        self.facts = FactBook(self.graph)
        self.claims_of_asset: dict[tuple[tuple[str, ...], Row], tuple[Claim, ...]] = {}
        self._label_of: dict[Relation, npt.NDArray[np.int64]] = {}
        self._latest: Investor | None = None

    @cached_property
    def first_choices(self) -> IntArray:
        """(assets,) how many who began lately are told to have bought each asset first."""
        return first_choices(self.groups)

    @cached_property
    def standing(self) -> FloatArray:
        """(assets,) how far the last year's return of each asset stands above those of its kind."""
        return standing(self.graph)

    @cached_property
    def rules(self) -> RuleSet:
        """The suitability rules whose risk classes count."""
        return self._rules or rules_for(self.graph)

    def label_of(self, relation: Relation) -> npt.NDArray[np.int64]:
        """(nodes,) the row that each node's `relation` leads to, -1 where it has none; for one-at-a-time relations."""
        if relation not in self._label_of:
            at = self.graph.edges_between(relation)
            label = np.full(len(self.graph), -1, np.int64)
            label[self.graph.edges.head[at]] = self.graph.edges.tail[at]
            self._label_of[relation] = label
        return self._label_of[relation]

    def investor(self, row: Row) -> Investor:
        """The investor at `row`; the last one asked for is remembered."""
        latest = self._latest  # read once: several threads may ask at a time
        if latest is None or latest.row != row:
            holdings = tuple(self.graph.outgoing(Relation.HOLDS).of(row).tolist())
            latest = self._latest = Investor(row, holdings, self._profile(row))
        return latest

    def _profile(self, row: Row) -> dict[Relation, tuple[int, Row]]:
        out = {}
        for relation in (Relation.HAS_RISK, Relation.SEEKS):
            adjacency = self.graph.outgoing(relation)
            for edge, level in zip(adjacency.edges_of(row).tolist(), adjacency.of(row).tolist(), strict=True):
                out[relation] = (edge, level)
        return out


@dataclass(frozen=True)
class Case:
    """One explanation whose reasons are looked for."""

    explanation: Explanation
    user: Row
    asset: Row
    lookups: Lookups

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The paths that speak for the asset, the largest contribution first."""
        supporting = [path for path in self.explanation.paths if path.contribution > 0]
        return tuple(sorted(supporting, key=lambda path: (-path.contribution, path.id)))

    @cached_property
    def stated(self) -> tuple[Path, ...]:
        """Those of `paths` that say what a source states, not what a model has learned."""
        return tuple(path for path in self.paths if path.channel not in LEARNED_CHANNELS)

    @property
    def graph(self) -> KnowledgeGraph:
        """The snapshot."""
        return self.lookups.graph

    @property
    def facts(self) -> FactBook:
        """The snapshot's figures."""
        return self.lookups.facts

    @property
    def kind(self) -> str:
        """Stock, Fund or Bond."""
        return self.explanation.asset.kind

    @property
    def is_new(self) -> bool:
        """Whether the asset came to market within `NEW_DAYS` before the snapshot's date."""
        fact = self.facts.listed(self.asset)
        return fact is not None and 0 <= (self.graph.as_of - fact.as_of).days <= NEW_DAYS

    @cached_property
    def investor(self) -> Investor:
        """The investor's holdings and levels."""
        return self.lookups.investor(self.user)

    def level_fact(self, relation: Relation, metric: str) -> Fact:
        """What the investor's level of a relation is, as a fact called `metric`; they must have one."""
        edge, level = self.investor.profile[relation]
        if edge >= 0:
            return self.facts.statement(edge, metric, about_user=True)
        label = str(self.graph.nodes.id[level])
        return told_fact(self.explanation.user_id, metric, label, self.investor.told[relation])

    def node(self, row: Row) -> PathNode:
        """The node at `row` with its names."""
        return self.lookups.tracer.node(row)
