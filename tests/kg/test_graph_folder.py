"""`pathfolio graph build`: the graph alone, sealed, replaced in one step, and read by all that need a graph."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pathfolio.kg.errors import DataError
from pathfolio.kg.graph_folder import load_graph_folder
from pathfolio.kg.storage import load_graph
from pathfolio.kg.store.server import EmbeddedServer, ServerOptions
from pathfolio.recommender.build import Build, check_replaceable, load_build
from pathfolio.web.cli import main

ASSETS = """asset_id,kind,name,currency,industry,listed
2330,stock,TSMC,TWD,Semiconductors,1994-09-05
0050,fund,Taiwan 50,TWD,,2003-06-30
NA,stock,NA Foods,TWD,Foods,2020-01-02
"""
SOON = 30.0
"""Seconds; 1 to 2 on an idle machine, where a build takes minutes."""

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """The command line: exit code, standard output and standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def market(tmp_path: Path) -> Path:
    """A market folder with assets only, one row of which has an unknown kind."""
    folder = tmp_path / "market"
    folder.mkdir()
    (folder / "assets.csv").write_text(ASSETS + "X,cow,Moo,TWD,,\n", encoding="utf-8")
    return folder


@pytest.fixture
def made(market: Path, command: Command) -> Path:
    out = market.parent / "graph"
    code, _, err = command("graph", "build", market, "--as-of", "2026-06-30", "--out", out)
    assert code == 0, err
    return out


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("name", "day", "investors"), [("tw-2026", date(2026, 6, 30), False), ("us-2025", date(2026, 3, 1), True)]
)
def test_real_markets_in_seconds(
    name: str, day: date, investors: bool, real_data: Path, tmp_path: Path, command: Command
) -> None:
    out, began = tmp_path / "graph", time.monotonic()
    code, told, err = command("graph", "build", real_data / name, "--as-of", day, "--out", out)
    assert (code, time.monotonic() - began < SOON) == (0, True), err
    found = load_graph_folder(out, verify=True)
    assert (found.as_of, found.graph.as_of, found.manifest.name) == (day, day, name)
    assert found.graph.content_hash == found.manifest.graph_hash
    assert bool(len(found.graph.users)) is investors
    assert len(found.graph.assets) > 2_000
    lines = len((out / "rejected.csv").read_text(encoding="utf-8").splitlines()) - 1
    assert told.splitlines() == [
        f"{out}: graph {found.manifest.graph_hash[:12]} of {name} as of {day}",
        f"{lines} rows set aside: {out / 'rejected.csv'}",
    ]


def test_assets_alone_are_enough(made: Path) -> None:
    graph = load_graph_folder(made, verify=True).graph
    assert sorted(graph.asset_ids) == ["0050", "2330", "NA"]
    assert not len(graph.users)
    parts = {f"graph/{name}" for name in ("graph.json", "nodes.parquet", "edges.parquet")}
    assert set(files(made)) == {"manifest.json", "report.json", "rejected.csv", *parts}
    report = json.loads((made / "report.json").read_text(encoding="utf-8"))
    assert (report["rows_read"], report["rows_set_aside"], report["counts"]["nodes"]["Stock"]) == (4, 1, 2)
    assert ",5," in (made / "rejected.csv").read_text(encoding="utf-8")


def test_the_same_data_give_the_same_bytes_and_take_the_place_of_another_day(
    made: Path, market: Path, command: Command
) -> None:
    before = files(made)
    (made / "store").mkdir()  # where a server keeps its copy, which is of the other day now
    again = market.parent / "again"
    assert command("graph", "build", market, "--as-of", "2026-06-30", "--out", again)[0] == 0
    sealed = set(before) - {"report.json"}  # it has timings
    assert {name: files(again)[name] for name in sealed} == {name: before[name] for name in sealed}
    assert command("graph", "build", market, "--as-of", "2019-12-31", "--out", made)[0] == 0
    assert load_graph_folder(made, verify=True).graph.find("Stock", "NA") is None
    assert not (made / "store").exists()
    assert sorted(path.name for path in market.parent.iterdir()) == ["again", "graph", "market"]  # nothing beside


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (("--as-of", "1990-01-01"), 2, "no asset was known on 1990-01-01: take a later --as-of"),
        (("--as-of", "yesterday"), 2, "'yesterday' is no date"),
    ],
)
def test_days_without_a_graph(
    given: tuple[str, ...], code: int, message: str, market: Path, command: Command, capfd: pytest.CaptureFixture[str]
) -> None:
    out = market.parent / "graph"
    try:
        found, _, err = command("graph", "build", market, "--out", out, *given)
    except SystemExit as end:  # argparse
        found, err = end.code, capfd.readouterr().err  # type: ignore[assignment] # a number
    assert (found, out.exists()) == (code, False)
    assert message in err.splitlines()[-1]


def test_a_folder_without_assets_is_refused(market: Path, command: Command) -> None:
    (market / "assets.csv").rename(market / "fund_holdings.csv")
    code, out, err = command("graph", "build", market, "--as-of", "2026-06-30", "--out", market.parent / "graph")
    assert (code, out, err.count("\n"), (market.parent / "graph").exists()) == (3, "", 1, False)
    assert "name a market folder (assets.csv or assets.parquet in it)" in err


def test_what_is_there_and_no_graph_is_never_replaced(
    market: Path, small_build: Build, command: Command, tmp_path: Path
) -> None:
    """Neither somebody's notes, nor a build: that took training."""
    notes, build = tmp_path / "notes", tmp_path / "build"
    notes.mkdir()
    (notes / "manifest.json").write_text('{"name": "an app of mine"}', encoding="utf-8")
    shutil.copytree(small_build.folder, build, ignore=shutil.ignore_patterns("store*"))
    for folder, what in ((notes, "no graph"), (build, "a build, which took training"), (market, "no graph")):
        before = files(folder)
        code, _, err = command("graph", "build", market, "--as-of", "2026-06-30", "--out", folder)
        assert (code, err) == (2, f"pathfolio: {folder}: exists and is {what}: name another folder with --out\n")
        assert files(folder) == before


def test_what_needs_more_than_a_graph_says_so(made: Path, command: Command, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for words in (
        ("graph", "vectors", made),
        ("export", "embeddings", made, "--format", "npz", "--out", out),
        ("recommend", made, "--user", "U1"),
        ("explain", made, "--user", "U1", "--asset", "2330"),
        ("audience", made, "--asset", "2330"),
        ("suitability", "check", "tw", made),
        ("refresh", made, made.parent / "market", "--as-of", "2026-07-01", "--out", out),
        ("serve", made, "--rules", "tw"),
        ("serve", made, "--helpers", "1"),
    ):
        code, told, err = command(*words)
        assert (code in {2, 3}, told, err.count("\n"), out.exists()) == (True, "", 1, False), err
        assert "a graph alone" in err, words


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda folder: (folder / "graph" / "nodes.parquet").write_bytes(b""),
            "nodes.parquet: changed since",
        ),
        (lambda folder: (folder / "graph" / "edges.parquet").unlink(), "edges.parquet: missing since the graph"),
        (lambda folder: _say(folder, name="another"), "manifest.json: changed since the graph was sealed"),
        (lambda folder: _say(folder, format=2), "a graph of format 2, not 1: make it again"),
        (lambda folder: _say(folder, as_of="soon"), "manifest.json: .*as_of.*: make the graph again"),
        (lambda folder: _say(folder, kind="cow"), "no graph alone here: make one with `pathfolio graph build`"),
        (lambda folder: (folder / "manifest.json").write_text("[1]"), "no graph alone here"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "no graph alone here"),
        (lambda folder: (folder / "manifest.json").unlink(), "no graph alone here"),
    ],
)
def test_changes_since_it_was_sealed_are_found(made: Path, change: Callable[[Path], object], message: str) -> None:
    change(made)
    with pytest.raises(DataError, match=message):
        load_graph_folder(made, verify=True)


def _say(folder: Path, **changes: object) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | changes), encoding="utf-8")


def test_another_graph_that_takes_the_place_is_not_taken_for_it(made: Path, market: Path, command: Command) -> None:
    opened = load_graph_folder(made)
    assert command("graph", "build", market, "--as-of", "2019-12-31", "--out", made)[0] == 0
    with pytest.raises(DataError, match="another graph took its place while this one was read: start again"):
        assert opened.graph


def test_a_build_and_a_graph_are_told_apart(small_build: Build, made: Path) -> None:
    with pytest.raises(DataError, match="no graph alone here"):
        load_graph_folder(small_build.folder)
    with pytest.raises(DataError, match="a graph alone, without vectors and scores: make a build of the same data"):
        load_build(made)
    check_replaceable(made)  # a build has the same graph and more, so it may take a graph's place


def test_load_cypher_and_export(made: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into the embedded server, into a server at an address, asked, and as files for a bulk import."""
    for name in ("URI", "USER", "PASSWORD", "DATABASE"):
        monkeypatch.delenv(f"PATHFOLIO_NEO4J_{name}", raising=False)
    assert command("graph", "load", made)[0] == 0
    question = "MATCH (s:Stock) RETURN s.id AS id, s.name AS name ORDER BY id"
    code, out, err = command("cypher", "--build", made, question, "--format", "csv")
    assert (code, out.splitlines()) == (0, ["id,name", "2330,TSMC", "NA,NA Foods"]), err
    with EmbeddedServer(tmp_path / "elsewhere", ServerOptions(heap="512m")) as server:
        address = server.writer()
        monkeypatch.setenv("PATHFOLIO_NEO4J_PASSWORD", address.password)
        where = ("--uri", address.uri, "--user", address.user, "--database", str(address.database))
        code, out, err = command("graph", "load", made, *where)
        assert code == 0, err
    graph = load_graph(made / "graph")
    assert f"holds {len(graph):,} nodes and {len(graph.edges):,} dated relations" in out
    assert command("graph", "export", made, "--out", tmp_path / "bulk")[0] == 0
    assert (tmp_path / "bulk" / "neo4j-admin.arguments").exists()
