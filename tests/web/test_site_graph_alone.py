"""The site of a graph alone: its console answers, and what needs a score says in a sentence that there is none."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from datetime import date
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records.asking import day_of_asking
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.graph_folder import GraphFolder, load_graph_folder, write_graph_folder
from pathfolio.kg.progress import Progress
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.samples import sample_access
from pathfolio.web.site.graph_alone import has
from pathfolio.web.site.served import ServedGraph
from pathfolio.web.site.texts import texts_of
from tests.web.test_site_console import ask, rows
from tests.web.test_site_serve import pathfolio


@pytest.fixture(scope="module")
def folder(build: Build, tmp_path_factory: pytest.TempPathFactory) -> GraphFolder:
    out = tmp_path_factory.mktemp("alone") / "graph"
    write_graph_folder(build.graph, out, Progress(None), {})
    return load_graph_folder(out)


@pytest.fixture(scope="module")
def served(folder: GraphFolder, tmp_path_factory: pytest.TempPathFactory) -> ServedGraph:
    ledger = open_ledger(tmp_path_factory.mktemp("alone") / "ledger", environ={})
    return ServedGraph(folder, ledger, day_of_asking(folder, date(2030, 1, 2)))


@pytest.fixture(scope="module")
def app(served: ServedGraph) -> Iterator[Flask]:
    app = create_app(served)
    app.config["TESTING"] = True
    desk = app.extensions["pathfolio_graph"]
    desk.start()
    desk.wait(120)
    yield app
    desk.close()


def test_the_console_answers_and_records_who_asks(app: Flask, served: ServedGraph, build: Build) -> None:
    client = app.test_client()
    assert client.get("/").location == "/graph"
    before = len(served.ledger.headers())
    assert rows(client, "MATCH (u:User) RETURN count(u) AS n") == [[len(build.graph.users)]]
    assert len(served.ledger.headers()) > before
    page = client.get("/graph").text
    assert f"graph {build.graph.content_hash[:12]}" in page
    assert "January 2, 2030" in page
    assert re.search(r'<nav class="pages".*?</nav>', page, re.DOTALL).group().count("<a ") == 1  # type: ignore[union-attr]
    assert 'role="search"' not in page
    assert "problem" in ask(client, "MATCH (n) DELETE n", status=400)


def test_every_other_page_says_that_there_are_no_scores(app: Flask) -> None:
    client, refused = app.test_client(), 0
    for rule in app.url_map.iter_rules():
        if has(rule.endpoint) or "GET" not in (rule.methods or ()):
            continue
        address = re.sub(r"<[^>]+>", "1", rule.rule)
        answer = client.get(address, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.get_json()["title"]) == (404, "There are no recommendations here"), address
        refused += 1
    assert refused > 15
    assert client.get("/no-such-page").status_code == 404


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_sentence_is_in_each_language(app: Flask, lang: str) -> None:
    page = app.test_client().get(f"/investors/1?lang={lang}").text
    assert texts_of(lang).say("no_scores") in page
    assert len({texts_of(each).say("no_scores_remedy") for each in LANGUAGES}) == len(LANGUAGES)


def test_the_guard_comes_first(served: ServedGraph) -> None:
    """With accounts, a stranger is asked to sign in; who may not see the graph sees no console."""
    app = create_app(served, sample_access("INV000001"))
    client = app.test_client()
    assert "/sign-in" in client.get("/graph").location
    assert "/sign-in" in client.get("/investors/1").location
    for name, status in (("analyst", 302), ("investor", 404)):
        token = re.search(r'csrf_token" value="([^"]+)"', client.get("/sign-in").text)
        assert token is not None
        client.post("/sign-in/sample", data={"csrf_token": token.group(1), "name": name})
        assert client.get("/").status_code == status
        assert client.get("/graph?format=json").status_code == (200 if name == "analyst" else 403)
        page = client.get("/accounts" if name == "investor" else "/graph").text
        token = re.search(r'csrf_token" value="([^"]+)"', page)
        assert token is not None
        client.post("/sign-out", data={"csrf_token": token.group(1)})
    app.extensions["pathfolio_graph"].close()


def test_serve_says_what_it_is_and_stops_when_told(folder: GraphFolder) -> None:
    process = pathfolio("serve", str(folder.folder), "--port", "0")
    assert process.stderr is not None
    said = next(line for line in process.stderr if "http://" in line)
    assert "the graph alone, without recommendations" in said
    assert "generated data" in said
    address = re.search(r"http://\S+", said)
    assert address is not None
    connection = HTTPConnection(urlsplit(address.group()).netloc)
    connection.request("GET", "/investors/1")
    answer = connection.getresponse()
    assert (answer.status, b"There are no recommendations here" in answer.read()) == (404, True)
    connection.close()
    process.send_signal(signal.SIGINT)
    assert "stopped" in process.communicate(timeout=20)[1]
    assert process.returncode == 0
    assert Path(folder.folder, "manifest.json").exists()
