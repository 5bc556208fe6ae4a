"""Whom an asset suits, ranked, each with the reasons; for staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from flask import Blueprint
from msgspec import Meta

from pathfolio.explain.evidence import PathNode, Reason
from pathfolio.explain.records.audience_record import AudienceQuestion, Told, audience_of, record_audience
from pathfolio.kg.errors import UsageError
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.families import Share, shares_of
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.listed import spoken
from pathfolio.web.site.pages.investors import asset_row
from pathfolio.web.site.parameters import AssetId
from pathfolio.web.site.recorded import asker
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.view import view

LENGTHS: Final = (10, 25, 50, 100)
"""How many investors can be asked for."""

Length = Annotated[
    int,
    Meta(
        description=f"how many investors (default {LENGTHS[1]})",
        extra_json_schema={"minimum": 1, "maximum": LENGTHS[-1]},
    ),
]

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
    audience: Annotated[tuple[Suited, ...], Meta(max_length=LENGTHS[-1])]


@blueprint.get("/assets/<id:asset_id>/audience")
@view(Permission.INVESTORS, tag="recommendations", errors=(503,))
def audience(asset_id: AssetId, k: Length = LENGTHS[1]) -> AudiencePage:
    """Whom an asset suits, and why.

    For staff: those for whom it is suitable, of those who never held it. The look is recorded first.
    """
    site = served()
    lang = current_texts().lang
    row = asset_row(site.graph, asset_id)
    if not 1 <= k <= LENGTHS[-1]:
        raise UsageError(current_texts().say("how_many_allowed", n=k, most=LENGTHS[-1]))
    asked = AudienceQuestion(asker(), "site", asset_id, k, site.desk.today())
    shown = record_audience(site.desk, asked, site.work(_audience, asked, lang))
    found = tuple(
        Suited(
            person.rank,
            explanation.user,
            explanation.score,
            spoken(explanation, lang, is_of_person=True),
            shares_of(explanation),
        )
        for person, explanation in shown.people
    )
    return AudiencePage(site.names.node(row), k, found)


def _audience(asked: AudienceQuestion, lang: str) -> Told:
    return audience_of(served().desk.adviser, asked, (lang,))
