"""The home page and the search."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from flask import Blueprint, Response, request

from pathfolio.explain.evidence import PathNode
from pathfolio.kg.schema import NodeKind
from pathfolio.web.site.access.guard import needs, visitor
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.directory import LONGEST_QUERY, Directory
from pathfolio.web.site.examples import Example, examples_of
from pathfolio.web.site.render import Page, served, show
from pathfolio.web.site.served import Served

MOST_HITS: Final = 20
MOST_SUGGESTIONS: Final = 6

blueprint = Blueprint("home", __name__)


@dataclass(frozen=True)
class HomePage(Page):
    """What is served, and where to begin.

    Attributes:
        nodes, edges: how many there are by kind; `nodes` in the order of the schema.
        examples: investors to begin with, for those who may see all.
        own: the investor whose pages the visitor has.
    """

    template: ClassVar[str] = "home.html"
    name: str
    as_of: date
    build: str
    nodes: dict[str, int]
    edges: int
    examples: tuple[Example, ...]
    own: PathNode | None


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
@needs(Permission.HOME)
def home() -> Response:
    """What this is."""
    site, who = served(), visitor()
    counts = site.counts
    own = site.graph.find(NodeKind.USER, who.investor_id) if who.investor_id else None
    return show(
        HomePage(
            name=site.graph.name,
            as_of=site.graph.as_of,
            build=site.build.build_hash,
            nodes=counts["nodes"],
            edges=sum(counts["edges"].values()),
            examples=examples_of(site) if who.may(Permission.INVESTORS) else (),
            own=None if own is None else site.names.node(own),
        )
    )


@blueprint.get("/search")
@needs(Permission.HOME)
def search() -> Response:
    """Investors and assets that `?q=` fits; `?limit=` of each, for suggestions."""
    site = served()
    query = request.args.get("q", "").strip()[:LONGEST_QUERY]
    most = max(1, min(request.args.get("limit", MOST_HITS, type=int), MOST_HITS))
    everyone = visitor().may(Permission.INVESTORS)
    investors, more_investors = _hits(site, site.investors, query, most) if everyone else ((), 0)
    assets, more_assets = _hits(site, site.assets, query, most)
    return show(SearchPage(query, investors, more_investors, assets, more_assets))


def _hits(site: Served, directory: Directory, query: str, most: int) -> tuple[tuple[PathNode, ...], int]:
    rows, count = directory.find(query, most)
    return tuple(site.names.node(row) for row in rows), count - len(rows)
