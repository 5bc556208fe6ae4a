"""Reports as PDF: made in the background, kept sealed for some days, handed out to whom may see records."""

from __future__ import annotations

import re
import stat
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pathfolio.explain.ledger import custody
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records import kept_reports
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.records.inspect import Look
from pathfolio.explain.records.kept_reports import KEPT_DAYS, KeptReports
from pathfolio.explain.records.pdf import pdf_of
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app, report_maker
from pathfolio.web.site.access.guard import Access
from pathfolio.web.site.access.roles import AccountRole
from pathfolio.web.site.access.samples import sample_access
from tests.explain.ledger_world import entry_of
from tests.web.site_pages import investors
from tests.web.site_world import signed_in

PURPOSE = {"Pathfolio-Purpose": "complaint 7"}


class Held:
    """Does the site's long work once the test lets it."""

    def __init__(self) -> None:
        self.gate, self.over = threading.Event(), False
        self.asked: list[Callable[..., Any]] = []

    def __call__(self, work: Callable[..., Any], *args: object) -> Any:
        self.asked.append(work)
        assert self.gate.wait(20)
        assert not self.over
        return work(*args)


@pytest.fixture
def access(build: Build) -> Access:
    return sample_access(investors(build)[1])


@pytest.fixture
def site(adviser: Adviser, ledger: Ledger, build: Build, access: Access) -> Flask:
    return site_of(adviser, ledger, build, access)


def site_of(adviser: Adviser, ledger: Ledger, build: Build, access: Access) -> Flask:
    app = create_app(build, access, desk=Desk(adviser, ledger))
    app.extensions["pathfolio_graph"].close()
    return app


@pytest.fixture
def held(site: Flask) -> Iterator[Held]:
    held = site.extensions["pathfolio"].work = Held()
    yield held
    held.over = True  # what nobody waits for is not made
    held.gate.set()


@pytest.fixture
def client(site: Flask) -> FlaskClient:
    return officer(site, "compliance")


@pytest.fixture
def record(adviser: Adviser, ledger: Ledger, build: Build) -> str:
    question = Question("clerk", "site", investors(build)[1], 3)
    return Desk(adviser, ledger).show(question, "lines", lines_of).receipt.id


def lines_of(advice: Any) -> int:
    return len(advice.lines)


def officer(site: Flask, name: str) -> FlaskClient:
    client = signed_in(site, name)
    client.environ_base["HTTP_PATHFOLIO_PURPOSE"] = PURPOSE["Pathfolio-Purpose"]
    return client


def started(client: FlaskClient, record: str, lang: str = "en") -> TestResponse:
    token = re.search(r'csrf_token" value="([^"]+)"', client.get("/").text)
    assert token is not None
    return client.post(f"/records/{record}/reports?lang={lang}", data={"csrf_token": token.group(1)})


def finished(client: FlaskClient, address: str) -> str:
    until = time.monotonic() + 20
    while client.get(address, query_string={"format": "json"}).get_json()["state"] == "running":
        assert time.monotonic() < until
        time.sleep(0.02)
    return client.get(address).text


def looks(ledger: Ledger) -> list[dict[str, Any]]:
    """The newest first."""
    return [entry_of(ledger, header.id) for header in ledger.headers(kinds=["access"])]


def test_a_report_is_made_while_other_pages_are_answered_and_then_downloaded(
    client: FlaskClient, held: Held, record: str, ledger: Ledger
) -> None:
    assert f'action="/records/{record}/reports"' in client.get(f"/records/{record}").text
    before = len(looks(ledger))
    answer = started(client, record)
    assert answer.status_code == 303
    noted = looks(ledger)
    assert len(noted) == before + 1
    assert (noted[0]["records"], noted[0]["who"], noted[0]["purpose"]) == ([record], "compliance", "complaint 7")

    address = answer.headers["Location"]
    page = client.get(address)
    assert page.headers["Refresh"] == "3"
    assert "The report is being made" in page.text
    assert "Refresh" not in client.get(f"{address}?wait=no").headers
    assert client.get(f"{address}/report.pdf").status_code == 404
    assert client.get("/records").status_code == 200
    assert ">being made<" in client.get("/records/reports").text
    held.gate.set()

    done = finished(client, address)
    assert held.asked[-1] is pdf_of
    assert "The report is ready" in done
    assert "Refresh" not in client.get(address).headers
    pdf = client.get(f"{address}/report.pdf")
    assert pdf.data.startswith(b"%PDF")
    assert pdf.headers["Content-Disposition"] == f'attachment; filename="report-{record}.pdf"'
    (listed,) = client.get("/records/reports?format=json").get_json()["reports"]
    assert (listed["record_id"], listed["who"], listed["purpose"]) == (record, "compliance", "complaint 7")
    assert (listed["state"], listed["size"]) == ("done", len(pdf.data))
    assert looks(ledger)[0]["files"] == {f"report-{record}.pdf": listed["sha256"]}


def test_one_report_at_a_time_for_an_account_and_some_for_the_site(
    client: FlaskClient, site: Flask, held: Held, record: str, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nobody but those who may see records starts or sees one."""
    monkeypatch.setattr(report_maker, "MOST_AT_ONCE", 2)
    address = started(client, record).headers["Location"]
    refused = started(client, record)
    assert refused.status_code == 429
    assert "Each account has one report made at a time. Wait until yours is ready." in refused.text
    assert access.accounts is not None
    for name, status in (("officer", 303), ("third", 429)):
        access.accounts.add(name, AccountRole.COMPLIANCE, None)
        token = {"Authorization": f"Bearer {access.accounts.new_token(name)}"}
        answer = site.test_client().post(f"/records/{record}/reports", headers=PURPOSE | token)
        assert answer.status_code == status
    assert len(client.get("/records/reports?format=json").get_json()["reports"]) == 2

    for role in ("investor", "analyst", "engineer", "administrator"):
        other = officer(site, role)
        assert started(other, record).status_code == 403
        for page in ("/records/reports", address, f"{address}/report.pdf"):
            assert other.get(page).status_code == 403, (role, page)
    assert officer(site, "compliance").get(address).status_code == 200
    assert client.post(f"/records/{record}/reports").status_code == 400  # no token against forgery
    silent = signed_in(site, "compliance")
    assert started(silent, record).status_code == silent.get(address).status_code == 428
    assert 'name="next" value="/records"' in started(silent, record).text
    assert started(officer(site, "compliance"), "f" * 16).status_code == 429  # before it is looked for
    for key in ("f" * 16, "..~1..", "x"):
        assert client.get(f"/records/reports/{key}").status_code == 404


def test_a_report_that_the_process_did_not_finish_was_interrupted(
    client: FlaskClient, held: Held, record: str, adviser: Adviser, ledger: Ledger, build: Build, access: Access
) -> None:
    address = started(client, record).headers["Location"]
    again = site_of(adviser, ledger, build, access)
    after = officer(again, "compliance")
    page = after.get(address)
    assert "Refresh" not in page.headers
    assert "The report was interrupted" in page.text
    assert f'action="/records/{record}/reports"' in page.text
    again.extensions["pathfolio"].work = _fails
    failed = started(after, record).headers["Location"]
    assert "The report was not made" in finished(after, failed)
    states = [each["state"] for each in after.get("/records/reports?format=json").get_json()["reports"]]
    assert sorted(states) == ["failed", "interrupted"]


def _fails(work: Callable[..., Any], *args: object) -> Any:
    raise MemoryError(work, *args)


def test_kept_reports_are_private_sealed_few_and_gone_in_time(
    record: str, ledger: Ledger, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, look = KeptReports(ledger), Look("clerk", "test")
    first, second = (kept.begin(record, look, "en") for _ in range(2))
    kept.finish(first, b"%PDF told")
    (found,) = [report for report in kept.all() if report.key == first.key]
    assert kept.content(found) == b"%PDF told"
    folder = ledger.folder / kept_reports.FOLDER
    files = sorted(folder.iterdir())
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, *files)] == [0o700] + [0o600] * 3
    assert all(b"told" not in path.read_bytes() for path in files)

    with pytest.raises(kept_reports.GoneError):  # another report's file in its place
        kept.finish(second, b"%PDF other")
        (folder / f"{first.key}.sealed").write_bytes((folder / f"{second.key}.sealed").read_bytes())
        kept.content(found)
    custody.erase(ledger, investors(build)[1], who="clerk", reason="asked for it", despite_retention=True)
    with pytest.raises(kept_reports.GoneError):
        kept.content(found)
    with pytest.raises(kept_reports.GoneError):
        kept.finish(second, b"%PDF late")
    assert [report.key for report in kept.all()] == [second.key]

    monkeypatch.setattr(kept_reports, "MOST_KEPT", 1)
    third = kept.begin(record, look, "en")
    assert len(kept.all()) == 1
    now = ledger.clock
    ledger.clock = lambda: now() + timedelta(days=KEPT_DAYS, minutes=1)
    assert kept.find(third.key) is None
    assert not [path for path in folder.iterdir() if path.name.startswith(third.key)]
