"""`KeptReports`: reports as PDF that somebody asked for, kept for some days beside the ledger.

Each is two files that only the ledger's owner can read: who asked for it, and the PDF, sealed with a key that is
derived from the record's own. Whoever erases a person in the ledger makes the kept reports on them unreadable, too.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Meta

from pathfolio.explain.ledger.entry import GoneError
from pathfolio.explain.ledger.keys import KEY_BYTES, NONCE_BYTES
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.inspect import Look
from pathfolio.kg.outfile import write_private

FOLDER: Final = "reports"
KEPT_DAYS: Final = 7
MOST_KEPT: Final = 100

_KEY: Final = re.compile(r"[0-9a-f]{16}")


class ReportState(StrEnum):
    """How far a report is; only `DONE` and `FAILED` are ever written."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """It was begun, and nobody is at it: the process that was has ended."""


@dataclass(frozen=True)
class KeptReport:
    """A report that somebody asked for.

    Attributes:
        key: 16 hex digits, by which it is found.
        lang: the language that it is in.
        asked: when, as ISO 8601.
        size: bytes of the PDF; 0 where there is none.
        sha256: of the PDF, hex; empty where there is none.
    """

    key: str
    record_id: str
    who: str
    purpose: str
    lang: str
    asked: str
    state: Annotated[str, Meta(extra_json_schema={"enum": [state.value for state in ReportState]})] = (
        ReportState.INTERRUPTED.value
    )
    size: int = 0
    sha256: str = ""

    @property
    def until(self) -> date:
        """The last day on which it is kept for certain."""
        return (datetime.fromisoformat(self.asked) + timedelta(days=KEPT_DAYS)).date()


class KeptReports:
    """The reports in a folder of mode 0700, each file of mode 0600; safe to use from several threads.

    What is older than `KEPT_DAYS`, or not among the newest `MOST_KEPT`, is removed whenever the list is read or added
    to. A report that is not finished reads as interrupted: whoever makes it knows better.

    Args:
        ledger: whose records the reports are on; its clock counts the days.
    """

    def __init__(self, ledger: Ledger) -> None:
        """Touch nothing yet."""
        self._ledger, self._folder = ledger, ledger.folder / FOLDER

    def begin(self, record_id: str, look: Look, lang: str) -> KeptReport:
        """Note that somebody asked for a report.

        Raises:
            OSError: it cannot be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        asked = self._ledger.clock().isoformat("T", "seconds")
        report = KeptReport(secrets.token_hex(8), record_id, look.who, look.purpose, lang, asked)
        self._write(report)
        self.all()
        return report

    def finish(self, report: KeptReport, content: bytes) -> None:
        """Keep the PDF.

        Raises:
            GoneError: the person was erased meanwhile.
            OSError: it cannot be written.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._sealer(report).encrypt(nonce, content, report.record_id.encode())
        write_private(self._content(report.key), sealed)
        digest = hashlib.sha256(content).hexdigest()
        self._write(replace(report, state=ReportState.DONE.value, size=len(content), sha256=digest))

    def fail(self, report: KeptReport) -> None:
        """Note that it could not be made; raises OSError where that cannot be written."""
        self._write(replace(report, state=ReportState.FAILED.value))

    def all(self) -> list[KeptReport]:
        """The newest first; those that are kept no longer are removed."""
        found = [report for path in self._folder.glob("*.json") if (report := _read(path)) is not None]
        found.sort(key=lambda report: (report.asked, report.key), reverse=True)
        oldest = (self._ledger.clock() - timedelta(days=KEPT_DAYS)).isoformat("T", "seconds")
        kept = [report for report in found[:MOST_KEPT] if report.asked >= oldest]
        for report in found:
            if report not in kept:
                self._remove(report)
        return kept

    def find(self, key: str) -> KeptReport | None:
        """The report of this key, None where it is not kept."""
        return next((report for report in self.all() if report.key == key), None) if _KEY.fullmatch(key) else None

    def content(self, report: KeptReport) -> bytes:
        """The PDF of a finished report; the look is for the caller to record.

        Raises:
            GoneError: the person was erased, or the record's retention ended; the report is removed.
            UsageError: there is no such record any more.
        """
        try:
            self._ledger.opened(self._ledger.leaf(report.record_id))
            sealed = self._content(report.key).read_bytes()
            nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
            return self._sealer(report).decrypt(nonce, text, report.record_id.encode())
        except GoneError:
            self._remove(report)
            raise
        except (OSError, InvalidTag):
            raise GoneError(f"report {report.key}: its file is not there, or not as it was written") from None

    def _sealer(self, report: KeptReport) -> AESGCM:
        """Seals one report; a record that is open to all who have the ledger has a report that is, too."""
        secret = self._ledger.key_of_record(report.record_id)
        if self._ledger.header(report.record_id).key and not secret:
            raise GoneError(f"record {report.record_id}: its person was erased")
        info = b"pathfolio kept report " + report.key.encode()
        return AESGCM(HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(secret))

    def _content(self, key: str) -> Path:
        return self._folder / f"{key}.sealed"

    def _write(self, report: KeptReport) -> None:
        """In one step, so that nobody reads the half of it."""
        path = self._folder / f"{report.key}.json"
        write_private(path.with_suffix(".new"), msgspec.json.encode(report))
        path.with_suffix(".new").replace(path)

    def _remove(self, report: KeptReport) -> None:
        for path in (self._content(report.key), self._folder / f"{report.key}.json"):
            path.unlink(missing_ok=True)


def _read(path: Path) -> KeptReport | None:
    """What a file says; None where it is gone by now, or says nothing of the kind."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=KeptReport)
    except (OSError, msgspec.DecodeError):
        return None
