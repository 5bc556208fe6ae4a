"""The commands for records and rules, as staff run them."""

from __future__ import annotations

import json
import os
import zipfile
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger, utc_now
from pathfolio.explain.ledger.payloads import (
    ACCESS,
    BATCH,
    CLOCK,
    ERASURE,
    EXPIRY,
    EXPIRY_PROPOSAL,
    HOLD,
    KEY_KINDS,
    RELEASE,
    RESTORE,
)
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.audience_record import AUDIENCE
from pathfolio.explain.records.inspect import LISTS
from pathfolio.explain.records.keep import BUILD, RULES
from pathfolio.explain.records.serve import serve
from pathfolio.explain.records.verdict_text import verdict_text
from pathfolio.recommender.build import Build
from pathfolio.recommender.investor_ranking import audience
from pathfolio.recommender.suitability.rulefile import load_rules, parse_rules
from pathfolio.web.cli import main
from pathfolio.web.commands.audit.reading import KINDS
from tests.explain.ledger_world import entry_of
from tests.explain.records_world import ask, cautious, investors


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
    assert main(["audit", "list", "--limit", "-3"]) == 2
    assert "--limit -3: give 1 or more" in capsys.readouterr().err
    assert (row["id"], row["user_id"]) == (on_command_line, cautious(build))
    shown = json.loads(call("show", row["id"], "--format", "json", "--purpose", "complaint"))
    assert shown["record"]["list"][0]["explanation"]["user_id"] == cautious(build)
    assert "passed; rejected above the last:\n" in call("show", row["id"][:6])
    assert "the same, bit for bit" in call("replay", row["id"])
    assert json.loads(call("replay", row["id"], "--build", str(build.folder), "--format", "json"))["same"]
    assert "as it was written" in call("verify", row["id"])
    key, kept = tmp_path / "key.txt", tmp_path / "checkpoint.txt"
    key.write_text(call("key"))
    kept.write_text(call("checkpoint"))
    assert call("verify", "--key", str(key), "--against", str(kept)).endswith("sound\n")
    assert "as it was written" in call("verify", row["id"], "--against", str(kept))
    other = kept.with_name("other.txt")
    other.write_text(kept.read_text().replace("pathfolio/", "elsewhere/"))
    assert main(["audit", "verify", row["id"], "--against", str(other)]) == 1
    assert "kept elsewhere: a checkpoint of 'elsewhere/" in capsys.readouterr().out
    assert main(["audit", "verify", "--key", "wrong"]) == 2
    assert "--key: not a verifier key: 'wrong'" in capsys.readouterr().err
    assert json.loads(call("verify", "--format", "json"))["sound"]
    call("report", row["id"], "--out", str(tmp_path / "r.html"))
    assert "<!doctype html>" in (tmp_path / "r.html").read_text()
    assert "verify.py --key KEY" in call("export", row["id"], "--out", str(tmp_path / "c.zip"))
    assert zipfile.is_zipfile(tmp_path / "c.zip")
    looks = [entry_of(ledger, h.id) for h in ledger.headers(kinds=["access"])]
    assert "complaint" in {look["purpose"] for look in looks}
    assert all(look["who"] and look["records"] == [row["id"]] for look in looks)


def test_a_record_is_shown_with_its_cautions(
    on_command_line: str, build: Build, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    careful = parse_rules(load_rules("tw").text.replace("warn_at = 0.2", "warn_at = 0.01").encode(), "careful")
    served = [serve(Adviser(build, careful), ledger, ask(user)) for user in investors(build)[:8]]
    told = [(each.receipt.id, verdict) for each in served for verdict in each.advice.verdicts]
    record, verdict = next((record, verdict) for record, verdict in told if verdict.state == "warn")
    assert main(["audit", "show", record]) == 0
    printed = capsys.readouterr().out
    assert verdict_text(verdict.results, "en")
    assert all(f"! {text}\n" in printed for text in verdict_text(verdict.results, "en"))


def test_what_was_not_rejected_is_not_announced(
    on_command_line: str, build: Build, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    free = serve(Adviser(build, load_rules("none")), ledger, ask(cautious(build))).receipt.id
    assert main(["audit", "show", free]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith("passed; none rejected above the last\n")
    assert ", no rules\n" in printed


def test_a_list_that_is_cut_says_so(
    on_command_line: str, adviser: Adviser, build: Build, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    for user in investors(build)[:4]:
        serve(adviser, ledger, ask(user, k=1))
    assert main(["audit", "list", "--limit", "3"]) == 0
    cut = capsys.readouterr()
    assert (len(cut.out.splitlines()), cut.err) == (3, "… 2 more: --limit N\n")
    assert main(["audit", "list", "--limit", "5"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["audit", "list", "--kind", "hold"]) == 0
    assert capsys.readouterr().err == "no such records\n"


def test_an_unknown_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", "list", "--kind", "nothing"])
    assert ended.value.code == 2
    assert "invalid choice: 'nothing'" in capsys.readouterr().err
    own = {
        HOLD,
        RELEASE,
        RESTORE,
        ERASURE,
        EXPIRY,
        EXPIRY_PROPOSAL,
        CLOCK,
        BATCH,
        BUILD,
        RULES,
        AUDIENCE,
        ACCESS,
        *LISTS,
        *KEY_KINDS,
    }
    assert {*KINDS} == {*own, "all"}


def test_custody_commands(on_command_line: str, build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    def call(*words: str, code: int = 0) -> str:
        assert main(["audit", *words]) == code
        captured = capsys.readouterr()
        return captured.out or captured.err

    hold = call("hold", "--user", cautious(build), "--reason", "case 1").split()[1]
    erase = ("erase", "--user", cautious(build), "--reason", "request", "--despite-retention")
    assert "forbids it" in call(*erase, code=1)
    call("release", hold, "--reason", "closed")
    call("rotate-key", "--reason", "yearly")
    call("clock", "--reason", "test")
    assert "the key is destroyed" in call(*erase)
    assert "(erased)" in call("list")
    assert "its key was destroyed" in call("show", on_command_line, code=1)
    assert call("verify").endswith("sound\n")


def test_expiry_is_told_then_proposed_then_confirmed_by_somebody_else(
    on_command_line: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(*words: str, code: int = 0) -> str:
        assert main(["audit", "expire", *words]) == code
        captured = capsys.readouterr()
        return captured.out or captured.err

    assert call() == f"0 of {ledger.size} entries have outlived their retention\nnothing was deleted\n"
    ahead = utc_now() + timedelta(days=2600)
    monkeypatch.setattr("pathfolio.explain.ledger.opening.open_ledger", partial(open_ledger, clock=lambda: ahead))
    assert "1 more are old by this machine's clock alone: the ledger has not lived that long" in call()
    today = ("--today", ahead.date().isoformat())
    told = call(*today)
    assert told.startswith(f"1 of {ledger.size} entries have outlived their retention: 1 recommendation, of ")
    assert json.loads(call(*today, "--format", "json"))["headers"][0]["id"] == on_command_line
    assert "belong to a proposal: add --propose" in call("--reason", "yearly", code=2)
    assert "nothing is due" in call("--propose", "--reason", "yearly", code=2)
    assert "say --at-most 1" in call("--propose", "--reason", "yearly", *today, code=1)
    proposal = call("--propose", "--reason", "yearly", "--at-most", "1", *today).split()[1]
    assert "proposed it: somebody else has to confirm it" in call("--confirm", proposal, *today, code=1)
    monkeypatch.setattr("pathfolio.web.commands.audit.expire.account_name", lambda: "officer")
    assert call("--confirm", proposal, *today) == "1 entries deleted\n"
    assert main(["audit", "verify"]) == 0


@pytest.mark.skipif(os.name != "posix", reason="who asks is known otherwise")
def test_who_looks_is_who_they_are_not_who_they_say(
    on_command_line: str, monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    def looked() -> str:
        assert main(["audit", "show", on_command_line]) == 0
        return str(entry_of(ledger, ledger.headers(kinds=[ACCESS])[0].id)["who"])

    import pwd

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody else")
    assert looked() == pwd.getpwuid(os.getuid()).pw_name
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: {}[uid])  # as in a container that runs as some number
    assert looked() == f"uid {os.getuid()}"


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
    assert "broken.toml:9: purchase_share = 5: write a fraction" in capsys.readouterr().err


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
    look = entry_of(opened, header.id)
    assert look["purpose"] == f"audience of {asset}: 7 investors"
    named = [entry_of(opened, record) for record in look["records"]]
    assert [entry["question"]["user_id"] for entry in named] == [p.user_id for p in suited[:7]]
    assert [(entry["rank"], entry["score"]) for entry in named] == [(p.rank, p.score) for p in suited[:7]]
    assert {entry["question"]["asset_id"] for entry in named} == {asset}
    opened.close()


def test_who_was_named_in_an_audience_is_erased_with_the_person(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))
    asset = str(build.graph.nodes.id[build.graph.assets[0]])
    assert main(["audience", str(build.folder), "--asset", asset, "-k", "3", "--rules", "none"]) == 0
    shown = capsys.readouterr()
    sample, how, _, first, *_ = shown.out.splitlines()
    assert "generated data" in sample
    assert "worded as the investor would read it" in how
    assert shown.err.startswith("record ")
    person = first.split()[2]
    assert main(["audit", "list", "--user", person, "--format", "json"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["kind"], row["user_id"], row["assets"], row["through"]) == ("audience", person, [asset], "command line")
    leaves = [path.read_bytes() for path in (tmp_path / "ledger").iterdir() if path.is_file()]
    assert not any(person.encode() in leaf for leaf in leaves)  # sealed, and in no open entry either
    erase = ["audit", "erase", "--user", person, "--reason", "request", "--despite-retention"]
    assert main(erase) == 0
    capsys.readouterr()
    assert main(["audit", "show", row["id"]]) == 1
    assert "its key was destroyed" in capsys.readouterr().err
    assert main(["audit", "verify"]) == 0


def test_files_that_are_no_text_and_looks_without_a_purpose(
    on_command_line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "picture"
    path.write_bytes(b"\xff\xfe\xdc" * 50)
    for words, code, said in (
        (["verify", "--key", str(path)], 2, "not a verifier key"),
        (["verify", "--against", str(path)], 1, "not a signed note"),
        (["list", "--purpose", " "], 2, "needs its purpose"),
        (["hold", "--user", "\udcff", "--reason", "x"], 2, "nothing is recorded of '\\udcff'"),
        (["hold", "--record", on_command_line, "--reason", ""], 2, "needs its reason"),
    ):
        assert main(["audit", *words]) == code
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
