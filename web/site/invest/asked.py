"""What the pages about a portfolio are asked: for which answers, how much is invested, and how it is divided."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, Literal

import numpy as np
from flask import g, request
from msgspec import Meta

from pathfolio.explain.evidence import PathNode
from pathfolio.explain.records.adviser import Advice
from pathfolio.explain.records.portfolio_record import PortfolioEntry, record_portfolio
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.portfolio.book import BeforeAndAfter
from pathfolio.recommender.questionnaire import HORIZON, QUESTIONS, YEARS
from pathfolio.recommender.suitability.investor import InvestorFacts
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.recorded import ask, ask_what_if, asker
from pathfolio.web.site.render import served
from pathfolio.web.site.served import ServedBuild
from pathfolio.web.site.twin import wants_json
from pathfolio.web.site.what_if_json import Asked, asked_of

CONTROLS: Final = ("risk_level", "objective")
"""Answers that the controls change, beside the horizon."""

LIST_LENGTH: Final = 10
OWN: Final = "own"
"""A sum that is divided as the investor writes."""

AMOUNT: Final = "amount:"
"""Before an asset's id: the name of its amount."""

MOST_PERCENT: Final = 1000

Budget = Annotated[int, Meta(ge=0, le=MOST_PERCENT, description="percent of what the portfolio is worth today")]
Split = Annotated[
    Literal["equal", "minimum_variance", "risk_parity", "mean_variance", "own"],
    Meta(description="how the sum is divided among the assets of the list"),
]


@dataclass(frozen=True)
class Control:
    """One answer to change: its name, the kind of its levels, these from the lowest, and the chosen one's id."""

    name: str
    kind: str
    levels: tuple[PathNode, ...]
    chosen: str


@dataclass(frozen=True)
class Controls:
    """What can be changed, and what is chosen; `budget` is percent of what the portfolio is worth today."""

    fields: tuple[Control, ...]
    years: tuple[int, ...]
    horizon: float | None
    budget: int
    split: str
    is_changed: bool


@dataclass(frozen=True)
class AskedPortfolio:
    """The investor as the controls say, and the list that they get.

    Attributes:
        listed: positions of the list's assets, best first.
    """

    asked: Asked
    listed: Positions

    @property
    def is_changed(self) -> bool:
        """Whether any answer is assumed."""
        return self.asked.investor != self.asked.before

    @cached_property
    def facts(self) -> InvestorFacts:
        """The investor as the suitability rules see them."""
        return self.asked.investor.facts(served().desk.adviser.gate)


def asked_portfolio(user_id: str) -> AskedPortfolio:
    """The list of the present request, recorded before anything of it is shown.

    Raises:
        UsageError: an answer is none of this snapshot.
    """
    site = served()
    args = request.args
    answers = [(name, args[name]) for name in CONTROLS if name in args]
    answers += [(HORIZON, args[HORIZON])] if args.get(HORIZON) else []
    asked = asked_of(site, user_id, answers)
    if asked.investor == asked.before:
        ids = ask("assets of the list", _ids, user_id, k=LIST_LENGTH).view
    else:
        ids = ask_what_if("assets of the list", _ids, asked, current_texts().lang, "site")
    span = site.graph.asset_span
    return AskedPortfolio(asked, Positions(np.array([span.position(site.graph.asset_row(i)) for i in ids], np.int64)))


def record_figures(user_id: str, page: str, split: str, budget: int, found: BeforeAndAfter) -> None:
    """Put what is to be shown of a portfolio into the ledger, beside the record of its list.

    Raises:
        LedgerError: it could not be recorded, so it may not be shown.
    """
    through = "api" if wants_json() else "site"
    asked = PortfolioEntry(
        who=asker(), through=through, user_id=user_id, page=page, of_list=str(g.record), split=split, budget=budget
    )
    record_portfolio(served().desk, asked, found)


def _ids(advice: Advice) -> tuple[str, ...]:
    return tuple(line.asset_id for line in advice.lines)


def controls_of(site: ServedBuild, found: AskedPortfolio, budget: int, split: str) -> Controls:
    """The controls as they stand."""
    graph, levels = site.graph, found.asked.investor.levels
    fields = tuple(
        Control(
            name,
            graph.kind_of(rows[0]).value,
            tuple(map(site.names.node, sorted(rows))),
            str(graph.nodes.id[levels[QUESTIONS[name]]]) if QUESTIONS[name] in levels else "",
        )
        for name, rows in site.choices.levels.items()
        if name in CONTROLS
    )
    return Controls(fields, YEARS, found.asked.investor.years, budget, split, found.is_changed)


def own_amounts(site: ServedBuild, listed: Positions) -> dict[Position, float]:
    """What the request says to buy of each asset of the list, as a fraction of what the portfolio is worth today."""
    out = {}
    for asset in listed.tolist():
        text = request.args.get(f"{AMOUNT}{site.graph.asset_ids[asset]}", "").strip()
        out[Position(asset)] = _percent(text) / 100
    return out


def _percent(text: str) -> float:
    """What is no number from 0 to `MOST_PERCENT` counts as nothing.

    >>> _percent("2.5"), _percent("-1"), _percent("x"), _percent("nan")
    (2.5, 0.0, 0.0, 0.0)
    """
    try:
        value = float(text or 0)
    except ValueError:
        return 0.0
    return value if 0 <= value <= MOST_PERCENT else 0.0
