"""`FactBook`: an asset's figures, and where they stand among those of its peers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.explain.evidence import Fact, stable_id
from pathfolio.kg.figures import FIGURES
from pathfolio.kg.graph import NO_DAY, Adjacency, FloatArray, KnowledgeGraph, to_date
from pathfolio.kg.schema import NodeKind, Relation, Use, used_for
from pathfolio.kg.span import Row
from pathfolio.recommender.suitability.investor import TOLD

FEWEST_PEERS: Final = 10
"""A comparison with fewer assets, the asset itself included, says nothing."""

BESIDE: Final = (*FIGURES, "expense_ratio")

_SAME_TIME_DAYS: Final = 31
"""Figures of peers count where their dates are at most so far from the asset's own."""

_PEER_RELATIONS: Final = used_for(Use.PEERS)
"""What makes assets of one kind peers: the first in which enough of them have the figure."""


@dataclass(frozen=True)
class Peers:
    """The assets of one kind and group that have a figure of about the same day, the asset itself included.

    Attributes:
        relation, group: what they share: a relation and the row of the node that it leads to.
        values: (n,) float64, ascending.
        known_at: when the last of them could be known, days since 1970.
    """

    relation: Relation
    group: Row
    values: FloatArray
    known_at: int

    def __len__(self) -> int:
        return len(self.values)

    def rank(self, value: float) -> int:
        """The place of `value` from the top, 1 for the highest."""
        return 1 + len(self.values) - int(np.searchsorted(self.values, value, side="right"))

    @cached_property
    def median(self) -> float:
        """The middle value."""
        return float(np.median(self.values))


@dataclass(frozen=True)
class _Column:
    """One metric over all nodes: value (NaN where there is none) and day, by node row."""

    value: FloatArray
    day: npt.NDArray[np.int32]
    known_at: npt.NDArray[np.int32]


class FactBook:
    """Facts of one snapshot, with stable ids; what it has looked up it remembers."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        """Look nothing up yet."""
        self.graph = graph
        self._facts: dict[int, dict[str, Fact]] = {}
        self._columns: dict[str, _Column] = {}
        self._peers: dict[tuple[int, str], Peers | None] = {}

    def of(self, asset: Row) -> dict[str, Fact]:
        """The current figures of the asset at row `asset`, by metric."""
        found = self._facts.get(asset)
        if found is None:
            edges = self._figures.edges_of(asset)
            found = self._facts[asset] = {fact.metric: fact for fact in map(self._from_edge, edges.tolist())}
        return found

    def beside(self, asset: Row) -> tuple[Fact, ...]:
        """The figures that stand beside the asset wherever it is recommended, whether a reason cites them or not: what
        its closes say, and what it costs; none in snapshots of before, which have no figures of closes."""
        found = self.of(asset)
        return tuple(found[metric] for metric in BESIDE if metric in found) if "last_close" in found else ()

    def peers(self, asset: Row, metric: str) -> Peers | None:
        """The peers of the asset by `metric`, or None where too few of them have it."""
        key = (asset, metric)
        if key not in self._peers:
            self._peers[key] = self._find_peers(asset, metric)
        return self._peers[key]

    def of_kind(self, asset: Row, metric: str, days: int = _SAME_TIME_DAYS) -> FloatArray:
        """(n,) ascending: the metric of all assets of the asset's kind, itself included, at most so many days apart."""
        column = self._column(metric)
        if np.isnan(column.value[asset]):
            return np.zeros(0)
        alike = self.graph.nodes.kind == self.graph.nodes.kind[asset]
        near = np.abs(column.day - column.day[asset]) <= days
        values: FloatArray = np.sort(column.value[alike & near & ~np.isnan(column.value)])
        return values

    def derived(self, about: Fact, metric: str, value: float, unit: str, peers: Peers) -> Fact:
        """A figure computed from those of the peers of `about`'s asset."""
        group = str(self.graph.nodes.id[peers.group])
        source = f"computed from {about.metric} of {len(peers)} assets ({peers.relation} {group})"
        return Fact(
            id=stable_id("f", str(about.asset_id), metric, about.as_of.isoformat(), repr(value), unit),
            asset_id=about.asset_id,
            metric=metric,
            value=value,
            unit=unit,
            as_of=about.as_of,
            known_at=to_date(peers.known_at),
            source=source,
        )

    def statement(self, edge: int, metric: str, *, about_user: bool = False) -> Fact:
        """What an edge to a label says, as a fact: (asset) risk_rating RR3, (investor) risk_level Balanced."""
        edges = self.graph.edges
        nodes = self.graph.nodes
        subject = str(nodes.id[edges.head[edge]])
        label = str(nodes.id[edges.tail[edge]])
        day = to_date(edges.as_of[edge])
        known = to_date(edges.known_at[edge])
        source = str(edges.source[edge])
        identity = stable_id("f", subject, metric, label, day.isoformat(), source)
        user = subject if about_user else None
        asset = None if about_user else subject
        return Fact(identity, asset, metric, label, str(edges.qualifier[edge]), day, known, source, user)

    def own(self, subject: str, metric: str, value: float | str, unit: str, *, about_user: bool = False) -> Fact:
        """A fact that was counted in the snapshot itself, of its date."""
        day = self.graph.as_of
        identity = stable_id("f", subject, metric, str(value), unit, day.isoformat())
        source = f"counted in the snapshot of {day.isoformat()}"
        user = subject if about_user else None
        return Fact(identity, None if about_user else subject, metric, value, unit, day, day, source, user)

    def listed(self, asset: Row) -> Fact | None:
        """The day on which the asset was listed, where it is known."""
        day = int(self.graph.nodes.listed[asset])
        if day == NO_DAY:
            return None
        key = str(self.graph.nodes.id[asset])
        when = to_date(day)
        identity = stable_id("f", key, "listed", when.isoformat())
        return Fact(identity, key, "listed", when.isoformat(), "date", when, when, f"{self.graph.name}: assets")

    # -- arrays ----------------------------------------------------------------------------------------------

    @cached_property
    def _figures(self) -> Adjacency:
        return self.graph.outgoing(Relation.HAS_FACT)

    def _from_edge(self, at: int) -> Fact:
        edges = self.graph.edges
        nodes = self.graph.nodes
        asset = str(nodes.id[edges.head[at]])
        metric = str(nodes.id[edges.tail[at]])
        day = to_date(edges.as_of[at])
        value = float(edges.value[at])
        source = str(edges.source[at])
        identity = stable_id("f", asset, metric, repr(value), day.isoformat(), source)
        unit = str(edges.qualifier[at])
        return Fact(identity, asset, metric, value, unit, day, to_date(edges.known_at[at]), source)

    def _column(self, metric: str) -> _Column:
        if metric not in self._columns:
            self._columns[metric] = self._make_column(metric)
        return self._columns[metric]

    def _make_column(self, metric: str) -> _Column:
        n = len(self.graph)
        edges = self.graph.edges
        value = np.full(n, np.nan)
        day = np.zeros(n, np.int32)
        known = np.zeros(n, np.int32)
        node = self.graph.find(NodeKind.METRIC, metric)
        if node is not None:
            at = self.graph.incoming(Relation.HAS_FACT).edges_of(node)
            head = edges.head[at]
            value[head] = edges.value[at]
            day[head] = edges.as_of[at]
            known[head] = edges.known_at[at]
        return _Column(value, day, known)

    def _find_peers(self, asset: Row, metric: str) -> Peers | None:
        column = self._column(metric)
        if np.isnan(column.value[asset]):
            return None
        for relation in _PEER_RELATIONS:
            for group in self.graph.outgoing(relation).of(asset).tolist():
                peers = self._in_group(asset, column, relation, group)
                if len(peers) >= FEWEST_PEERS:
                    return peers
        return None

    def _in_group(self, asset: Row, column: _Column, relation: Relation, group: Row) -> Peers:
        members = self.graph.incoming(relation).of(group)
        alike = self.graph.nodes.kind[members] == self.graph.nodes.kind[asset]
        near = np.abs(column.day[members] - column.day[asset]) <= _SAME_TIME_DAYS
        members = members[alike & near & ~np.isnan(column.value[members])]
        return Peers(relation, group, np.sort(column.value[members]), int(column.known_at[members].max(initial=0)))


def told_fact(user_id: str, metric: str, label: str, day: date) -> Fact:
    """What an investor told of themselves here, on a day."""
    identity = stable_id("f", user_id, metric, label, day.isoformat(), TOLD)
    return Fact(identity, None, metric, label, "", day, day, TOLD, user_id)
