"""Finding records, and counting what the rules did; for compliance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar, Final

from flask import Blueprint, abort, redirect, request, url_for
from msgspec import Meta
from werkzeug import Response

from pathfolio.explain.records.assumption import WHAT_IF
from pathfolio.explain.records.find import Found, Search, Summary
from pathfolio.kg.schema import ASSET_KIND_OF, NodeKind
from pathfolio.recommender.suitability.verdict import STATES
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.directory import Directory
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.pages.signin import safe_target
from pathfolio.web.site.purpose import finder, look, with_purpose
from pathfolio.web.site.record_lists import RecordLine, ShownList, lists_of
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.stated import keep_purpose
from pathfolio.web.site.view import view

MOST_SHOWN: Final = 50
MOST_COUNTED: Final = 100_000
LONGEST_WORD: Final = 200
MOST_CALLED_SO: Final = 50
"""Investors or assets of one name that are looked for."""

_LAST_PLACE: Final = 2**62
VERDICTS: Final = STATES

Before = Annotated[int, Meta(ge=0, le=_LAST_PLACE, description="go on with records before this place")]

blueprint = Blueprint("records", __name__)


@dataclass(frozen=True)
class SearchArguments:
    """What the address asks for."""

    investor: Annotated[str, Meta(description="an investor's id or name")] = ""
    asset: Annotated[str, Meta(description="an asset's id, name or ticker: on the list, or not suitable")] = ""
    first: Annotated[date, Meta(description="from this day (UTC)")] | None = None
    last: Annotated[date, Meta(description="until this day (UTC)")] | None = None
    verdict: Annotated[
        str,
        Meta(
            pattern=f"^({'|'.join(VERDICTS)})$",
            description="of some line, or reject where assets were not suitable",
            extra_json_schema={"enum": list(VERDICTS)},
        ),
    ] = ""
    build: Annotated[str, Meta(description="a build's hash, or its beginning")] = ""

    def search(self) -> Search:
        """What is looked for; who or what is named and not in this build by its id is all that is called so."""
        site = served()
        return Search(
            first=self.first,
            last=self.last,
            verdict=self.verdict,
            build=self.build[:LONGEST_WORD],
            **_named("investor", self.investor[:LONGEST_WORD], site.investors),
            **_named("asset", self.asset[:LONGEST_WORD], site.assets),
        )


@dataclass(frozen=True)
class Written:
    """An investor and an asset as the visitor wrote them: an id, or a name."""

    investor: str
    asset: str


@dataclass(frozen=True)
class RecordsPage(Page):
    """What was found; `before` is the place from which to go on.

    Attributes:
        written: whom and what the visitor wrote of; `search` has that as ids.
    """

    template: ClassVar[str] = "records.html"
    written: Written
    search: Search
    records: tuple[RecordLine, ...]
    looked_through: int
    before: int | None

    def lists(self) -> tuple[ShownList, ...]:
        """The records by the list that they show, one line each."""
        return lists_of(self.records)

    def searched(self) -> bool:
        """Whether anything was asked for but the newest."""
        return self.search != Search()


@dataclass(frozen=True)
class RuleCount:
    """A rule over all that was considered: how many candidates it rejected and warned of, and in how many records.

    `title` is that of the present rules, the rule's id where they have none of that id.
    """

    rule: str
    title: str
    rejected: int
    warned: int
    records: int


@dataclass(frozen=True)
class StatisticsPage(Page):
    """Counts over the records that fit.

    Attributes:
        lines: how many lines of lists have each verdict.
        days: ISO day to how many records.
    """

    template: ClassVar[str] = "record_statistics.html"
    written: Written
    search: Search
    records: int
    considered: int
    rules: tuple[RuleCount, ...]
    lines: dict[str, int]
    days: dict[str, int]
    looked_through: int
    complete: bool


@blueprint.get("/records")
@view(Permission.RECORDS, tag="records")
@with_purpose
def records(asked: SearchArguments, before: Before | None = None) -> RecordsPage:
    """Find records.

    The newest first, 50 at most; `before` goes on.
    """
    search = asked.search()
    found = finder().find(search, look(), most=MOST_SHOWN, before=before)
    lines = tuple(_line(summary) for summary in found.records)
    return RecordsPage(Written(asked.investor, asked.asset), search, lines, found.looked_through, found.before)


@blueprint.get("/records/statistics")
@view(Permission.RECORDS, tag="records")
@with_purpose
def statistics(asked: SearchArguments) -> StatisticsPage:
    """What each rule did.

    Over the records that fit.
    """
    search = asked.search()
    return _counted(asked, search, finder().find(search, look(), most=MOST_COUNTED, seconds=5.0, listed=False))


@blueprint.post("/records/purpose")
@view(Permission.RECORDS)
def purpose() -> Response:
    """Say why records are looked at, for the looks that follow."""
    given = request.form.get("purpose", "")
    if not given.strip():
        abort(400)
    keep_purpose(given)
    target = safe_target(request.form.get("next", ""))
    return redirect(url_for("records.records") if target == "/" else target, 303)


def _line(summary: Summary) -> RecordLine:
    site = served()
    header = summary.header
    row = site.graph.find(NodeKind.USER, summary.user_id) if summary.user_id else None
    return RecordLine(
        header.id,
        header.time,
        header.kind == WHAT_IF,
        None if row is None else site.names.node(row),
        summary.user_id,
        summary.who,
        summary.through,
        summary.verdicts,
        len(summary.rejected),
        header.tags.get("build", ""),
        summary.rules,
        summary.asset_id,
        summary.state,
    )


def _named(field: str, written: str, directory: Directory) -> dict[str, Any]:
    """What was written, as ids: as it is where it is one, or where nothing is called so; else of all called so."""
    rows, _ = directory.find(written, MOST_CALLED_SO)
    ids = tuple(str(served().graph.nodes.id[row]) for row in rows)
    return {field: written} if not ids or written in ids else {f"{field}s": ids}


def asset_name(asset_id: str, lang: str) -> str:
    """An asset's name in the present build, its id where it is not in it."""
    site = served()
    found = (site.graph.find(kind, asset_id) for kind in ASSET_KIND_OF.values())
    row = next((row for row in found if row is not None), None)
    return asset_id if row is None else site.graph.display_name(row, lang)


def _counted(asked: SearchArguments, search: Search, found: Found) -> StatisticsPage:
    rejected: Counter[str] = Counter()
    warned: Counter[str] = Counter()
    rejecting: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    days: Counter[str] = Counter()
    for summary in found.records:
        rejected.update(dict(summary.rejected_by))
        warned.update(dict(summary.warned_by))
        rejecting.update(rule for rule, count in summary.rejected_by if count)
        lines.update(verdict for _, verdict in summary.verdicts)
        days[summary.header.time[:10]] += 1
    lang = current_texts().lang
    present = {rule.name: rule.title for rule in served().desk.adviser.rules.rules}
    rules = [
        RuleCount(rule, present[rule][lang] if rule in present else rule, count, warned[rule], rejecting[rule])
        for rule, count in rejected.items()
    ]
    return StatisticsPage(
        Written(asked.investor, asked.asset),
        search,
        len(found.records),
        sum(summary.considered for summary in found.records),
        tuple(sorted(rules, key=lambda rule: (-rule.rejected, -rule.warned))),
        {verdict: lines[verdict] for verdict in STATES[:-1]},
        dict(sorted(days.items())),
        found.looked_through,
        found.before is None,
    )
