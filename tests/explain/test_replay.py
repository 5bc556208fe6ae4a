"""Replay: a recorded answer computed again, bit for bit, or told field by field."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.columns import packed, unpacked
from pathfolio.explain.records.inspect import read_record, report_on
from pathfolio.explain.records.keep import kept_build
from pathfolio.explain.records.replay import differences, find_build, replay
from pathfolio.explain.records.report import report_html
from pathfolio.explain.records.serve import serve
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.recommender.build import Build, load_build
from pathfolio.recommender.suitability.rulefile import load_rules
from pathfolio.web.cli import main
from tests.explain.records_world import LOOK, altered, ask, cautious, investors


def test_replay_with_the_kept_build(build: Build, ledger: Ledger, tmp_path: Path) -> None:
    """The build's folder is replaced later; the copy that the ledger kept still gives the same bits."""
    folder = tmp_path / "serving"
    shutil.copytree(build.folder, folder)
    served = serve(Adviser(load_build(folder), load_rules("tw")), ledger, ask(cautious(build)))
    shutil.rmtree(folder)
    header, record = read_record(ledger, served.receipt.id, LOOK)
    found = replay(ledger, header.id, record, find_build(ledger, record, None))
    assert (found.same, found.sealed, found.software) == (True, True, {})


def test_replay_names_every_field_that_differs(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    served = serve(adviser, ledger, ask(investors(build)[2]))
    _, record = read_record(ledger, served.receipt.id, LOOK)
    assert record.candidates.columns is not None
    scores = unpacked(record.candidates.columns.score).copy()
    scores[5] = np.nextafter(scores[5], 1)
    record = altered(record, ("candidates", "columns", "score", "data"), packed(scores).data)
    record = altered(record, ("list", 0, "score"), record.list[0].score + 0.5)
    record = altered(record, ("software", "numpy"), "1.0")
    found = replay(ledger, served.receipt.id, record, build)
    assert [d.field for d in found.differences] == ["candidates.columns.score[5]", "list[0].score"]
    assert found.software["numpy"][0] == "1.0"


def test_replay_where_the_build_is_gone(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    served = serve(adviser, ledger, ask(investors(build)[2]))
    kept = kept_build(ledger, build.build_hash)
    assert kept is not None
    shutil.rmtree(kept)
    with pytest.raises(UsageError, match="is gone: name it with --build, or what it was made of with --data"):
        find_build(ledger, served.record, None)
    assert replay(ledger, served.receipt.id, served.record, find_build(ledger, served.record, build.folder)).same


def test_a_record_of_an_earlier_format_of_builds_is_read_but_not_computed_again(
    adviser: Adviser, build: Build, ledger: Ledger
) -> None:
    """Scores of format 2 told of small groups: what was recorded with them is shown, and replayed by their version."""
    served = serve(adviser, ledger, ask(investors(build)[2]))
    kept = kept_build(ledger, build.build_hash)
    assert kept is not None
    manifest = json.loads((kept / "manifest.json").read_text("utf-8"))
    (kept / "manifest.json").unlink()  # it may be a link to the build's own
    (kept / "manifest.json").write_text(json.dumps(manifest | {"format": 2}), "utf-8")
    assert served.advice.lines[0].name in report_html(report_on(ledger, served.receipt.id, LOOK, "en"))
    with pytest.raises(
        DataError, match=r"a build of format 2, not 3: build again .* replayed by the version that made"
    ):
        find_build(ledger, served.record, None)


def test_replay_from_the_data_where_the_build_is_gone(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The build is made again from data and configuration; what comes out otherwise is told field by field."""
    ledger = tmp_path / "ledger"
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(ledger))
    assert main(["recommend", str(build.folder), "--user", cautious(build), "-k", "3", "--format", "json"]) == 0
    opened = open_ledger(ledger, create=False)
    name = opened.headers(kinds=["recommendation"])[0].id
    opened.close()
    shutil.rmtree(ledger / "builds")
    capsys.readouterr()
    assert main(["audit", "replay", name]) == 2
    assert "name it with --build, or what it was made of with --data" in capsys.readouterr().err
    market = build.folder.parent / "market"
    code = main(["audit", "replay", name, "--data", str(market), "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert (code, found["same"], found["sealed"]) == (1, False, False)  # this small build was trained otherwise
    fields = {difference["field"].partition("[")[0] for difference in found["differences"]}
    assert "build.hash" in fields
    assert not any(field.startswith(("question", "investor", "rules", "data.as_of")) for field in fields)


def test_differences_tell_what_is_missing() -> None:
    found = list(differences({"a": [1, {"b": 2.0}], "c": 1}, {"a": [1, {"b": 2.5}, 3], "d": None}))
    assert [(d.field, d.recorded, d.computed) for d in found] == [
        ("a (length)", 2, 3),
        ("a[1].b", 2.0, 2.5),
        ("c", 1, "(absent)"),
        ("d", "(absent)", None),
    ]
