"""Files that are asked for with --out: refused before anything is ranked or recorded, or written whole."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.verdict_text import verdict_text
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.rulefile import load_rules
from pathfolio.web.cli import main
from tests.explain.records_world import investors


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a ledger would be made; nothing is there yet."""
    folder = tmp_path / "ledger"
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(folder))
    return folder


@pytest.mark.parametrize(
    ("command", "name", "remedy"),
    [
        ("recommend --all", "absent/x.csv", "absent: no such folder: make it, or write elsewhere with --out"),
        ("recommend --all", "x.xlsx", "name a .parquet or a .csv file"),
        ("recommend --user U", "absent/x.csv", "no such folder"),
        ("recommend --user U --format json", "x.csv", "name a .json file"),
        ("recommend --user U", "x.parquet", "name a .txt or a .json or a .csv file"),
        ("explain --all", "absent/y.parquet", "no such folder"),
        ("explain --all", "x.txt", "name a .parquet file"),
        ("explain --user U --asset A", "absent/y.txt", "no such folder"),
        ("explain --user U --asset A", "", "a folder, not a file"),
        ("cypher", "absent/rows.csv", "no such folder"),
    ],
)
def test_nothing_is_recorded_for_a_file_that_cannot_be_written(
    command: str,
    name: str,
    remedy: str,
    small_build: Build,
    ledger: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    verb, *options = command.split()
    where = ["--build", str(small_build.folder), "RETURN 1"] if verb == "cypher" else [str(small_build.folder)]
    assert main([verb, *where, *options, "--out", str(tmp_path / name)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert remedy in line
    assert not ledger.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "name", "remedy"),
    [
        ("report", "absent/r.html", "no such folder"),
        ("report --format pdf", "r.html", "name a .pdf file"),
        ("export", "absent/c.zip", "no such folder"),
        ("export", "case.txt", "name a .zip file"),
    ],
)
def test_no_look_is_recorded_for_a_file_that_cannot_be_written(
    command: str,
    name: str,
    remedy: str,
    small_build: Build,
    ledger: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["recommend", str(small_build.folder), "--user", investors(small_build)[0], "-k", "2"]) == 0
    opened = open_ledger(ledger, create=False)
    record, size = opened.headers(kinds=["recommendation"])[0].id, opened.size
    capsys.readouterr()
    assert main(["audit", *command.split(), record, "--out", str(tmp_path / name)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert remedy in line
    assert opened.size == size
    opened.close()


@pytest.mark.parametrize("options", [[], ["--format", "csv"]])
def test_one_list_goes_into_a_file_as_its_name_ends(
    options: list[str], small_build: Build, ledger: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    user = investors(small_build)[0]
    call = ["recommend", str(small_build.folder), "--user", user, "-k", "3", *options]
    assert main([*call, "--out", str(tmp_path / "list.csv")]) == 0
    assert capsys.readouterr().out == ""
    assert main([*call[:6], "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    with (tmp_path / "list.csv").open(encoding="utf-8") as written:
        rows = list(csv.DictReader(written))
    assert [(row["user_id"], row["asset_id"], float(row["score"])) for row in rows] == [
        (user, line["asset_id"], line["score"]) for line in printed
    ]
    assert all(line["reasons"] for line in printed)


def test_a_list_on_the_terminal_has_headings_and_reasons(
    small_build: Build, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["recommend", str(small_build.folder), "--user", investors(small_build)[0], "-k", "3", "--rules", "none"]
    assert main([*call, "--format", "json"]) == 0
    lines = json.loads(capsys.readouterr().out)
    assert main(call) == 0
    captured = capsys.readouterr()
    sample, heading, *rows = captured.out.splitlines()
    assert "generated data" in sample
    assert heading.split() == ["score", "kind", "asset", "name"]
    assert [row.split()[3] for row in rows if row[:5].strip()] == [line["asset_id"] for line in lines]
    assert {line["reasons"][0] for line in lines} <= {row.strip() for row in rows}
    assert captured.err.rstrip().endswith("; no rules")
    assert ledger.exists()


def test_a_caution_of_every_line_is_said_once(
    small_build: Build, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adviser = Adviser(small_build, load_rules("tw"))
    for user in investors(small_build):
        advice = adviser.advise(Question("clerk", "command line", user, 3))
        said = [verdict_text(verdict.results, "en", to_investor=True) for verdict in advice.verdicts]
        if len(said) == 3 and said[0] and said[0] == said[1] == said[2]:
            break
    assert main(["recommend", str(small_build.folder), "--user", user, "-k", "3", "--rules", "tw"]) == 0
    printed = capsys.readouterr().out
    assert all(printed.count(f"! {text} (all of them)\n") == printed.count(text) == 1 for text in said[0])
    assert said[0]


@pytest.mark.parametrize("missing", [["nowhere", "--user", "U"], ["BUILD", "--user", "U", "--rules", "nowhere.toml"]])
def test_what_is_not_there_to_be_read_ends_with_one_code(
    missing: list[str], small_build: Build, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recommend", *(str(small_build.folder) if word == "BUILD" else word for word in missing)]) == 3
    assert "nowhere" in capsys.readouterr().err
