"""An investor: profile, holdings, and the recommended list with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import ClassVar, Final

from flask import Blueprint, Response, abort

from pathfolio.explain.evidence import PathNode, Reason
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.reasons.case import NEW_DAYS
from pathfolio.explain.records.adviser import Advice
from pathfolio.explain.records.verdict_text import verdict_text, warnings_of
from pathfolio.kg.graph import NO_DAY, KnowledgeGraph, to_date, to_days
from pathfolio.kg.schema import ASSET_KIND_OF, NodeKind
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.families import Share, shares_of
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.pages.errors import NotThere
from pathfolio.web.site.parameters import InvestorId, KindOfAsset, Place, VerdictWord
from pathfolio.web.site.portfolio import Portfolio, portfolio_of
from pathfolio.web.site.recorded import ask
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.served import ServedBuild
from pathfolio.web.site.twin import in_json, wants_json
from pathfolio.web.site.view import view

LIST_LENGTH: Final = 10
SHOWN_REASONS: Final = 3
SHOWN_PASSED_OVER: Final = 5

blueprint = Blueprint("investors", __name__)


@dataclass(frozen=True)
class ListLine:
    """One recommended asset.

    Attributes:
        listed: the day it came to market, where that was less than 90 days ago.
        shares: what the families of channels add to the score.
        warnings: what they say against it, beside `Advised.warnings`.
    """

    rank: Place
    asset: PathNode
    score: float
    reasons: tuple[Reason, ...]
    listed: date | None
    shares: tuple[Share, ...]
    verdict: VerdictWord
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class PassedOver:
    """An asset that the score would have listed at `place`, and why the suitability rules did not let it through."""

    place: int
    asset: PathNode
    why: tuple[str, ...]


@dataclass(frozen=True)
class Advised:
    """A list as it is shown.

    Attributes:
        warnings: what the suitability rules say against every line.
        passed_over: the first of those that the rules did not let through, with `more_passed_over` beside them.
    """

    lines: tuple[ListLine, ...]
    warnings: tuple[str, ...]
    passed_over: tuple[PassedOver, ...]
    more_passed_over: int


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
    site, lang = served(), current_texts().lang
    row = investor_row(site.graph, user_id)
    check_kind(site, kind)
    if not wants_json():
        page: InvestorPage = ask("list", partial(_page, row, kind, lang), user_id, k=LIST_LENGTH, kind=kind).view
        return page
    twin = partial(_twin, row, kind, lang)
    return Response(ask("list twin", twin, user_id, k=LIST_LENGTH, kind=kind).view, mimetype="application/json")


def _page(row: int, kind: str | None, lang: str, advice: Advice) -> InvestorPage:
    site, found = served(), _advised(served(), lang, advice)
    passed_over = found.passed_over, found.more_passed_over
    return InvestorPage(portfolio_of(site, row), kind, site.kinds, found.lines, found.warnings, *passed_over)


def _twin(row: int, kind: str | None, lang: str, advice: Advice) -> bytes:
    return in_json(_page(row, kind, lang, advice), lang)


def investor_row(graph: KnowledgeGraph, user_id: str) -> int:
    """The row of an investor; answers 404 where there is none, to those who may see investors."""
    row = graph.find(NodeKind.USER, user_id)
    if row is None:
        raise NotThere("investor", user_id)
    return row


def asset_row(graph: KnowledgeGraph, asset_id: str) -> int:
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


def newly_listed(graph: KnowledgeGraph, row: int) -> date | None:
    """The day the asset at `row` came to market, where that was in the last 90 days."""
    day = int(graph.nodes.listed[row])
    return to_date(day) if day != NO_DAY and 0 <= to_days(graph.as_of) - day <= NEW_DAYS else None


def _advised(site: ServedBuild, lang: str, advice: Advice) -> Advised:
    common, of_lines = warnings_of(advice.verdicts, lang)
    lines = tuple(
        _line(site, lang, explanation, verdict.state, texts)
        for explanation, verdict, texts in zip(advice.explanations, advice.verdicts, of_lines, strict=True)
    )
    return Advised(lines, common, *passed_over_by(site, lang, advice))


def passed_over_by(site: ServedBuild, lang: str, advice: Advice) -> tuple[tuple[PassedOver, ...], int]:
    """The first of those that the rules did not let through, and how many more there are."""
    found = tuple(
        PassedOver(
            each.place,
            site.names.node(site.graph.asset_row(each.asset_id)),
            tuple(verdict_text(each.verdict.to_json(), lang, to_investor=True)),
        )
        for each in advice.rejected[:SHOWN_PASSED_OVER]
    )
    return found, len(advice.rejected) - len(found)


def _line(site: ServedBuild, lang: str, explanation: Explanation, verdict: str, warnings: tuple[str, ...]) -> ListLine:
    return ListLine(
        rank=explanation.rank,
        asset=explanation.asset,
        score=explanation.score,
        reasons=spoken(explanation, lang),
        listed=newly_listed(site.graph, site.graph.asset_row(explanation.asset_id)),
        shares=shares_of(explanation),
        verdict=verdict,
        warnings=warnings,
    )


def spoken(explanation: Explanation, lang: str) -> tuple[Reason, ...]:
    """The strongest reasons, and the first caution if there is one."""
    reasons = explanation.reasons_in(lang)
    cautions = [reason for reason in reasons if reason.is_caution][:1]
    praise = [reason for reason in reasons if not reason.is_caution]
    return (*praise[: SHOWN_REASONS - len(cautions)], *cautions)
