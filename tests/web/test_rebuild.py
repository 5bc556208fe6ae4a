"""A record whose build is gone: the build is made again from its data, and the record computed again, bit for bit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pathfolio.kg.sample.size import END
from pathfolio.recommender.build import load_build
from pathfolio.web.cli import main

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command with a ledger of its own; gives the exit code and what was printed."""
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))

    def run(*words: object) -> tuple[int, str]:
        code = main([str(word) for word in words])
        return code, capsys.readouterr().out

    return run


def test_a_refreshed_build_is_made_again_from_data_and_configuration(
    sample_folder: Path, tmp_path: Path, call: Call
) -> None:
    """Trained a month earlier and refreshed: weights of the first day, facts of the second; one row is set aside."""
    first, second = tmp_path / "first", tmp_path / "second"
    before, data = END.replace(day=1), shutil.copytree(sample_folder, tmp_path / "data")
    with (data / "users.csv").open("a", encoding="utf-8") as users:
        users.write("INVX,Nobody,robot,,,,,,,,\n")
    made = call("build", data, "--as-of", before, "--out", first, "--embedding", "DistMult", "--seed", 3)
    assert (made[0], made[1].splitlines()[-1]) == (0, f"1 row set aside: {first / 'rejected.csv'}")
    refreshed = call("refresh", first, data, "--as-of", END, "--out", second, "--horizon", 2)
    assert (refreshed[0], refreshed[1].splitlines()[-1]) == (0, f"1 row set aside: {second / 'rejected.csv'}")
    assert "robot" in (second / "rejected.csv").read_text(encoding="utf-8")
    user = load_build(second).graph.nodes.id[load_build(second).graph.users[4]]
    assert call("recommend", second, "--user", user, "--rules", "none")[0] == 0
    record = json.loads(call("audit", "list", "--format", "json")[1])[0]["id"]
    hashes = [load_build(folder).build_hash for folder in (first, second)]
    for folder in (first, second, tmp_path / "ledger" / "builds"):
        shutil.rmtree(folder)
    assert call("audit", "replay", record)[0] == 2
    code, printed = call("audit", "replay", record, "--data", data)
    assert (code, "the same, bit for bit" in printed) == (0, True)
    assert hashes[1][:12] in printed and hashes[0] != hashes[1]
