"""Shared attributes: what an asset has in common with the investor's assets, one channel per kind of attribute."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.schema import KIND_CODE, RELATIONS, NodeKind, Relation, attribute_relation, shared_channels
from pathfolio.kg.span import Position, Row, Rows
from pathfolio.recommender.account import ChannelAccount, Walk
from pathfolio.recommender.channels.base import Family
from pathfolio.recommender.channels.common_nodes import CommonNodes
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.score_inputs import ScoreInputs

ATTRIBUTE_CHANNELS: Final = {channel.name: RELATIONS[relation].tails[0] for channel, relation in shared_channels()}
"""Name of each channel to the kind of node that is shared, in the order in which accounts tell them."""

RARITY_POWER: Final = 0.25
"""An attribute that k assets share counts k^-0.25; issuers, few by nature, count in full."""


@dataclass(frozen=True)
class SharedAttributes(CommonNodes):
    """Likeness of attributes, see `CommonNodes`.

    Attributes:
        z: (assets, nodes) csr; rows of unit length over the attribute nodes an asset has.
    """

    name: ClassVar[str] = "attributes"
    names: ClassVar[tuple[str, ...]] = tuple(ATTRIBUTE_CHANNELS)
    family: ClassVar[Family] = Family.SHARED

    @classmethod
    def fit(cls, inputs: ScoreInputs) -> SharedAttributes:
        """Over a snapshot."""
        return cls(inputs.graph, attribute_matrix(inputs.graph), inputs.options.attributes * inputs.pull)

    def kernels(self) -> dict[str, FloatArray]:
        """Each kind of attribute to its part of the kernel."""
        return {name: self._kernel_of(self._only(kind)) for name, kind in ATTRIBUTE_CHANNELS.items()}

    def _only(self, kind: NodeKind) -> sp.csr_array:
        """z where the nodes are of a kind."""
        nodes = sp.diags_array((self.graph.nodes.kind == KIND_CODE[kind]).astype(np.float64))
        return sp.csr_array(self.z @ nodes)

    def account(self, investor: InvestorRows, asset: Position) -> tuple[ChannelAccount, ...]:
        """Every part lies on a walk: investor - asset held - attribute - target."""
        walks: dict[str, list[Walk]] = {}
        user = investor.first_row
        target = self.graph.asset_span.row(asset)
        for met in self.meetings(investor, asset):
            there = self._way(met.held, met.column)
            back = self._way(target, met.column)
            nodes = (user, met.held, *there.between, met.column, *reversed(back.between), target)
            walk = Walk(nodes, (met.position, *there.relations, *reversed(back.relations)), met.part)
            walks.setdefault(self._channel_of[met.column], []).append(walk)
        return tuple(
            ChannelAccount(name, sum(w.contribution for w in walks[name]), tuple(walks[name]), 0.0)
            for name in self.names
            if name in walks
        )

    def _way(self, asset: Row, node: Row) -> _Way:
        """How the asset at row `asset` is joined to the attribute node at row `node`."""
        market = self._market_of.get(asset) if self._channel_of[node] == "country" else None
        if market is None:
            return _Way((), (attribute_relation(self.graph.kind_of(node)),))
        return _Way((market,), (Relation.LISTED_ON, Relation.IN_COUNTRY))

    @cached_property
    def _channel_of(self) -> dict[Row, str]:
        """The channel of each attribute node."""
        rows = {channel: self.graph.rows(kind).tolist() for channel, kind in ATTRIBUTE_CHANNELS.items()}
        return {row: channel for channel, of in rows.items() for row in of}

    @cached_property
    def _market_of(self) -> dict[Row, Row]:
        """The market of each asset that has its country through it alone."""
        asset, market, _ = countries_by_market(self.graph)
        return dict(zip(asset.tolist(), market.tolist(), strict=True))


@dataclass(frozen=True)
class _Way:
    """The steps from an asset to an attribute node.

    Attributes:
        between: rows of the nodes on the way.
        relations: one per step.
    """

    between: tuple[Row, ...]
    relations: tuple[str, ...]


def countries_by_market(graph: KnowledgeGraph) -> tuple[Rows, Rows, Rows]:
    """Rows of the assets without a country of their own whose market has one, of the market, and of the country."""
    within = graph.edges_between(Relation.IN_COUNTRY)
    listed = graph.edges_between(Relation.LISTED_ON)
    country = np.full(len(graph), -1, np.int64)
    country[graph.edges.head[within]] = graph.edges.tail[within]
    asset, market = (ends[listed].astype(np.int64) for ends in (graph.edges.head, graph.edges.tail))
    through = (country[asset] < 0) & (country[market] >= 0)
    return Rows(asset[through]), Rows(market[through]), Rows(country[market[through]])


def _attribute_edges(graph: KnowledgeGraph, kind: NodeKind) -> tuple[Rows, Rows]:
    """Rows of the assets and of the attribute nodes of a kind that they have; a country also through the market."""
    at = graph.edges_between(attribute_relation(kind))
    at = at[graph.asset_span.has(graph.edges.head[at])]  # industries have sectors too
    asset = graph.edges.head[at].astype(np.int64)
    node = graph.edges.tail[at].astype(np.int64)
    if kind is NodeKind.COUNTRY:
        more, _, country = countries_by_market(graph)
        asset = np.concatenate([asset, more])
        node = np.concatenate([node, country])
    return Rows(asset), Rows(node)


def attribute_matrix(graph: KnowledgeGraph) -> sp.csr_array:
    """(assets, nodes) float64 csr: an asset's attribute nodes, rare ones weighing more; rows of unit length.

    An issuer with one asset only is left out, since it can join nothing.
    """
    rows = []
    nodes = []
    weights = []
    for kind in ATTRIBUTE_CHANNELS.values():
        asset, node = _attribute_edges(graph, kind)
        degree = np.bincount(node, minlength=len(graph))[node].astype(np.float64)
        strength = (degree > 1).astype(np.float64) if kind is NodeKind.ISSUER else degree**-RARITY_POWER
        rows.append(graph.asset_span.position(asset))
        nodes.append(node)
        weights.append(strength)
    shape = (len(graph.assets), len(graph))
    z = sp.csr_array((np.concatenate(weights), (np.concatenate(rows), np.concatenate(nodes))), shape)
    z.eliminate_zeros()
    z.sort_indices()
    length = np.sqrt(np.asarray(z.multiply(z).sum(axis=1)).ravel())
    scaled = sp.csr_array(sp.diags_array(1.0 / np.maximum(length, 1e-12)) @ z)
    scaled.sort_indices()
    return scaled
