"""Helpers: processes that compute answers beside the site: the same answers, never lost, gone when the site is."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records.adviser import Advice, Adviser, Question
from pathfolio.explain.records.desk import Desk
from pathfolio.kg.errors import UsageError
from pathfolio.kg.workers import CAN_FORK
from pathfolio.recommender.build import Build
from pathfolio.web.cli import main
from pathfolio.web.site import create_app
from pathfolio.web.site.helpers import Helpers, helpers_for
from tests.explain.ledger_world import entry_of
from tests.web.site_pages import first_recommendation, investors, page_of, twin_of

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="processes cannot be copied here")


@pytest.fixture
def app(adviser: Adviser, build: Build, ledger: Ledger) -> Flask:
    app = create_app(build, desk=Desk(adviser, ledger))
    app.extensions["pathfolio"].warm_up()
    return app


@pytest.fixture
def helpers(app: Flask) -> Iterator[Helpers]:
    found = helpers_for(app, 2)
    assert found is not None
    with closing(found):
        yield found


def _told(page: str) -> str:
    """A page without the id of its record, and without what each visitor's forms carry against forgery."""
    return re.sub(r"\b[0-9a-f]{16}\b", "", re.sub(r'(name="csrf_token" value=")[^"]*', r"\1", page))


def test_pages_and_records_are_those_that_the_site_computes_itself(
    app: Flask, helpers: Helpers, adviser: Adviser, build: Build, tmp_path: Path
) -> None:
    alone = create_app(build, desk=Desk(adviser, open_ledger(tmp_path / "alone", environ={})))
    user, client, other = investors(build)[1], app.test_client(), alone.test_client()
    why = first_recommendation(other, user)
    assert first_recommendation(client, user) == why
    for url in (f"/investors/{user}?kind=fund", f"/investors/{user}?lang=zh-TW", f"/investors/{user}?lang=en", why):
        assert _told(page_of(client, url)) == _told(page_of(other, url))
        assert twin_of(client, url) == twin_of(other, url)
    ours, theirs = (
        [entry_of(desk.ledger, header.id) for header in desk.ledger.headers(person=user)]
        for desk in (app.extensions["pathfolio"].desk, alone.extensions["pathfolio"].desk)
    )
    assert len(ours) == 9
    assert json.dumps(sorted(map(json.dumps, ours))) == json.dumps(sorted(map(json.dumps, theirs)))


def test_lists_of_somebody_new_and_what_ifs_are_computed_by_helpers(
    app: Flask, helpers: Helpers, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Desk, "compute_here")
    client, user = app.test_client(), investors(build)[1]
    asset = str(build.graph.nodes.id[build.graph.assets[3]])
    assert "/assets/" in page_of(client, "/questionnaire?horizon=5")
    assert page_of(client, f"/investors/{user}/what-if?dismiss={asset}")
    for body in ({}, {"profile": {"horizon": 5}}, {"user_id": user}, {"user_id": user, "dismiss": [asset], "k": 3}):
        response = client.post("/api/what-if", json=body)
        assert response.status_code == 200, (body, response.text[:300])
        assert response.get_json()["list"]


def test_what_is_wrong_with_a_question_is_told_as_it_is(helpers: Helpers) -> None:
    with pytest.raises(UsageError, match="nobody"):
        helpers.compute(Question("clerk", "site", "nobody"), _count)


def _count(advice: Advice) -> int:
    return len(advice.explanations)


def _fault(advice: Advice) -> int:
    raise FileNotFoundError(len(advice.explanations))


def _lambda(advice: Advice) -> object:
    return lambda: advice


@pytest.mark.parametrize(("view_of", "error"), [(_fault, FileNotFoundError), (_lambda, AttributeError)])
def test_a_fault_in_a_view_is_told_and_the_helper_goes_on(
    helpers: Helpers, build: Build, view_of: Callable[[Advice], object], error: type[Exception]
) -> None:
    before = helpers.pids
    with pytest.raises(error) as told:
        helpers.compute(Question("clerk", "site", investors(build)[1]), view_of)
    assert f"in {view_of.__name__}" in "".join(told.value.__notes__) or view_of is _lambda
    assert helpers.compute(Question("clerk", "site", investors(build)[1]), _count).shown() > 0
    assert helpers.pids == before


def test_one_helper_that_dies_takes_no_other_with_it(
    helpers: Helpers, build: Build, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = helpers.pids
    os.kill(second, signal.SIGKILL)
    ask = partial(helpers.compute, view_of=_count)
    questions = [Question("clerk", "site", user) for user in investors(build)[1:5]]
    assert ask(questions[0]).shown() > 0
    assert "a helper died" in caplog.text
    assert len(helpers.pids) == 2 and first in helpers.pids and second not in helpers.pids
    monkeypatch.delattr(Desk, "compute_here")
    assert all(ask(question).view for question in questions)


def test_without_helpers_the_site_computes_itself(app: Flask, helpers: Helpers, build: Build) -> None:
    user = investors(build)[2]
    before = twin_of(app.test_client(), f"/investors/{user}")
    for pid in helpers.pids:
        os.kill(pid, signal.SIGKILL)
    for other in investors(build)[3:]:
        assert twin_of(app.test_client(), f"/investors/{other}")["recommended"]
    assert twin_of(app.test_client(), f"/investors/{user}") == before


def test_helpers_work_at_the_same_time(helpers: Helpers, build: Build) -> None:
    assert len(set(helpers.pids)) == 2
    assert os.getpid() not in helpers.pids


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_helpers_end_with_the_site(build: Build, number: signal.Signals) -> None:
    code = "from pathfolio.web.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", code, "serve", str(build.folder), "--port", "0", "--helpers", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    address = next(found for line in process.stderr if (found := re.search(r"http://\S+", line)))
    (site,) = _children(process.pid)
    (nursery,) = _children(site)
    children = [site, nursery, *_children(nursery)]
    assert len(children) == 4
    connection = HTTPConnection(urlsplit(address.group()).netloc)
    connection.request("GET", f"/investors/{investors(build)[1]}?format=json")
    assert connection.getresponse().status == 200
    connection.close()
    process.send_signal(number)
    process.communicate(timeout=10)
    until = time.monotonic() + 10
    while any(map(_alive, children)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(_alive, children))


def _nap(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def test_long_work_leaves_a_helper_for_answers(app: Flask, helpers: Helpers, build: Build) -> None:
    work = app.extensions["pathfolio"].work
    with ThreadPoolExecutor(3) as pool:
        begun = time.monotonic()
        naps = [pool.submit(work, _nap, 1.0) for _ in range(2)]
        time.sleep(0.2)
        assert helpers.compute(Question("clerk", "site", investors(build)[1]), _count).shown() > 0
        assert time.monotonic() - begun < 1.0
        assert {nap.result() for nap in naps} <= set(helpers.pids)
        assert time.monotonic() - begun > 1.9
    with pytest.raises(TypeError):
        work(_nap, "x")


def test_audiences_are_computed_by_helpers(app: Flask, helpers: Helpers, build: Build) -> None:
    asset, before = str(build.graph.nodes.id[build.graph.assets[3]]), twin_of(app.test_client(), "/")
    url = f"/assets/{asset.replace('/', '~1')}/audience?k=10"
    there = twin_of(app.test_client(), url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "pathfolio.web.site.pages.audience.audience_of", None
        )  # here alone: a helper is a copy of what was before
        assert twin_of(app.test_client(), url) == there
    assert len(there["audience"]) == 10
    assert twin_of(app.test_client(), "/") == before


def test_fewer_helpers_than_none_are_refused(build: Build, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(build.folder), "--port", "0", "--helpers", "-1"]) == 2
    assert "--helpers -1: 0 or more" in capfd.readouterr().err
