"""The home page and the search."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, ClassVar, Final

from flask import Blueprint
from msgspec import Meta

from pathfolio.explain.evidence import PathNode
from pathfolio.kg.schema import NodeKind
from pathfolio.web.site.access.guard import visitor
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.directory import LONGEST_QUERY, Directory
from pathfolio.web.site.examples import Example, examples_of
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.served import ServedBuild
from pathfolio.web.site.view import view

MOST_HITS: Final = 20

Query = Annotated[str, Meta(description="what to look for")]
Limit = Annotated[
    int, Meta(description="at most so many of each", extra_json_schema={"minimum": 1, "maximum": MOST_HITS})
]

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
@view(Permission.HOME, tag="data")
def home() -> HomePage:
    """What is served."""
    site = served()
    who = visitor()
    counts = site.counts if who.may(Permission.INVESTORS) else site.told_counts
    own = site.graph.find(NodeKind.USER, who.investor_id) if who.investor_id else None
    return HomePage(
        name=site.graph.name,
        as_of=site.graph.as_of,
        build=site.build.build_hash,
        nodes=counts["nodes"],
        edges=sum(counts["edges"].values()),
        examples=examples_of(site) if who.may(Permission.INVESTORS) else (),
        own=None if own is None else site.names.node(own),
    )


@blueprint.get("/search")
@view(Permission.HOME, tag="data")
def search(q: Query = "", limit: Limit = MOST_HITS) -> SearchPage:
    """Find investors and assets by name or id."""
    site = served()
    query = q[:LONGEST_QUERY]
    most = max(1, min(limit, MOST_HITS))
    everyone = visitor().may(Permission.INVESTORS)
    investors, more_investors = _hits(site, site.investors, query, most) if everyone else ((), 0)
    assets, more_assets = _hits(site, site.assets, query, most)
    return SearchPage(query, investors, more_investors, assets, more_assets)


def _hits(site: ServedBuild, directory: Directory, query: str, most: int) -> tuple[tuple[PathNode, ...], int]:
    rows, count = directory.find(query, most)
    return tuple(site.names.node(row) for row in rows), count - len(rows)
