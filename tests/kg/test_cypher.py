"""Asking in Cypher: what is let through, how errors read, limits, formats, and the commands."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from pathfolio.kg.errors import DataError, StoreError, UsageError
from pathfolio.kg.storage import save_graph
from pathfolio.kg.store.answer import Limits, QueryError
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.guard import check_query
from pathfolio.kg.store.load import load_into
from pathfolio.kg.store.parameters import free_parameters, parse_value
from pathfolio.kg.store.query import QueryResult, run_query
from pathfolio.kg.store.server import ServerOptions, locked
from pathfolio.kg.store.service import GraphService, writer_of_build
from pathfolio.kg.store.values import NodeValue, PathValue, RelationValue
from pathfolio.web.cli import main
from pathfolio.web.cypher_formats import as_csv, as_json, as_parquet, as_table
from tests.kg.store_world import SERVERS, address_of, empty, world

HARMLESS = [
    "MATCH (n:User) RETURN n",
    "match (n) return count(*) as n;",
    "OPTIONAL MATCH (n:Fund {id: 'x'}) RETURN n.set, n.create, n.delete",
    "MATCH (a)-[:SET|CREATE]->(b:Delete) RETURN {set: 1, merge: a.id, load: 2}",
    "RETURN 'CREATE (n)' AS text, \"it's // not a comment\" AS other // CREATE (n)",
    "MATCH (n) WHERE n.name CONTAINS 'DROP' RETURN n.`create` AS `DELETE`",
    "MATCH (n) WHERE n.name =~ '(?i).*bank.*' RETURN n",
    "MATCH (n) WHERE n.name =~ $pattern RETURN n",
    "UNWIND range(1, 5) AS x RETURN x",
    "MATCH p = (a)-[*..3]-(b) WHERE all(r IN relationships(p) WHERE r.weight > 0.5) RETURN [n IN nodes(p) | n.id]",
    "MATCH (f) WHERE f.v IS NOT NULL RETURN reduce(s = 0.0, i IN range(0, size(f.v) - 1) | s + f.v[i]) AS s",
    "MATCH (u:User) WHERE EXISTS { (u)-[:HOLDS]->(:Stock) } RETURN COUNT { (u)--() } AS n",
    "CALL { MATCH (n:User) RETURN n UNION MATCH (n:Fund) RETURN n } RETURN n.id",
    "CALL db.labels() YIELD label RETURN label",
    "CALL db.index.vector.queryNodes('i', 5, [1.0]) YIELD node, score RETURN node, score",
    "MATCH (a), (b) RETURN shortestPath((a)-[*..4]-(b)) AS p",
    "RETURN CASE WHEN (1 = 1) THEN (2) ELSE (3) END AS x",
    "RETURN date.truncate('month', date('2024-05-06')) AS d, duration.between(date('2024-01-01'), date()) AS e",
    "EXPLAIN MATCH (n) RETURN n",
    "MATCH (n) WHERE toLower(n.name) =~ '.*bank.*' RETURN n.name + ' (' + n.id + ')' AS label",
    "MATCH (u:User)-[h:HOLDS]->(a) WITH u, collect(a.id) AS ids, count(*) AS n, sum(h.weight) AS w "
    "WITH u, ids, n, w / n AS mean RETURN u.id, reduce(s = 0.0, x IN ids | s + (n - mean) * (n - mean)) AS v",
    "MATCH (f:Fund)-[i:INVESTS_IN]->(s) WITH f, collect({id: s.id, w: i.weight}) AS parts "
    "RETURN f.id, [p IN parts WHERE p.w > 0.1 | p.id] AS big, "
    "reduce(m = 0.0, p IN parts | CASE WHEN p.w > m THEN p.w ELSE m END) AS largest",
    "WITH 3 AS n UNWIND range(1, 10) AS i RETURN [x IN range(1, 5) | x * n + i] AS r",
    "MATCH (a:Asset) WITH a.name AS name, a MATCH (b:Asset) WHERE [x IN labels(b) WHERE x = name] = [] RETURN b.id",
    "WITH 1 AS x MATCH (n) WHERE (n.a = x) AND (n.b IN [1, 2]) RETURN DISTINCT (n.a) ORDER BY (n.a) SKIP 1 LIMIT 2",
]


@pytest.mark.parametrize("query", HARMLESS)
def test_what_only_reads_is_let_through(query: str) -> None:
    check_query(query, {"pattern": "^A.*$"})


def test_a_refusal_names_the_word_and_its_place() -> None:
    with pytest.raises(QueryError) as caught:
        check_query("MATCH (n)\n  WHERE n.a = 'SET'\n  SET n.a = 1")
    assert (caught.value.line, caught.value.column) == (3, 3)
    assert str(caught.value) == "line 3, column 3: SET is not for queries that only read"


@pytest.fixture(scope="module", params=SERVERS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with Store(address_of(request.param)) as writer:
        empty(writer)
        load_into(writer, world())
    with Store(address_of(request.param, reader=True)) as connected:
        yield connected


# -- answers and errors --------------------------------------------------------------------------------------


def test_every_harmless_query_is_understood_by_the_server(store: Store) -> None:
    for query in HARMLESS:
        if "vector" not in query and "shortestPath" not in query:  # these need an index, and two different nodes
            run_query(store, query, {"pattern": "^A.*$"})


@pytest.mark.parametrize(
    ("query", "line", "column"),
    [
        ("MATCH (n) RETUR n", 1, 11),
        ("MATCH (n)\nWHERE n.x == 1\nRETURN n", 2, 11),
        ("MATCH (n:User) RETURN n.id,", 1, 28),
    ],
)
def test_the_servers_own_message_with_its_place(store: Store, query: str, line: int, column: int) -> None:
    with pytest.raises(QueryError) as caught:
        run_query(store, query)
    message = str(caught.value)
    assert message.startswith(f"line {line}, column ")
    assert abs(caught.value.column - column) <= 1  # the servers do not count alike where something is missing
    assert "\n" not in message
    assert "input" in message.lower() or "expected" in message.lower()


def test_errors_without_a_place(store: Store) -> None:
    for query in ("MATCH (n) RETURN m", "RETURN 1 / 0 AS x", "RETURN $nothing AS x"):
        with pytest.raises(QueryError) as caught:
            run_query(store, query)
        assert "\n" not in str(caught.value)


def test_values_are_pythons_own(store: Store) -> None:
    row = run_query(
        store,
        "MATCH p = (u:User {id: 'U1'})-[r:HOLDS]->(a:Asset {id: 'C'}) "
        "RETURN u, r, p, r.as_of AS day, r.weight AS weight, labels(a) AS labels, {id: a.id} AS map, null AS nothing",
    ).rows[0]
    user, relation, path = row[:3]
    assert isinstance(user, NodeValue)
    assert isinstance(relation, RelationValue)
    assert isinstance(path, PathValue)
    assert (user.kind, user.id, user.name) == ("User", "U1", "Ann")
    assert user.properties["birth_year"] == 1980
    assert path.nodes[1].kind == "Stock"
    assert row[3:5] == (date(2024, 9, 30), 0.2)
    assert sorted(row[5]) == ["Asset", "Stock"]
    assert row[6:] == ({"id": "C"}, None)


def test_a_drawing_has_each_node_and_relation_once(store: Store) -> None:
    text = "MATCH p = (:User {id: 'U1'})-[h:HOLDS]->(:Fund)-[i:INVESTS_IN]->(a) WHERE i.as_of = $day RETURN p, h"
    drawing = run_query(store, text, {"day": date(2024, 9, 30)}).drawing()
    assert sorted(node["id"] for node in drawing["nodes"]) == ["A", "C", "F", "U1"]
    assert sorted(r["relation"] for r in drawing["relations"]) == ["HOLDS", "HOLDS", "INVESTS_IN", "INVESTS_IN"]
    assert {node["kind"] for node in drawing["nodes"]} == {"User", "Fund", "Stock"}
    assert json.loads(json.dumps(drawing)) == drawing


def test_as_of_is_the_graphs_own_day_where_it_is_not_given(store: Store) -> None:
    assert run_query(store, "RETURN $as_of AS day").rows == ((date(2024, 12, 31),),)
    assert run_query(store, "RETURN $as_of AS day", {"as_of": date(2024, 1, 1)}).rows == ((date(2024, 1, 1),),)


def test_limits_of_rows_and_bytes(store: Store) -> None:
    many = "UNWIND range(1, 200000) AS x RETURN x, 'some text' AS text"
    few = run_query(store, many, limits=Limits(rows=7))
    assert len(few.rows) == 7
    assert few.cut == "7 rows"
    small = run_query(store, many, limits=Limits(bytes=2**20, rows=10**7))
    assert small.cut == "1 MiB"
    assert 2**20 / 40 < len(small.rows) < 2**20 / 9
    whole = run_query(store, "UNWIND range(1, 7) AS x RETURN x", limits=Limits(rows=7))
    assert not whole.truncated


def test_a_plan_in_place_of_rows(store: Store) -> None:
    plan = run_query(store, "EXPLAIN MATCH (n:User {id: 'U1'}) RETURN n")
    assert plan.columns == ("plan",)
    assert any("Index" in line for (line,) in plan.rows)


# -- parameters and formats ----------------------------------------------------------------------------------


def test_parameters_by_their_looks_and_by_type() -> None:
    words = ["a=VOO", "n=3", "x=0.5", "d=2024-05-06", 'l=["A", 1]', "b=true", "code:text=2330", "t:date=2024-01-02"]
    assert free_parameters(words) == {
        "a": "VOO", "n": 3, "x": 0.5, "d": date(2024, 5, 6), "l": ["A", 1], "b": True, "code": "2330",
        "t": date(2024, 1, 2),
    }  # fmt: skip
    for words, message in (
        (["a"], "write it as name=value"),
        (["a=1", "a=2"], "given twice"),
        (["a:colour=red"], "'colour' is no type"),
        (["a:integer=x"], "'x' is no integer: write it as 7"),
    ):
        with pytest.raises(UsageError, match=message):
            free_parameters(words)
    with pytest.raises(UsageError, match="true"):
        parse_value("b", "yes", "boolean")


STOCK = NodeValue("4:1", "Stock", {"id": "A", "listed": date(2001, 2, 3)})
RESULT = QueryResult(
    ("id", "weight", "day", "tags", "node"),
    (
        ("台積電", 0.123456789, date(2024, 5, 6), ["a", "b"], STOCK),
        (None, float("nan"), None, None, None),
    ),
    None,
    0.01,
)  # fmt: skip


def test_formats() -> None:
    table = as_table(RESULT).decode().splitlines()
    assert table[0] == "id      weight    day         tags  node"
    assert table[2] == "台積電  0.123457  2024-05-06  a, b  (Stock A)"
    frame = pd.read_csv(io.BytesIO(as_csv(RESULT)), keep_default_na=False)
    assert frame.columns.tolist() == list(RESULT.columns)
    assert frame.iloc[0].tolist() == [
        "台積電", "0.123456789", "2024-05-06", '["a", "b"]', '{"kind": "Stock", "id": "A", "listed": "2001-02-03"}'
    ]  # fmt: skip
    assert frame.iloc[1].tolist() == ["", "", "", "", ""]
    parsed = json.loads(as_json(RESULT))
    assert parsed["rows"][0][3] == ["a", "b"]
    assert parsed["rows"][1] == [None] * 5
    back = pq.read_table(io.BytesIO(as_parquet(RESULT)))
    assert back.column("day").to_pylist() == [date(2024, 5, 6), None]
    assert back.column("weight").to_pylist()[0] == 0.123456789
    assert json.loads(back.column("node").to_pylist()[0])["id"] == "A"
    assert as_table(QueryResult(("a",), (), None, 0.0)) == b"a\n-\n"


# -- builds and commands -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As much of a build as the store needs: its graph. The embedded server is loaded once."""
    folder = tmp_path_factory.mktemp("builds") / "build"
    save_graph(world(), folder / "graph")
    return folder


COUNT = "MATCH (n:User) RETURN count(n) AS users"


def test_a_build_is_asked_shared_and_kept(build: Path) -> None:
    options = ServerOptions(heap="512m")
    with GraphService.of_build(build, options=options, share=True) as service:
        assert service.run(COUNT).rows == ((4,),)
        with GraphService.of_build(build) as other:  # finds the server that runs
            assert other.server is None
            assert other.run(COUNT).rows == ((4,),)
        private = [build / "store" / name for name in ("password", "address.json")]
        assert {path.stat().st_mode & 0o077 for path in [build / "store", *private]} == {0}
        listening = subprocess.run(["ss", "-ltnp"], capture_output=True, text=True, check=False).stdout
        assert service.server is not None
        own = [line for line in listening.splitlines() if f"pid={service.server.pid}," in line]
        assert all(line.split()[3].startswith(("127.0.0.1:", "[::ffff:127.0.0.1]:", "[::1]:")) for line in own)
    assert not (build / "store" / "address.json").exists()
    loaded = (build / "store" / "databases").stat().st_ino
    with GraphService.of_build(build, options=options) as again:
        assert again.run(COUNT).rows == ((4,),)
    assert (build / "store" / "databases").stat().st_ino == loaded  # not loaded again


def test_a_new_graph_is_loaded_afresh(build: Path, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    save_graph(world().at(date(2024, 9, 30)), folder / "graph")
    options = ServerOptions(heap="512m")
    with GraphService.of_build(folder, options=options) as service:
        assert service.run("RETURN $as_of AS day").rows == ((date(2024, 9, 30),),)
    save_graph(world(), folder / "graph")
    with GraphService.of_build(folder, options=options) as service:
        assert service.run("RETURN $as_of AS day").rows == ((date(2024, 12, 31),),)


def test_no_build_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no graph\.json here: name the folder of a build"):
        GraphService.of_build(tmp_path / "nothing")
    with pytest.raises(DataError, match="name the folder of a build"), writer_of_build(tmp_path / "nothing"):
        pass
    assert not list(tmp_path.iterdir())  # not even a lock


def test_a_store_that_another_process_keeps_to_itself(tmp_path: Path) -> None:
    with locked(tmp_path / "store"), pytest.raises(StoreError, match="in use by another process"), ExitStack() as stack:
        stack.enter_context(locked(tmp_path / "store", seconds=0.0))


def command(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["cypher", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_commands_that_are_wrong(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URI", "USER", "PASSWORD", "DATABASE"):
        monkeypatch.delenv(f"PATHFOLIO_NEO4J_{name}", raising=False)
    for words, code, message in (
        ((), 2, "give a query, or a named one"),
        (("RETURN 1",), 2, "no graph store is named: give --uri"),
        (("CREATE (n)", "--uri", "bolt://127.0.0.1:1"), 2, "a query begins with MATCH"),
        (("RETURN 1", "--uri", "bolt://127.0.0.1:1"), 1, "does not answer"),
        (("RETURN 1", "--uri", "http://127.0.0.1:1"), 2, "is no Bolt URI"),
        (("--name", "ovrlap"), 2, "no named query 'ovrlap'"),
        (("--name", "overlap", "-P", "a=F"), 2, "overlap needs -P b="),
        (("RETURN 1", "--build", "nowhere"), 3, "no graph.json here"),
        (("RETURN 1", "--timeout", "0", "--uri", "bolt://127.0.0.1:1"), 2, "limits of a query are above zero"),
    ):
        found, out, err = command(capsys, *words)
        assert (found, out) == (code, ""), err
        assert err.startswith("pathfolio: ")
        assert message in err
        assert err.count("\n") == 1


def test_list_names_every_query(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = command(capsys, "--list")
    assert code == 0
    assert "overlap: Overlap of two funds" in out
    assert "pathfolio cypher --name overlap -P a=F -P b=G" in out


def test_serve_and_ask(build: Path, tmp_path: Path) -> None:
    """The whole way as a user goes it: a server, a client with the printed password, the command, and the end."""
    code = "import sys; from pathfolio.web.cli import main; sys.exit(main())"
    run = [sys.executable, "-c", code]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PATHFOLIO_NEO4J")}
    serving = subprocess.Popen(
        [*run, "graph", "serve", str(build), "--port", "0"], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert serving.stdout is not None
    try:
        uri, _, user, _, password, _, database = serving.stdout.readline().split()
        client = environment | {
            "PATHFOLIO_NEO4J_URI": uri, "PATHFOLIO_NEO4J_USER": user, "PATHFOLIO_NEO4J_PASSWORD": password,
            "PATHFOLIO_NEO4J_DATABASE": database,
        }  # fmt: skip

        def ask(*words: str, env: dict[str, str] = client) -> subprocess.CompletedProcess[str]:
            return subprocess.run([*run, "cypher", *words], env=env, capture_output=True, text=True, check=False)

        named = ask("--name", "overlap", "-P", "a=F", "-P", "b=G", "--format", "csv")
        assert named.returncode == 0, named.stderr
        assert named.stdout == "asset,name,weight_a,weight_b,shared\nC,Gamma,0.5,0.3,0.3\nA,Alpha,0.5,0.2,0.2\n"
        earlier = ask("--name", "overlap", "-P", "a=F", "-P", "b=G", "--as-of", "2024-09-30", "--format", "json")
        assert json.loads(earlier.stdout)["rows"] == [["A", "Alpha", 0.6, 0.2, 0.2]]
        free = ask(
            "MATCH (n:Asset {id: $id}) RETURN n.name AS name", "-P", "id=A", "--build", str(build), env=environment
        )
        assert free.stdout.splitlines() == ["name", "-----", "Alpha"]
        assert "1 row in" in free.stderr
        wrong = ask("MATCH (n) RETUR n")
        assert wrong.returncode == 2
        assert wrong.stderr.startswith("pathfolio: line 1, column 11: ")
        begun = time.perf_counter()
        slow = ask("UNWIND range(1, 4000000) AS x UNWIND range(1, 4000000) AS y RETURN count(*)", "--timeout", "1")
        assert (slow.returncode, slow.stderr) == (1, "pathfolio: stopped after 1 s: ask for less, or allow more time\n")
        assert time.perf_counter() - begun < 30
        out = tmp_path / "answer.parquet"
        parquet = ask("MATCH (u:User) RETURN u.id AS id ORDER BY id", "--format", "parquet", "--out", str(out))
        assert parquet.returncode == 0, parquet.stderr
        assert pd.read_parquet(out)["id"].tolist() == ["U1", "U2", "U3", "U4"]
    finally:
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(30) == 0


@pytest.mark.neo4j
def test_load_and_vectors_into_neo4j(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store(address_of("neo4j")) as store:
        empty(store)
    assert main(["graph", "load", str(build)]) == 0
    assert "40 relations written, 0 removed" in capsys.readouterr().out
    assert main(["graph", "load", str(build)]) == 0
    assert "0 relations written, 0 removed" in capsys.readouterr().out
    code, out, _ = command(capsys, "--name", "holders", "-P", "asset=D", "--format", "csv")
    assert (code, out.splitlines()[1:]) == (0, ["U4,U4,0.1,,2024-11-30"])


def test_export_for_the_bulk_import(build: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "export", str(build), "--out", str(tmp_path / "files")]) == 0
    assert "neo4j-admin database import full neo4j @neo4j-admin.arguments" in capsys.readouterr().out
    holds = pd.read_csv(tmp_path / "files" / "User_HOLDS_Stock.csv")
    assert holds.columns[:3].tolist() == [":START_ID(User)", ":END_ID(Stock)", "as_of:date"]
    assert len(holds) == 8  # of the eleven positions, three are in funds
