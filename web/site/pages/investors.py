"""An investor: profile, holdings, and the recommended list with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

from flask import Blueprint, Response, abort, request

from pathfolio.explain.records.adviser import Advice
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import ASSET_KIND_OF, NodeKind
from pathfolio.kg.span import Row
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.language import current_texts, is_of_another
from pathfolio.web.site.list_columns import Chosen, ListColumn, Order, SortKey, columns_shown, list_csv, sorted_lines
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
class InvestorTwin:
    """An investor and the recommended list.

    Attributes:
        kind: of asset the list is for, None for all; `kinds` are those to choose from.
        warnings: what the suitability rules say against several lines.
        answers_are_old: whether they ask the investor to answer the questionnaire again.
    """

    portfolio: Portfolio
    kind: str | None
    kinds: tuple[str, ...]
    recommended: tuple[ListLine, ...]
    warnings: tuple[str, ...]
    answers_are_old: bool
    passed_over: tuple[PassedOver, ...]
    more_passed_over: int


@dataclass(frozen=True)
class InvestorPage(Page):
    """The list as it is asked for: `lines` sorted by a column, the largest first where `order` is down."""

    template: ClassVar[str] = "investor.html"
    found: InvestorTwin
    lines: tuple[ListLine, ...]
    columns: tuple[ListColumn, ...]
    sort: str
    order: str

    def twin(self) -> InvestorTwin:
        """All of it, in the list's own order."""
        return self.found


@blueprint.get("/investors/<id:user_id>")
@view(Permission.OWN_PAGES, tag="recommendations", recorded=True)
def investor(
    user_id: InvestorId,
    kind: KindOfAsset | None = None,
    sort: SortKey = "rank",
    order: Order = "up",
    columns: Chosen | None = None,
) -> InvestorPage | Response:
    """An investor's recommended list, with figures and reasons.

    Gated by the suitability rules and recorded before it is shown. `sort`, `order` and `columns` are of the page for
    people; with format=csv the list is a table with every figure.
    """
    site = served()
    lang = current_texts().lang
    row = investor_row(site.graph, user_id)
    check_kind(site, kind)
    if wants_json():
        twin = partial(_twin, row, kind, lang)
        return Response(ask("list twin", twin, user_id, k=LIST_LENGTH, kind=kind).view, mimetype="application/json")
    of_another = is_of_another()
    found_for = partial(_found, row, kind, lang, of_another)
    found: InvestorTwin = ask("list", found_for, user_id, k=LIST_LENGTH, kind=kind, of_another=of_another).view
    if request.args.get("format") == "csv":
        name = {"Content-Disposition": 'attachment; filename="list.csv"'}
        return Response(list_csv(found.recommended, lang), mimetype="text/csv", headers=name)
    lines = sorted_lines(found.recommended, sort, order)
    return InvestorPage(found, lines, columns_shown(), sort, order)


def _found(row: Row, kind: str | None, lang: str, of_another: bool, advice: Advice) -> InvestorTwin:
    site = served()
    found = advised(site, lang, advice, is_of_person=of_another)
    said = found.warnings, found.answers_are_old, found.passed_over, found.more_passed_over
    return InvestorTwin(portfolio_of(site, row, advice.question.told), kind, site.kinds, found.lines, *said)


def _twin(row: Row, kind: str | None, lang: str, advice: Advice) -> bytes:
    return in_json(_found(row, kind, lang, False, advice), lang)


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
