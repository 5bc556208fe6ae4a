"""The index of assets, and up to four of them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal

from flask import Blueprint, current_app, request, url_for
from msgspec import Meta

from pathfolio.explain.evidence import Fact, PathNode
from pathfolio.kg.schema import ASSET_KINDS, NodeKind
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.asset_index import AssetFilter, AssetIndex, AssetLine, sorted_by
from pathfolio.web.site.asset_profile import Attribute, attributes_of
from pathfolio.web.site.list_columns import COLUMNS, ListColumn, Order
from pathfolio.web.site.pages.investors import asset_row
from pathfolio.web.site.rebased import RebasedChart, rebased
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.served import ServedBuild
from pathfolio.web.site.view import view

ON_A_PAGE: Final = 25
MOST_COMPARED: Final = 4
SHOWN: Final = ("price", "year_change", "three_years", "volatility", "sharpe", "drawdown", "expense", "place", "risk")
"""Columns of the index, as a list has them."""

ROWS: Final = ("last_close", "return_1d", "return_1y", "annual_return_3y", "volatility_3y", "sharpe_3y",
               "max_drawdown_3y", "expense_ratio", "category_rank_1y")  # fmt: skip
"""Figures that are compared."""

_INDEX: Final = "pathfolio_asset_index"

blueprint = Blueprint("catalogue", __name__)

Named = Annotated[str, Meta(max_length=200)]
AssetSort = Annotated[
    Literal[
        "name", "price", "year_change", "three_years", "volatility", "sharpe", "drawdown", "expense", "place", "risk"
    ],
    Meta(description="the column by which assets are sorted; by name, or how well they fit, if not given"),
]
PageNumber = Annotated[int, Meta(ge=1, le=100_000)]


@dataclass(frozen=True)
class AssetQuestion:
    """The filters of an address.

    Attributes:
        q: what it is called, or part of that.
        kind: Stock, Fund or Bond.
        industry, category, market: an attribute's id.
        node: any attribute, as Kind:id.
        risk: the class by the rules.
    """

    q: Annotated[str, Meta(description="what it is called, or part of that")] = ""
    kind: Annotated[str, Meta(extra_json_schema={"enum": ["", *ASSET_KINDS]})] = ""
    industry: Named = ""
    category: Named = ""
    market: Named = ""
    node: Annotated[str, Meta(max_length=300, description="an attribute, as Kind:id")] = ""
    risk: Named = ""
    currency: Named = ""

    @property
    def filter(self) -> AssetFilter:
        """As the index takes it."""
        named = ((NodeKind.INDUSTRY, self.industry), (NodeKind.CATEGORY, self.category), (NodeKind.MARKET, self.market))
        nodes = [f"{kind.value}:{key}" for kind, key in named if key] + ([self.node] if self.node else [])
        return AssetFilter(self.q, self.kind, tuple(nodes), self.risk, self.currency)


@dataclass(frozen=True)
class CatalogueTwin:
    """Assets that fit: `count` of them, of which `lines` are one page's."""

    count: int
    page: int
    pages: int
    lines: tuple[AssetLine, ...]


@dataclass(frozen=True)
class CataloguePage(Page):
    """The page with its filters.

    Attributes:
        chosen: assets chosen to be compared.
        among: the attribute that the address names beside the filters.
    """

    template: ClassVar[str] = "catalogue.html"
    found: CatalogueTwin
    wanted: AssetQuestion
    sort: str
    order: str
    columns: tuple[ListColumn, ...]
    chosen: tuple[PathNode, ...]
    among: PathNode | None
    kinds: tuple[str, ...]
    choices: dict[NodeKind, tuple[PathNode, ...]]
    risks: tuple[str, ...]
    currencies: tuple[str, ...]

    def twin(self) -> CatalogueTwin:
        """The assets."""
        return self.found

    def address(self, **changes: object) -> str:
        """This page with other arguments; what is chosen stays."""
        args: dict[str, Any] = {key: value for key, value in request.args.items(multi=False) if key in _KEPT and value}
        return url_for("catalogue.assets", **{**args, "asset": [node.id for node in self.chosen], **changes})

    def without(self, node: PathNode) -> list[object]:
        """Ids of what is chosen beside `node`."""
        return [each.id for each in self.chosen if each != node]


_KEPT: Final = frozenset({*AssetQuestion.__dataclass_fields__, "sort", "order"})


@blueprint.get("/assets")
@view(Permission.ASSETS, tag="data", errors=(404,))
def assets(wanted: AssetQuestion, sort: AssetSort = "name", order: Order = "up", page: PageNumber = 1) -> CataloguePage:
    """Find assets by name, kind, market, industry or category, risk class and currency; sorted, in pages."""
    site = served()
    index = index_of(site)
    lines: Sequence[AssetLine] = index.found(wanted.filter)
    if sort != "name":
        lines = sorted_by(lines, [COLUMNS[sort].value(line) for line in lines], down=order == "down")
    elif order == "down":
        lines = lines[::-1]
    pages = max(1, -(-len(lines) // ON_A_PAGE))
    page = min(page, pages)
    found = CatalogueTwin(len(lines), page, pages, tuple(lines[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]))
    among = index.node(wanted.node) if wanted.node else None
    columns = tuple(COLUMNS[name] for name in SHOWN)
    kinds = tuple(kind.value for kind in ASSET_KINDS if kind.value.lower() in site.kinds)
    return CataloguePage(
        found, wanted, sort, order, columns, _chosen(site), among, kinds, index.choices, index.risks, index.currencies
    )


@dataclass(frozen=True)
class ComparedFigure:
    """One figure of all that are compared; None where an asset has none."""

    metric: str
    facts: tuple[Fact | None, ...]


@dataclass(frozen=True)
class ComparisonTwin:
    """Assets side by side: `attributes` and the facts of each figure are in the order of `lines`."""

    lines: tuple[AssetLine, ...]
    figures: tuple[ComparedFigure, ...]
    attributes: tuple[tuple[Attribute, ...], ...]
    chart: RebasedChart | None


@dataclass(frozen=True)
class ComparisonOfAssets(Page):
    """The page; `problem` is what was searched for and is not there."""

    template: ClassVar[str] = "compare.html"
    found: ComparisonTwin
    problem: str

    def twin(self) -> ComparisonTwin:
        """What is compared."""
        return self.found

    def address(self, *, without: object) -> str:
        """The page without one of them."""
        return url_for("catalogue.compare", asset=[x.asset.id for x in self.found.lines if x.asset.id != without])


@blueprint.get("/assets/compare")
@view(Permission.ASSETS, tag="data", errors=(404,))
def compare(find: Annotated[str, Meta(description="a further asset, by name or id")] = "") -> ComparisonOfAssets:
    """Up to four assets side by side: figures with their days, costs, places, risk classes, and their closes rebased.

    `asset` (it may repeat) names them.
    """
    site = served()
    index = index_of(site)
    rows = [site.graph.asset_row(str(node.id)) for node in _chosen(site)]
    problem = ""
    if find.strip():
        hits, _ = site.assets.find(find, 1)
        problem = "" if hits else find.strip()[:80]
        rows = list(dict.fromkeys([*rows, *hits]))[:MOST_COMPARED]
    lines = tuple(map(index.line, rows))
    figures = [ComparedFigure(metric, tuple(line.fact(metric) for line in lines)) for metric in ROWS]
    histories = [(line.asset, site.price_of(row)) for line, row in zip(lines, rows, strict=True)]
    chart = rebased([(node, price) for node, price in histories if price is not None])
    attributes = tuple(attributes_of(site, row) for row in rows)
    there = tuple(each for each in figures if any(each.facts))
    return ComparisonOfAssets(ComparisonTwin(lines, there, attributes, chart), problem)


def _chosen(site: ServedBuild) -> tuple[PathNode, ...]:
    ids = [each for each in dict.fromkeys(request.args.getlist("asset")) if each][:MOST_COMPARED]
    return tuple(site.names.node(asset_row(site.graph, each)) for each in ids)


def index_of(site: ServedBuild) -> AssetIndex:
    """The index of the running site; made when it is first asked for."""
    extensions = current_app.extensions
    if _INDEX not in extensions:
        extensions[_INDEX] = AssetIndex(site)
    found: AssetIndex = extensions[_INDEX]
    return found
