"""Reports as PDF: asked for, made in the background, kept for some days and handed out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug import Response

from pathfolio.explain.records.kept_reports import KEPT_DAYS, MOST_KEPT, KeptReport, ReportState
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.pages.errors import ErrorPage
from pathfolio.web.site.pages.record import handed_out
from pathfolio.web.site.parameters import RecordId
from pathfolio.web.site.purpose import ledger, look, with_purpose
from pathfolio.web.site.render import Page, show
from pathfolio.web.site.report_maker import MOST_AT_ONCE, BusyError, ReportRun, ReportStep, report_maker
from pathfolio.web.site.view import view

REFRESH_SECONDS: Final = 3

blueprint = Blueprint("reports", __name__)


@dataclass(frozen=True)
class ReportsPage(Page):
    """The reports that were asked for in the last days, the newest first."""

    template: ClassVar[str] = "reports.html"
    most: ClassVar[int] = MOST_KEPT
    days: ClassVar[int] = KEPT_DAYS
    reports: tuple[KeptReport, ...]


@dataclass(frozen=True)
class ReportPage(Page):
    """One report.

    Attributes:
        run: how far it is, None where it is not being made.
        looks_again: whether the page loads itself again until the report is finished.
    """

    template: ClassVar[str] = "kept_report.html"
    steps: ClassVar[tuple[ReportStep, ...]] = tuple(ReportStep)
    every: ClassVar[int] = REFRESH_SECONDS
    report: KeptReport
    run: ReportRun | None
    looks_again: bool

    def twin(self) -> KeptReport:
        """The report alone: how far it is stands in its state."""
        return self.report


@blueprint.get("/records/reports")
@view(Permission.RECORDS, tag="records")
@with_purpose
def reports() -> ReportsPage:
    """Reports that were asked for as PDF.

    Those of the last 7 days, the newest first, 100 at most.
    """
    return ReportsPage(tuple(report_maker().all()))


@blueprint.post("/records/<id:record_id>/reports")
@view(Permission.RECORDS)
@with_purpose
def start(record_id: RecordId) -> Response:
    """Begin the report on a record in the language of the page, and go to where it will be."""
    texts = current_texts()
    try:
        report = report_maker().start(record_id, look(), texts.lang)
    except BusyError as error:
        remedy = texts.say("report_busy_own") if error.own else texts.say("report_busy_site", n=MOST_AT_ONCE)
        return show(ErrorPage(429, texts.say("report_busy"), remedy), 429)
    return redirect(url_for("reports.report", key=report.key), 303)


@blueprint.get("/records/reports/<id:key>")
@view(Permission.RECORDS)
@with_purpose
def report(key: str) -> Response:
    """How far a report is; while it is being made the page looks again by itself, unless `wait=no` says not to."""
    run = report_maker().run_of(key)
    found = _found(key)
    looks_again = found.state == ReportState.RUNNING and request.args.get("wait") != "no"
    response = show(ReportPage(found, run, looks_again))
    if looks_again:
        response.headers["Refresh"] = str(REFRESH_SECONDS)
    return response


@blueprint.get("/records/reports/<id:key>/report.pdf")
@view(Permission.RECORDS, media="application/pdf")
@with_purpose
def download(key: str) -> Response:
    """A finished report; who takes it, why, and its hash are recorded first."""
    found = _found(key)
    if found.state != ReportState.DONE:
        abort(404)
    name, who = f"report-{found.record_id}.pdf", look()
    content = report_maker().content(found)
    ledger().note_look([found.record_id], who=who.who, purpose=who.purpose, files={name: found.sha256})
    return handed_out(content, name, "application/pdf")


def _found(key: str) -> KeptReport:
    found = report_maker().find(key)
    return abort(404) if found is None else found
