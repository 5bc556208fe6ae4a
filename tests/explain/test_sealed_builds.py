"""Sealed builds are part of a verification: copies of their own, and every changed byte in one is found and named."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.payloads import RECOMMENDATION
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.keep import keep_files, kept_build
from pathfolio.explain.records.sealed import VerifiedBuild, WhichBuilds, verify_builds
from pathfolio.explain.records.serve import serve
from pathfolio.kg.errors import LedgerError
from pathfolio.kg.progress import Progress
from pathfolio.recommender.build import Build, load_build
from pathfolio.web.cli import main
from tests.explain.records_world import ask, investors


@pytest.fixture
def kept(adviser: Adviser, build: Build, ledger: Ledger) -> Path:
    """The folder of the build that one record rests on."""
    serve(adviser, ledger, ask(investors(build)[0], k=1))
    found = kept_build(ledger, build.build_hash)
    assert found is not None
    return found


def verified(ledger: Ledger, which: WhichBuilds = WhichBuilds.ALL) -> list[VerifiedBuild]:
    return verify_builds(ledger, which, Progress(None))


def files_in(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def write(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


def test_what_is_kept_is_a_copy_that_nobody_edits(kept: Path, build: Build, ledger: Ledger) -> None:
    assert {path.relative_to(kept).as_posix() for path in files_in(kept)} == {"manifest.json", *build.manifest["files"]}
    for path in files_in(kept):
        assert (path.stat().st_nlink, path.stat().st_mode & 0o777) == (1, 0o400)
        assert not path.samefile(build.folder / path.relative_to(kept))
    [found] = verified(ledger)
    assert (found.build_hash, found.records, found.problems) == (build.build_hash, 1, ())
    assert (found.files, found.size) == (
        len(build.manifest["files"]),
        sum(path.stat().st_size for path in files_in(kept) if path.name != "manifest.json"),
    )


def test_who_edits_the_build_does_not_edit_what_is_kept(build: Build, ledger: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    shutil.copytree(build.folder, folder)
    kept = keep_files(load_build(folder), ledger.folder / "builds")
    for path in files_in(folder):
        write(path, b"edited")
    assert load_build(kept, verify=True).build_hash == build.build_hash


def test_a_changed_byte_in_any_file_is_found_and_named(kept: Path, ledger: Ledger) -> None:
    for path in files_in(kept):
        content = path.read_bytes()
        at = len(content) // 2
        write(path, content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        [found] = verified(ledger)
        assert found.problems, path
        assert all(problem.startswith(f"{path.relative_to(kept)}: ") for problem in found.problems)
        write(path, content)
    assert verified(ledger)[0].problems == ()


def test_what_is_missing_or_added_is_named(kept: Path, ledger: Ledger) -> None:
    (kept / "co_investment.npy").unlink()
    (kept / "own").mkdir(exist_ok=True)
    (kept / "own" / "channel.npy").write_bytes(b"x")
    assert set(verified(ledger)[0].problems) == {
        "co_investment.npy: missing since the build was sealed",
        "own/channel.npy: added since the build was sealed",
    }
    shutil.rmtree(kept)
    [found] = verified(ledger)
    assert (found.records, found.files) == (1, 0)
    assert found.problems[0].startswith(f"not kept in {kept.parent}: put it back")
    assert verified(ledger, WhichBuilds.HERE) == verified(ledger, WhichBuilds.NONE) == []


def test_another_build_sealed_anew_under_the_name_is_found(kept: Path, build: Build, ledger: Ledger) -> None:
    """Whoever edits a file and the manifest with it has another hash, or another manifest than the ledger's own."""
    manifest = json.loads((kept / "manifest.json").read_text("utf-8"))
    for changed in ({"seed": 99}, {"build_hash": "f" * 64}, {"files": 5}, {"files": {"../secret": "0" * 64}}):
        write(kept / "manifest.json", json.dumps(manifest | changed, indent=2).encode())
        assert verified(ledger)[0].problems, changed
    write(kept / "manifest.json", b"{")
    assert verified(ledger)[0].problems == ("manifest.json: changed since the build was sealed: it cannot be read",)


def test_a_build_that_was_edited_before_it_is_kept_is_not_kept(build: Build, ledger: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    shutil.copytree(build.folder, folder)
    write(folder / "attention.npz", b"edited")
    with pytest.raises(
        LedgerError, match=r"attention.npz: changed since the build was sealed: .*; nothing was recorded"
    ):
        keep_files(load_build(folder), ledger.folder / "builds")
    assert list((ledger.folder / "builds").iterdir()) == []


def test_links_of_before_become_copies(build: Build, ledger: Ledger, tmp_path: Path) -> None:
    archive, folder = ledger.folder / "builds", tmp_path / "build"
    shutil.copytree(build.folder, folder)
    shutil.copytree(folder, archive / build.build_hash, copy_function=os.link)
    kept = keep_files(load_build(folder), archive)
    assert {path.stat().st_nlink for path in files_in(kept)} == {1}
    assert load_build(kept, verify=True).build_hash == build.build_hash


def test_the_command_tells_of_builds(
    kept: Path, build: Build, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(ledger.folder))

    def verify(*words: str) -> tuple[int, str]:
        code = main(["audit", "verify", *words])
        return code, capsys.readouterr().out

    code, told = verify()
    assert (code, told[-6:]) == (0, "sound\n")
    assert "; 1 builds, " in told
    write(kept / "co_investment.npy", b"edited")
    code, told = verify()
    named = f"build {build.build_hash[:12]} (1 records): co_investment.npy: changed since the build was sealed\n"
    assert (code, named in told, told.endswith("NOT SOUND, 1 findings\n")) == (1, True, True)
    code, told = verify("--format", "json")
    found = json.loads(told)
    assert (code, found["sound"], len(found["builds"])) == (1, False, 1)
    assert verify("--builds", "none")[0] == 0
    [record] = [header.id for header in ledger.headers(kinds=[RECOMMENDATION])]
    assert verify(record) == (1, f"{record}: {named.replace(' (1 records)', '')}")
    assert verify(record, "--builds", "none") == (0, f"{record}: as it was written\n")
    assert verify(ledger.headers(kinds=["rules"])[0].id)[0] == 0
    shutil.rmtree(kept)
    assert (verify()[0], verify("--builds", "here")[0]) == (1, 0)
