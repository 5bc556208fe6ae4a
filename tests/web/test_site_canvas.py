"""What the canvas asks of a real server: nodes by name, pictures on two days, ties; and who may not ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.schema import KIND_CODE, NodeKind, Relation
from pathfolio.recommender.build import Build
from pathfolio.web.site.access.roles import AccountRole
from pathfolio.web.site.graph.finding import NodeFinder
from pathfolio.web.site.texts import texts_of
from tests.explain.explain_world import tiny_market
from tests.web.site_world import HOSTILE, signed_in, with_its_server


@pytest.fixture(scope="module")
def app(build: Build) -> Iterator[Flask]:
    """The site as analysts see it, its server running."""
    with with_its_server(build) as app:
        yield app


@pytest.fixture
def analyst(app: Flask) -> FlaskClient:
    return signed_in(app, "analyst")


@pytest.fixture
def fund(build: Build) -> dict[str, str]:
    return {"kind": "Fund", "id": str(build.graph.nodes.id[build.graph.rows(NodeKind.FUND)[0]])}


def scene(fund: dict[str, str], **more: object) -> dict[str, object]:
    holdings = {"node": fund, "relation": "INVESTS_IN", "outgoing": True, "most": 50}
    return {"nodes": [fund], "expansions": [holdings], **more}


def test_pictures_on_two_days_differ_as_the_graph_does(
    analyst: FlaskClient, fund: dict[str, str], build: Build
) -> None:
    now = analyst.post("/graph/picture", json=scene(fund)).get_json()
    graph = build.graph
    assert now["day"] == str(graph.as_of)
    held = graph.outgoing(Relation.INVESTS_IN).of(graph.asset_row(fund["id"]))
    assert {node["ref"]["id"] for node in now["nodes"]} == {fund["id"], *(str(graph.nodes.id[row]) for row in held)}
    told = {"source", "as_of", "known_at", "current_from", "current_until"}
    assert all(told < set(tie["properties"]) for tie in now["relations"])
    assert len(now["days"]) > 1
    seen, holdings = set(), set()
    for day in [*now["days"][-4:], now["days"][0]]:
        then = graph.at(date.fromisoformat(day))
        drawn = analyst.post("/graph/picture", json=scene(fund, day=day)).get_json()
        at = then.edges_between(Relation.INVESTS_IN)
        ids, row = then.nodes.id, then.asset_row(fund["id"])
        expected = {
            (str(ids[then.edges.tail[e]]), str(date(1970, 1, 1) + timedelta(int(then.edges.as_of[e]))))
            for e in at.tolist()
            if then.edges.head[e] == row
        }
        found = {
            (tie["tail"]["id"], tie["properties"]["as_of"])
            for tie in drawn["relations"]
            if (tie["head"]["id"], tie["relation"]) == (fund["id"], "INVESTS_IN")
        }
        assert found == expected
        seen.add(json.dumps(drawn["relations"]))
        holdings.add(frozenset(found))
    assert len(seen) == 5  # on each of these days something in the picture changed
    assert len(holdings) > 1


def test_every_picture_is_an_entry_of_the_ledger(app: Flask, analyst: FlaskClient, fund: dict[str, str]) -> None:
    ledger = app.extensions["pathfolio"].ledger
    before = len(ledger.headers())
    analyst.post("/graph/picture", json=scene(fund))
    assert len(ledger.headers()) == before + 1


def test_ties_and_what_is_wrong(analyst: FlaskClient, fund: dict[str, str]) -> None:
    found = analyst.get("/graph/ties", query_string=fund).get_json()
    ways = {(tie["relation"], tie["outgoing"]): tie["count"] for tie in found["ties"]}
    assert ways["INVESTS_IN", True] > 0
    assert not {relation for relation, _ in ways} & {"HOLDS", "HELD"}
    for wrong, why in (
        ({**fund, "kind": "Found"}, "no kind of node 'Found'"),
        ({**fund, "day": "today"}, "no day 'today'"),
    ):
        answer = analyst.get("/graph/ties", query_string=wrong)
        assert (answer.status_code, why in answer.get_json()["error"]) == (400, True)
    for asked in (b"", b"[]", b'{"nodes": [{"kind": "X", "id": "1"}]}', b'{"nodes": [], "day": "never"}', b"[" * 9000):
        answer = analyst.post("/graph/picture", data=asked, content_type="application/json")
        assert (answer.status_code, "error" in answer.get_json()) == (400, True)
    many = {"nodes": [{"kind": "Fund", "id": str(at)} for at in range(151)]}
    assert analyst.post("/graph/picture", json=many).status_code == 400


def test_nodes_are_found_whatever_the_accents_and_no_person_is(analyst: FlaskClient, build: Build) -> None:
    names = [node["name"] for node in analyst.get("/graph/find?q=ALERT('X')").get_json()["nodes"]]
    assert names == [HOSTILE]
    user = str(build.graph.nodes.id[build.graph.users[3]])
    assert analyst.get(f"/graph/find?q={user}").get_json() == {"nodes": [], "more": 0}
    graph = tiny_market()
    key = str(graph.nodes.id[graph.users[0]])
    assert [each.ref.id for each in NodeFinder(graph, investors=True).find(key, NodeKind.USER).nodes] == [key]
    assert NodeFinder(graph, investors=False).find(key, NodeKind.USER).nodes == ()
    few = NodeFinder(graph, investors=True).find(key[:1], most=1)
    assert (len(few.nodes), few.more > 0) == (1, True)
    stocks = NodeFinder(graph, investors=True).find("a", NodeKind.STOCK)
    assert {KIND_CODE[each.ref.kind] for each in stocks.nodes} <= {KIND_CODE[NodeKind.STOCK]}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_scripts_the_page_has_tables(analyst: FlaskClient, fund: dict[str, str], lang: str) -> None:
    asked = {"scene": json.dumps(scene(fund)), "q": "fund", "lang": lang}
    page = analyst.get("/graph/canvas", query_string=asked)
    assert page.status_code == 200
    drawn = analyst.post("/graph/picture", json=scene(fund)).get_json()
    text = unescape(page.text)
    assert all(node["name"] in text for node in drawn["nodes"])
    for tie in drawn["relations"]:
        assert f"<code>{tie['relation']}</code>" in text
    assert text.count("<code>INVESTS_IN</code>") == len(
        [tie for tie in drawn["relations"] if tie["relation"] == "INVESTS_IN"]
    )
    assert texts_of(lang).say("canvas_tables") in text
    assert 'href="/graph/canvas?node=' in text
    wrong = analyst.get("/graph/canvas?scene={")
    assert (wrong.status_code, 'role="alert"' in wrong.text) == (400, True)


def test_who_may_not_see_the_graph_has_no_canvas(app: Flask, fund: dict[str, str]) -> None:
    for role in AccountRole:
        client = signed_in(app, role.value)
        status = 200 if role is AccountRole.ANALYST else 403
        assert client.get("/graph/canvas").status_code == status, role
        assert client.get("/graph/find?q=a").status_code == status
        assert client.get("/graph/ties", query_string=fund).status_code == status
        assert client.post("/graph/picture", json=scene(fund)).status_code == status
