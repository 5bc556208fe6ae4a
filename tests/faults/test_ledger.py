"""The ledger under fault: killed, full, read-only, gone, altered by one bit, and used by two processes at once."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pathfolio.explain.ledger import custody
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.verify import verify_ledger, with_mark
from pathfolio.explain.ledger.walk import LedgerWalk
from pathfolio.kg.errors import LedgerError
from pathfolio.web.benchmarks.measured import Measured
from tests.faults.changed_bytes import changed_bytes, every_byte, ledger_with_everything
from tests.faults.judged_bytes import judged_bytes
from tests.faults.killed import killed_while_made
from tests.faults.writing import clock_set_back, disk_full, many_at_once
from tests.noted import Noted

KILLS = 8

APPENDER = """
import sys, threading
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.squeeze import Squeezed
ledger = open_ledger(sys.argv[1], environ={})
lock = threading.Lock()
def work(worker):
    for number in range(int(sys.argv[2])):
        text = b'{"number":%d,"filler":"%s"}' % (number, b"x" * 700)
        receipt = ledger.append(Squeezed.of(text), person=f"investor {worker}")
        with lock:
            sys.stdout.write(receipt.id + "\\n")
            sys.stdout.flush()
threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def start_appender(folder: Path, each: int) -> subprocess.Popen[str]:
    """A process that appends from four threads and prints each id once it is acknowledged."""
    command = [sys.executable, "-c", APPENDER, str(folder), str(each)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def ids_in(ledger: Ledger) -> set[str]:
    return {header.id for header in ledger.headers(kinds=["recommendation"])}


def filled(folder: Path, count: int = 600) -> Ledger:
    ledger = open_ledger(folder, environ={})
    ledger.append_many([(Noted(number, "y" * 300), f"investor {number % 9}") for number in range(count)])
    return ledger


def test_killed_while_appending(tmp_path: Path) -> None:
    """No acknowledged record is lost, and the ledger verifies after every kill."""
    rng, acknowledged = np.random.default_rng(7), set[str]()
    for _ in range(KILLS):
        process = start_appender(tmp_path, 10_000)
        assert process.stdout is not None
        for _ in range(int(rng.integers(1, 60))):
            acknowledged.add(process.stdout.readline().strip())
        time.sleep(rng.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        acknowledged |= {line.strip() for line in process.stdout if len(line) == 17}
        process.wait()
        process.stdout.close()
    ledger = open_ledger(tmp_path, environ={})
    assert acknowledged - {""} <= ids_in(ledger)
    assert verify_ledger(ledger).sound
    ledger.append(Noted(1), person="ann")
    assert verify_ledger(ledger).sound


def test_killed_while_it_is_made(tmp_path: Path) -> None:
    (broken,) = killed_while_made(tmp_path, 12)
    assert broken.value == 0


def test_two_processes_on_one_ledger(tmp_path: Path) -> None:
    processes = [start_appender(tmp_path, 12) for _ in range(2)]
    printed = {line for process in processes for line in process.communicate(timeout=120)[0].split()}
    assert [process.returncode for process in processes] == [0, 0]
    ledger = open_ledger(tmp_path, environ={})
    assert len(printed) == 2 * 4 * 12
    assert printed == ids_in(ledger)
    assert verify_ledger(ledger).sound


def test_the_file_is_deleted_in_the_middle(tmp_path: Path) -> None:
    """SQLite itself would go on writing into a file that has no name any more."""
    ledger = filled(tmp_path / "ledger", 5)
    (tmp_path / "ledger" / "ledger.sqlite").unlink()
    with pytest.raises(LedgerError, match="is gone or was replaced: restore it"):
        ledger.append(Noted(1), person="ann")
    with pytest.raises(LedgerError, match="is gone or was replaced"):
        ledger.headers()


def test_the_file_is_damaged(tmp_path: Path) -> None:
    filled(tmp_path, 50).close()
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"not a database " * 1000)
    with pytest.raises(LedgerError, match=r"restore it from a backup"):
        open_ledger(tmp_path, environ={})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if mount is None or os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_disk_full(small_disk: Path) -> None:
    """Each append is whole or not there; once there is room again, it goes on."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_000_000)
    ledger, taken = open_ledger(small_disk / "ledger", environ={}), []
    with pytest.raises(LedgerError, match=r"full.*make room; nothing was recorded|No space.*nothing was recorded"):
        for number in range(1000):
            taken.append(ledger.append(Noted(number, secrets.token_hex(4000)), person="ann").id)
    assert taken
    assert ids_in(ledger) == set(taken)
    ballast.unlink()
    taken.append(ledger.append(Noted(-1), person="ann").id)
    assert ids_in(ledger) == set(taken)
    assert verify_ledger(ledger).sound
    ledger.close()


WARM = """
import os, sys, tempfile
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.squeeze import Squeezed
from pathfolio.explain.ledger.verify import verify_ledger
with tempfile.TemporaryDirectory() as folder:
    ledger = open_ledger(folder, environ={})
    ledger.append(Squeezed.of(b"{}"), person="ann")
    verify_ledger(ledger)
    ledger.close()
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
"""
"""Loads what is needed, then becomes a user who may not write; that user may not even read Python's own folder."""


def as_nobody(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `code` as a user who may not write in `folder`."""
    command = [sys.executable, "-c", f"{WARM}\n{code}", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_read_only_folder(tmp_path: Path) -> None:
    """Nothing can be recorded, and it says why; the ledger can still be verified."""
    folder = tmp_path / "ledger"
    ledger = filled(folder, 20)
    ledger.store.forget()
    ledger.close()
    for path in (*tmp_path.parents, tmp_path):
        if os.geteuid() == 0 and str(path).startswith("/tmp/pytest"):  # noqa: S108 -- pytest's own folder
            path.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o444)
    for name in ("signing.key", "master.key"):
        (folder / name).chmod(0o400)
        if os.geteuid() == 0:
            os.chown(folder / name, 65534, 65534)
    folder.chmod(0o555)
    code = """
ledger = open_ledger(sys.argv[1], create=False, environ={})
print(verify_ledger(ledger).sound)
try:
    ledger.append(Squeezed.of(b"{}"), person="ann")
except Exception as error:
    print(type(error).__name__, error)
"""
    found = as_nobody(code, folder)
    folder.chmod(0o755)
    assert found.stdout.startswith("True\nLedgerError"), found.stdout + found.stderr
    assert "give this account the right to write there; nothing was recorded" in found.stdout


def test_a_place_far_off_is_found_in_no_time(tmp_path: Path) -> None:
    """A changed byte can put an entry at a place beyond all others."""
    ledger = filled(tmp_path, 300)
    with ledger.store.write() as connection:
        connection.exec_driver_sql("UPDATE entry SET seq = seq + 70368744177664 WHERE seq = 300")
    started = time.monotonic()
    found = verify_ledger(ledger)
    assert any("missing: 70368744177664 record(s) from place 300 on" in finding.problem for finding in found.findings)
    assert time.monotonic() - started < 30


# -- small versions of what `python -m tests.faults` does at length ------------------------------------------


def values(figures: list[Measured]) -> dict[str, float]:
    return {figure.name: figure.value for figure in figures}


def test_concurrent_appends(tmp_path: Path) -> None:
    found = values(many_at_once(tmp_path, 300))
    assert found == {"of 300 concurrent appends, lost": 0, "the ledger verifies after": 1}


def test_changed_bytes_in_every_column(tmp_path: Path) -> None:
    """What the database itself would not notice is noticed, by one step and by a whole walk."""
    by_step, missed_by_step, by_walk, missed_by_walk = every_byte(tmp_path, stride=67)
    assert by_step.value > 3000
    assert by_walk.value > 300
    assert missed_by_step.value == missed_by_walk.value == 0, (missed_by_step.name, missed_by_walk.name)


def test_a_step_that_sees_nothing_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger_with_everything(tmp_path, 280, 5).close()
    for step, columns in (
        ("entry", {"entry.data", "entry.id", "entry.kind", "entry.key_id", "entry.time", "entry.leaf_hash"}),
        ("person", {"person_key.key_id", "person_key.subject", "person_key.wrapped"}),
        ("tile", {"tile.level", "tile.idx", "tile.hashes", "tile.root", "entry.leaf_hash"}),
        ("checkpoints", {"checkpoint.size", "checkpoint.note", "entry.seq"}),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(LedgerWalk, step, lambda *_: None)
            missed = judged_bytes(tmp_path, stride=97)[1]
            assert set(missed.name.split()) >= columns


def test_changed_bytes_in_every_structure(tmp_path: Path) -> None:
    found = values(changed_bytes(tmp_path, 2000, 24, 1, stride=211))
    assert found["missed by a step"] == found["missed"] == 0
    assert found["of them found"] > 24


def test_no_file_may_grow(tmp_path: Path) -> None:
    assert values(disk_full(tmp_path)) == {"appends refused with a clear error on a full disk": 1}


def test_the_clock_is_set_back(tmp_path: Path) -> None:
    assert list(values(clock_set_back(tmp_path)).values()) == [1]


# -- SQLite's log is lost ------------------------------------------------------------------------------------


def killed_with_all_in_its_log(folder: Path, before: int = 0) -> None:
    """A ledger whose newest entries are in SQLite's log alone, as after a crash."""
    if before:
        filled(folder, before).close()
    process = start_appender(folder, 10_000)
    assert process.stdout is not None
    for _ in range(20):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    log = folder / "ledger.sqlite-wal"
    assert log.stat().st_size > 0
    log.unlink()


def test_a_log_that_is_lost_after_a_crash_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    killed_with_all_in_its_log(folder, before=40)
    with pytest.raises(
        LedgerError, match=r"41 entries, while this machine has seen \d+: .*ledger.sqlite-wal\) was lost"
    ):
        open_ledger(folder, environ={})
    reader = open_ledger(folder, environ={}, create=False)
    assert verify_ledger(reader).sound
    assert not with_mark(reader, verify_ledger(reader)).sound
    with pytest.raises(LedgerError, match="nothing was recorded"):
        reader.append(Noted(1), person="ann")
    custody.accept_restore(reader, who="admin", reason="power cut")
    reader.append(Noted(1), person="ann")
    assert with_mark(reader, verify_ledger(reader)).sound


def test_a_young_ledger_that_was_all_in_its_log_is_not_begun_anew(tmp_path: Path) -> None:
    """Without its log there is nothing left of it, not even its name."""
    folder = tmp_path / "ledger"
    killed_with_all_in_its_log(folder)
    with pytest.raises(LedgerError, match=r"no entries, while this machine has seen \d+ here: .*wal\) was lost"):
        open_ledger(folder, environ={})


def test_a_kill_leaves_nothing_to_accept(tmp_path: Path) -> None:
    """The mark is never of more than what is on disk."""
    for _ in range(4):
        process = start_appender(tmp_path, 10_000)
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        ledger = open_ledger(tmp_path, environ={})
        assert with_mark(ledger, verify_ledger(ledger)).sound
        ledger.close()
