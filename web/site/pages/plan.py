"""A plan in four steps: assess the risk, allocate, construct, manage; each rests on the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

import numpy as np
from flask import Blueprint
from msgspec import Meta

from pathfolio.explain.evidence import PathNode
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.portfolio.allocate import Method, can_allocate
from pathfolio.recommender.portfolio.balance import BAND, BAND_PART, LEAST_TRADE, Balance, Holdings, balance
from pathfolio.recommender.portfolio.book import Weights, highest_volatility
from pathfolio.recommender.suitability.investor import InvestorFacts
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.invest.asked import AskedPortfolio, Controls, asked_portfolio, controls_of, record_figures
from pathfolio.web.site.invest.divided import Divided, why_text
from pathfolio.web.site.invest.shown import FigureRow, ShownMix, figure_rows, shown_mixes
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.pages.investors import investor_row
from pathfolio.web.site.parameters import InvestorId
from pathfolio.web.site.portfolio import ProfileLevel, levels_of
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.served import ServedBuild
from pathfolio.web.site.telling import told_of
from pathfolio.web.site.view import view

STEPS: Final = ("assess", "allocate", "construct", "manage")

Step = Annotated[Literal["assess", "allocate", "construct", "manage"], Meta(description="the step that is shown")]
HowToAllocate = Annotated[
    Literal["minimum_variance", "risk_parity", "mean_variance"], Meta(description="how the whole is divided")
]

blueprint = Blueprint("plan", __name__)


@dataclass(frozen=True)
class PlanLine:
    """One asset of the plan.

    Attributes:
        now, target: fractions of the portfolio.
        is_listed: whether it is on the list, rather than held alone.
        why: the reason of its target.
    """

    asset: PathNode
    now: float
    target: float
    is_listed: bool
    why: str


@dataclass(frozen=True)
class BalancedLine:
    """One asset against its target; `then` is None where there is no earlier statement with weights."""

    asset: PathNode
    then: float | None
    now: float
    target: float
    gap: float
    is_beyond: bool


@dataclass(frozen=True)
class PlanPage(Page):
    """One step of the plan.

    Attributes:
        levels: the answers of the profile.
        level_class: the highest risk class that the risk level allows; None where it is not known.
        highest: the volatility that goes with it; None where there is none.
        figures: the portfolio now and as planned, side by side.
        left_out: assets without three years of closes, which have no target.
        dropped: limits that the plan could not keep.
        balance: what has drifted, and what the plan changes.
        balanced: its lines, the widest gap first.
        band, band_part, least: how far a weight may be from its target, of the whole and of the target; and what is
            worth a trade.
    """

    template: ClassVar[str] = "plan.html"
    investor: PathNode
    step: str
    steps: tuple[str, ...]
    controls: Controls
    levels: tuple[ProfileLevel, ...]
    level_class: float | None
    highest: float | None
    figures: tuple[FigureRow, ...]
    mixes: tuple[ShownMix, ...]
    lines: tuple[PlanLine, ...]
    left_out: tuple[PathNode, ...]
    dropped: tuple[str, ...]
    balance: Balance
    balanced: tuple[BalancedLine, ...]
    weighting: str
    can_allocate: bool
    band: float = BAND
    band_part: float = BAND_PART
    least: float = LEAST_TRADE


@blueprint.get("/investors/<id:user_id>/plan")
@view(Permission.OWN_PAGES, tag="recommendations", recorded=True)
def plan(user_id: InvestorId, step: Step = "assess", split: HowToAllocate = "risk_parity") -> PlanPage:
    """A plan in four steps: assess the risk, allocate, construct, manage."""
    site = served()
    row = investor_row(site.graph, user_id)
    found = asked_portfolio(user_id)
    book, investor = site.portfolios, found.facts
    divided = _divided(site, found, split)
    target = _target(investor, divided)
    weights = _weights(investor, target)
    compared = book.compare(weights)
    record_figures(user_id, "plan", split, 0, compared)
    level = investor.levels.get("risk")
    held = Holdings(investor.held, investor.share)
    against = balance(site.graph, book.year_ago, book.closes, row, held, target)
    highest = highest_volatility(book.assets, investor)
    return PlanPage(
        investor=site.names.node(row),
        step=step,
        steps=STEPS,
        controls=controls_of(site, found, 0, split),
        levels=levels_of(site, row, told_of(site, user_id)),
        level_class=None if level is None else level.limit,
        highest=highest,
        figures=figure_rows(compared, highest),
        mixes=shown_mixes(site, compared, current_texts()),
        lines=_lines(site, found, weights, divided),
        left_out=tuple(site.asset_node(Position(asset)) for asset in divided.left_out.tolist()),
        dropped=() if divided.allocation is None else divided.allocation.dropped,
        balance=against,
        balanced=tuple(
            BalancedLine(site.asset_node(line.asset), line.then, line.now, line.target, line.gap, line.is_beyond)
            for line in against.lines
        ),
        weighting=investor.weighting,
        can_allocate=can_allocate(),
    )


def _divided(site: ServedBuild, found: AskedPortfolio, split: str) -> Divided:
    """All that is held or listed, divided anew."""
    universe = dict.fromkeys([*found.facts.held.tolist(), *found.listed.tolist()])
    method = Method(split) if can_allocate() else Method.EQUAL
    return site.divider.divided(method, found.facts, Positions(np.array(list(universe), np.int64)))


def _target(investor: InvestorFacts, divided: Divided) -> Holdings:
    """What is held and cannot be planned stays as it is; the rest is divided."""
    held = dict(zip(investor.held.tolist(), investor.share.tolist(), strict=True))
    stays = [asset for asset in divided.left_out.tolist() if held.get(asset, 0.0) > 0]
    kept = np.array([held[asset] for asset in stays])
    parts = np.zeros(0) if divided.allocation is None else divided.allocation.parts
    at = np.array([*divided.at.tolist(), *stays], np.int64)
    return Holdings(Positions(at), np.concatenate([parts * (1 - kept.sum()), kept]))


def _weights(investor: InvestorFacts, target: Holdings) -> Weights:
    """What is held beside what is planned."""
    together = list(dict.fromkeys([*investor.held.tolist(), *target.at.tolist()]))
    place = {asset: n for n, asset in enumerate(together)}
    before, after = np.zeros(len(together)), np.zeros(len(together))
    before[[place[asset] for asset in investor.held.tolist()]] = investor.share
    after[[place[asset] for asset in target.at.tolist()]] = target.share
    return Weights(Positions(np.array(together, np.int64)), before, after)


def _lines(site: ServedBuild, found: AskedPortfolio, weights: Weights, divided: Divided) -> tuple[PlanLine, ...]:
    texts = current_texts()
    known = dict(zip(divided.at.tolist(), divided.allocation.weights if divided.allocation else (), strict=False))
    listed = set(found.listed.tolist())
    lines = [
        PlanLine(
            site.asset_node(Position(asset)),
            now,
            target,
            asset in listed,
            why_text(known[asset], texts) if asset in known else texts.say("why_stays" if now > 0 else "why_no_closes"),
        )
        for asset, now, target in zip(weights.at.tolist(), weights.before.tolist(), weights.after.tolist(), strict=True)
    ]
    return tuple(sorted(lines, key=lambda line: (-line.target, -line.now)))
