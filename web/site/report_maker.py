"""`ReportMaker`: reports as PDF that are made while whoever asked for them goes on.

A thread reads the record; a helper sets the pages, which takes nearly all of the time. What is being made is known to
this process alone, so that a report which the process did not finish is one that was interrupted.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from flask import current_app

from pathfolio.explain.ledger.entry import Header
from pathfolio.explain.records.inspect import Look, read_record, report_of
from pathfolio.explain.records.kept_reports import KeptReport, KeptReports, ReportState
from pathfolio.explain.records.layout import Record
from pathfolio.explain.records.report import report_html
from pathfolio.web.site.served import ServedBuild

log = logging.getLogger("pathfolio.reports")

MOST_AT_ONCE: Final = 3
"""So many reports are made at once, for all accounts together; each account has one."""


class ReportStep(Enum):
    """What is done of a report, in its order."""

    READING = 1
    SETTING = 2


@dataclass(frozen=True)
class ReportRun:
    """A report that is being made: for whom, how far it is, and since when by the process's own clock."""

    who: str
    step: ReportStep
    since: float

    @property
    def seconds(self) -> int:
        """How long it takes so far."""
        return int(time.monotonic() - self.since)


class BusyError(Exception):
    """As many reports are being made as may be; `own` where one of them is of whoever asks."""

    def __init__(self, *, own: bool) -> None:
        """Whose they are."""
        super().__init__()
        self.own = own


class ReportMaker:
    """Makes reports and knows of each how far it is; safe to be asked by several threads.

    Args:
        served: whose records they are on, and who does what takes long.
    """

    def __init__(self, served: ServedBuild) -> None:
        """Nothing is being made."""
        self._served, self._ledger = served, served.ledger
        self._kept = KeptReports(served.ledger)
        self._lock = threading.Lock()
        self._runs: dict[str, ReportRun] = {}

    def start(self, record_id: str, look: Look, lang: str) -> KeptReport:
        """Begin the report on a record; the look is recorded first.

        Raises:
            BusyError: whoever asks has one that is being made, or too many others are.
            UsageError: there is no such record.
            LedgerError: it cannot be read, or the look could not be recorded.
        """
        with self._lock:  # nobody begins two at once
            if any(run.who == look.who for run in self._runs.values()):
                raise BusyError(own=True)
            if len(self._runs) >= MOST_AT_ONCE:
                raise BusyError(own=False)
            header, record = read_record(self._ledger, record_id, look)
            report = self._kept.begin(header.id, look, lang)
            self._runs[report.key] = ReportRun(look.who, ReportStep.READING, time.monotonic())
        threading.Thread(target=self._make, args=(report, header, record), daemon=True).start()
        return self._as_it_is(report)

    def all(self) -> list[KeptReport]:
        """Those of the last days, the newest first."""
        return [self._as_it_is(report) for report in self._kept.all()]

    def find(self, key: str) -> KeptReport | None:
        """The report of this key, None where it is not kept."""
        run = self.run_of(key)  # before its file is read: one that is finished in between is not taken for interrupted
        report = self._kept.find(key)
        return report if report is None or run is None else _running(report)

    def run_of(self, key: str) -> ReportRun | None:
        """How far a report is; None where it is not being made."""
        return self._runs.get(key)

    def content(self, report: KeptReport) -> bytes:
        """As `KeptReports.content`."""
        return self._kept.content(report)

    def _as_it_is(self, report: KeptReport) -> KeptReport:
        return _running(report) if report.key in self._runs else report

    def _make(self, report: KeptReport, header: Header, record: Record) -> None:
        from pathfolio.explain.records.pdf import pdf_of

        try:
            html = report_html(report_of(self._ledger, header, record, report.lang, self._served.work))
            self._runs[report.key] = replace(self._runs[report.key], step=ReportStep.SETTING)
            self._kept.finish(report, self._served.work(pdf_of, html))
        except Exception as error:  # whatever it was, the page says that there is no report
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("a report was not made: %s\n%s", type(error).__name__, where)  # its words may name a person
            self._kept.fail(report)
        finally:
            with self._lock:  # nobody counts them meanwhile
                del self._runs[report.key]


def _running(report: KeptReport) -> KeptReport:
    return replace(report, state=ReportState.RUNNING.value)


def report_maker() -> ReportMaker:
    """The running site's."""
    found: ReportMaker = current_app.extensions["pathfolio_reports"]
    return found
