"""An investor: profile, holdings, and the recommended list with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from flask import Blueprint, Response, abort, request

from explain.evidence import PathNode, Reason
from explain.explanation import Explanation
from explain.triggers_facts import NEW_DAYS
from kg.graph import NO_DAY, KnowledgeGraph, to_date, to_days
from kg.schema import ASSET_KIND_OF, NodeKind
from web.site.access.guard import needs
from web.site.access.roles import Permission
from web.site.families import Share, shares_of
from web.site.language import current_texts
from web.site.portfolio import Portfolio, portfolio_of
from web.site.render import Page, served, show
from web.site.served import Ranked, Served

LIST_LENGTH: Final = 10
SHOWN_REASONS: Final = 3

blueprint = Blueprint("investors", __name__)


@dataclass(frozen=True)
class Line:
    """One recommended asset.

    Attributes:
        listed: the day it came to market, where that was less than 90 days ago.
        shares: what the families of channels add to the score.
    """

    rank: int
    asset: PathNode
    score: float
    reasons: tuple[Reason, ...]
    listed: date | None
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class InvestorPage(Page):
    """`kind` is the kind of asset the list is for, None for all; `kinds` are those to choose from."""

    template: ClassVar[str] = "investor.html"
    portfolio: Portfolio
    kind: str | None
    kinds: tuple[str, ...]
    recommended: tuple[Line, ...]


@blueprint.get("/investors/<id:user_id>")
@needs(Permission.OWN_PAGES)
def investor(user_id: str) -> Response:
    """The investor's page; `?kind=` switches the list between stock, fund and bond."""
    site = served()
    row, kind = investor_row(site.graph, user_id), asked_kind(site)
    user = row - int(site.graph.users[0])
    lines = tuple(_line(site, user, ranked) for ranked in site.list_of(user, LIST_LENGTH, kind))
    return show(InvestorPage(portfolio_of(site, row), kind, site.kinds, lines))


def investor_row(graph: KnowledgeGraph, user_id: str) -> int:
    """The row of an investor; answers 404 where there is none."""
    row = graph.find(NodeKind.USER, user_id)
    return abort(404) if row is None else row


def asset_row(graph: KnowledgeGraph, asset_id: str) -> int:
    """The row of an asset; answers 404 where there is none."""
    found = (graph.find(kind, asset_id) for kind in ASSET_KIND_OF.values())
    row = next((row for row in found if row is not None), None)
    return abort(404) if row is None else row


def asked_kind(site: Served) -> str | None:
    """The kind of `?kind=`, None for all; answers 404 for one that the snapshot does not have."""
    kind = request.args.get("kind") or None
    if kind is not None and kind not in site.kinds:
        abort(404)
    return kind


def newly_listed(graph: KnowledgeGraph, row: int) -> date | None:
    """The day the asset at `row` came to market, where that was in the last 90 days."""
    day = int(graph.nodes.listed[row])
    return to_date(day) if day != NO_DAY and 0 <= to_days(graph.as_of) - day <= NEW_DAYS else None


def _line(site: Served, user: int, ranked: Ranked) -> Line:
    lang = current_texts().lang
    explanation = site.explain(user, ranked.asset, ranked.rank, lang)
    return Line(
        rank=ranked.rank,
        asset=explanation.asset,
        score=explanation.score,
        reasons=_spoken(explanation, lang),
        listed=newly_listed(site.graph, int(site.graph.assets[ranked.asset])),
        shares=shares_of(explanation),
    )


def _spoken(explanation: Explanation, lang: str) -> tuple[Reason, ...]:
    """The strongest reasons, and the first caution if there is one."""
    reasons = explanation.reasons_in(lang)
    cautions = [reason for reason in reasons if reason.is_caution][:1]
    praise = [reason for reason in reasons if not reason.is_caution]
    return (*praise[: SHOWN_REASONS - len(cautions)], *cautions)
