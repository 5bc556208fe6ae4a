"""The neighbours of a node of a picture, for scripts that expand it: a few of them, and never a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

import numpy as np
from flask import Blueprint, Response, abort, jsonify, url_for
from msgspec import Meta

from pathfolio.explain.evidence import PathNode
from pathfolio.explain.tracer import Tracer
from pathfolio.kg.graph import to_date
from pathfolio.kg.schema import ASSET_KINDS, OF_INVESTORS, RELATIONS, UNDATED, NodeKind, Relation, Role
from pathfolio.kg.span import Row
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.render import served_graph
from pathfolio.web.site.served import ServedBuild, ServedGraph
from pathfolio.web.site.twin import as_json
from pathfolio.web.site.view import view

MOST: Final = 12
SHOWN: Final = tuple(
    relation for relation in Relation if relation not in OF_INVESTORS and RELATIONS[relation].role is not Role.FACT
)
"""Relations that lead to neighbours; none of them tells of an investor."""

blueprint = Blueprint("neighbours", __name__)


@dataclass(frozen=True)
class Neighbour:
    """A neighbour and the edge that leads to it.

    Attributes:
        forward: whether the edge leads from the node to the neighbour.
        said: what the edge says in the reader's language, with its source and days.
        address: the neighbour's own page; empty where it has none.
    """

    node: PathNode
    kind_text: str
    relation: str
    forward: bool
    weight: float | None
    source: str
    as_of: date
    known_at: date
    said: str
    address: str


@dataclass(frozen=True)
class Neighbours:
    """The first of a node's neighbours, those of most weight first; `more` are not listed."""

    node: PathNode
    neighbours: tuple[Neighbour, ...]
    more: int


@blueprint.get("/neighbours")
@view(Permission.ASSETS, tag="data", errors=(404,))
def neighbours(node: Annotated[str, Meta(max_length=300, description="as Kind:id")] = "") -> Neighbours | Response:
    """Some neighbours of an asset or of what assets have in common; people and what they hold are none."""
    site = served_graph()
    kind, _, key = node.partition(":")
    row = site.graph.find(NodeKind(kind), key) if kind in list(NodeKind) and kind != NodeKind.USER else None
    if row is None:
        abort(404)
    names = site.names if isinstance(site, ServedBuild) else Tracer(site.graph, "")
    found = sorted(_edges(site, row), key=lambda each: (-each[0], names.node(each[2]).name))
    shown = tuple(_neighbour(site, names, *each[1:]) for each in found[:MOST])
    answer = Neighbours(names.node(row), shown, len(found) - len(shown))
    return jsonify(as_json(answer, current_texts().lang))


def _edges(site: ServedGraph, row: Row) -> Iterator[tuple[float, int, Row, bool]]:
    """Weight (0 where there is none), place among the edges, the other end, and whether the edge leads there."""
    graph = site.graph
    for relation in SHOWN:
        for adjacency, forward in ((graph.outgoing(relation), True), (graph.incoming(relation), False)):
            for edge, other in zip(adjacency.edges_of(row).tolist(), adjacency.of(row).tolist(), strict=True):
                weight = float(graph.edges.weight[edge])
                yield (0.0 if np.isnan(weight) else weight, edge, Row(other), forward)


def _neighbour(site: ServedGraph, names: Tracer, edge: int, other: Row, forward: bool) -> Neighbour:
    edges, words = site.graph.edges, current_texts().words
    relation = Relation(list(Relation)[int(edges.relation[edge])])
    weight = float(edges.weight[edge])
    known = None if np.isnan(weight) else weight
    days = (to_date(edges.as_of[edge]), to_date(edges.known_at[edge]))
    node = names.node(other)
    said = words.edge_said(relation.value, known, str(edges.source[edge]), *(None if d == UNDATED else d for d in days))
    return Neighbour(
        node, words.kind(node.kind), relation.value, forward, known, str(edges.source[edge]), *days, said,
        node_address(node, has_scores=isinstance(site, ServedBuild)),
    )  # fmt: skip


def node_address(node: PathNode, *, has_scores: bool = True) -> str:
    """Where a node of a picture leads: an asset to its page, what assets share to the assets that have it."""
    if node.id is None or node.kind in {NodeKind.USER.value, NodeKind.METRIC.value, NodeKind.ANALYST_FIRM.value}:
        return ""
    if not has_scores:
        return url_for("canvas.canvas", node=f"{node.kind}:{node.id}")
    if node.kind in {kind.value for kind in ASSET_KINDS}:
        return url_for("assets.asset", asset_id=node.id)
    return url_for("catalogue.assets", node=f"{node.kind}:{node.id}")
