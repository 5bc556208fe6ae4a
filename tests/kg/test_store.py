"""The behaviour that every graph store has: one suite, on the embedded server and on a real Neo4j."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.compile import compile_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.errors import DataError, SchemaError, StoreError, UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.progress import Progress
from pathfolio.kg.sample.size import SampleSize
from pathfolio.kg.sample.write import write_sample_market
from pathfolio.kg.schema import KIND_CODE, NodeKind, Relation
from pathfolio.kg.store import layout, load, read_graph
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.bulk import write_bulk_files
from pathfolio.kg.store.evidence_query import EvidencePath, EvidenceStep, evidence_query, literal
from pathfolio.kg.store.load import load_into
from pathfolio.kg.store.meta import stored_graph
from pathfolio.kg.store.query import run_query
from pathfolio.kg.store.vectors import VectorNote, read_vectors, write_vectors
from tests.kg.store_world import (
    DAY,
    FUNDS,
    POSITIONS,
    SERVERS,
    OwnNeo4j,
    address_of,
    edge_frame,
    empty,
    node_frame,
    world,
)

BACK = date(2024, 9, 30)


@pytest.fixture(params=SERVERS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store."""
    with Store(address_of(request.param), patience=1.0) as connected:
        empty(connected)
        yield connected


def smaller_world(rows: list[tuple[Any, ...]], day: date = DAY) -> KnowledgeGraph:
    return compile_graph(node_frame(), edge_frame(rows), day, name="tiny market")


# -- the round trip --------------------------------------------------------------------------------------------


def test_what_is_read_back_is_what_was_loaded(store: Store) -> None:
    report = load_into(store, world())
    assert (report.nodes, report.relations) == (len(world().nodes), len(world().edges))
    back = read_graph(store)
    assert back.content_hash == world().content_hash
    assert read_graph(store, BACK).content_hash == world().at(BACK).content_hash


def test_loading_twice_writes_once(store: Store) -> None:
    load_into(store, world())
    again = load_into(store, world())
    assert (again.written, again.deleted) == (0, 0)
    assert read_graph(store).content_hash == world().content_hash


def test_next_day_is_loaded_by_its_difference(store: Store) -> None:
    """New versions come, what is gone goes, and what has an end now gets it."""
    before = smaller_world(POSITIONS[:3] + POSITIONS[7:10] + FUNDS[:2], date(2024, 9, 1))
    load_into(store, before)
    after = smaller_world(POSITIONS[1:] + FUNDS)
    report = load_into(store, after)
    assert report.deleted == 1
    assert report.written == len(after.edges) - 3  # of what U2 and U3 held nothing is new
    assert read_graph(store).content_hash == after.content_hash
    ends = store.read("MATCH (:User {id: 'U1'})-[r:HOLDS]->(:Asset {id: 'B'}) RETURN toString(r.current_until)")
    assert ends == [["2024-10-15"]]


def test_a_changed_weight_is_corrected(store: Store) -> None:
    load_into(store, world())
    columns = {name: getattr(world().edges, name) for name in world().edges.__dataclass_fields__}
    heavier = np.where(columns["weight"] == 0.9, 0.8, columns["weight"])
    changed = replace(world(), edges=replace(world().edges, weight=heavier))
    assert load_into(store, changed).written == 1
    assert read_graph(store).content_hash == changed.content_hash


class LostError(RuntimeError):
    """Stands for whatever ends a load half way."""


def test_a_load_that_dies_half_way_can_be_run_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "BATCH", 5)
    batches = 0

    def update(_self: Progress, _text: str) -> None:
        nonlocal batches
        batches += 1
        if batches == 4:
            raise LostError

    with monkeypatch.context() as broken:
        broken.setattr(Progress, "update", update)
        with pytest.raises(LostError):
            load_into(store, world(), progress=Progress(out=None))
    about = stored_graph(store)
    assert about is not None
    assert about.state == "loading"
    with pytest.raises(StoreError, match="broken off: run `pathfolio graph load` again"):
        read_graph(store)
    there = store.read("MATCH ()-[r]->() RETURN count(r)")[0][0]
    assert 0 < there < len(world().edges)
    assert load_into(store, world()).written == len(world().edges) - there
    assert read_graph(store).content_hash == world().content_hash


def test_a_relation_that_stands_twice_is_put_right(store: Store) -> None:
    load_into(store, world())
    twice = "MATCH (a:User {id: 'U1'})-[r:HOLDS]->(b:Asset {id: 'A'}) CREATE (a)-[s:HOLDS]->(b) SET s = properties(r)"
    store.write(twice)
    load_into(store, world())
    assert store.read("MATCH ()-[r]->() RETURN count(r)") == [[len(world().edges)]]


def test_layout_in_the_store(store: Store) -> None:
    load_into(store, world())
    alpha = store.read("MATCH (a:Asset {id: 'A'}) RETURN labels(a), a.name_local, a.isin, a.ticker")[0]
    assert sorted(alpha[0]) == ["Asset", "Stock"]
    assert alpha[1:] == ["阿爾法", None, "A"]
    edges = store.read(
        "MATCH (:User {id: 'U2'})-[r:HOLDS]->(:Stock {id: 'A'}) "
        "RETURN r.weight, r.value, r.qualifier, r.source, toString(r.as_of), toString(r.current_until)"
    )
    assert edges == [[None, 10.0, "transaction", "positions", "2024-03-31", "9999-12-31"]]
    constraints = store.read("SHOW CONSTRAINTS")
    assert len(constraints) >= len(NodeKind)


def test_what_the_owner_adds_is_read(store: Store) -> None:
    load_into(store, world())
    store.write(
        "MATCH (a:Stock {id: 'A'}) MATCH (b:Stock {id: 'B'}) CREATE (a)-[:COMPETES_WITH {weight: 0.5, source: 'me', "
        "as_of: date('2024-05-01'), known_at: date('2024-05-02')}]->(b)"
    )
    graph = read_graph(store)
    assert len(graph.edges) == len(world().edges) + 1
    assert graph.edge(graph.asset_row("A"), Relation.COMPETES_WITH, graph.asset_row("B")) is not None
    assert read_graph(store, date(2024, 5, 1)).content_hash == world().at(date(2024, 5, 1)).content_hash


def test_what_breaks_the_schema_is_refused(store: Store) -> None:
    load_into(store, world())
    day = "as_of: date('2024-05-01'), known_at: date('2024-05-02')"
    store.write(f"MATCH (a:Stock {{id: 'A'}}) MATCH (b:User {{id: 'U1'}}) CREATE (a)-[:HOLDS {{{day}}}]->(b)")
    with pytest.raises(DataError, match="HOLDS from Stock 'A' to User 'U1', which the schema does not know"):
        read_graph(store)


# -- other people's data, other versions -----------------------------------------------------------------------


def test_somebody_elses_graph_is_left_alone(store: Store) -> None:
    store.write("CREATE (a:Person {id: 1})-[:KNOWS {as_of: 2020}]->(b:Person {id: 2})")
    with pytest.raises(StoreError, match="holds somebody else's graph: name an empty database"):
        load_into(store, world())
    load_into(store, world(), into_nonempty=True)
    assert read_graph(store).content_hash == world().content_hash
    load_into(store, smaller_world(POSITIONS))
    assert store.read("MATCH (:Person)-[r:KNOWS]->(:Person) RETURN count(r)") == [[1]]


def test_labels_that_somebody_else_uses_are_refused(store: Store) -> None:
    store.write("CREATE (:User {id: 7, login: 'ann'})")
    with pytest.raises(StoreError, match="nodes labelled User are not pathfolio's"):
        load_into(store, world(), into_nonempty=True)
    assert store.read("MATCH (n) RETURN count(n)") == [[1]]


def test_another_graph_of_ours_is_not_overwritten(store: Store) -> None:
    load_into(store, world())
    other = replace(world(), name="another market")
    with pytest.raises(StoreError, match="holds the graph of 'tiny market', not of 'another market'"):
        load_into(store, other)
    load_into(store, other, replace=True)
    assert read_graph(store).content_hash == other.content_hash


def test_an_earlier_day_does_not_replace_a_later_one(store: Store) -> None:
    load_into(store, world())
    with pytest.raises(StoreError, match="as of 2024-12-31, later than 2024-09-30"):
        load_into(store, world().at(BACK))
    assert read_graph(store).content_hash == world().content_hash


def test_another_version_of_the_schema_is_refused(store: Store) -> None:
    load_into(store, world())
    store.write(layout.WRITE_META, properties={"schema_version": 0})
    for action in (read_graph, lambda s: load_into(s, world())):
        with pytest.raises(SchemaError, match="schema version 0, not 1"):
            action(store)


def test_nothing_there_and_too_late(store: Store) -> None:
    with pytest.raises(StoreError, match="holds no pathfolio graph: load one"):
        read_graph(store)
    load_into(store, world())
    with pytest.raises(UsageError, match="knows the world up to 2024-12-31"):
        read_graph(store, date(2025, 1, 1))


# -- bulk files, vectors, evidence -----------------------------------------------------------------------------


def awkward_world() -> KnowledgeGraph:
    """Names with everything that CSV and Cypher could stumble over."""
    nodes = node_frame()
    names = [
        'say "A, B"',
        "back\\slash\nnew line",
        "tab\there",
        " spaces ",
        "'single'",
        "NULL",
        "α, 阿",
        "",
        "0",
        "-",
        ";",
    ]
    nodes["name"] = names[: len(nodes)]
    return compile_graph(nodes, edge_frame(POSITIONS + FUNDS), DAY, name='awkward "market"', is_sample=True)


def test_awkward_texts_come_back(store: Store) -> None:
    load_into(store, awkward_world())
    assert read_graph(store).content_hash == awkward_world().content_hash


@pytest.mark.neo4j
def test_bulk_files_are_taken_by_the_real_tool_of_neo4j(tmp_path: Path) -> None:
    """Imported by neo4j-admin, served by Neo4j: the same content hash, and a load finds nothing to do."""
    jars = os.environ.get("PATHFOLIO_NEO4J_LIB")
    if not jars:
        pytest.skip("no Neo4j jars: run tests/neo4j/start.sh, which names them in PATHFOLIO_NEO4J_LIB")
    graph = awkward_world()
    arguments = write_bulk_files(graph, tmp_path / "files")
    home = tmp_path / "neo4j" / "home"
    home.mkdir(parents=True)
    tool = ["java", "-Xmx1g", "-cp", f"{jars}/*", "org.neo4j.cli.AdminTool", "database", "import", "full", "neo4j"]
    environment = os.environ | {"NEO4J_HOME": str(home), "NEO4J_CONF": str(tmp_path)}
    done = subprocess.run(
        [*tool, f"@{arguments.name}"],
        cwd=arguments.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    own = OwnNeo4j(tmp_path / "neo4j")
    try:
        with Store(own.start()) as store:
            assert read_graph(store).content_hash == graph.content_hash
            report = load_into(store, graph)
            assert (report.written, report.deleted) == (0, 0)
    finally:
        own.stop()


def test_vectors_come_back_with_the_same_neighbours(store: Store) -> None:
    load_into(store, world())
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(4, 16)).astype(np.float32)
    kinds = np.full(4, KIND_CODE[NodeKind.STOCK], np.int8)
    note = VectorNote("b" * 64, "RotatE", DAY, "CC-BY 4.0")
    assert write_vectors(store, kinds, list("ABCD"), vectors, note) == 4
    ids, names, back = read_vectors(store, NodeKind.STOCK)
    assert (ids, names) == (list("ABCD"), ["Alpha", "Beta", "Gamma", "Delta"])
    np.testing.assert_array_equal(back, vectors)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = unit @ unit[0]
    expected = [ids[at] for at in np.argsort(-cosine) if at]
    from pathfolio.kg.store.catalog import named_query

    query = named_query("nearest")
    found = run_query(store, query.text_for(store.dialect), {"asset": "A", "most": 3}).rows
    assert [row[0] for row in found] == expected
    assert [row[2] for row in found] == pytest.approx(sorted(cosine[1:], reverse=True), abs=1e-5)
    about = store.read(layout.READ_META)[0][0]
    told = {"build": "b" * 64, "model": "RotatE", "licence": "CC-BY 4.0", "dimension": 16, "metric": "cosine"}
    assert {name: about[f"embedding_{name}"] for name in told} == told
    write_vectors(store, kinds, list("ABCD"), vectors[:, :8], note)  # another dimension takes the index's place
    assert len(run_query(store, query.text_for(store.dialect), {"asset": "A", "most": 3}).rows) == 3
    assert read_graph(store).content_hash == world().content_hash


def test_vectors_need_a_graph_and_numbers(store: Store) -> None:
    one, kind = np.ones((1, 2), np.float32), np.full(1, KIND_CODE[NodeKind.STOCK], np.int8)
    two, note = np.repeat(one, 2, axis=0), VectorNote("b", "m", DAY, "l")
    with pytest.raises(StoreError, match="holds no pathfolio graph"):
        write_vectors(store, kind, ["A"], one, note)
    load_into(store, world())
    assert write_vectors(store, kind, ["A"], one, note) == 1
    for ids, vectors, said in (
        (["A"], one * np.nan, "the vector of 'A' has a value that is not finite"),
        (["A", "B"], one, "give one to each"),
        (["A", "A"], two, "'A' has two vectors"),
        (["nobody's"], one, "no node of these vectors"),
    ):
        with pytest.raises((DataError, StoreError), match=said):
            write_vectors(store, np.repeat(kind, len(ids)), ids, vectors, note)
        np.testing.assert_array_equal(read_vectors(store, NodeKind.STOCK)[2], one, "what was there stays")
    assert write_vectors(store, np.repeat(kind, 2), ["A", "nobody's"], two, note) == 1


def test_evidence_as_cypher(store: Store) -> None:
    """U1 holds F and A; F holds C now."""
    graph = world()
    load_into(store, graph)
    user, stock, fund = NodeKind.USER, NodeKind.STOCK, NodeKind.FUND
    september, october = date(2024, 9, 30), date(2024, 10, 15)
    steps = (EvidenceStep(Relation.HOLDS, True), EvidenceStep(Relation.INVESTS_IN, True))
    path = EvidencePath(((user, "U1"), (fund, "F"), (stock, "C")), steps)
    result = run_query(store, evidence_query(graph, [path]), {"investor": "U1", "asset": "C", "as_of": DAY})
    assert result.columns == ("through", "relations", "weights", "sources", "as_of", "known_at", "count")
    names = [graph.display_name(graph.row(kind, key)) for kind, key in path.nodes]
    assert list(result.rows) == [
        (
            names,
            ["HOLDS", "INVESTS_IN"],
            [0.4, 0.5],
            ["positions", "facts & figures"],
            [september, september],
            [october, date(2024, 10, 10)],
            1,
        )
    ]
    assert run_query(store, evidence_query(graph, [])).rows == ()


def test_evidence_quotes_ids() -> None:
    assert literal('u"}) DETACH DELETE (h) //') == '"u\\"}) DETACH DELETE (h) //"'
    assert literal("a\\") == '"a\\\\"'


# -- real sizes ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    write_sample_market(folder := tmp_path_factory.mktemp("sample"), size=SampleSize(300, 60, 12, 4, years=2))
    tables = read_folder(folder)
    return assemble_graph(tables, tables.prices["date"].max().date())


@pytest.fixture(scope="module")
def us_2025(real_data: Path) -> KnowledgeGraph:
    return assemble_graph(read_folder(real_data / "us-2025"), date(2026, 3, 1))


@pytest.fixture(scope="module")
def far_trans(real_data: Path) -> KnowledgeGraph:
    """A fifth of its investors; `pathfolio bench store` loads them all."""
    whole = assemble_graph(read_folder(real_data / "far-trans"), date(2022, 6, 30))
    kept = np.ones(len(whole), bool)
    kept[whole.users] = np.arange(len(whole.users)) % 5 == 0
    return whole.part(kept, np.ones(len(whole.edges), bool), whole.as_of, whole.name)


MARKETS = (  # of the large ones each server takes one
    ("embedded", "sample", None),
    pytest.param("neo4j", "sample", None, marks=pytest.mark.neo4j),
    pytest.param("embedded", "us_2025", date(2025, 6, 30), marks=pytest.mark.realdata),
    pytest.param("neo4j", "far_trans", date(2021, 6, 30), marks=[pytest.mark.neo4j, pytest.mark.realdata]),
)


@pytest.mark.parametrize(("store", "market", "earlier"), MARKETS, indirect=["store"])
def test_same_content_hash_as_from_the_files(
    store: Store, market: str, earlier: date | None, request: pytest.FixtureRequest
) -> None:
    graph: KnowledgeGraph = request.getfixturevalue(market)
    load_into(store, graph)
    assert read_graph(store).content_hash == graph.content_hash
    day = earlier or pd.Timestamp(graph.as_of).replace(day=1).date()
    assert read_graph(store, day).content_hash == graph.at(day).content_hash
