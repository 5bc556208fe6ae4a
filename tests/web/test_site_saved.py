"""Saved queries and scenes: their links, who sees them, alerts from one day's graph to the next, and the log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records.asking import day_of_asking
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.errors import StoreError, UsageError
from pathfolio.kg.graph_folder import GraphFolder, load_graph_folder, write_graph_folder
from pathfolio.kg.progress import Progress
from pathfolio.kg.store.query import QueryResult
from pathfolio.web.cli import main
from pathfolio.web.site import create_app
from pathfolio.web.site.access.samples import sample_access
from pathfolio.web.site.graph import saved as saved_module
from pathfolio.web.site.graph.saved import FILE, SavedKind, SavedThings, answer_of
from pathfolio.web.site.served import ServedGraph
from pathfolio.web.site.texts import texts_of
from tests.kg.store_world import DAY, world
from tests.web.site_world import signed_in

HELD = "MATCH (f:Fund)-[h:INVESTS_IN]->(a) WHERE h.current_from <= $as_of < h.current_until RETURN f.id, a.id, h.weight"
SCENE = {"nodes": [{"kind": "Fund", "id": "F"}], "expansions": [], "day": None}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[GraphFolder, GraphFolder]:
    """The same market on two days."""
    out = []
    for name, day in (("before", date(2024, 9, 30)), ("after", DAY)):
        where = tmp_path_factory.mktemp("graphs") / name
        write_graph_folder(world().at(day), where, Progress(None), {})
        out.append(load_graph_folder(where))
    return out[0], out[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saved") / "ledger"


@pytest.fixture(scope="module")
def ledger(place: Path) -> Ledger:
    return open_ledger(place, environ={})


@pytest.fixture(scope="module")
def app(folders: tuple[GraphFolder, GraphFolder], ledger: Ledger) -> Iterator[Flask]:
    app = create_app(ServedGraph(folders[0], ledger, day_of_asking(folders[0], date(2024, 10, 1))))
    app.config["TESTING"] = True
    app.extensions["pathfolio_graph"].start()
    app.extensions["pathfolio_graph"].wait(120)
    yield app
    app.extensions["pathfolio_graph"].close()


def save(client: FlaskClient, **form: str) -> TestResponse:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/graph/canvas").text)
    assert token is not None
    return client.post("/graph/saved", data={"csrf_token": token[1], **form})


def listed(client: FlaskClient) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in client.get("/graph/saved?format=json").get_json()["items"]}


def test_what_is_saved_comes_back_by_its_link(app: Flask, place: Path) -> None:
    client = app.test_client()
    look = {"places": {"Fund:F": [1, 2]}, "hidden": ["Stock"], "size": "weight", "colour": "kind"}
    assert save(client, kind="scene", title="A fund", scene=json.dumps(SCENE), look=json.dumps(look)).status_code == 303
    assert save(client, kind="query", title="Named", name="fund_holdings", **{"P.fund": "F"}).status_code == 303
    assert save(client, kind="query", title="Own", query="RETURN $a AS a", parameters="a=1").status_code == 303
    assert save(client, kind="query", title="Own", query="RETURN $a AS a", parameters="a=2").status_code == 303
    found = listed(client)
    assert [(name, each["kind"], each["own"]) for name, each in found.items()] == [
        ("A fund", "scene", True),
        ("Named", "query", True),
        ("Own", "query", True),  # the later one took the first one's place
    ]
    own = client.get(f"/graph/saved/{found['Own']['id']}", follow_redirects=True)
    assert '<td class="number">2</td>' in own.text
    assert listed(client)["Own"]["rows"] == [1]  # what it answers is remembered
    named = client.get(f"/graph/saved/{found['Named']['id']}", follow_redirects=True)
    assert "Alpha" in named.text
    scene = client.get(f"/graph/saved/{found['A fund']['id']}", follow_redirects=True)
    assert "Fund F" in scene.text
    assert "&#34;hidden&#34;:[&#34;Stock&#34;]" in scene.text
    assert (place / FILE).stat().st_mode & 0o777 == 0o600
    for lang in LANGUAGES:
        assert texts_of(lang).say("saved_scene") in client.get(f"/graph/saved?lang={lang}").text


def test_what_cannot_be_saved(app: Flask) -> None:
    client = app.test_client()
    for form, why in (
        ({"kind": "secret", "title": "x"}, "save a query or a scene"),
        ({"kind": "query", "title": "x"}, "no query"),
        ({"kind": "query", "title": " ", "query": "RETURN 1"}, "give one of 1 to 120"),
        ({"kind": "scene", "title": "x", "scene": "{}"}, "nothing is on the canvas"),
        ({"kind": "scene", "title": "x", "scene": json.dumps(SCENE), "look": '{"places": 3}'}, "no look of a scene"),
    ):
        answer = save(client, **form)
        assert (answer.status_code, why in answer.text) == (400, True), form
    assert client.post("/graph/saved", data={"kind": "query", "title": "x", "query": "RETURN 1"}).status_code == 400
    assert client.get("/graph/saved/none").status_code == 404


def test_alerts_from_one_day_to_the_next(
    app: Flask,
    folders: tuple[GraphFolder, GraphFolder],
    ledger: Ledger,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    client = app.test_client()
    for title, query in (("Held", HELD), ("One", "RETURN 1 AS one"), ("Wrong", "RETURN nosuch(1)")):
        save(client, kind="query", title=title, query=query)
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(place))
    states = []
    for folder in folders:
        assert main(["graph", "alerts", str(folder.folder), "--format", "json"]) == 0
        states.append({each["name"]: each["state"] for each in json.loads(capsys.readouterr().out)})
    told = [{name: state[name] for name in ("Held", "One", "Wrong")} for state in states]
    assert told[0] == {"Held": "new", "One": "new", "Wrong": "failed"}
    assert told[1] == {"Held": "changed", "One": "same", "Wrong": "failed"}
    page = listed(client)["Held"]
    assert (page["changed"], page["days"]) == (True, [str(DAY), "2024-09-30"])
    assert "saved-changed" in client.get("/graph/saved").text
    assert main(["graph", "alerts", str(folders[1].folder)]) == 0  # the same graph again changes nothing
    assert "changed  Held" in capsys.readouterr().out


def test_the_log_says_who_asked_what_and_notes_the_look(app: Flask, ledger: Ledger) -> None:
    client = app.test_client()
    client.get("/graph", query_string={"query": "RETURN 42 AS asked_just_now"})
    before = ledger.size
    log = client.get("/graph/saved?log=yes&format=json").get_json()["log"]
    assert log[0]["asked"] == "RETURN 42 AS asked_just_now"
    assert log[0]["who"]
    assert ledger.size == before + 1
    assert client.get("/graph/saved?format=json").get_json()["log"] is None


def test_with_accounts_nobody_sees_what_was_saved_about_investors(
    folders: tuple[GraphFolder, GraphFolder], ledger: Ledger
) -> None:
    SavedThings(ledger.store, investors=True).add(SavedKind.QUERY, "Of U1", "owner", {"query": "RETURN 'U1'"})
    app = create_app(ServedGraph(folders[0], ledger, day_of_asking(folders[0], date(2024, 10, 1))), sample_access("U1"))
    app.extensions["pathfolio_graph"].close()

    analyst = signed_in(app, "analyst")
    assert listed(analyst) == {}
    assert save(analyst, kind="query", title="Mine", query="RETURN 1").status_code == 303
    assert list(listed(analyst)) == ["Mine"]
    key = str(listed(analyst)["Mine"]["id"])
    assert analyst.get("/graph/saved?log=yes&format=json").get_json()["log"] == []  # others' queries are not theirs
    for name in ("investor", "compliance", "engineer", "administrator"):
        client = signed_in(app, name)
        assert {client.get(url).status_code for url in ("/graph/saved", f"/graph/saved/{key}")} == {403}
    mine = SavedThings(ledger.store, investors=False)
    assert [each.name for each in mine.all()] == ["Mine"]
    assert (mine.remove(key, "somebody"), mine.remove(key, "analyst"), mine.find(key)) == (False, True, None)


def test_what_is_kept_has_bounds(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = SavedThings(ledger.store, investors=False)
    monkeypatch.setattr(saved_module, "MOST_SAVED", 1)
    kept.add(SavedKind.QUERY, "First", "ann", {"query": "RETURN 1"})
    with pytest.raises(UsageError, match="saved already"):
        kept.add(SavedKind.QUERY, "Second", "ann", {"query": "RETURN 1"})
    rows = QueryResult(("n",), ((1,), (2,)), None, 0.0)
    turned = QueryResult(("n",), ((2,), (1,)), None, 9.0)
    assert answer_of(rows, "g", DAY) == answer_of(turned, "g", DAY)
    assert answer_of(rows, "g", DAY) != answer_of(QueryResult(("n",), ((1,), (3,)), None, 0.0), "g", DAY)
    (ledger.store.folder / FILE).unlink()  # type: ignore[operator] # it is a folder's
    (ledger.store.folder / FILE).mkdir()  # type: ignore[operator]
    with pytest.raises(StoreError, match="nothing can be saved here"):
        SavedThings(ledger.store, investors=False)
