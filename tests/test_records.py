"""Records of what was served: made, recorded before shown, read back, replayed, handed out, and the commands for it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explain.ledger.canonical import canonical
from explain.ledger.ledger import Ledger, open_ledger
from explain.ledger.verify import verify_ledger
from explain.records.adviser import Advice, Adviser, Question
from explain.records.columns import packed, unpacked
from explain.records.desk import Desk
from explain.records.everybody import Everybody, serve_everybody
from explain.records.inspect import Look, export_case, list_records, read_record
from explain.records.keep import drop_unused, keep_files, kept_build, kept_builds
from explain.records.record import record_of
from explain.records.replay import differences, find_build, replay
from explain.records.serve import serve
from explain.records.tables import expanded
from explain.records.whole import whole
from kg.errors import LedgerError, UsageError
from kg.progress import Progress
from recommender.audience import audience
from recommender.build import Build, load_build
from recommender.retrieve import recommend
from recommender.suitability.rulefile import load_rules, parse_rules
from recommender.suitability.verdict import Outcome
from web.cli import main

LOOK = Look("clerk", "test")


@pytest.fixture(scope="module")
def build(small_build: Build) -> Build:
    return small_build


@pytest.fixture(scope="module")
def adviser(build: Build) -> Adviser:
    return Adviser(build, load_rules("tw"))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(tmp_path / "ledger", environ={})


def investors(build: Build) -> list[str]:
    return [str(x) for x in build.graph.nodes.id[build.graph.users]]


def cautious(build: Build) -> str:
    """An investor whose level forbids much."""
    gate = Adviser(build, load_rules("tw")).gate
    allowed = [int(gate.screen(int(user), build.graph.assets).allowed.sum()) for user in build.graph.users]
    return investors(build)[int(np.argmin(allowed))]


def ask(user_id: str, **values: Any) -> Question:
    return Question("clerk", "command line", user_id, **values)


# -- the answer ----------------------------------------------------------------------------------------------


def test_a_gate_that_lets_all_pass_leaves_the_list_as_it_is(build: Build) -> None:
    text = load_rules("tw").text
    rules = parse_rules((text[: text.index("[[rule]]")] + '[[rule]]\nid = "none"\nkind = "restricted"\n'
                         'title = { en = "x", zh-TW = "x" }\n').encode(), "open.toml")  # fmt: skip
    adviser = Adviser(build, rules)
    for user_id in investors(build)[:15]:
        for kind in (None, "fund"):
            advice = adviser.advise(ask(user_id, k=5, kind=kind))
            assert list(advice.lines) == recommend(build.scorer, user_id, 5, kind)
            assert advice.rejected == ()


def test_what_is_listed_passed_and_what_was_passed_over_did_not(adviser: Adviser, build: Build) -> None:
    advice = adviser.advise(ask(cautious(build)))
    assert advice.rejected
    assert all(verdict.outcome < Outcome.REJECT for verdict in advice.verdicts)
    assert all(rejected.verdict.outcome is Outcome.REJECT for rejected in advice.rejected)
    scores = [line.score for line in advice.lines]
    assert scores == sorted(scores, reverse=True)
    assert [line.rank for line in advice.lines] == list(range(1, len(scores) + 1))
    ungated = recommend(build.scorer, cautious(build), len(build.graph.assets))
    for rejected in advice.rejected:
        assert ungated[rejected.place - 1].asset_id == rejected.asset_id


def test_one_asset(adviser: Adviser, build: Build) -> None:
    asset = str(build.graph.nodes.id[build.graph.assets[3]])
    advice = adviser.advise(ask(investors(build)[0], asset_id=asset))
    assert [line.asset_id for line in advice.lines] == [asset]
    with pytest.raises(UsageError, match="no asset 'nothing'"):
        adviser.advise(ask(investors(build)[0], asset_id="nothing"))
    with pytest.raises(UsageError, match="no user 'nobody'"):
        adviser.advise(ask("nobody"))


# -- the record ----------------------------------------------------------------------------------------------


def test_a_record_says_it_all(adviser: Adviser, build: Build) -> None:
    advice = adviser.advise(ask(cautious(build), k=4))
    record = expanded(json.loads(canonical(record_of(adviser, advice))))
    assert record["question"]["user_id"] == record["investor"]["user_id"] == cautious(build)
    assert record["build"]["hash"] == build.build_hash
    assert record["rules"]["sha256"] == adviser.rules.sha256
    for item, explanation, verdict in zip(record["list"], advice.explanations, advice.verdicts, strict=True):
        assert canonical(item["explanation"]) == canonical(explanation.to_json())
        assert canonical(item["verdict"]) == canonical(verdict.to_json())
        assert {reason["lang"] for reason in item["explanation"]["reasons"]} <= {"en", "zh-TW"}
    columns = {name: unpacked(column) for name, column in record["candidates"]["columns"].items()}
    assert columns["score"].tobytes() == advice.scores.tobytes()
    assert (columns["outcome"] == Outcome.REJECT).sum() == record["candidates"]["rejected_by"]["any"]
    held = {position["tail"] for position in record["investor"]["positions"]}
    assets = build.graph.nodes.id[build.graph.assets]
    assert held.isdisjoint(assets[columns["asset"]].tolist())
    assert all(item["verdict"]["outcome"] == "reject" for item in record["rejected"])


def test_nobody_else_is_in_a_record(adviser: Adviser, build: Build) -> None:
    me, *others = investors(build)
    text = canonical(record_of(adviser, adviser.advise(ask(me)))).decode()
    assert me in text
    assert not [other for other in others if f'"{other}"' in text]


@pytest.mark.parametrize("dtype", ["f8", "i4", "i1"])
def test_columns_come_back_bit_for_bit(dtype: str) -> None:
    values = np.random.default_rng(1).integers(0, 255, 800, np.uint8).view(dtype)
    assert unpacked(packed(values)).tobytes() == values.tobytes()


# -- served --------------------------------------------------------------------------------------------------


def test_served_is_recorded_and_reads_back(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    served = serve(adviser, ledger, ask(investors(build)[0], lang="zh-TW"))
    header, record = read_record(ledger, served.receipt.id, LOOK)
    assert canonical(record) == canonical(served.record)
    assert header.tags == {"build": build.build_hash, "rules": adviser.rules.sha256, "as_of": "2026-06-30"}
    assert [h.kind for h in ledger.headers()] == ["access", "recommendation", "rules", "build", "ledger"]
    serve(adviser, ledger, ask(investors(build)[1]))
    assert [h.kind for h in ledger.headers()][:2] == ["recommendation", "access"]  # build and rules stand once
    rows = list_records(ledger, LOOK, ledger.headers(kinds=["recommendation"]))
    assert [row.user_id for row in rows] == [investors(build)[1], investors(build)[0]]
    assert list(rows[1].assets) == [line.asset_id for line in served.advice.lines]


def test_what_cannot_be_recorded_is_not_served(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    serve(adviser, ledger, ask(investors(build)[0]))
    database = ledger.folder / "ledger.sqlite"
    database.rename(database.with_suffix(".gone"))
    with pytest.raises(LedgerError, match="is gone or was replaced"):
        serve(adviser, ledger, ask(investors(build)[1]))


def everybodys_lists(adviser: Adviser, ledger: Ledger, folder: Path, *, workers: int = 1) -> pd.DataFrame:
    out = folder / f"lists-{workers}.parquet"
    done = serve_everybody(adviser, ledger, Everybody("clerk", "command line", 3), out, Progress(None), workers=workers)
    table = pd.read_parquet(out)
    assert (done.rows, done.lists) == (len(table), len(adviser.build.graph.users))
    batch = ledger.unsealed(ledger.leaf(done.receipt.id))
    assert batch["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    return table


def test_everybody_s_lists(adviser: Adviser, build: Build, ledger: Ledger, tmp_path: Path) -> None:
    """The file holds each investor's gated list; each is recorded without reasons, replays, and is made whole again."""
    table = everybodys_lists(adviser, ledger, tmp_path)
    assert list(table.columns) == ["user_id", "rank", "asset_id", "score"]
    headers = ledger.headers(kinds=["recommendation"])
    assert len(headers) == len(build.graph.users)
    who = cautious(build)
    header, record = read_record(ledger, ledger.headers(person=who)[0].id, LOOK)
    alone = adviser.advise(ask(who, k=3))
    of_file = table[table["user_id"] == who]
    assert list(zip(of_file["rank"], of_file["asset_id"], of_file["score"], strict=True)) == [
        (line.rank, line.asset_id, line.score) for line in alone.lines
    ]
    assert "columns" not in record["candidates"]
    assert all("explanation" not in item for item in expanded(record)["list"])
    assert [each["verdict"]["outcome"] for each in expanded(record)["rejected"]] == ["reject"] * len(alone.rejected)
    assert replay(ledger, header.id, record, build).same
    again = whole(ledger, record)
    assert again["reasons"] == "computed again"
    asked_alone = expanded(json.loads(canonical(record_of(adviser, alone))))
    assert again["list"] == asked_alone["list"]
    assert verify_ledger(ledger).sound


def test_everybody_s_lists_by_several_processes(adviser: Adviser, build: Build, tmp_path: Path) -> None:
    ledgers = [open_ledger(tmp_path / name, environ={}) for name in ("one", "two")]
    tables = [
        everybodys_lists(adviser, opened, tmp_path, workers=workers)
        for opened, workers in zip(ledgers, (1, 2), strict=True)
    ]
    assert tables[0].equals(tables[1])
    assert [len(opened.headers(kinds=["recommendation"])) for opened in ledgers] == [len(build.graph.users)] * 2


def test_no_file_of_lists_that_are_not_recorded(
    adviser: Adviser, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybodys_lists(adviser, ledger, tmp_path)
    ledger.clock = lambda: datetime(2020, 1, 1, tzinfo=UTC)
    out = tmp_path / "late.parquet"
    with pytest.raises(LedgerError, match="the clock is"):
        serve_everybody(adviser, ledger, Everybody("clerk", "command line"), out, Progress(None))
    assert list(tmp_path.glob("*late*")) == []


def test_the_desk_s_records_are_those_of_the_answer(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    """What is remembered is recorded again byte for byte, but for who asked and through what."""
    desk, user = Desk(adviser, ledger), cautious(build)
    calls = []

    def view(advice: Advice) -> list[str]:
        calls.append(1)
        return [line.asset_id for line in advice.lines]

    for who in ("ann", "bob", "ann"):
        question = Question(who, "site", user)
        shown = desk.show(question, "ids", view)
        payload = canonical(ledger.unsealed(ledger.leaf(shown.receipt.id)))
        assert payload == canonical(record_of(adviser, adviser.advise(question)))
        assert shown.view == [line.asset_id for line in adviser.advise(question).lines]
    assert len(calls) == 1
    assert len(ledger.headers(person=user)) == 3


def test_the_desk_forgets_what_it_has_no_room_for(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    desk = Desk(adviser, ledger, remembered=1)
    for _ in range(2):
        shown = desk.show(ask(investors(build)[0], k=3), "n", lambda advice: len(advice.lines))
        assert shown.view == 3
    assert desk._answers == {}
    assert desk._size == 0


def test_the_desk_shows_nothing_that_is_not_recorded(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    desk = Desk(adviser, ledger)
    desk.show(ask(investors(build)[0]), "n", lambda advice: len(advice.lines))
    database = ledger.folder / "ledger.sqlite"
    database.rename(database.with_suffix(".gone"))
    with pytest.raises(LedgerError, match="is gone or was replaced"):
        desk.show(ask(investors(build)[0]), "n", lambda advice: len(advice.lines))


def test_builds_are_kept_as_long_as_a_record_refers_to_them(
    adviser: Adviser, build: Build, ledger: Ledger, tmp_path: Path
) -> None:
    serve(adviser, ledger, ask(investors(build)[0]))
    unused = tmp_path / "other"
    shutil.copytree(build.folder, unused)
    manifest = json.loads((unused / "manifest.json").read_text())
    (unused / "manifest.json").write_text(json.dumps(manifest | {"build_hash": "f" * 64}))
    keep_files(load_build(unused), ledger.folder / "builds")
    assert [(kept.build_hash, kept.records) for kept in kept_builds(ledger)] == sorted(
        [(build.build_hash, 1), ("f" * 64, 0)]
    )
    assert [kept.build_hash for kept in drop_unused(ledger)] == ["f" * 64]
    assert [kept.build_hash for kept in kept_builds(ledger)] == [build.build_hash]


def test_a_rank_is_the_place_in_the_gated_list(adviser: Adviser, build: Build) -> None:
    user = cautious(build)
    advice = adviser.advise(ask(user, k=len(build.graph.assets)))
    for line in (advice.lines[0], advice.lines[len(advice.lines) // 2], advice.lines[-1]):
        assert adviser.advise(ask(user, asset_id=line.asset_id)).explanations[0].rank == line.rank
    rejected = adviser.advise(ask(user, asset_id=advice.rejected[0].asset_id))
    assert (rejected.explanations[0].rank, rejected.verdicts[0].outcome) == (0, Outcome.REJECT)


def test_lists_are_complete_wherever_enough_assets_pass(adviser: Adviser, build: Build) -> None:
    for user in investors(build)[:40]:
        for kind in (None, "stock", "bond"):
            advice = adviser.advise(ask(user, kind=kind))
            assert len(advice.lines) == min(10, int(advice.screening.allowed.sum()))


def test_no_rules_at_all(build: Build, ledger: Ledger) -> None:
    adviser = Adviser(build, load_rules("none"))
    served = serve(adviser, ledger, ask(investors(build)[3]))
    assert list(served.advice.lines) == recommend(build.scorer, investors(build)[3])
    assert served.record["rules"] | {"sha256": ""} == {
        "market": "none",
        "version": "2026-07-01",
        "sha256": "",
        "rules": [],
    }
    _, record = read_record(ledger, served.receipt.id, LOOK)
    assert replay(ledger, served.receipt.id, record, build).same


# -- replay --------------------------------------------------------------------------------------------------


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
    scores = unpacked(record["candidates"]["columns"]["score"]).copy()
    scores[5] = np.nextafter(scores[5], 1)
    record["candidates"]["columns"]["score"] = packed(scores)
    record["list"][0]["score"] += 0.5
    record["software"]["numpy"] = "1.0"
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


# -- the case ------------------------------------------------------------------------------------------------


def run_verifier(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As somebody without pathfolio would: isolated Python, from another folder, with `cryptography` alone."""
    block = "import sys, runpy; sys.modules.update(dict.fromkeys(('explain', 'kg', 'web', 'recommender')))"
    code = f"{block}; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-I", "-c", code, str(folder / "verify.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)


@pytest.fixture
def case(adviser: Adviser, build: Build, ledger: Ledger, tmp_path: Path) -> Path:
    served = serve(adviser, ledger, ask(cautious(build)))
    export_case(ledger, served.receipt.id, LOOK, tmp_path / "case.zip")
    with zipfile.ZipFile(tmp_path / "case.zip") as opened:
        opened.extractall(tmp_path / "case")
    return tmp_path / "case"


def test_a_case_verifies_without_pathfolio(case: Path, ledger: Ledger) -> None:
    alone = run_verifier(case)
    assert (alone.returncode, alone.stdout.splitlines()[-1]) == (0, "VERIFIED"), alone.stdout + alone.stderr
    key = ledger.verifiers[-1].text
    assert run_verifier(case, str(case.parent / "case.zip"), "--key", key).returncode == 0
    imports = [line for line in (case / "verify.py").read_text().splitlines() if line.startswith(("import", "from"))]
    names = {line.split()[1].split(".")[0] for line in imports}
    assert names - {"cryptography"} <= set(sys.stdlib_module_names)


def test_a_case_opens_one_record_only(case: Path, ledger: Ledger, adviser: Adviser, build: Build) -> None:
    other = serve(adviser, ledger, ask(cautious(build), k=2))
    (case / "record.leaf").write_bytes(ledger.leaf(other.receipt.id))
    assert "NOT VERIFIED" in run_verifier(case).stdout


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("record.leaf", "it was altered"),
        ("record.json", "record.json is not what was recorded"),
        ("record.tlog-proof", "NOT VERIFIED"),
        ("rules.toml", "rules.toml is not the file"),
        ("manifest.json", "manifest.json is not of the build"),
        ("public_key.txt", "NOT VERIFIED"),
        ("record.key", "record.key does not open the record"),
    ],
)
def test_an_altered_case_is_refused(case: Path, name: str, message: str) -> None:
    raw = bytearray((case / name).read_bytes())
    at = raw.index(b'"graph_hash"') + 20 if name == "manifest.json" else len(raw) // 3
    raw[at] = ord("8") if raw[at] != ord("8") else ord("9")
    (case / name).write_bytes(raw)
    found = run_verifier(case)
    assert (found.returncode, found.stdout.count("\nVERIFIED")) == (1, 0)
    assert message in found.stdout


def test_another_key_is_not_taken(case: Path, tmp_path: Path) -> None:
    stranger = open_ledger(tmp_path / "other", environ={}).verifiers[0].text
    assert "not signed by this key" in run_verifier(case, "--key", stranger).stdout


# -- the commands --------------------------------------------------------------------------------------------


@pytest.fixture
def on_command_line(adviser: Adviser, build: Build, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger that PATHFOLIO_LEDGER names, with one record; its id."""
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(ledger.folder))
    for name in ("PATHFOLIO_LEDGER_KEY", "PATHFOLIO_LEDGER_MASTER_KEY", "PATHFOLIO_BUILDS"):
        monkeypatch.delenv(name, raising=False)
    return serve(adviser, ledger, ask(cautious(build))).receipt.id


def test_audit_commands(
    on_command_line: str, build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str], ledger: Ledger
) -> None:
    def call(*words: str) -> str:
        assert main(["audit", *words]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    (row,) = json.loads(call("list", "--format", "json"))
    assert (row["id"], row["user_id"]) == (on_command_line, cautious(build))
    shown = json.loads(call("show", row["id"], "--format", "json", "--purpose", "complaint"))
    assert shown["record"]["list"][0]["explanation"]["user_id"] == cautious(build)
    assert "passed; rejected above the last" in call("show", row["id"][:6])
    assert "the same, bit for bit" in call("replay", row["id"])
    assert json.loads(call("replay", row["id"], "--build", str(build.folder), "--format", "json"))["same"]
    assert "as it was written" in call("verify", row["id"])
    key, kept = tmp_path / "key.txt", tmp_path / "checkpoint.txt"
    key.write_text(call("key"))
    kept.write_text(call("checkpoint"))
    assert call("verify", "--key", str(key), "--against", str(kept)).endswith("sound\n")
    assert json.loads(call("verify", "--format", "json"))["sound"]
    call("report", row["id"], "--out", str(tmp_path / "r.html"))
    assert "<!doctype html>" in (tmp_path / "r.html").read_text()
    call("export", row["id"], "--out", str(tmp_path / "c.zip"))
    assert zipfile.is_zipfile(tmp_path / "c.zip")
    looks = [ledger.unsealed(ledger.leaf(h.id)) for h in ledger.headers(kinds=["access"])]
    assert "complaint" in {look["purpose"] for look in looks}
    assert all(look["who"] and look["records"] == [row["id"]] for look in looks)


def test_custody_commands(on_command_line: str, build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    def call(*words: str, code: int = 0) -> str:
        assert main(["audit", *words]) == code
        captured = capsys.readouterr()
        return captured.out or captured.err

    hold = call("hold", "--user", cautious(build), "--reason", "case 1").split()[1]
    erase = ("erase", "--user", cautious(build), "--reason", "request", "--despite-retention")
    assert "forbids it" in call(*erase, code=1)
    call("release", hold, "--reason", "closed")
    assert call("expire") == "0 records deleted\n"
    call("rotate-key", "--reason", "yearly")
    call("clock", "--reason", "test")
    assert "the key is destroyed" in call(*erase)
    assert "(erased)" in call("list")
    assert "its key was destroyed" in call("show", on_command_line, code=1)
    assert call("verify").endswith("sound\n")


def test_verify_says_which_record_was_altered(
    on_command_line: str, capsys: pytest.CaptureFixture[str], ledger: Ledger
) -> None:
    with ledger.store.write() as connection:
        statement = "UPDATE entry SET data = replace(data, x'22', x'27') WHERE kind = 'recommendation'"
        connection.exec_driver_sql(statement)
    assert main(["audit", "verify"]) == 1
    assert f"{on_command_line}: altered" in capsys.readouterr().out
    assert main(["audit", "verify", on_command_line]) == 1


def test_no_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "none"))
    assert main(["audit", "list"]) == 1
    assert "no ledger here: set PATHFOLIO_LEDGER" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_suitability_command(build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suitability", "check", "tw"]) == 0
    assert "risk-level" in capsys.readouterr().out
    assert main(["suitability", "check", "tw", str(build.folder), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["investors"] == len(build.graph.users)
    assert found["rejects"]["any"] + found["allowed"]["mean"] == pytest.approx(found["assets"])
    broken = tmp_path / "broken.toml"
    broken.write_text(load_rules("tw").text.replace("purchase_share = 0.05", "purchase_share = 5"), encoding="utf-8")
    assert main(["suitability", "check", str(broken)]) == 3
    assert "broken.toml:8: purchase_share = 5: write a fraction" in capsys.readouterr().err


def test_questions_are_frozen(build: Build) -> None:
    question = ask(investors(build)[0])
    assert replace(question, k=3) != question


def test_an_audience_is_suited_and_the_look_at_it_is_recorded(
    adviser: Adviser, build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = build.graph
    asset = next(
        str(graph.nodes.id[row])
        for row in graph.assets
        if not all(adviser.gate.screen(int(user), np.array([row])).allowed[0] for user in graph.users)
    )
    everyone = audience(build.scorer, asset, 1000)
    suited = audience(build.scorer, asset, 1000, gate=adviser.gate)
    row = np.array([graph.asset_row(asset)])
    allowed = {str(graph.nodes.id[user]) for user in graph.users if adviser.gate.screen(int(user), row).allowed[0]}
    assert [person.user_id for person in suited] == [p.user_id for p in everyone if p.user_id in allowed]
    assert [person.rank for person in suited] == list(range(1, len(suited) + 1))
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))
    command = ["audience", str(build.folder), "--asset", asset, "-k", "7", "--rules", "tw", "--format", "json"]
    assert main(command) == 0
    assert [person["user_id"] for person in json.loads(capsys.readouterr().out)] == [p.user_id for p in suited[:7]]
    opened = open_ledger(tmp_path / "ledger", create=False)
    [header] = opened.headers(kinds=["access"])
    assert opened.unsealed(opened.leaf(header.id))["purpose"] == f"audience of {asset}: 7 investors"
    opened.close()
