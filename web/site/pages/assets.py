"""An asset: what it is, its figures, its holdings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from flask import Blueprint

from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.asset_profile import AssetProfile, profile_of
from pathfolio.web.site.invest.signal_chart import DrawnSignal, drawn_signals
from pathfolio.web.site.invest.trend_lines import USUAL_MONTHS, DrawnTrend, Months, drawn_trend
from pathfolio.web.site.listed import newly_listed
from pathfolio.web.site.pages.investors import asset_row
from pathfolio.web.site.parameters import AssetId
from pathfolio.web.site.prices import PriceHistory
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.view import view

blueprint = Blueprint("assets", __name__)


@dataclass(frozen=True)
class AssetPage(Page):
    """An asset's page.

    Attributes:
        newly_listed: the day the asset came to market, where that was in the last 90 days.
        trend: its last months beside its peers and its market; None where its closes do not reach back so far.
        signals: what models foretold of it and what came, where the build has signals.
    """

    template: ClassVar[str] = "asset.html"
    profile: AssetProfile
    newly_listed: date | None
    price: PriceHistory | None
    trend: DrawnTrend | None
    asked_months: int
    signals: tuple[DrawnSignal, ...]


@blueprint.get("/assets/<id:asset_id>")
@view(Permission.ASSETS, tag="data")
def asset(asset_id: AssetId, months: Months = USUAL_MONTHS) -> AssetPage:
    """What is known of an asset."""
    site = served()
    row = asset_row(site.graph, asset_id)
    trend = drawn_trend(site, row, months)
    return AssetPage(
        profile_of(site, row),
        newly_listed(site.graph, row),
        site.price_of(row),
        trend,
        months,
        drawn_signals(site, row),
    )
