"""A server of a build that runs already: found, waited for, written to; and the password that it keeps."""

from __future__ import annotations

import json
import threading
import time
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from pathfolio.kg.errors import StoreError, UsageError
from pathfolio.kg.schema import KIND_CODE, NodeKind
from pathfolio.kg.storage import save_graph
from pathfolio.kg.store import service as service_module
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.catalog import named_queries, named_query
from pathfolio.kg.store.secret import kept_password
from pathfolio.kg.store.server import ServerOptions, locked
from pathfolio.kg.store.service import GraphService, writer_of_build
from pathfolio.kg.store.vectors import VectorNote, write_vectors
from pathfolio.web.cli import main
from tests.kg.store_world import world

OPTIONS = ServerOptions(heap="512m", password="as-it-was-before")  # noqa: S106 - of a server that the tests start
NOTE = VectorNote("build", "model", date(2024, 12, 31), "none")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("builds") / "build"
    save_graph(world(), folder / "graph")
    return folder


def test_vectors_are_written_while_a_server_runs_and_found_nearest(build: Path) -> None:
    nearest = named_query("nearest")
    with GraphService.of_build(build, options=OPTIONS, share=True) as service:
        assert service.store.address.password == OPTIONS.password
        with pytest.raises(UsageError, match="compares vectors, and this graph has none: `pathfolio graph vectors"):
            service.run_named(nearest, {"asset": "A"})
        code = np.full(3, KIND_CODE[NodeKind.STOCK], np.int8)
        with writer_of_build(build) as store:
            assert store.address.uri == service.store.address.uri  # no second server
            assert write_vectors(store, code, list("ABC"), np.array([[1, 0], [1, 1], [0, 1]], np.float32), NOTE) == 3
        assert [row[0] for row in service.run_named(nearest, {"asset": "A"}).rows] == ["B", "C"]
        with pytest.raises(StoreError, match="refused a statement"):  # who shares it cannot write all the same
            Store(service.store.address).write("CREATE (n:Fund {id: 'x'})")


def test_the_command_says_in_one_line_that_there_are_no_vectors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_graph(world(), tmp_path / "build" / "graph")
    assert main(["cypher", "--build", str(tmp_path / "build"), "--name", "nearest", "-P", "asset=A"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1].startswith("pathfolio: nearest compares vectors, and this graph has none")


def test_a_server_that_another_process_starts_is_waited_for(build: Path) -> None:
    """The folder is another's; its server's address comes a moment later."""
    with GraphService.of_build(build, options=OPTIONS, share=True) as service:
        address = build / "store" / service_module.ADDRESS_FILE
        hidden = address.rename(address.with_suffix(".hidden"))
        shower = threading.Timer(1.0, lambda: hidden.rename(address))
        shower.start()
        begun = time.monotonic()
        with GraphService.of_build(build) as other:
            assert other.server is None
            assert other.store.address == service.store.address
        assert time.monotonic() - begun >= 1.0
        shower.join()


def test_who_keeps_a_folder_to_itself_is_named_in_the_end(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "START_SECONDS", 0.2)
    with locked(build / "store"), pytest.raises(StoreError, match="in use by another process"):
        GraphService.of_build(build)


def test_the_password_stays_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    first = kept_password({})
    assert kept_password({}) == first
    (kept,) = tmp_path.rglob("graph-password")
    assert (kept.read_text(encoding="utf-8"), kept.stat().st_mode & 0o777) == (first, 0o600)
    assert kept_password({"PATHFOLIO_GRAPH_PASSWORD": "from the environment"}) == "from the environment"
    with pytest.raises(UsageError, match="PATHFOLIO_GRAPH_PASSWORD: a password has 12 characters"):
        kept_password({"PATHFOLIO_GRAPH_PASSWORD": "short"})
    kept.unlink()
    kept.mkdir()
    with pytest.raises(StoreError, match="no password can be kept here"):
        kept_password({})


def test_the_list_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cypher", "--list", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in listed] == list(named_queries())
    overlap = next(each for each in listed if each["name"] == "overlap")
    assert overlap["example"] == {"a": "F", "b": "G"}
    assert [(each["name"], each["type"], each["default"]) for each in overlap["parameters"]] == [
        ("a", "text", None),
        ("b", "text", None),
        ("as_of", "date", "today"),
    ]
    assert [each["name"] for each in listed if each["needs_vectors"]] == ["nearest"]
    assert main(["cypher", "--list", "--format", "csv"]) == 2
    assert "choose table or json" in capsys.readouterr().err
