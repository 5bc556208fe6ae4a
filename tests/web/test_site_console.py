"""The graph console on a real embedded server: what analysts may ask, and that no person is in what they ask."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pathfolio.kg.errors import StoreError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.store.address import StoreAddress
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.query import QueryResult
from pathfolio.kg.store.values import NodeValue, RelationValue
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.graph.desk import GraphDesk, State, without_investors
from pathfolio.web.site.graph.drawing import HEIGHT, WIDTH, drawing_of
from tests.explain.explain_world import tiny_market
from tests.web.site_world import signed_in, with_its_server

TOP = "MATCH (f:Fund)-[h:INVESTS_IN]->(s:Stock) RETURN f, h, s, h.weight AS weight ORDER BY weight DESC LIMIT 3"


@pytest.fixture(scope="module")
def app(build: Build) -> Iterator[Flask]:
    """The site as analysts see it, its server running."""
    with with_its_server(build) as app:
        yield app


@pytest.fixture
def analyst(app: Flask) -> FlaskClient:
    return signed_in(app, "analyst")


def ask(client: FlaskClient, query: str, parameters: str = "", status: int = 200) -> dict[str, object]:
    response = client.get("/graph", query_string={"query": query, "parameters": parameters, "format": "json"})
    assert response.status_code == status, response.text
    found: dict[str, object] = response.get_json()
    return found


def rows(client: FlaskClient, query: str, parameters: str = "") -> list[list[object]]:
    found: dict[str, list[list[object]]] = ask(client, query, parameters)["result"]  # type: ignore[assignment]
    return found["rows"]


# -- answers -------------------------------------------------------------------------------------------------


def test_an_answer_is_a_table_a_drawing_and_a_file(analyst: FlaskClient, build: Build) -> None:
    graph = build.graph
    at = graph.edges_between(Relation.INVESTS_IN)
    stocks = [edge for edge in at if graph.kind_of(int(graph.edges.tail[edge])) is NodeKind.STOCK]
    heaviest = max(float(graph.edges.weight[edge]) for edge in stocks)
    html = unescape(analyst.get("/graph", query_string={"query": TOP}).text)
    assert 'viewBox="0 0 900 560" role="group" aria-label="Drawing of' in html
    twin = ask(analyst, TOP)
    result: dict[str, list[list[object]]] = twin["result"]  # type: ignore[assignment]
    assert result["columns"] == ["f", "h", "s", "weight"]
    assert len(result["rows"]) == 3
    assert float(str(result["rows"][0][3])) >= heaviest
    for row in result["rows"]:
        assert row[0]["name"] in html  # type: ignore[index]
    response = analyst.get("/graph", query_string={"query": "MATCH (f:Fund) RETURN f.id AS id", "format": "csv"})
    assert response.headers["Content-Disposition"] == 'attachment; filename="answer.csv"'
    lines = list(csv.reader(io.StringIO(response.text)))
    assert lines[0] == ["id"]
    assert {line[0] for line in lines[1:]} == {str(graph.nodes.id[row]) for row in graph.rows(NodeKind.FUND)}


def test_parameters_are_typed_as_on_the_command_line(analyst: FlaskClient) -> None:
    found = rows(analyst, "RETURN $a AS a, $b AS b, $c AS c", 'a=0.5\n\n  b=VOO\nc="2330"')
    assert found == [[0.5, "VOO", "2330"]]
    problem: dict[str, str] = ask(analyst, "RETURN $a", "nonsense", 400)["problem"]  # type: ignore[assignment]
    assert "write it as name=value" in problem["message"]


def test_a_named_query_asks_for_what_it_needs(analyst: FlaskClient, build: Build) -> None:
    page = unescape(analyst.get("/graph?name=overlap").text)
    assert "Overlap of two funds" in page
    assert 'name="P.a" type="text" value="" required' in page
    graph = build.graph
    fund = str(graph.nodes.id[graph.rows(NodeKind.FUND)[0]])
    twin = analyst.get(f"/graph?name=overlap&P.a={fund}&P.b={fund}&format=json").get_json()
    held = graph.outgoing(Relation.INVESTS_IN).of(graph.asset_row(fund))
    assert {row[0] for row in twin["result"]["rows"]} == {str(graph.nodes.id[row]) for row in held}
    assert analyst.get("/graph?name=overlap&P.a=x&P.b=y&P.z=1&format=json").status_code == 400
    assert analyst.get("/graph?name=nothing").status_code == 404


def test_programs_ask_with_a_token(app: Flask) -> None:
    access = app.extensions["pathfolio_access"]
    headers = {"Authorization": f"Bearer {access.accounts.new_token('analyst')}"}
    client = app.test_client()
    asked = {"query": "MATCH (f:Fund) RETURN count(f) AS n", "parameters": {}}
    assert client.post("/graph", json=asked, headers=headers).get_json()["result"]["rows"] == [[12]]
    named = {"name": "fund_holdings", "parameters": {"fund": "none"}}
    assert client.post("/graph", json=named, headers=headers).get_json()["result"]["rows"] == []
    for wrong in (b"", b"[]", b'{"query": ""}', b'{"query": "RETURN 1", "parameters": []}'):
        assert client.post("/graph", data=wrong, headers=headers).status_code == 400


# -- refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "CREATE (n:Fund {id: 'x'})",
        "MATCH (f:Fund) SET f.name = 'x'",
        "MATCH (n) DETACH DELETE n",
        "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
        "CALL db.info()",
    ],
)
def test_what_does_more_than_read_is_refused(analyst: FlaskClient, query: str) -> None:
    assert ask(analyst, query, status=400)["problem"]
    assert rows(analyst, "MATCH (f:Fund) RETURN count(f)") == [[12]]


def test_a_mistake_is_shown_with_its_place(analyst: FlaskClient) -> None:
    problem: dict[str, object] = ask(analyst, "RETURN 1\nRETURN nosuch.thing(2)", status=400)["problem"]  # type: ignore[assignment]
    assert problem["line"] == 2
    response = analyst.get("/graph", query_string={"query": "MATCH (<b>x"})
    assert response.status_code == 400
    assert 'role="alert"' in response.text
    assert "<b>x" not in response.text


# -- no person -----------------------------------------------------------------------------------------------


def test_analysts_find_no_person_however_they_ask(analyst: FlaskClient, build: Build) -> None:
    assert rows(analyst, "MATCH (u:User) RETURN count(u)") == [[0]]
    kinds = {row[0] for row in rows(analyst, "MATCH ()-[r]->() RETURN DISTINCT type(r)")}
    assert kinds
    assert not kinds & {"HOLDS", "HELD", "HAS_RISK", "SEEKS", "HAS_CAPACITY", "HAS_EXPERIENCE", "IN_SEGMENT"}
    everything = str(ask(analyst, "MATCH (n) RETURN n LIMIT 2000"))
    graph = build.graph
    assert not [key for key in graph.nodes.id[graph.users] if str(key) in everything]
    page = analyst.get("/graph").text
    assert "Investors are not part of this graph" in page
    for name in ("co_held", "holders", "issuer_failure", "portfolio"):
        assert f"name={name}" not in page
        assert analyst.get(f"/graph?name={name}").status_code == 404


def test_the_graph_without_investors_is_the_rest_of_it() -> None:
    graph = tiny_market()
    rest = without_investors(graph)
    before, after = graph.counts(), rest.counts()
    assert {k: n for k, n in before["nodes"].items() if k != "User"} == after["nodes"]
    about = {"HOLDS", "HELD", "HAS_RISK", "SEEKS"}
    assert {k: n for k, n in before["edges"].items() if k not in about} == after["edges"]
    assert _named_edges(rest, Relation.INVESTS_IN) == _named_edges(graph, Relation.INVESTS_IN)
    assert rest.content_hash != graph.content_hash


def _named_edges(graph: KnowledgeGraph, relation: Relation) -> set[tuple[str, str, float]]:
    edges, ids = graph.edges, graph.nodes.id
    at = graph.edges_between(relation)
    return {(str(ids[edges.head[e]]), str(ids[edges.tail[e]]), float(edges.weight[e])) for e in at}


def test_without_accounts_the_whole_graph_is_there(build: Build) -> None:
    desk = GraphDesk(build, investors=True)
    assert "holders" in {query.name for query in desk.queries}
    assert desk.state is State.OFF
    with pytest.raises(StoreError, match="still starting"):
        _ = desk.service


# -- while the server starts, and when it does not -----------------------------------------------------------


def test_while_the_server_starts_the_page_comes_again_by_itself(build: Build) -> None:
    app = create_app(build)
    desk: GraphDesk = app.extensions["pathfolio_graph"]
    desk.start = lambda: None  # type: ignore[method-assign] # it stays as it is
    desk.wait = lambda seconds: State.STARTING  # type: ignore[method-assign]
    client = app.test_client()
    page = client.get("/graph", query_string={"query": TOP})
    assert (page.status_code, page.headers["Refresh"]) == (503, "3")
    assert "This page comes again by itself" in page.text
    twin = client.get("/graph", query_string={"query": TOP, "format": "json"})
    assert (twin.status_code, twin.get_json()["starting"], twin.headers["Retry-After"]) == (503, True, "3")
    assert "Refresh" not in twin.headers


def test_neo4j_clients_are_told_where_the_graph_is(app: Flask) -> None:
    desk: GraphDesk = app.extensions["pathfolio_graph"]
    told = re.fullmatch(
        r"the graph \(without investors\) is at (bolt://127\.0\.0\.1:\d+), user (\w+), password (\S+), database (\w+); "
        "read only",
        desk.started(),
    )
    assert told is not None
    with Store(StoreAddress(*told.groups())) as store:
        assert store.read("MATCH (f:Fund) RETURN count(f)") == [[12]]


def test_a_server_that_does_not_start_is_explained(build: Build, tmp_path: Path) -> None:
    broken = Build(tmp_path / "gone", build.manifest)
    app = create_app(build)
    app.extensions["pathfolio_graph"] = desk = GraphDesk(broken, investors=True)
    desk.start()
    assert desk.wait(60) is State.FAILED
    response = app.test_client().get("/graph", query_string={"query": TOP})
    assert response.status_code == 502
    assert unescape(desk.failure) in unescape(response.text)


# -- the drawing ---------------------------------------------------------------------------------------------


def test_a_drawing_has_each_node_once_inside_its_box() -> None:
    nodes = [NodeValue(str(i), "Fund" if i < 3 else "Stock", {"id": f"n{i}", "name": f"Node {i}"}) for i in range(9)]
    ties = [RelationValue("INVESTS_IN", str(i), str(j), {}) for i, j in ((0, 3), (0, 4), (1, 5), (1, 1))]
    rows = tuple((node,) for node in [*nodes, nodes[0]]) + tuple((tie,) for tie in ties)
    drawing = drawing_of(QueryResult(("x",), rows, None, 0.0))
    assert drawing is not None
    assert sorted(dot.id for dot in drawing.dots) == [f"n{i}" for i in range(9)]
    assert drawing.kinds == ("Fund", "Stock")
    assert len(drawing.arrows) == 3  # not the one from a node to itself
    assert all(0 < dot.x < WIDTH and 0 < dot.y < HEIGHT for dot in drawing.dots)
    assert len({(dot.x, dot.y) for dot in drawing.dots}) == 9
    assert drawing_of(QueryResult(("n",), ((1,),), None, 0.0)) is None
