"""An investor's portfolio as it is, and with what the list would bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

import numpy as np
from flask import Blueprint

from pathfolio.explain.evidence import PathNode
from pathfolio.kg.graph import FloatArray
from pathfolio.kg.span import Position
from pathfolio.recommender.portfolio.allocate import Method, can_allocate
from pathfolio.recommender.portfolio.book import bought, highest_volatility
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.invest.asked import (
    OWN,
    AskedPortfolio,
    Budget,
    Controls,
    Split,
    asked_portfolio,
    controls_of,
    own_amounts,
    record_figures,
)
from pathfolio.web.site.invest.divided import Divided, why_text
from pathfolio.web.site.invest.shown import FigureRow, ShownMix, figure_rows, shown_mixes
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.pages.investors import investor_row
from pathfolio.web.site.parameters import InvestorId
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.served import ServedBuild
from pathfolio.web.site.view import view

USUAL_BUDGET: Final = 20

blueprint = Blueprint("portfolio", __name__)


@dataclass(frozen=True)
class Purchase:
    """One asset of the list and what is bought of it.

    Attributes:
        part: of the sum that is invested.
        of_portfolio: of the portfolio afterwards.
        amount: percent of what the portfolio is worth today.
        why: the reason of its part; empty where the investor divides.
    """

    asset: PathNode
    code: str
    part: float
    of_portfolio: float
    amount: float
    why: str


@dataclass(frozen=True)
class PortfolioPage(Page):
    """A portfolio now and with the list.

    Attributes:
        figures: side by side; all of them unknown where nothing has closes.
        covered: which part of the portfolio now, and afterwards, the figures are of; None where there are none.
        rate: what was taken for free of risk now, and afterwards.
        since, until: between which closes; None where there are none.
        weighting: how the weights of what is held are known: stated, valued, equal, unknown or none.
        unpriced: assets that the figures leave out.
        dropped: limits that the division could not keep.
    """

    template: ClassVar[str] = "portfolio.html"
    investor: PathNode
    controls: Controls
    purchases: tuple[Purchase, ...]
    figures: tuple[FigureRow, ...]
    covered: tuple[float | None, float | None]
    rate: tuple[float | None, float | None]
    since: date | None
    until: date | None
    mixes: tuple[ShownMix, ...]
    weighting: str
    holdings: int
    unpriced: tuple[PathNode, ...]
    dropped: tuple[str, ...]
    can_allocate: bool


@blueprint.get("/investors/<id:user_id>/portfolio")
@view(Permission.OWN_PAGES, tag="recommendations", recorded=True)
def portfolio(user_id: InvestorId, budget: Budget = USUAL_BUDGET, split: Split = "equal") -> PortfolioPage:
    """The portfolio as it is, and with the list bought for a budget: figures, and what it consists of."""
    site = served()
    row = investor_row(site.graph, user_id)
    found = asked_portfolio(user_id)
    book, held = site.portfolios, found.facts
    parts, divided, split = _parts(site, found, budget, split)
    weights = bought(held.held, held.share, found.listed, parts)
    compared = book.compare(weights)
    record_figures(user_id, "portfolio", split, budget, compared)
    after = dict(zip(weights.at.tolist(), weights.after.tolist(), strict=True))
    both = compared.before, compared.after
    some = compared.after or compared.before
    return PortfolioPage(
        investor=site.names.node(row),
        controls=controls_of(site, found, budget, split),
        purchases=tuple(
            _purchase(site, Position(asset), part, float(parts.sum()), after[asset], divided)
            for asset, part in zip(found.listed.tolist(), parts.tolist(), strict=True)
        ),
        figures=figure_rows(compared, highest_volatility(book.assets, held)),
        covered=tuple(None if each is None else each.covered for each in both),  # type: ignore[arg-type] # of two
        rate=tuple(None if each is None else each.rate for each in both),  # type: ignore[arg-type] # of two
        since=None if some is None else some.first_day,
        until=None if some is None else some.last_day,
        mixes=shown_mixes(site, compared, current_texts()),
        weighting=held.weighting,
        holdings=len(held.held),
        unpriced=tuple(site.asset_node(Position(asset)) for asset in compared.unpriced.tolist()),
        dropped=() if divided is None or divided.allocation is None else divided.allocation.dropped,
        can_allocate=can_allocate(),
    )


def _parts(
    site: ServedBuild, found: AskedPortfolio, budget: int, split: str
) -> tuple[FloatArray, Divided | None, Split]:
    """(n,) what is bought of each asset of the list, as fractions of what the portfolio is worth today."""
    listed = found.listed
    if split == OWN:
        amounts = own_amounts(site, listed)
        return np.array([amounts[Position(asset)] for asset in listed.tolist()]), None, "own"
    method = Method(split) if can_allocate() else Method.EQUAL
    if method is Method.EQUAL:
        return np.full(len(listed), budget / 100 / max(len(listed), 1)), None, "equal"
    divided = site.divider.divided(method, found.facts, listed)
    parts = np.zeros(len(listed))
    if divided.allocation is not None:
        place = {asset: at for at, asset in enumerate(listed.tolist())}
        parts[[place[asset] for asset in divided.at.tolist()]] = divided.allocation.parts * budget / 100
    return parts, divided, split  # type: ignore[return-value] # one of its words


def _purchase(
    site: ServedBuild, asset: Position, part: float, whole: float, after: float, divided: Divided | None
) -> Purchase:
    graph = site.graph
    row = graph.asset_span.row(asset)
    texts = current_texts()
    why = ""
    if divided is not None:
        known = dict(zip(divided.at.tolist(), divided.allocation.weights if divided.allocation else (), strict=True))
        why = why_text(known[asset], texts) if asset in known else texts.say("why_no_closes")
    return Purchase(
        asset=site.asset_node(asset),
        code=str(graph.nodes.ticker[row]) or str(graph.nodes.id[row]),
        part=part / whole if whole > 0 else 0.0,
        of_portfolio=after,
        amount=round(100 * part, 2),
        why=why,
    )
