"""`AssetProfile`: what is known of one asset, without naming any investor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from pathfolio.explain.evidence import Fact, PathNode
from pathfolio.kg.graph import NO_DAY, Adjacency, to_date
from pathfolio.kg.schema import ATTRIBUTE_RELATIONS, Relation
from pathfolio.kg.span import Row
from pathfolio.web.site.served import ServedBuild


@dataclass(frozen=True)
class Attribute:
    """What the asset is, who says so, and of what day."""

    relation: str
    node: PathNode
    source: str
    as_of: date


@dataclass(frozen=True)
class FundPart:
    """A holding of a fund, or a fund that holds the asset: `weight` is a fraction of the fund, None if unknown."""

    asset: PathNode
    weight: float | None
    as_of: date


@dataclass(frozen=True)
class Rating:
    """What an analyst firm said last."""

    firm: PathNode
    rating: str
    as_of: date


@dataclass(frozen=True)
class AssetProfile:
    """What is known of one asset.

    Attributes:
        holders: at least how many investors hold or held it, as `pathfolio.recommender.groups` tells; None for none.
        parts: what a fund invests in, the largest first.
        funds: funds that invest in it, the one with the largest part first.
        ratings: analysts' ratings, the newest first.
    """

    asset: PathNode
    isin: str
    currency: str
    listed: date | None
    attributes: tuple[Attribute, ...]
    holders: int | None
    facts: tuple[Fact, ...]
    parts: tuple[FundPart, ...]
    funds: tuple[FundPart, ...]
    ratings: tuple[Rating, ...]


def profile_of(served: ServedBuild, row: Row) -> AssetProfile:
    """What is known of the asset at `row`."""
    graph = served.graph
    listed = int(graph.nodes.listed[row])
    holders = int(served.build.scorer.groups.holders[graph.asset_span.position(row)])
    return AssetProfile(
        asset=served.names.node(row),
        isin=str(graph.nodes.isin[row]),
        currency=str(graph.nodes.currency[row]),
        listed=None if listed == NO_DAY else to_date(listed),
        attributes=attributes_of(served, row),
        holders=holders or None,
        facts=tuple(served.facts.of(row).values()),
        parts=_parts(served, graph.outgoing(Relation.INVESTS_IN), row),
        funds=_parts(served, graph.incoming(Relation.INVESTS_IN), row),
        ratings=_ratings(served, row),
    )


def attributes_of(served: ServedBuild, row: Row) -> tuple[Attribute, ...]:
    """What the asset at `row` is, relation by relation."""
    edges = served.graph.edges
    out = []
    for relation in ATTRIBUTE_RELATIONS:
        adjacency = served.graph.outgoing(relation)
        for edge, node in zip(adjacency.edges_of(row).tolist(), adjacency.of(row).tolist(), strict=True):
            day = to_date(edges.as_of[edge])
            out.append(Attribute(relation.value, served.names.node(node), str(edges.source[edge]), day))
    return tuple(out)


def _parts(served: ServedBuild, adjacency: Adjacency, row: Row) -> tuple[FundPart, ...]:
    edges = served.graph.edges
    parts = []
    for edge, other in zip(adjacency.edges_of(row).tolist(), adjacency.of(row).tolist(), strict=True):
        weight = float(edges.weight[edge])
        known = None if np.isnan(weight) else weight
        parts.append(FundPart(served.names.node(other), known, to_date(edges.as_of[edge])))
    return tuple(sorted(parts, key=lambda part: (-(part.weight or 0.0), part.asset.name)))


def _ratings(served: ServedBuild, row: Row) -> tuple[Rating, ...]:
    edges = served.graph.edges
    adjacency = served.graph.outgoing(Relation.RATED_BY)
    ratings = [
        Rating(served.names.node(firm), str(edges.qualifier[edge]), to_date(edges.as_of[edge]))
        for edge, firm in zip(adjacency.edges_of(row).tolist(), adjacency.of(row).tolist(), strict=True)
    ]
    return tuple(sorted(ratings, key=lambda rating: rating.as_of, reverse=True))
