"""An investor's levels, segment and portfolio as the rules see them, read from the snapshot's current edges."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pathfolio.kg.graph import FloatArray, IntArray
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Positions, Row
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.investor import InvestorFacts, InvestorLevel
from pathfolio.recommender.suitability.kinds import LEVEL_RELATIONS
from pathfolio.recommender.suitability.used_facts import PREDICTED


def investor_facts(assets: AssetFacts, user_row: Row) -> InvestorFacts:
    """What is known of the investor at row `user_row` of the snapshot's nodes."""
    graph = assets.graph
    segments = graph.outgoing(Relation.IN_SEGMENT).edges_of(user_row)
    segment = (str(graph.nodes.id[graph.edges.tail[segments[0]]]), int(segments[0])) if len(segments) else None
    holds = graph.outgoing(Relation.HOLDS)
    edges = holds.edges_of(user_row)
    held = graph.asset_span.position(holds.of(user_row))
    share, weighting = _shares(assets, held, edges)
    return InvestorFacts(user_row, dict(_levels(assets, user_row)), segment, held, edges, share, weighting)


def _levels(assets: AssetFacts, user_row: Row) -> Iterator[tuple[str, InvestorLevel]]:
    graph = assets.graph
    for table, relation in LEVEL_RELATIONS.items():
        edges = graph.outgoing(relation).edges_of(user_row)
        if len(edges):
            edge = int(edges[0])
            name = str(graph.nodes.id[graph.edges.tail[edge]])
            is_predicted = bool(graph.edges.qualifier[edge] == PREDICTED)
            limit = assets.rules.levels[table].get(name.casefold())
            yield table, InvestorLevel(name, relation, edge, limit, is_predicted)


def _shares(assets: AssetFacts, held: Positions, edges: IntArray) -> tuple[FloatArray, str]:
    """Fractions of the portfolio: as stated, else from units and prices, else equal where the rules allow that."""
    if not len(held):
        return np.zeros(0), "none"
    weight = assets.graph.edges.weight[edges]
    if not np.isnan(weight).any():
        return weight.clip(min=0) / max(float(weight.clip(min=0).sum()), 1.0), "stated"
    value = assets.graph.edges.value[edges] * assets.price[held]
    currencies = set(assets.graph.nodes.currency[assets.graph.asset_span.row(held)])
    if not np.isnan(value).any() and value.sum() > 0 and len(currencies) == 1:
        return value.clip(min=0) / value.clip(min=0).sum(), "valued"
    if assets.rules.equal_weights:
        return np.full(len(held), 1 / len(held)), "equal"
    return np.zeros(len(held)), "unknown"
