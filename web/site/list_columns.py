"""The columns of a list: which there are, which are shown and remembered, sorting by them, and the CSV of all."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final, Literal, Protocol

from flask import Flask, Response, g, request
from msgspec import Meta

from pathfolio.explain.evidence import INTERESTED_IN
from pathfolio.explain.wording import Wording
from pathfolio.kg.schema import Relation
from pathfolio.kg.spreadsheet import safe_cell
from pathfolio.web.site.listed import ListLine, RiskFit

COOKIE: Final = "pathfolio_columns"
_YEAR: Final = 365 * 24 * 3600

Order = Annotated[Literal["up", "down"], Meta(description="the smallest or the largest first")]
Chosen = Annotated[str, Meta(max_length=200, description="columns to show, with commas between them")]


class HasFigures(Protocol):
    """A line of a list, or an asset of the index."""

    @property
    def risk(self) -> RiskFit | None:
        """Its class by the rules."""
        ...

    @property
    def score(self) -> float | None:
        """Its score, where it has one."""
        ...

    def figure(self, metric: str) -> float | None:
        """The value of one of its figures; None where it has none."""
        ...


@dataclass(frozen=True)
class ListColumn:
    """A column of figures; `name` is its key in the site's texts, too.

    Attributes:
        value: of a line, None where it is not known: by it the lines are sorted, and it is what the CSV has.
        text: of a value, in the reader's language.
        signed: whether what is below zero is a loss, and coloured.
        digits: decimals of the value that are shown, by which it is coloured.
        of_asset: whether it is the same whoever looks.
    """

    name: str
    value: Callable[[HasFigures], float | None]
    text: Callable[[float, Wording], str]
    signed: bool = False
    of_asset: bool = True
    digits: int = 3

    def tone(self, value: float | None) -> str:
        """gain or loss, as the value is shown; empty where it is neither."""
        rounded = round(value, self.digits) if self.signed and value is not None else 0.0
        return "loss" if rounded < 0 else "gain" if rounded > 0 else ""


def _fraction(value: float, words: Wording) -> str:
    return words.percent(value)


def _change(value: float, words: Wording) -> str:
    rounded = round(value, 3) + 0.0  # no minus before a change that is none
    return f"{'+' if rounded > 0 else ''}{words.percent(rounded)}"


def _number(value: float, words: Wording) -> str:
    return words.number(round(value, 2) + 0.0, 2)  # no minus before nothing


def _cost(value: float, words: Wording) -> str:
    return words.percent(value, 2)


def _count(value: float, words: Wording) -> str:
    return words.integer(value)


def _of(metric: str) -> Callable[[HasFigures], float | None]:
    return lambda line: line.figure(metric)


COLUMNS: Final = MappingProxyType(
    {
        column.name: column
        for column in (
            ListColumn("price", _of("last_close"), _number),
            ListColumn("day_change", _of("return_1d"), _change, signed=True),
            ListColumn("year_change", _of("return_1y"), _change, signed=True),
            ListColumn("three_years", _of("annual_return_3y"), _change, signed=True),
            ListColumn("three_years_total", _of("return_3y"), _change, signed=True),
            ListColumn("volatility", _of("volatility_3y"), _fraction),
            ListColumn("sharpe", _of("sharpe_3y"), _number, signed=True, digits=2),
            ListColumn("drawdown", _of("max_drawdown_3y"), _fraction, signed=True),
            ListColumn("expense", _of("expense_ratio"), _cost),
            ListColumn("place", _of("category_rank_1y"), _count),
            ListColumn("risk", lambda line: None if line.risk is None else line.risk.value, _count, of_asset=False),
            ListColumn("score", lambda line: line.score, lambda value, words: words.number(value, 3), of_asset=False),
        )
    }
)
USUAL: Final = (
    "price", "day_change", "year_change", "three_years", "volatility", "sharpe", "drawdown", "expense", "place", "risk",
)  # fmt: skip
"""What is shown to whoever chose nothing."""

SortKey = Annotated[
    Literal[
        "price", "day_change", "year_change", "three_years", "three_years_total", "volatility", "sharpe", "drawdown",
        "expense", "place", "risk", "score", "rank",
    ],
    Meta(description="the column by which the lines are sorted; by rank, if not given"),
]  # fmt: skip


BADGE_WORDS: Final = MappingProxyType(
    {
        INTERESTED_IN: "badge_interest",
        Relation.IN_INDUSTRY.value: "badge_industry",
        Relation.IN_CATEGORY.value: "badge_category",
        Relation.ISSUED_BY.value: "badge_issuer",
    }
)
"""What a badge says of how the investor knows a group."""


def columns_shown() -> tuple[ListColumn, ...]:
    """The columns of the present request, in their own order: those of its address, else those chosen before."""
    given = [name for text in request.args.getlist("columns") for name in text.split(",")]
    if given:
        g.columns = ".".join(name for name in COLUMNS if name in given)
    names = given or request.cookies.get(COOKIE, "").split(".")
    found = tuple(column for name, column in COLUMNS.items() if name in names)
    return found or tuple(COLUMNS[name] for name in USUAL)


def sorted_lines(lines: Sequence[ListLine], sort: str, order: str) -> tuple[ListLine, ...]:
    """The lines by a column; what is not known comes last either way, and equal ones stay in the list's order."""
    if sort == "rank":
        return tuple(lines if order == "up" else reversed(lines))
    value = COLUMNS[sort].value
    known = [line for line in lines if value(line) is not None]
    known.sort(key=lambda line: value(line) or 0.0, reverse=order == "down")
    return (*known, *(line for line in lines if value(line) is None))


def list_csv(lines: Iterable[ListLine], lang: str) -> str:
    """The lines with every figure that there is, as the data have it; texts as `safe_cell`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = ("rank", "asset_id", "code", "name", "kind", "group", "currency", "price_as_of", *COLUMNS, "suitability")
    writer.writerow(head)
    for line in lines:
        group = "" if line.group is None else line.group.id
        who = (line.asset.id, line.code, line.asset.label(lang), line.asset.kind.lower(), group, line.currency)
        figures = (column.value(line) for column in COLUMNS.values())
        row = (line.rank, *who, line.price_day or "", *(_bare(value) for value in figures), line.verdict)
        writer.writerow(map(safe_cell, map(str, row)))
    return out.getvalue()


def _bare(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def register(app: Flask) -> None:
    """Remember the columns that were chosen."""

    @app.after_request
    def remember(response: Response) -> Response:
        if "columns" in g:
            secure = bool(app.config["SESSION_COOKIE_SECURE"])
            response.set_cookie(COOKIE, g.columns, max_age=_YEAR, secure=secure, httponly=True, samesite="Lax")
        return response
