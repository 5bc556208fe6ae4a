"""The graph in a server: loading it, reading it back, the bulk import, and every named query at its worst."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.errors import StoreError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NODE_KINDS, NodeKind, Relation
from pathfolio.kg.span import Rows
from pathfolio.kg.store import layout, read_graph
from pathfolio.kg.store.address import address_from_environment
from pathfolio.kg.store.answer import Limits, QueryStoppedError
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.bulk import write_bulk_files
from pathfolio.kg.store.catalog import NamedQuery, named_queries
from pathfolio.kg.store.load import load_into
from pathfolio.kg.store.query import run_query
from pathfolio.kg.store.server import EmbeddedServer
from pathfolio.kg.store.vectors import VectorNote, write_vectors
from pathfolio.recommender.build import Build
from pathfolio.web.benchmarks.explaining import crowd
from pathfolio.web.benchmarks.measured import Measured, seconds

LEAST: Final = {"neo4j": 15_000, "arcadedb": 14_000}
"""Relations a second that a load over Bolt should reach on two cores."""

LEAST_IMPORTED: Final = 70_000
IMPORTED: Final = (100_000, 2_000, 1_000_000)
"""Investors, assets and positions of the generated graph that is imported."""

MOST_READING: Final = 20.0
_LIMITS: Final = Limits(seconds=30.0)


def store(build: Build, uri: str | None = None) -> list[Measured]:
    """On the embedded server, on the Neo4j at `uri` (PATHFOLIO_NEO4J_URI) and with its tool, as far as they are there.

    Raises:
        StoreError: the Neo4j is not empty; what is loaded into it here is removed again.
    """
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer(Path(folder)) as server:
        with Store(server.writer()) as writer:
            figures = _loaded(build, writer)
        with Store(server.reader()) as reader:
            figures += _asked(build, reader)
    if uri or os.environ.get("PATHFOLIO_NEO4J_URI"):
        figures += _neo4j(build, uri)
    tool = _import_tool()
    return figures + (_imported(crowd(*IMPORTED), tool) if tool else [])


def _neo4j(build: Build, uri: str | None) -> list[Measured]:
    with Store(address_from_environment(uri)) as writer:
        if writer.read(layout.COUNT_ALL)[0][0]:
            raise StoreError(f"{writer.address.uri} is not empty: name an empty database to measure with")
        try:
            first = load_into(writer, build.graph)  # while Java still compiles what it runs
            _clear(writer)
            name = f"neo4j: first load of {first.relations:,} relations"
            figures = [Measured(name, first.rate, "per s", "at least", LEAST["neo4j"])]
            return figures + _loaded(build, writer) + _asked(build, writer)
        finally:
            _clear(writer)


def _clear(store: Store) -> None:
    for label in (*(kind.value for kind in NODE_KINDS), layout.META_LABEL):
        text = f"MATCH (n:{label}) WITH n LIMIT 10000 DETACH DELETE n RETURN count(*)"
        while store.write(text)[0][0]:
            pass


# -- there and back ------------------------------------------------------------------------------------------


def _loaded(build: Build, store: Store) -> list[Measured]:
    """There, back, and the vectors, which a named query needs."""
    graph = build.graph
    report = load_into(store, graph)
    begun = time.perf_counter()
    back = read_graph(store)
    reading = time.perf_counter() - begun
    if back.content_hash != graph.content_hash:
        raise StoreError(f"{store.product}: what was read back is not what was loaded")
    about = build.vectors.manifest
    note = VectorNote(build.build_hash, about.model, about.as_of, "")
    vectors = build.vectors.without_investors()
    write_vectors(store, vectors.kind, vectors.id.tolist(), vectors.vectors, note)
    loaded = f"{store.dialect}: load of {report.relations:,} relations"
    return [
        Measured(loaded, report.rate, "per s", "at least", LEAST[store.dialect]),
        Measured(f"{store.dialect}: read back, same content hash", reading, "s", "at most", MOST_READING),
    ]


def _import_tool() -> list[str]:
    """The command `neo4j-admin`, or its jars where tests/neo4j/start.sh named them; empty for neither."""
    found = shutil.which("neo4j-admin")
    jars = os.environ.get("PATHFOLIO_NEO4J_LIB")
    if found:
        return [found]
    return ["java", "-Xmx1g", "-cp", f"{jars}/*", "org.neo4j.cli.AdminTool"] if jars else []


def _imported(graph: KnowledgeGraph, tool: list[str]) -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        writing = seconds(lambda: write_bulk_files(graph, Path(folder) / "files"), runs=1, warm=0)
        command = [*tool, "database", "import", "full", "neo4j", "@neo4j-admin.arguments"]
        environment = os.environ | {"NEO4J_HOME": folder, "NEO4J_CONF": folder}
        begun = time.perf_counter()
        done = subprocess.run(  # noqa: S603 - the user's own tool
            command, cwd=Path(folder) / "files", env=environment, capture_output=True, text=True, check=False
        )
        importing = time.perf_counter() - begun
    if done.returncode:
        raise StoreError(f"neo4j-admin: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    edges = len(graph.edges)
    return [
        Measured(f"files for neo4j-admin, {edges:,} relations", edges / writing, "per s"),
        Measured(f"neo4j-admin import of {edges:,} relations", edges / importing, "per s", "at least", LEAST_IMPORTED),
    ]


# -- named queries -------------------------------------------------------------------------------------------


def _asked(build: Build, store: Store) -> list[Measured]:
    """The first time that each is asked, which is what an analyst waits for, beside the time it takes again."""
    figures = []
    for query in named_queries().values():
        for about, values in worst_values(build.graph, query):
            name = f"{store.dialect}: {query.name}{about}"
            first, again = _time(store, query, values), _time(store, query, values)
            figures.append(Measured(name, first, "s", "again", again))
    return figures


def _time(store: Store, query: NamedQuery, values: dict[str, object]) -> float:
    begun = time.perf_counter()
    try:
        run_query(store, query.text_for(store.dialect), values, _LIMITS)
    except QueryStoppedError:
        return float("inf")
    return time.perf_counter() - begun


def worst_values(graph: KnowledgeGraph, query: NamedQuery) -> Iterator[tuple[str, dict[str, Any]]]:
    """What to ask a named query so that it has the most to do, and in words, where there is more than one."""
    investors = _busiest(graph, Relation.HOLDS, NodeKind.USER)
    assets = _most_named(graph, Relation.HOLDS, graph.assets)
    funds = _busiest(graph, Relation.INVESTS_IN, NodeKind.FUND)
    hubs: dict[str, Any] = {
        "investor": investors[0],
        "asset": assets[0],
        "industry": _most_named(graph, Relation.IN_INDUSTRY, graph.rows(NodeKind.INDUSTRY))[0],
        "issuer": _most_named(graph, Relation.ISSUED_BY, graph.rows(NodeKind.ISSUER))[0],
        "fund": funds[0],
        "since": graph.as_of - timedelta(days=365),
        "before": graph.as_of,
        "days": 0,
    }
    if query.name == "overlap":
        yield "", query.values({"a": funds[0], "b": funds[1]})
    elif query.name == "paths":
        yield " of two hubs", query.values({"a": hubs["asset"], "b": hubs["issuer"]})
        yield " of two investors", query.values({"a": investors[0], "b": investors[-1]})
        yield " of investor and asset", query.values({"a": investors[-1], "b": assets[-1]})
    else:
        yield "", query.values({p.name: str(hubs[p.name]) for p in query.parameters if p.name in hubs})


def _busiest(graph: KnowledgeGraph, relation: Relation, kind: NodeKind) -> list[str]:
    """Ids of a kind, those from which the most current relations lead first."""
    return _ordered(graph, graph.edges.head[graph.edges_between(relation)], graph.rows(kind))


def _most_named(graph: KnowledgeGraph, relation: Relation, rows: Rows) -> list[str]:
    """Ids of these rows, those to which the most current relations lead first."""
    return _ordered(graph, graph.edges.tail[graph.edges_between(relation)], rows)


def _ordered(graph: KnowledgeGraph, ends: npt.NDArray[np.int32], rows: Rows) -> list[str]:
    counts = np.bincount(ends, minlength=len(graph.nodes))[rows]
    found: list[str] = graph.nodes.id[rows[np.argsort(-counts, kind="stable")]].tolist()
    return found
