"""Whom an asset suits, ranked, each with the reasons; for staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from flask import Blueprint, Response, request

from pathfolio.explain.evidence import PathNode, Reason
from pathfolio.explain.records.audience_record import AudienceQuestion, Told, audience_of, record_audience
from pathfolio.kg.errors import UsageError
from pathfolio.web.site.access.guard import needs
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.families import Share, shares_of
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.pages.investors import asset_row, spoken
from pathfolio.web.site.recorded import asker
from pathfolio.web.site.render import Page, served, show

LENGTHS: Final = (10, 25, 50, 100)
"""How many investors can be asked for."""

blueprint = Blueprint("audience", __name__)


@dataclass(frozen=True)
class Suited:
    """One investor of the audience; `shares` are what the families of channels add to the score."""

    rank: int
    investor: PathNode
    score: float
    reasons: tuple[Reason, ...]
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class AudiencePage(Page):
    """Those for whom the asset is suitable and scores best, of those who never held it; `length` were asked for."""

    template: ClassVar[str] = "audience.html"
    lengths: ClassVar[tuple[int, ...]] = LENGTHS
    asset: PathNode
    length: int
    audience: tuple[Suited, ...]


@blueprint.get("/assets/<id:asset_id>/audience")
@needs(Permission.INVESTORS)
def audience(asset_id: str) -> Response:
    """The asset's audience; `?k=` says how many. The look is recorded before it is shown."""
    site, lang = served(), current_texts().lang
    row = asset_row(site.graph, asset_id)
    length = request.args.get("k", default=LENGTHS[1], type=int)
    if not 1 <= length <= LENGTHS[-1]:
        raise UsageError(current_texts().say("how_many_allowed", n=length, most=LENGTHS[-1]))
    asked = AudienceQuestion(asker(), "site", asset_id, length, site.desk.today())
    shown = record_audience(site.desk, asked, site.work(_audience, asked, lang))
    found = tuple(
        Suited(person.rank, explanation.user, explanation.score, spoken(explanation, lang), shares_of(explanation))
        for person, explanation in shown.people
    )
    return show(AudiencePage(site.names.node(row), length, found))


def _audience(asked: AudienceQuestion, lang: str) -> Told:
    return audience_of(served().desk.adviser, asked, (lang,))
