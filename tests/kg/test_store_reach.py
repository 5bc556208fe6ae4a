"""Stores that cannot be reached, are lost, or hold something else: one clear line each, and nothing is lost."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pathfolio.kg.errors import PathfolioError, StoreError, UsageError
from pathfolio.kg.progress import Progress
from pathfolio.kg.storage import save_graph
from pathfolio.kg.store import layout, load, read_graph
from pathfolio.kg.store.address import StoreAddress, address_from_environment
from pathfolio.kg.store.answer import Limits
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.load import load_into
from pathfolio.kg.store.meta import stored_graph
from pathfolio.kg.store.query import run_query
from pathfolio.kg.store.server import EmbeddedServer, ServerOptions
from pathfolio.web.cli import main
from tests.kg.store_world import SERVERS, OwnNeo4j, address_of, empty, world

# -- addresses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", ["http://localhost:7474", "bolt//x", "bolt://", "localhost:7687", ""])
def test_a_wrong_uri_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match="is no Bolt URI: write it as bolt://"):
        StoreAddress(uri)


def test_a_password_in_the_uri_is_refused_and_never_shown() -> None:
    with pytest.raises(UsageError, match="no user or password in it") as caught:
        StoreAddress("bolt://neo4j:secret@host")
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(StoreAddress("bolt://host", password="secret"))  # noqa: S106 - it is the test


def test_no_address_at_all() -> None:
    with pytest.raises(UsageError, match="give --uri, set PATHFOLIO_NEO4J_URI"):
        address_from_environment(environment={})


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_no_server_there(scheme: str) -> None:
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1 does not answer: start the server"):
        Store(StoreAddress(f"{scheme}://127.0.0.1:1"), patience=0.0)


@pytest.mark.neo4j
def test_a_database_that_is_not_there_in_neo4j() -> None:
    with Store(replace(address_of("neo4j"), database="nowhere")) as store, pytest.raises(StoreError, match="nowhere"):
        stored_graph(store)


@pytest.mark.neo4j
@pytest.mark.parametrize("scheme", ["neo4j", "bolt+ssc", "neo4j+ssc"])
def test_neo4j_by_routing_and_tls(scheme: str) -> None:
    """neo4j:// asks the server for its members first, as with a cluster; +ssc takes a certificate that it made."""
    with Store(_with_scheme(address_of("neo4j"), scheme)) as store:
        empty(store)
        load_into(store, world())
        assert read_graph(store).content_hash == world().content_hash


@pytest.mark.neo4j
@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+s"])
def test_a_certificate_of_neo4j_that_nobody_trusts(scheme: str) -> None:
    with pytest.raises(StoreError, match=r"nobody here trusts \(self-signed certificate\): .* write \+ssc://"):
        Store(_with_scheme(address_of("neo4j"), scheme))


def test_a_server_without_tls() -> None:
    with pytest.raises(StoreError, match="does not speak TLS: write bolt://"):
        Store(_with_scheme(address_of("embedded"), "bolt+ssc"))


def _with_scheme(address: StoreAddress, scheme: str) -> StoreAddress:
    return replace(address, uri=f"{scheme}://{address.uri.partition('://')[2]}")


# -- what the commands say -------------------------------------------------------------------------------------


@pytest.fixture(params=SERVERS)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreAddress]:
    """An empty server that the environment names."""
    address = address_of(request.param)
    with Store(address) as store:
        empty(store)
    for name in ("uri", "user", "password", "database"):
        monkeypatch.setenv(f"PATHFOLIO_NEO4J_{name.upper()}", getattr(address, name))
    yield address


@pytest.fixture
def commands(tmp_path: Path) -> tuple[list[str], ...]:
    """Load the tiny market, build from the store, and ask it."""
    save_graph(world(), tmp_path / "build" / "graph")
    build = ["build", "--graph", "URI", "--as-of", "2024-12-31", "--out", str(tmp_path / "new")]
    return ["graph", "load", str(tmp_path / "build")], build, ["cypher", "MATCH (n) RETURN count(n)"]


def said(capsys: pytest.CaptureFixture[str], words: list[str], uri: str, code: int = 1) -> str:
    """What a command that fails says, in its one line."""
    found = main([uri if word == "URI" else word for word in words])
    err = [line for line in capsys.readouterr().err.splitlines() if line.startswith("pathfolio: ")]
    assert (found, len(err)) == (code, 1), err
    return err[0].removeprefix("pathfolio: ")


def test_a_wrong_password_in_one_line(
    place: StoreAddress,
    commands: tuple[list[str], ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATHFOLIO_NEO4J_PASSWORD", "wrong")
    expected = f"{place.uri} refuses user {place.user!r}: check PATHFOLIO_NEO4J_USER and PATHFOLIO_NEO4J_PASSWORD"
    for words in commands[::2]:  # after three wrong ones, Neo4j lets nobody in for a while
        assert said(capsys, words, place.uri) == expected


def test_no_server_in_one_line(
    place: StoreAddress,
    commands: tuple[list[str], ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATHFOLIO_NEO4J_URI", "bolt://127.0.0.1:1")
    for words in commands:
        expected = "bolt://127.0.0.1:1 does not answer: start the server, or check the address"
        assert said(capsys, words, "bolt://127.0.0.1:1") == expected


def test_somebody_elses_graph_in_one_line(
    place: StoreAddress, commands: tuple[list[str], ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with Store(place) as store:
        store.write("CREATE (:Person {id: 1})-[:KNOWS]->(:Person {id: 2})")
    load_it, build, _ = commands
    assert "holds somebody else's graph: name an empty database" in said(capsys, load_it, place.uri)
    assert "holds no pathfolio graph: load one with" in said(capsys, build, place.uri)
    assert main([*load_it, "--into-nonempty"]) == 0
    with Store(place) as store:
        assert store.read("MATCH (:Person)-[:KNOWS]->(p:Person) RETURN p.id") == [[2]]


def test_another_schema_in_one_line(
    place: StoreAddress, commands: tuple[list[str], ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with Store(place) as store:
        load_into(store, world())
        store.write(layout.WRITE_META, properties={"schema_version": 0})
        before = store.read("MATCH (n) RETURN count(n)")
        for words in commands[:2]:
            assert "holds a graph of schema version 0, not 1: load it into" in said(capsys, words, place.uri, 3)
        assert store.read("MATCH (n) RETURN count(n)") == before


# -- lost in the middle ----------------------------------------------------------------------------------------


def test_the_embedded_server_is_lost_in_the_middle_of_a_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = EmbeddedServer(tmp_path / "store", ServerOptions(heap="512m"))

    def again() -> StoreAddress:
        assert server.revive()
        return server.writer()

    try:
        check_lost_and_loaded_again(server.writer(), server.kill, again, monkeypatch)
    finally:
        server.stop()


@pytest.mark.neo4j
def test_neo4j_is_lost_in_the_middle_of_a_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address_of("neo4j")  # skips where there is none
    own = OwnNeo4j(tmp_path / "neo4j")
    try:
        check_lost_and_loaded_again(own.start(), own.kill, own.start, monkeypatch)
    finally:
        own.stop()


LONG = "UNWIND range(1, 20000) AS a UNWIND range(1, 20000) AS b RETURN sum(a * b)"


def check_lost_and_loaded_again(
    address: StoreAddress,
    kill: Callable[[], None],
    start: Callable[[], StoreAddress],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One clear line; what was written stays, the load goes on where it stopped and ends the same; then in a query."""
    monkeypatch.setattr(load, "BATCH", 5)
    written = 0

    def update(_self: Progress, _text: str) -> None:
        nonlocal written
        written += 1
        if written == 3:
            kill()

    with Store(address, patience=0.5) as store, monkeypatch.context() as broken:
        broken.setattr(Progress, "update", update)
        with pytest.raises(StoreError) as caught:
            load_into(store, world(), progress=Progress(out=None))
    assert re.search(
        r"does not answer.*\(1\d of 40 relations are written: run the same command again", str(caught.value)
    )
    assert "\n" not in str(caught.value)
    with Store(start()) as store:
        with pytest.raises(StoreError, match="broken off"):
            read_graph(store)
        assert 0 < load_into(store, world()).written < len(world().edges)
        assert read_graph(store).content_hash == world().content_hash
        threading.Timer(1.0, kill).start()
        with pytest.raises(PathfolioError) as lost:
            run_query(
                store,
                "UNWIND range(1, 20000) AS a UNWIND range(1, 20000) AS b RETURN sum(a * b)",
                limits=Limits(seconds=60.0),
            )
    assert "does not answer" in str(lost.value)
    assert "\n" not in str(lost.value)


@pytest.mark.neo4j
def test_what_two_writers_of_neo4j_spoil_for_each_other_is_tried_again() -> None:
    """Two who lock the same nodes in opposite orders: Neo4j ends one of them, and `write` begins that one anew."""
    forwards, backwards = list(range(3000)), list(range(2999, -1, -1))
    count = "UNWIND $ids AS id MATCH (n:Counter {id: id}) SET n.count = n.count + 1"
    with Store(address_of("neo4j")) as store:
        empty(store)
        store.define("CREATE CONSTRAINT counter IF NOT EXISTS FOR (n:Counter) REQUIRE n.id IS UNIQUE")
        try:
            store.write("UNWIND $ids AS id CREATE (:Counter {id: id, count: 0})", ids=forwards)
            rounds, failures = 8, []

            def work(ids: list[int]) -> None:
                try:
                    for _ in range(rounds):
                        store.write(count, ids=ids)
                except PathfolioError as error:
                    failures.append(error)

            threads = [threading.Thread(target=work, args=(ids,)) for ids in (forwards, backwards)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert not failures
            assert store.read("MATCH (n:Counter) RETURN min(n.count), max(n.count)") == [[2 * rounds, 2 * rounds]]
        finally:
            empty(store)
            store.define("DROP CONSTRAINT counter IF EXISTS")
