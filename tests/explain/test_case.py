"""The case: a record with its proof, verified without this software."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pathfolio.explain.ledger import custody
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.verify import verify_ledger
from pathfolio.explain.records import inspect
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.inspect import export_case
from pathfolio.explain.records.report import Report, report_html
from pathfolio.explain.records.serve import serve
from pathfolio.recommender.build import Build
from tests.explain.records_world import LOOK, ask, cautious


def run_verifier(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As somebody without pathfolio would: isolated Python, from another folder, with `cryptography` alone."""
    block = "import sys, runpy; sys.modules['pathfolio'] = None"
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


def test_a_case_that_is_made_while_the_key_changes(
    adviser: Adviser, build: Build, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, made = serve(adviser, ledger, ask(cautious(build))), list[Report]()

    def slow(report: Report) -> str:
        if not made:
            custody.rotate_key(ledger, who="admin", reason="yearly")
        made.append(report)
        return report_html(report)

    monkeypatch.setattr(inspect, "report_html", slow)
    export_case(ledger, served.receipt.id, LOOK, tmp_path / "case.zip")
    with zipfile.ZipFile(tmp_path / "case.zip") as opened:
        opened.extractall(tmp_path / "case")
    alone = run_verifier(tmp_path / "case")
    assert alone.returncode == 0, alone.stdout
    assert run_verifier(tmp_path / "case", "--key", ledger.verifiers[-1].text).returncode == 0
    assert verify_ledger(ledger).sound


def test_a_case_verifies_without_pathfolio(case: Path, ledger: Ledger) -> None:
    alone = run_verifier(case)
    assert (alone.returncode, alone.stdout.splitlines()[-1]) == (
        0,
        "VERIFIED against the key in this case; compare it with the published one",
    ), alone.stdout + alone.stderr
    key = ledger.verifiers[-1].text
    trusting = run_verifier(case, str(case.parent / "case.zip"), "--key", key)
    assert (trusting.returncode, trusting.stdout.splitlines()[-1]) == (0, "VERIFIED")
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
        ("report-en.html", "report-en.html is not the file that was handed out"),
        ("record-expanded.json", "record-expanded.json is not the file that was handed out"),
        ("case.leaf", "it was altered"),
        ("case.tlog-proof", "NOT VERIFIED"),
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


def test_nothing_is_added_to_a_case(case: Path) -> None:
    (case / "letter.pdf").write_bytes(b"%PDF")
    assert "letter.pdf is not the file that was handed out" in run_verifier(case).stdout


@pytest.mark.parametrize("name", ["rules.toml", "manifest.json", "report-en.html", "README.txt", "case.leaf"])
def test_nothing_is_kept_back_from_a_case(case: Path, name: str) -> None:
    (case / name).unlink()
    found = run_verifier(case)
    assert (found.returncode, found.stdout.count("\nVERIFIED")) == (1, 0)
    assert f"{name} is missing" in found.stdout or f"NOT VERIFIED: KeyError('{name}')" in found.stdout


@pytest.mark.parametrize("content", [b"", b"[]", b"null\nnull", b"{}\n{}", b"[" * 100_000, b"\xff\n\n"])
def test_what_is_no_case_at_all_is_told_in_one_line(case: Path, content: bytes) -> None:
    for name in ("record.leaf", "record.tlog-proof", "case.leaf", "case.tlog-proof", "manifest.json", "public_key.txt"):
        kept = (case / name).read_bytes()
        (case / name).write_bytes(content)
        found = run_verifier(case)
        assert (found.returncode, found.stderr) == (1, ""), name
        assert found.stdout.splitlines()[-1].startswith("NOT VERIFIED: "), name
        (case / name).write_bytes(kept)


def test_another_key_is_not_taken(case: Path, tmp_path: Path) -> None:
    stranger = open_ledger(tmp_path / "other", environ={}).verifiers[0].text
    assert "not signed by this key" in run_verifier(case, "--key", stranger).stdout
    assert "NOT VERIFIED: --key: not a public key" in run_verifier(case, "--key", "wrong").stdout
