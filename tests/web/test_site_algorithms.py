"""Algorithms on the site: the same tables as elsewhere, within bounds, without people, for analysts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.algorithms.run import ALGORITHMS, algorithm_of, described, run_algorithm
from pathfolio.kg.algorithms.worker import AlgorithmRun, done
from pathfolio.kg.graph_folder import load_graph_folder, write_graph_folder
from pathfolio.kg.people import without_investors
from pathfolio.kg.progress import Progress
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.samples import sample_access
from pathfolio.web.site.graph.algorithm_runs import ROWS, AlgorithmRuns
from tests.explain.ledger_world import entry_of
from tests.web.site_world import signed_in


@pytest.fixture(scope="module")
def app(build: Build) -> Iterator[Flask]:
    app = create_app(build, sample_access("INV000001"))
    app.config["TESTING"] = True
    yield app
    app.extensions["pathfolio_graph"].close()  # the console, once looked at, has started the graph's server


@pytest.fixture
def analyst(app: Flask) -> FlaskClient:
    return signed_in(app, "analyst")


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_table_is_that_of_the_command(name: str, analyst: FlaskClient, build: Build) -> None:
    graph = without_investors(build.graph)
    stocks = [str(graph.nodes.id[row]) for row in graph.rows("Stock")[:2]]  # type: ignore[arg-type]
    given = dict(zip(("source", "target"), stocks, strict=True)) if name == "paths" else {}
    fields = {f"P.{option}": text for option, text in given.items()}
    response = analyst.get("/graph/algorithms", query_string={"name": name, "format": "json", **fields})
    assert response.status_code == 200, response.text
    table = response.get_json()["table"]
    wanted = run_algorithm(graph, algorithm_of(name, given), ROWS)
    assert table["columns"] == list(wanted.columns)
    assert table["rows"] == [list(row) for row in wanted.rows]
    assert table["truncated"] == wanted.cut
    html = unescape(analyst.get("/graph/algorithms", query_string={"name": name, **fields}).text)
    assert all(str(row[-1 if name == "paths" else 2]) in html for row in wanted.rows[:5])
    investors = {str(key) for key in build.graph.user_ids}
    assert not investors & {cell for row in table["rows"] for cell in row if isinstance(cell, str)}


def test_options_as_lines_and_as_files(analyst: FlaskClient) -> None:
    asked = {"name": "leiden", "options": "seed=3\nrelations=IN_INDUSTRY,INVESTS_IN"}
    response = analyst.get("/graph/algorithms", query_string={**asked, "format": "csv"})
    assert response.headers["Content-Disposition"] == 'attachment; filename="leiden.csv"'
    lines = list(csv.reader(io.StringIO(response.text)))
    assert lines[0] == ["kind", "id", "name", "community", "size"]
    assert {line[0] for line in lines[1:]} <= {"Stock", "Fund", "Bond", "Industry"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"name": "hits"}, "no algorithm 'hits'"),
        ({"name": "pagerank", "P.damping": "2"}, "damping: '2' will not do"),
        ({"name": "pagerank", "options": "damping"}, "write it as name=value"),
        ({"name": "pagerank", "P.relations": "HOLDS"}, "no relation is left"),
        ({"name": "similarity", "P.of": "User"}, "no User has a relation"),
        ({"name": "paths", "P.source": "x", "P.target": "<b>"}, "no asset 'x'"),
    ],
)
def test_what_is_wrong_is_said(asked: dict[str, str], message: str, analyst: FlaskClient) -> None:
    response = analyst.get("/graph/algorithms", query_string={**asked, "format": "json"})
    assert response.status_code == 400
    assert message in response.get_json()["remedy"]
    page = analyst.get("/graph/algorithms", query_string=asked)
    assert message in unescape(page.text)
    assert "<b>" not in page.text


def test_nothing_is_run_until_all_is_given(analyst: FlaskClient, app: Flask) -> None:
    ledger = app.extensions["pathfolio"].ledger
    before = {header.id for header in ledger.headers(kinds=["query"])}
    for asked in ({}, {"name": "paths"}, {"name": "paths", "P.source": "x"}):
        response = analyst.get("/graph/algorithms", query_string={**asked, "format": "json"})
        assert (response.status_code, response.get_json()) == (200, {"table": None})
    assert {header.id for header in ledger.headers(kinds=["query"])} == before
    analyst.get("/graph/algorithms", query_string={"name": "pagerank"})
    (new,) = {header.id for header in ledger.headers(kinds=["query"])} - before
    assert entry_of(ledger, new)["name"] == "algorithm pagerank"


def test_who_may_not_ask_the_graph_may_not_run_any(app: Flask) -> None:
    assert signed_in(app, "investor").get("/graph/algorithms?name=pagerank").status_code == 403
    assert app.test_client().get("/graph/algorithms?name=pagerank").status_code in {302, 401}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_speak_each_language(lang: str, analyst: FlaskClient) -> None:
    html = unescape(analyst.get("/graph/algorithms", query_string={"name": "louvain", "lang": lang}).text)
    about = described("louvain")
    assert all(text[lang] in html for text in (about.title, about.sentence, *(each.about for each in about.options)))
    assert "/graph/algorithms" in analyst.get("/graph", query_string={"lang": lang}).text


def test_runs_are_bounded(build: Build) -> None:
    """In time and in number; what took too long leaves nothing behind."""
    runs = AlgorithmRuns(build, seconds=0.05)
    assert runs.run("pagerank", {}).stopped == "algorithm_too_long"
    assert not runs._one.locked()
    slow = AlgorithmRuns(build)
    with slow._one:
        assert slow.run("pagerank", {}).stopped == "algorithm_busy"
    found = slow.run("pagerank", {})
    assert found.result is not None
    assert slow.run("pagerank", {}).result is found.result, "remembered"


def test_another_graph_is_not_taken_for_it(build: Build) -> None:
    run = AlgorithmRun(str(build.folder), "0" * 64, "pagerank", {}, 10)
    assert "another graph took the place" in done(run)["problem"]


def test_a_graph_alone_has_them(build: Build, tmp_path: Path) -> None:
    write_graph_folder(build.graph, tmp_path / "graph", Progress(None), {})
    found = AlgorithmRuns(load_graph_folder(tmp_path / "graph")).run("louvain", {})
    assert found.result is not None
    assert found.result.rows == run_algorithm(build.graph, algorithm_of("louvain", {}), ROWS).rows
