"""One record: what it says, what happened to it, its proof computed now; two records compared; its report and case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from flask import Blueprint, Response, abort
from msgspec import Meta

from pathfolio.explain.ledger.entry import Header
from pathfolio.explain.records.history import Comparison, Event, compare, timeline
from pathfolio.explain.records.inspect import case_of, integrity_of, read_record, report_on
from pathfolio.explain.records.layout import Printed
from pathfolio.explain.records.printed import printed
from pathfolio.explain.records.report import Integrity, Report, make_report, report_html
from pathfolio.explain.records.told import ToldRecord
from pathfolio.explain.records.whole import whole
from pathfolio.kg.errors import PathfolioError
from pathfolio.kg.labels import local_label
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.pages.records import asset_name
from pathfolio.web.site.parameters import RecordId
from pathfolio.web.site.purpose import ledger, look, with_purpose
from pathfolio.web.site.render import Page, served
from pathfolio.web.site.view import view

FirstId = Annotated[str, Meta(description="a record's id")]
SecondId = Annotated[str, Meta(description="another's")]

blueprint = Blueprint("record", __name__)


@dataclass(frozen=True)
class RecordProof(Integrity):
    """What the ledger says of a record; `sound` where it is as it was written."""

    sound: bool


@dataclass(frozen=True)
class RecordTwin:
    """A record as programs read it: what its header says in the open, what it says, its proof, what happened to it."""

    header: Header
    record: Printed
    integrity: RecordProof
    timeline: tuple[Event, ...]


@dataclass(frozen=True)
class RecordPage(Page):
    """`told` is the record with what it cites; `report` says it in the reader's language."""

    template: ClassVar[str] = "record.html"
    header: Header
    told: ToldRecord
    report: Report
    integrity: Integrity
    events: tuple[Event, ...]

    def twin(self) -> RecordTwin:
        """The header, the record written out, its proof and its timeline."""
        proof = RecordProof(sound=not self.integrity.problem, **vars(self.integrity))
        return RecordTwin(self.header, printed(self.told), proof, self.events)


@dataclass(frozen=True)
class ComparisonPage(Page):
    """Two records, the older one first."""

    template: ClassVar[str] = "record_comparison.html"
    first: Header
    second: Header
    found: Comparison

    def said(self, name: str, value: str) -> str:
        """A fact's value in the reader's language."""
        texts = current_texts()
        if not value:
            return ""
        if name in ("asset", "follow", "dismiss"):
            return texts.words.language.comma.join(asset_name(each, texts.lang) for each in value.split("; "))
        if name in ("length", "years"):
            return texts.say("first_lines" if name == "length" else "years", n=int(float(value)))
        if name in ("through", "kind"):
            return texts.named(value)
        return local_label(name, value, texts.lang)


@blueprint.get("/records/<id:record_id>")
@view(Permission.RECORDS, tag="records", errors=(410,))
@with_purpose
def record(record_id: RecordId) -> RecordPage:
    """One record, with its proof computed now."""
    header, read = read_record(ledger(), record_id, look())
    told = whole(ledger(), read)
    integrity = integrity_of(ledger(), header)
    report = make_report(told, header, integrity, current_texts().lang)
    return RecordPage(header, told, report, integrity, tuple(timeline(ledger(), header)))


@blueprint.get("/records/compare")
@view(Permission.RECORDS, tag="records", errors=(404, 410))
@with_purpose
def comparison(a: FirstId, b: SecondId) -> ComparisonPage:
    """How two records differ."""
    pairs = [read_record(ledger(), record_id, look()) for record_id in (a, b)]
    (first, one), (second, two) = sorted(pairs, key=lambda pair: pair[0].seq)
    return ComparisonPage(first, second, compare(one, two))


@blueprint.get("/records/<id:record_id>/case.zip")
@view(Permission.RECORDS, tag="records", media="application/zip", errors=(410,))
@with_purpose
def case(record_id: RecordId) -> Response:
    """The case, to be verified without this software."""
    header = ledger().header(record_id)
    return handed_out(case_of(ledger(), header.id, look()), f"case-{header.id}.zip", "application/zip")


@blueprint.get("/records/<id:record_id>/report.html")
@view(Permission.RECORDS, tag="records", media="text/html", errors=(410,))
@with_purpose
def report(record_id: RecordId) -> Response:
    """The report on a record."""
    header = ledger().header(record_id)
    return handed_out(_report(header).encode(), f"report-{header.id}.html", "text/html")


@blueprint.get("/records/<id:record_id>/report.pdf")
@view(Permission.RECORDS, tag="records", media="application/pdf", errors=(410, 501))
@with_purpose
def report_pdf(record_id: RecordId) -> Response:
    """The report on a record, as PDF."""
    from pathfolio.explain.records.pdf import pdf_of

    header = ledger().header(record_id)
    try:
        return handed_out(served().work(pdf_of, _report(header)), f"report-{header.id}.pdf", "application/pdf")
    except PathfolioError:
        return abort(501)


def _report(header: Header) -> str:
    """The report in the language of the request; the look is recorded."""
    return report_html(report_on(ledger(), header.id, look(), current_texts().lang, served().work))


def handed_out(content: bytes, name: str, kind: str) -> Response:
    """A file of a media type, to be kept under a name."""
    response = Response(content, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
