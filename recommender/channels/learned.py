"""Learned closeness: the KG embedding and the graph attention network, both linear in what they propagate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import ASSET_KINDS, Relation, attribute_relation
from pathfolio.kg.span import Position, Row
from pathfolio.recommender.account import ChannelAccount, Walk
from pathfolio.recommender.channels.base import Family, HoldingChannel
from pathfolio.recommender.channels.common_nodes import common_columns, meeting
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.propagation import LinearPropagation, kg_propagation
from pathfolio.recommender.score_inputs import ScoreInputs

KG_EMBEDDING: Final = "kg_embedding"
GAT: Final = "gat"


@dataclass(frozen=True)
class LearnedCloseness(HoldingChannel):
    """score(u, a) = pull(a) / sqrt(n_u) * sum over u's assets h of f(h) . f(a), with f = walks @ base.

    The dot product is a sum over pairs of walks h -> v and a -> w of weight times base(v) . base(w). Pairs that
    meet (v = w) are walks of the graph from the investor to the asset; what pairs that do not meet add is the
    learned remainder.
    """

    family: ClassVar[Family] = Family.LEARNED

    graph: KnowledgeGraph
    propagation: LinearPropagation
    pull: FloatArray

    def kernel(self) -> FloatArray:
        """(assets, assets) float64; an asset does not speak for itself."""
        factors = np.asarray(self.propagation.factors(), dtype=np.float64)
        closeness = factors @ factors.T
        np.fill_diagonal(closeness, 0.0)
        return closeness * self.pull

    def reach(self) -> Mask:
        """(assets, assets) bool: which assets' walks meet at a node that has a vector."""
        met = sp.csr_array(self._walks @ sp.diags_array((self.propagation.strength > 0).astype(np.float64)))
        met.eliminate_zeros()
        return np.asarray(meeting(met) & (self.pull != 0))

    def account(self, investor: InvestorRows, asset: Position) -> tuple[ChannelAccount, ...]:
        """One walk per holding and attribute, holding of a fund or asset that both reach."""
        if not self.pull[asset]:
            return ()
        holdings = investor.holdings[investor.holdings != asset]
        if not len(holdings):
            return ()
        factor = float(self.pull[asset] * investor.scale[0, 0])
        value = float((self._factors[holdings] @ self._factors[asset]).sum()) * factor
        walks = self._closed_walks(investor, asset, factor)
        rest = value - sum(walk.contribution for walk in walks)
        return (ChannelAccount(self.name, value, tuple(walks), rest),)

    def _closed_walks(self, investor: InvestorRows, asset: Position, factor: float) -> list[Walk]:
        owner, node, product = common_columns(self._walks, investor.holdings, asset)
        parts = product * self.propagation.strength[node] * factor
        user = investor.first_row
        target = self.graph.asset_span.row(asset)
        held = investor.positions(self.graph)
        return [
            self._walk(user, held[own], via, target, part)
            for own, via, part in zip(owner.tolist(), node.tolist(), parts.tolist(), strict=True)
        ]

    def _walk(self, user: Row, held: tuple[Row, Relation], via: Row, target: Row, part: float) -> Walk:
        first, position = held
        relation = self._relation_to.get(via)
        if relation is not None:
            return Walk((user, first, via, target), (position, relation, relation), part)
        inner = () if via in (first, target) else (via,)
        return Walk((user, first, *inner, target), (position, *(Relation.INVESTS_IN,) * (1 + len(inner))), part)

    @cached_property
    def _walks(self) -> sp.csr_array:
        walks = self.propagation.walks
        return walks if walks.has_sorted_indices else walks.sorted_indices()

    @cached_property
    def _factors(self) -> FloatArray:
        return np.asarray(self.propagation.factors(), dtype=np.float64)

    @cached_property
    def _relation_to(self) -> dict[int, Relation]:
        """How assets are joined to each attribute node; assets are not in it."""
        kinds = {row: self.graph.kind_of(row) for row in np.unique(self._walks.indices).tolist()}
        return {row: attribute_relation(kind) for row, kind in kinds.items() if kind not in ASSET_KINDS}


@dataclass(frozen=True)
class KgCloseness(LearnedCloseness):
    """Closeness of the KG embedding's vectors."""

    name: ClassVar[str] = KG_EMBEDDING
    names: ClassVar[tuple[str, ...]] = (KG_EMBEDDING,)

    @classmethod
    def fit(cls, inputs: ScoreInputs) -> KgCloseness:
        """Over a snapshot; an asset that the vectors do not know is reached through its attributes."""
        propagation = kg_propagation(inputs.graph, inputs.learned.vectors)
        return cls(inputs.graph, propagation, inputs.options.kg * inputs.pull)


@dataclass(frozen=True)
class AttentionCloseness(LearnedCloseness):
    """Closeness of what the graph attention network propagates."""

    name: ClassVar[str] = GAT
    names: ClassVar[tuple[str, ...]] = (GAT,)

    @classmethod
    def fit(cls, inputs: ScoreInputs) -> AttentionCloseness:
        """Over a snapshot, whatever day the network was trained on."""
        propagation = inputs.learned.attention.propagation(inputs.graph, inputs.groups.holders)
        return cls(inputs.graph, propagation, inputs.options.gat * inputs.pull)
