"""An investor: profile, holdings, and the recommended list with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

from flask import Blueprint, Response, abort

from pathfolio.explain.records.adviser import Advice
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import ASSET_KIND_OF, NodeKind
from pathfolio.kg.span import Row
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.listed import ListLine, PassedOver, advised
from pathfolio.web.site.pages.errors import NotThere
from pathfolio.web.site.parameters import InvestorId, KindOfAsset
from pathfolio.web.site.portfolio import Portfolio, portfolio_of
from pathfolio.web.site.recorded import ask
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.served import ServedBuild
from pathfolio.web.site.twin import in_json, wants_json
from pathfolio.web.site.view import view

LIST_LENGTH: Final = 10

blueprint = Blueprint("investors", __name__)


@dataclass(frozen=True)
class InvestorPage(Page):
    """`kind` is the kind of asset the list is for, None for all; `kinds` are those to choose from."""

    template: ClassVar[str] = "investor.html"
    portfolio: Portfolio
    kind: str | None
    kinds: tuple[str, ...]
    recommended: tuple[ListLine, ...]
    warnings: tuple[str, ...]
    passed_over: tuple[PassedOver, ...]
    more_passed_over: int


@blueprint.get("/investors/<id:user_id>")
@view(Permission.OWN_PAGES, tag="recommendations", recorded=True)
def investor(user_id: InvestorId, kind: KindOfAsset | None = None) -> InvestorPage | Response:
    """An investor's recommended list, with reasons.

    Gated by the suitability rules and recorded before it is shown.
    """
    site = served()
    lang = current_texts().lang
    row = investor_row(site.graph, user_id)
    check_kind(site, kind)
    if not wants_json():
        page: InvestorPage = ask("list", partial(_page, row, kind, lang), user_id, k=LIST_LENGTH, kind=kind).view
        return page
    twin = partial(_twin, row, kind, lang)
    return Response(ask("list twin", twin, user_id, k=LIST_LENGTH, kind=kind).view, mimetype="application/json")


def _page(row: Row, kind: str | None, lang: str, advice: Advice) -> InvestorPage:
    site = served()
    found = advised(site, lang, advice)
    passed_over = found.passed_over, found.more_passed_over
    return InvestorPage(portfolio_of(site, row), kind, site.kinds, found.lines, found.warnings, *passed_over)


def _twin(row: Row, kind: str | None, lang: str, advice: Advice) -> bytes:
    return in_json(_page(row, kind, lang, advice), lang)


def investor_row(graph: KnowledgeGraph, user_id: str) -> Row:
    """The row of an investor; answers 404 where there is none, to those who may see investors."""
    row = graph.find(NodeKind.USER, user_id)
    if row is None:
        raise NotThere("investor", user_id)
    return row


def asset_row(graph: KnowledgeGraph, asset_id: str) -> Row:
    """The row of an asset; answers 404 where there is none."""
    found = (graph.find(kind, asset_id) for kind in ASSET_KIND_OF.values())
    row = next((row for row in found if row is not None), None)
    if row is None:
        raise NotThere("asset", asset_id)
    return row


def check_kind(site: ServedBuild, kind: str | None) -> None:
    """Answer 404 for a kind of asset that the snapshot does not have."""
    if kind is not None and kind not in site.kinds:
        abort(404)
