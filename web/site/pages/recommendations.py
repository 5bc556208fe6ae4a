"""One recommendation: why this asset for this investor, with all of its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from flask import Blueprint, Response

from explain.explanation import Explanation
from explain.wording import LANGUAGES
from web.site.access.guard import needs
from web.site.access.roles import Permission
from web.site.pages.investors import asked_kind, asset_row, investor_row
from web.site.prices import PriceHistory
from web.site.render import Page, served, show

blueprint = Blueprint("recommendations", __name__)


@dataclass(frozen=True)
class RecommendationPage(Page):
    """`kind` is the kind of asset among which `explanation.rank` counts, None for all."""

    template: ClassVar[str] = "recommendation.html"
    explanation: Explanation
    kind: str | None
    price: PriceHistory | None

    def to_json(self, lang: str) -> Any:
        """The explanation alone, as `pathfolio explain --format json` prints it, with reasons in all languages."""
        return self.explanation.to_json()


@blueprint.get("/investors/<id:user_id>/assets/<id:asset_id>")
@needs(Permission.OWN_PAGES)
def recommendation(user_id: str, asset_id: str) -> Response:
    """Why the asset has its score for the investor; `?kind=` counts the rank among assets of that kind."""
    site = served()
    user = investor_row(site.graph, user_id) - int(site.graph.users[0])
    row = asset_row(site.graph, asset_id)
    asset = row - int(site.graph.assets[0])
    kind = asked_kind(site)
    explanation = site.explain(user, asset, site.rank_of(user, asset, kind), *LANGUAGES)
    return show(RecommendationPage(explanation, kind, site.price_of(row)))
