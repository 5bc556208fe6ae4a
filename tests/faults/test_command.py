"""The command that tries faults at length, which stands beside the package and is no part of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pathfolio.recommender.build import Build
from pathfolio.web.cli import main
from tests import ROOT
from tests.faults.__main__ import TRIALS

PARTS = ("kg", "embeddings", "recommender", "explain", "web")


def faults(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.faults", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_tells_of_every_fault() -> None:
    told = faults("--help").stdout
    assert told.startswith("usage: python -m tests.faults [-h] [--build BUILD] [NAME ...]")
    described = told.partition("positional arguments")[0]
    assert [name for name in TRIALS if name not in described] == []


def test_what_is_named_is_tried_once(small_build: Build) -> None:
    done = faults("clock", "disk-full", "clock", "--build", small_build.folder)
    assert done.returncode == 0, done.stderr
    _, build, *lines = done.stdout.splitlines()
    assert build == f"{small_build.manifest['name']}, build {small_build.build_hash[:12]}"
    assert [line for line in lines if not line.startswith(" ")] == ["clock", "disk-full"]
    figures = [line for line in lines if line.startswith(" ")]
    assert len(figures) == 2
    assert all(re.search(r" 1 +asked for: 1 \(ratio 1.00\)$", line) for line in figures), figures


def test_a_fault_that_there_is_not(tmp_path: Path) -> None:
    done = faults("dsik-full", "--build", tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"tests.faults: no fault 'dsik-full': choose of {', '.join(TRIALS)}\n"


def test_bench_says_where_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "python -m tests.faults" in told
    assert "faults," not in told
    assert main(["bench", "faults"]) == 2


def test_the_package_imports_nothing_of_the_tests() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for part in PARTS for path in (ROOT / part).rglob("*.py"))
    assert re.findall(r"^ *(?:from|import) (?:tests|pytest|hypothesis|schemathesis)\b.*", sources, re.MULTILINE) == []
