"""Charts of an investor's list: return against risk, and how well each asset meets what is wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

import numpy as np
from flask import Blueprint, request

from pathfolio.explain.evidence import INTERESTED_IN, PathNode
from pathfolio.explain.match import DIMENSIONS, Fit, MatchCell, among_peers, diversification, interest, objective, ruled
from pathfolio.explain.records.adviser import Advice
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.portfolio.book import bought, highest_volatility
from pathfolio.recommender.portfolio.points import correlation
from pathfolio.recommender.suitability.investor import InvestorFacts
from pathfolio.recommender.suitability.verdict import RuleResult
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.invest.asked import record_figures
from pathfolio.web.site.invest.scatter import Placed, Scatter, Scattered
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.listed import Badge, advised
from pathfolio.web.site.pages.investors import investor_row
from pathfolio.web.site.pages.portfolio import USUAL_BUDGET
from pathfolio.web.site.pages.what_if import answers_of
from pathfolio.web.site.parameters import InvestorId
from pathfolio.web.site.recorded import ask, ask_what_if
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.served import ServedBuild
from pathfolio.web.site.texts import Texts
from pathfolio.web.site.view import view
from pathfolio.web.site.what_if_json import asked_of

LIST_LENGTH: Final = 10

blueprint = Blueprint("charts", __name__)


@dataclass(frozen=True)
class MatchRow:
    """One asset of the list with a cell for each dimension, and how many of them fit."""

    asset: PathNode
    cells: tuple[MatchCell, ...]

    @property
    def fitting(self) -> int:
        """Cells that fit."""
        return sum(cell.fit is Fit.FITS for cell in self.cells)

    @property
    def told(self) -> int:
        """Cells that say something."""
        return sum(cell.fit is not Fit.OPEN for cell in self.cells)


@dataclass(frozen=True)
class ChartsPage(Page):
    """The charts.

    Attributes:
        picture: of return against risk; None where nothing of the list or of the portfolio has figures.
        near: of the part in which the list is, where its marks lie on each other.
        level: the investor's risk level, empty where it is not known.
        level_class: the highest risk class that it allows.
        is_changed: whether anything is assumed.
    """

    template: ClassVar[str] = "charts.html"
    investor: PathNode
    picture: Scatter | None
    near: Scatter | None
    level: PathNode | None
    level_class: float | None
    dimensions: tuple[str, ...]
    rows: tuple[MatchRow, ...]
    is_changed: bool

    def cell_text(self, cell: MatchCell, texts: Texts) -> str:
        """What stands in a cell."""
        words = texts.words
        value = cell.value
        if cell.fit is Fit.OPEN or value is None:
            return texts.say(f"cell_{cell.rule}")
        form: Callable[[float], str] = words.percent
        if cell.rule in _WHOLE:
            form = words.integer
        elif cell.rule == "diversification":
            form = partial(words.number, digits=2)
        elif cell.dimension == "cost":
            form = partial(words.percent, digits=2)
        limit = "" if cell.limit is None else form(cell.limit)
        return texts.say(f"cell_{cell.rule}", value=form(value), limit=limit, rank=cell.rank, of=cell.of)


_WHOLE: Final = frozenset({"risk", "horizon", "interests_named", "interests_held"})


@dataclass(frozen=True)
class _Found:
    """What the charts take of one line of the list."""

    asset_id: str
    asset: PathNode
    results: tuple[RuleResult, ...]
    badges: tuple[Badge, ...]


@blueprint.get("/investors/<id:user_id>/charts")
@view(Permission.OWN_PAGES, tag="recommendations", recorded=True)
def charts(user_id: InvestorId) -> ChartsPage:
    """Charts of an investor's list: return against risk, and how well each asset meets what is wanted.

    The query may assume answers and interests, and assets followed or dismissed, as that of *What if?* does.
    """
    site, lang = served(), current_texts().lang
    row = investor_row(site.graph, user_id)
    named = (request.args.getlist(key) for key in ("follow", "dismiss"))
    asked = asked_of(site, user_id, answers_of(request.args, empty=True), *named)
    is_changed = asked.investor != asked.before
    if is_changed:
        found = ask_what_if("charts", partial(_found, lang), asked, lang, "site")
    else:
        found = ask("charts", partial(_found, lang), user_id, k=LIST_LENGTH).view
    investor = asked.investor.facts(site.desk.adviser.gate)
    at = Positions(
        np.array([site.graph.asset_span.position(site.graph.asset_row(f.asset_id)) for f in found], np.int64)
    )
    level, answer = investor.levels.get("risk"), asked.investor.levels.get(Relation.HAS_RISK)
    drawn = _picture(site, user_id, investor, at, found)
    return ChartsPage(
        investor=site.names.node(row),
        picture=drawn.whole,
        near=drawn.near,
        level=None if level is None or answer is None else site.names.node(answer),
        level_class=None if level is None else level.limit,
        dimensions=DIMENSIONS,
        rows=tuple(
            MatchRow(each.asset, _cells(site, investor, Position(asset), each))
            for asset, each in zip(at.tolist(), found, strict=True)
        ),
        is_changed=is_changed,
    )


def _found(lang: str, advice: Advice) -> tuple[_Found, ...]:
    lines = advised(served(), lang, advice).lines
    return tuple(
        _Found(verdict.asset_id, line.asset, verdict.results, line.badges)
        for verdict, line in zip(advice.verdicts, lines, strict=True)
    )


def _picture(
    site: ServedBuild, user_id: str, investor: InvestorFacts, at: Positions, found: Sequence[_Found]
) -> Scattered:
    book = site.portfolios
    part = np.full(len(at), USUAL_BUDGET / 100 / max(len(at), 1))
    compared = book.compare(bought(investor.held, investor.share, at, part))
    record_figures(user_id, "charts", "equal", USUAL_BUDGET, compared)
    listed = [Placed(Position(asset), each.asset) for asset, each in zip(at.tolist(), found, strict=True)]
    held = [Placed(Position(asset), site.asset_node(Position(asset))) for asset in investor.held.tolist()]
    highest = highest_volatility(book.assets, investor)
    return Scattered(book.points, listed, held, (compared.before, compared.after), highest)


def _cells(site: ServedBuild, investor: InvestorFacts, asset: Position, found: _Found) -> tuple[MatchCell, ...]:
    row = site.graph.asset_span.row(asset)
    named = sum(badge.how == INTERESTED_IN for badge in found.badges)
    panel = site.portfolios.panel
    own = Positions(np.array([asset], np.int64))
    together = None if panel is None else correlation(panel, own, investor.held, investor.share)
    return (
        ruled("risk", "risk_level", found.results),
        ruled("horizon", "horizon", found.results),
        objective(site.facts, row, investor),
        interest(named, len(found.badges) - named),
        among_peers("performance", "performance", site.facts, row, "annual_return_3y"),
        among_peers("cost", "cost", site.facts, row, "expense_ratio", smallest=True),
        diversification(together, len(investor.held) > 0),
    )
