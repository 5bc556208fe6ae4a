"""One record: what it says, what happened to it, its proof computed now; two records compared; its report and case."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from flask import Blueprint, Response, abort, request

from pathfolio.explain.ledger.entry import Header
from pathfolio.explain.records.history import Comparison, Event, compare, timeline
from pathfolio.explain.records.inspect import case_of, integrity_of, read_record, report_on
from pathfolio.explain.records.report import Integrity, Report, make_report, report_html
from pathfolio.explain.records.whole import whole
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.errors import PathfolioError
from pathfolio.kg.labels import local_label
from pathfolio.web.site.access.guard import needs
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.language import current_texts
from pathfolio.web.site.pages.records import asset_name
from pathfolio.web.site.purpose import ledger, look, with_purpose
from pathfolio.web.site.render import Page, served, show

blueprint = Blueprint("record", __name__)


@dataclass(frozen=True)
class RecordPage(Page):
    """`content` is the record as it stands, written out; `report` says it in the reader's language."""

    template: ClassVar[str] = "record.html"
    header: Header
    content: dict[str, Any]
    report: Report
    integrity: Integrity
    events: tuple[Event, ...]

    def to_json(self, lang: str) -> Any:
        """The header, the record written out, its proof and its timeline."""
        proof = {"sound": not self.integrity.problem, **asdict(self.integrity)}
        proof["made"] = self.integrity.made.isoformat()
        events = [asdict(event) for event in self.events]
        return {"header": asdict(self.header), "record": self.content, "integrity": proof, "timeline": events}


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
@needs(Permission.RECORDS)
@with_purpose
def record(record_id: str) -> Response:
    """The record's page; the id may be shortened."""
    header, content = read_record(ledger(), record_id, look())
    readable, integrity = whole(ledger(), content), integrity_of(ledger(), header)
    report = make_report(readable, header, integrity, current_texts().lang)
    return show(RecordPage(header, readable, report, integrity, tuple(timeline(ledger(), header))))


@blueprint.get("/records/compare")
@needs(Permission.RECORDS)
@with_purpose
def comparison() -> Response:
    """How the records `?a=` and `?b=` differ."""
    pairs = [read_record(ledger(), request.args.get(name, "").strip(), look()) for name in ("a", "b")]
    (first, one), (second, two) = sorted(pairs, key=lambda pair: pair[0].seq)
    return show(ComparisonPage(first, second, compare(one, two)))


@blueprint.get("/records/<id:record_id>/case.zip")
@needs(Permission.RECORDS)
@with_purpose
def case(record_id: str) -> Response:
    """The case, to be verified anywhere."""
    header = ledger().header(record_id)
    return _file(case_of(ledger(), header.id, look()), f"case-{header.id}.zip", "application/zip")


@blueprint.get("/records/<id:record_id>/report.<any(html, pdf):ending>")
@needs(Permission.RECORDS)
@with_purpose
def report(record_id: str, ending: str) -> Response:
    """The report in the page's language, or that of `?lang=`."""
    lang, header = current_texts().lang, ledger().header(record_id)
    if lang not in LANGUAGES:
        abort(400)
    html = report_html(report_on(ledger(), header.id, look(), lang))
    if ending == "html":
        return _file(html.encode(), f"report-{header.id}.html", "text/html")
    from pathfolio.explain.records.pdf import pdf_of

    try:
        return _file(served().work(pdf_of, html), f"report-{header.id}.pdf", "application/pdf")
    except PathfolioError:
        return abort(501)


def _file(content: bytes, name: str, kind: str) -> Response:
    response = Response(content, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
