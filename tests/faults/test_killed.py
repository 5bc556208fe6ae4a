"""Builds killed while they train, while they are sealed and while they are put in place: a whole one always serves."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pathfolio.explain.records.keep import keep_files
from pathfolio.kg import swap
from pathfolio.kg.errors import DataError, LedgerError
from pathfolio.kg.progress import Progress
from pathfolio.kg.swap import replace_folder
from pathfolio.recommender.build import Beside, Build, BuildOptions, load_build, write_build
from pathfolio.recommender.training import TrainingOptions
from pathfolio.web.benchmarks.measured import Measured
from tests.faults.killed import killed_while_building, killed_while_kept, killed_while_put_in_place, left_beside


def values(figures: list[Measured]) -> dict[str, float]:
    return {figure.name: figure.value for figure in figures}


def test_killed_while_building_and_training(tmp_path: Path) -> None:
    """The real commands, at moments all over their time."""
    found = values(killed_while_building(tmp_path, kills=2, refreshes=1))
    (killed,) = [name for name in found if name.startswith("builds and refreshes killed")]
    assert found.pop(killed) == 3
    assert "training" in killed
    assert found.pop("the ledger verifies after") == 1
    assert found.pop("lists recorded") == 4
    assert set(found.values()) == {0}


def test_killed_while_a_build_is_put_in_place(small_build: Build, tmp_path: Path) -> None:
    """Whatever the moment, a whole build serves, its files verified by their hashes."""
    found = values(killed_while_put_in_place(small_build, tmp_path, 12))
    assert found["builds that did not serve after 12 kills while put in place"] == 0
    with replace_folder(tmp_path / "served") as aside:
        shutil.copytree(tmp_path / "one", aside, dirs_exist_ok=True)
        with replace_folder(tmp_path / "served") as beside:  # another build at the same time is left alone
            shutil.copytree(tmp_path / "two", beside, dirs_exist_ok=True)
    assert left_beside(tmp_path / "served") == []
    assert load_build(tmp_path / "served", verify=True).build_hash == small_build.build_hash


def test_killed_while_a_build_is_kept(small_build: Build, tmp_path: Path) -> None:
    assert set(values(killed_while_kept(small_build, tmp_path, 12)).values()) == {0}


def test_the_last_file_of_a_build_cannot_be_written(small_build: Build, tmp_path: Path) -> None:
    """Rows that were set aside belong to the build: without them it does not take the other one's place."""

    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "served"
    shutil.copytree(small_build.folder, target)
    with pytest.raises(OSError, match="No space"):
        write_build(
            small_build.graph, small_build.learned, target, BuildOptions(), Progress(None), Beside(write_rejected=full)
        )
    assert load_build(target, verify=True).build_hash == small_build.build_hash
    assert left_beside(target) == []


def test_a_build_that_is_replaced_while_it_is_read(small_build: Build, tmp_path: Path) -> None:
    """Its manifest would go with another one's graph."""
    target, options = tmp_path / "served", BuildOptions(TrainingOptions(seed=99))
    shutil.copytree(small_build.folder, target)
    opened, kept = load_build(target), load_build(target)
    assert len(kept.graph) == len(small_build.graph)
    write_build(small_build.graph, small_build.learned, target, options, Progress(None), Beside())
    with pytest.raises(DataError, match="another build took its place"):
        _ = opened.graph
    with pytest.raises(LedgerError, match=r"another build took its place.*nothing was recorded"):
        keep_files(kept, tmp_path / "archive")
    assert not list((tmp_path / "archive").glob("*/manifest.json"))


def test_where_folders_cannot_be_exchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between two renames leaves the old folder set aside; the next one to begin puts it back first."""
    monkeypatch.setattr(swap, "_exchange", lambda *_: False)
    target = tmp_path / "served"
    for content in ("old", "new"):
        with replace_folder(target) as aside:
            (aside / "file").write_text(content)
    assert (target / "file").read_text() == "new"
    rename = Path.rename

    def crash(self: Path, to: Path) -> Path:
        if to == target:
            raise KeyboardInterrupt
        return rename(self, to)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt), replace_folder(target):
        patch.setattr(Path, "rename", crash)
    assert not target.exists()
    with pytest.raises(ValueError, match="found no data"), replace_folder(target):
        assert (target / "file").read_text() == "new"
        raise ValueError("found no data")
    assert (target / "file").read_text() == "new"
    assert left_beside(target) == []


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".served-backup01").mkdir()
    with replace_folder(tmp_path / "served"):
        pass
    assert (tmp_path / ".served-backup01").exists()
