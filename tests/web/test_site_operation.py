"""Whether the site lives, whether it can answer, and how it is doing: told to machines, and to nobody of persons."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.desk import Desk
from pathfolio.kg.workers import CAN_FORK
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import Access
from pathfolio.web.site.access.roles import AccountRole
from pathfolio.web.site.helpers import helpers_for
from tests.web.site_pages import investors


@pytest.fixture
def app(adviser: Adviser, build: Build, ledger: Ledger) -> Flask:
    return create_app(build, desk=Desk(adviser, ledger))


def measured(client: FlaskClient, **headers: str) -> dict[tuple[str, ...], float]:
    """Name and labels' values, by the labels' names, of each sample to its value."""
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200
    families = text_string_to_metric_families(response.text)
    return {(sample.name, *sample.labels.values()): sample.value for each in families for sample in each.samples}


def test_it_lives_and_is_ready(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/healthz").text == "alive\n"
    assert (client.get("/readyz").status_code, client.get("/readyz").text) == (200, "ready\n")


def test_without_its_ledger_it_lives_and_is_not_ready(app: Flask, ledger: Ledger) -> None:
    ledger.close()
    shutil.rmtree(ledger.folder)
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "not ready: the ledger cannot be reached\n")
    assert measured(client)["pathfolio_ledger_entries",] != measured(client)["pathfolio_ledger_entries",], "NaN"


@pytest.mark.skipif(not CAN_FORK or not Path("/proc/self").exists(), reason="processes cannot be copied here")
def test_where_no_helper_lives_it_is_not_ready(app: Flask) -> None:
    helpers = helpers_for(app, 2)
    assert helpers is not None
    with closing(helpers):
        client = app.test_client()
        assert measured(client)["pathfolio_helpers",] == measured(client)["pathfolio_helpers_asked",] == 2
        assert client.get("/readyz").status_code == 200
        nursery = int(Path(f"/proc/{helpers.pids[0]}/stat").read_text().rpartition(")")[2].split()[1])
        for pid in (nursery, *helpers.pids):
            os.kill(pid, signal.SIGKILL)
        for user in investors(app.extensions["pathfolio"].build)[:3]:
            assert client.get(f"/investors/{user}").status_code == 200, "computed by the site itself"
        assert measured(client)["pathfolio_helpers",] == 0
        assert client.get("/readyz").text == "not ready: no helper lives\n"


def test_requests_are_counted_by_page_and_name_nobody(app: Flask, build: Build, ledger: Ledger) -> None:
    client, user = app.test_client(), investors(build)[1]
    for url in (f"/investors/{user}", f"/investors/{user}?kind=fund", "/investors/nobody-here", f"/no-{user}"):
        client.get(url)
    found = measured(client)
    page = "investors.investor"
    assert found["pathfolio_requests_total", "GET", page, "200"] == 2
    assert found["pathfolio_requests_total", "GET", page, "404"] == 1
    assert found["pathfolio_requests_total", "none", "none", "404"] == 1
    assert found["pathfolio_request_seconds_count", "GET", page] == 3
    assert found["pathfolio_ledger_entries",] == ledger.size
    assert found["pathfolio_ledger_lag_seconds",] == 0
    assert found["pathfolio_build", build.as_of.isoformat(), build.build_hash] == 1
    today = app.extensions["pathfolio"].today()
    assert found["pathfolio_build_age_days",] == (today - build.as_of).days
    assert found["process_resident_memory_bytes",] > 1e7
    assert user not in client.get("/metrics").text


def test_two_sites_of_one_process_count_apart(app: Flask, build: Build, adviser: Adviser, ledger: Ledger) -> None:
    other = create_app(build, desk=Desk(adviser, ledger)).test_client()
    app.test_client().get("/")
    assert ("pathfolio_requests_total", "GET", "home.home", "200") in measured(app.test_client())
    assert ("pathfolio_requests_total", "GET", "home.home", "200") not in measured(other)


def test_only_those_who_run_the_site_read_its_measures(build: Build, adviser: Adviser, ledger: Ledger) -> None:
    accounts = Accounts(":memory:")
    client = create_app(build, Access(accounts), desk=Desk(adviser, ledger)).test_client()
    for role in AccountRole:
        own = investors(build)[1] if role is AccountRole.INVESTOR else None
        accounts.add(role.value, role, None, own)
        token = accounts.new_token(role.value)
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
        may = role in {AccountRole.ENGINEER, AccountRole.ADMINISTRATOR}
        assert answer.status_code == (200 if may else 403), role
    token = accounts.new_token("engineer", scope=["operation"])
    assert measured(client, Authorization=f"Bearer {token}")
    assert client.get("/build", headers={"Authorization": f"Bearer {token}"}).status_code == 403
    assert client.get("/metrics").status_code == 401
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
