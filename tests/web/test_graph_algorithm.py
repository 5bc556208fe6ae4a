"""`pathfolio graph algorithm`: on a build, and on the graph that a server holds."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.kg.algorithms.run import ALGORITHMS, algorithm_of, run_algorithm
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.load import load_into
from pathfolio.recommender.build import Build
from pathfolio.web.cli import main
from tests.explain.ledger_world import entry_of
from tests.kg.random_market import random_market
from tests.kg.store_world import SERVERS, address_of, empty


def _call(build: Build, *words: str) -> list[str]:
    return ["graph", "algorithm", words[0], str(build.folder), *words[1:]]


def test_command_writes_tables(sample_build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(_call(sample_build, "pagerank", "--format", "csv", "--max-rows", "5")) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "kind,id,name,score"
    assert len(out.splitlines()) == 6
    assert "cut at 5 rows" in err
    path = tmp_path / "leiden.parquet"
    assert main(_call(sample_build, "leiden", "-P", "seed=3", "--format", "parquet", "--out", str(path))) == 0
    frame = pd.read_parquet(path)
    assert list(frame) == ["kind", "id", "name", "community", "size"]
    assert "User" not in set(frame["kind"])
    assert path.stat().st_mode & 0o777 == 0o600
    vectors = tmp_path / "fastrp.parquet"
    assert main(_call(sample_build, "fastrp", "-P", "dimension=8", "--format", "parquet", "--out", str(vectors))) == 0
    assert main(["graph", "algorithm", "--list"]) == 0
    listed = capsys.readouterr().out
    assert all(f"{name}: " in listed for name in ALGORITHMS)


def test_people_only_with_a_purpose(
    sample_build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))
    call = _call(sample_build, "pagerank", "-P", "damping=0.9", "--format", "json")
    for wrong in (["--with-investors"], ["--purpose", "a study"]):
        assert main([*call, *wrong]) == 2
        assert "--purpose" in capsys.readouterr().err
    assert main([*call, "--with-investors", "--purpose", "a study"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert any(row[0] == "User" for row in rows)
    ledger = open_ledger(tmp_path / "ledger")
    (entry,) = [entry_of(ledger, header.id) for header in ledger.headers(kinds=["export"])]
    assert entry["what"] == "algorithm pagerank damping=0.9"
    assert (entry["investors"], entry["purpose"], entry["build"]) == ("included", "a study", sample_build.build_hash)


def test_command_says_what_is_wrong(
    sample_build: Build, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PATHFOLIO_NEO4J_URI", raising=False)
    for call, message in (
        (["graph", "algorithm"], "name an algorithm; --list tells which there are"),
        (["graph", "algorithm", "pagerank"], "no graph store is named"),
        (_call(sample_build, "pagerank", "--uri", "bolt://localhost"), "give a build or --uri, and not both"),
        (_call(sample_build, "pagerank", "--max-rows", "0"), "--max-rows 0: write 1 or more"),
        (_call(sample_build, "pagerank", "-P", "damping"), "-P 'damping': write it as name=value"),
        (_call(sample_build, "paths", "-P", "source=x"), "paths needs -P target="),
    ):
        assert main(call) == 2
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1


@pytest.mark.parametrize("server", SERVERS)
def test_on_the_graph_of_a_server(
    server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server gives the table of the snapshot that was loaded; its older versions do not count."""
    graph = random_market(14, users=30, assets=20, edges=500)
    assert not graph.current.all(), "there are older versions"
    address = address_of(server)
    with Store(address) as store:
        empty(store)
        load_into(store, graph)
    monkeypatch.setenv("PATHFOLIO_NEO4J_PASSWORD", address.password)
    where = ["--uri", address.uri, "--user", address.user, "--database", address.database]
    for name, given in (("pagerank", {}), ("leiden", {"seed": "4"}), ("paths", {"source": "a0", "target": "a1"})):
        words = [word for option, text in given.items() for word in ("-P", f"{option}={text}")]
        assert main(["graph", "algorithm", name, *words, *where, "--format", "json"]) == 0
        rows = json.loads(capsys.readouterr().out)["rows"]
        wanted = run_algorithm(graph, algorithm_of(name, given)).rows
        assert rows == json.loads(json.dumps(wanted)), name
        assert rows
    with Store(address) as store:
        empty(store)
