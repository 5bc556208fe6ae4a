"""The home page and the search."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from flask import Blueprint, Response, request

from explain.evidence import PathNode
from kg.schema import NodeKind, Relation
from web.site.directory import Directory
from web.site.portfolio import Level, levels_of
from web.site.render import Page, served, show
from web.site.served import Served

EXAMPLE_HOLDINGS: Final = 8
"""Example investors hold about so many assets: enough to see paths, few enough to read."""

MOST_HITS: Final = 20
MOST_SUGGESTIONS: Final = 6

blueprint = Blueprint("home", __name__)


@dataclass(frozen=True)
class Example:
    """An investor to begin with."""

    investor: PathNode
    levels: tuple[Level, ...]
    holdings: int


@dataclass(frozen=True)
class HomePage(Page):
    """What is served, and where to begin.

    Attributes:
        nodes, edges: how many there are by kind; `nodes` in the order of the schema.
    """

    template: ClassVar[str] = "home.html"
    name: str
    as_of: date
    build: str
    nodes: dict[str, int]
    edges: int
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class SearchPage(Page):
    """What a query fits; `more_…` are how many are not listed."""

    template: ClassVar[str] = "search.html"
    query: str
    investors: tuple[PathNode, ...]
    more_investors: int
    assets: tuple[PathNode, ...]
    more_assets: int


@blueprint.get("/")
def home() -> Response:
    """What this is."""
    site = served()
    counts = site.counts
    return show(
        HomePage(
            name=site.graph.name,
            as_of=site.graph.as_of,
            build=site.build.build_hash,
            nodes=counts["nodes"],
            edges=sum(counts["edges"].values()),
            examples=examples(site),
        )
    )


@blueprint.get("/search")
def search() -> Response:
    """Investors and assets that `?q=` fits; `?limit=` of each, for suggestions."""
    site = served()
    query = request.args.get("q", "").strip()[:200]
    most = max(1, min(request.args.get("limit", MOST_HITS, type=int), MOST_HITS))
    investors, more_investors = _hits(site, site.investors, query, most)
    assets, more_assets = _hits(site, site.assets, query, most)
    return show(SearchPage(query, investors, more_investors, assets, more_assets))


def _hits(site: Served, directory: Directory, query: str, most: int) -> tuple[tuple[PathNode, ...], int]:
    rows, count = directory.find(query, most)
    return tuple(site.names.node(row) for row in rows), count - len(rows)


def examples(site: Served) -> tuple[Example, ...]:
    """One investor of each risk level, with about `EXAMPLE_HOLDINGS` holdings, and one who holds nothing."""
    graph = site.graph
    count = graph.outgoing(Relation.HOLDS).degree()
    before = graph.outgoing(Relation.HELD).degree()
    levels = graph.incoming(Relation.HAS_RISK)
    groups = [levels.of(level).tolist() for level in graph.rows(NodeKind.RISK_LEVEL).tolist()]
    groups = [group for group in groups if group] or [graph.users.tolist()]
    chosen = [min(group, key=lambda row: (abs(int(count[row]) - EXAMPLE_HOLDINGS), row)) for group in groups if group]
    new = graph.users[(count[graph.users] == 0) & (before[graph.users] == 0)]
    rows = dict.fromkeys([*chosen, *new[:1].tolist()])
    return tuple(Example(site.names.node(row), levels_of(site, row), int(count[row])) for row in rows)
