"""What is about persons is its owner's alone, whatever the umask: builds, exports, cases; and a ledger has to be."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pathfolio.embeddings.export import export_vectors
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.inspect import export_case
from pathfolio.explain.records.serve import serve
from pathfolio.kg.errors import LedgerError
from pathfolio.kg.outfile import write_private
from pathfolio.kg.swap import replace_folder
from pathfolio.recommender.build import Build
from pathfolio.recommender.lists_file import lists_table, save_table
from pathfolio.web.cli import main
from tests.explain.records_world import LOOK, ask, investors

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_folders_that_are_put_in_place(umask: int, tmp_path: Path) -> None:
    for _ in range(2):
        with replace_folder(tmp_path / "build") as aside:
            (aside / "graph").mkdir()
            (aside / "graph" / "users.parquet").write_bytes(b"x")
        for name in ("build", "build/graph"):
            assert mode(tmp_path / name) == 0o700
        assert mode(tmp_path / "build" / "graph" / "users.parquet") == 0o600


@pytest.mark.parametrize("there", [False, True])
def test_files_that_are_handed_out(umask: int, there: bool, build: Build, tmp_path: Path) -> None:
    names = ["list.csv", "text.txt", "vectors.parquet", "vectors.tsv"]
    if there:
        for name in names:
            (tmp_path / name).write_bytes(b"something longer than what is to come")
            (tmp_path / name).chmod(0o666)
    save_table(lists_table(["u"], [1], ["a"], [0.5]), tmp_path / "list.csv")
    write_private(tmp_path / "text.txt", "text")
    export_vectors(build.vectors, "parquet", tmp_path / "vectors.parquet", {})
    export_vectors(build.vectors, "tsv", tmp_path / "vectors.tsv", {})
    assert (tmp_path / "text.txt").read_text() == "text"
    assert {path.name: mode(path) for path in tmp_path.iterdir()} == dict.fromkeys(
        [
            *names,
            "vectors.tsv.labels.tsv",
            *(f"vectors.{form}.{end}" for form in ("parquet", "tsv") for end in ("relations.tsv", "md", "json")),
        ],
        0o600,
    )


def test_cases_and_the_ledger(umask: int, adviser: Adviser, build: Build, tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "deep" / "ledger", environ={})
    name = serve(adviser, ledger, ask(investors(build)[1])).receipt.id
    export_case(ledger, name, LOOK, tmp_path / "case.zip")
    assert mode(tmp_path / "case.zip") == 0o600
    assert mode(ledger.folder) == 0o700
    assert [path for path in ledger.folder.iterdir() if mode(path) & 0o077] == []


def test_a_command_writes_for_its_owner_alone(build: Build, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        out = tmp_path / "list.json"
        assert main(["recommend", str(build.folder), "--user", investors(build)[1], "--out", str(out)]) == 0
        assert mode(out) == 0o600
        assert os.umask(0o022) == 0o022, "the caller's own is as it was"
    finally:
        os.umask(before)


@pytest.mark.parametrize("opened", [0o750, 0o701, 0o755])
def test_a_ledger_that_others_can_reach_is_refused(ledger: Ledger, opened: int) -> None:
    ledger.close()
    folder = ledger.folder
    folder.chmod(opened)
    with pytest.raises(LedgerError, match=rf"others may reach this ledger \(mode {opened:o}\): chmod go= {folder}$"):
        open_ledger(folder, environ={})
    folder.chmod(0o700)
    (folder / "ledger.sqlite").chmod(0o640)
    with pytest.raises(LedgerError, match=r"ledger.sqlite: others may reach this ledger \(mode 640\)"):
        open_ledger(folder, environ={})
    (folder / "ledger.sqlite").chmod(0o600)
    open_ledger(folder, environ={}).close()


def test_a_copy_that_can_only_be_read_may_lie_open(ledger: Ledger, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("who may do everything can write everywhere")
    ledger.close()
    shutil.copytree(ledger.folder, tmp_path / "copy")
    (tmp_path / "copy").chmod(0o555)
    open_ledger(tmp_path / "copy", environ={}).close()
