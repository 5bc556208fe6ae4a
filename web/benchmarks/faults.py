"""What faults do: processes killed at random moments, bytes changed, disks full, clocks wrong, servers gone.

Each figure has beside it what was asked for; a missed one is a failure of the program, not of the machine.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from explain.ledger.ledger import RECOMMENDATION, Ledger, open_ledger
from explain.ledger.verify import verify_ledger
from kg.errors import DataError, LedgerError
from recommender.build import Build, load_build
from recommender.swap import replace_folder
from web.benchmarks.changed_bytes import changed_bytes
from web.benchmarks.figures import Figure
from web.benchmarks.ledger import RECORDS

KILLS: Final = 200
CONCURRENT: Final = 1000
FLIPS: Final = 60
REQUESTS: Final = 5000
POSTGRES_VARIABLE: Final = "PATHFOLIO_TEST_POSTGRES"

_FORK: Final = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")


def faults(build: Build) -> list[Figure]:
    """Everything that is tried, one after the other; some minutes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [
            *killed_while_appending(folder / "appending", KILLS),
            *killed_while_building(build, folder / "building", KILLS),
            *many_at_once(folder / "many", CONCURRENT),
            *two_processes(folder / "two"),
            *changed_bytes(folder / "bytes", RECORDS, FLIPS),
            *disk_full(folder / "full"),
            *read_only(folder / "readonly"),
            *clock_set_back(folder / "clock"),
            *server_gone(),
            *fuzzed(build, folder / "fuzz", REQUESTS),
        ]


# -- killed --------------------------------------------------------------------------------------------------


def killed_while_appending(folder: Path, kills: int) -> list[Figure]:
    """No acknowledged record is lost, and the ledger verifies."""
    rng, acknowledged = random.Random(7), set[str]()  # noqa: S311 -- moments, not secrets
    for _ in range(kills):
        acknowledged |= set(_killed(_append, (folder,), rng, rng.randint(1, 40)))
    opened = open_ledger(folder, environ={})
    stored, found = _ids(opened), verify_ledger(opened)
    opened.close()
    return [
        Figure(f"records acknowledged before {kills} kills while appending", len(acknowledged), ""),
        Figure("of them lost", len(acknowledged - stored), "", "asked for", 0),
        Figure("findings of the verification after", len(found.findings), "", "asked for", 0),
    ]


def killed_while_building(build: Build, folder: Path, kills: int) -> list[Figure]:
    """A build replaced by another one again and again: whenever that is cut off, a whole build serves."""
    others = [folder / "one", folder / "two"]
    for place, note in zip(others, ("", " "), strict=True):
        shutil.copytree(build.folder, place)
        report = place / "report.json"
        report.write_text(report.read_text(encoding="utf-8") + note, encoding="utf-8")
    target, rng, broken = folder / "served", random.Random(8), 0  # noqa: S311 -- moments, not secrets
    shutil.copytree(build.folder, target)
    for _ in range(kills):
        _killed(_replace, (target, others), rng, rng.randint(0, 3))
        try:
            load_build(target, verify=True)
        except (DataError, OSError):
            broken += 1
    left = [path.name for path in folder.iterdir() if path.name.startswith(".served")]
    return [
        Figure(f"builds that did not serve after {kills} kills while building", broken, "", "asked for", 0),
        Figure("half-made folders left beside, which the next build deletes", len(left), ""),
    ]


def _killed(work: Callable[..., None], args: tuple[object, ...], rng: random.Random, steps: int) -> list[str]:
    """Run `work` in a process, kill it some moment after so many steps; what it had reported."""
    receiver, sender = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=work, args=(*args, sender))  # type: ignore[attr-defined] # contexts have it
    process.start()
    sender.close()
    told: list[str] = []
    with contextlib.suppress(EOFError):
        for _ in range(steps):
            told.append(receiver.recv())
    time.sleep(rng.random() * 0.02)
    os.kill(process.pid, signal.SIGKILL)
    with contextlib.suppress(EOFError):
        while True:
            told.append(receiver.recv())
    process.join()
    receiver.close()
    return told


def _append(folder: Path, acknowledged: Connection) -> None:
    """Append from four threads for ever, and tell each id once it is acknowledged."""
    ledger, lock = open_ledger(folder, environ={}), threading.Lock()

    def work(worker: int) -> None:
        while True:
            receipt = ledger.append({"filler": "x" * 700}, person=f"investor {worker}")
            with lock:
                acknowledged.send(receipt.id)

    for worker in range(4):
        threading.Thread(target=work, args=(worker,)).start()


def _replace(target: Path, others: list[Path], done: Connection) -> None:
    """Put one build after the other in place for ever."""
    while True:
        for other in others:
            with replace_folder(target) as aside:
                shutil.copytree(other, aside, dirs_exist_ok=True)
            done.send(other.name)


# -- many at once --------------------------------------------------------------------------------------------


def many_at_once(folder: Path, count: int) -> list[Figure]:
    """As many threads as records, let go at the same moment."""
    opened, start = open_ledger(folder, environ={}), threading.Barrier(count)
    receipts: list[str] = []

    def work(number: int) -> None:
        start.wait()
        receipts.append(opened.append({"number": number}, person=f"investor {number}").id)

    _in_threads(work, count)
    stored, sound = _ids(opened), verify_ledger(opened).sound
    opened.close()
    return [
        Figure(f"of {count:,} concurrent appends, lost", count - len(stored & set(receipts)), "", "asked for", 0),
        Figure("the ledger verifies after", int(sound), "", "asked for", 1),
    ]


def two_processes(folder: Path, each: int = 200) -> list[Figure]:
    """Two processes append to one ledger."""
    open_ledger(folder, environ={}).close()
    processes = [_FORK.Process(target=_append_some, args=(folder, each)) for _ in range(2)]  # type: ignore[attr-defined] # contexts have it
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    opened = open_ledger(folder, environ={})
    lost, sound = 2 * each - len(_ids(opened)), verify_ledger(opened).sound
    opened.close()
    return [
        Figure(f"of {2 * each} appends by two processes, lost", lost, "", "asked for", 0),
        Figure("the ledger verifies after", int(sound), "", "asked for", 1),
    ]


def _append_some(folder: Path, count: int) -> None:
    opened = open_ledger(folder, environ={})
    for number in range(count):
        opened.append({"number": number}, person=f"investor {number % 7}")
    opened.close()


def _in_threads(work: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# -- nowhere to write ----------------------------------------------------------------------------------------


def disk_full(folder: Path) -> list[Figure]:
    """The file may not grow beyond 2 MB: what is acknowledged is there, the rest is refused with a clear error."""
    return _in_a_process("appends refused with a clear error on a full disk", _fill_up, folder)


def _fill_up(folder: Path) -> str:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    opened, taken = open_ledger(folder, environ={}), []
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
    try:
        for number in range(2000):
            taken.append(opened.append({"noise": os.urandom(2000).hex(), "n": number}, person="ann").id)
    except LedgerError as error:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        whole = _ids(opened) == set(taken) and verify_ledger(opened).sound
        return "" if whole and "nothing was recorded" in str(error) else f"after {len(taken)}: {error}"
    return "never full"


def read_only(folder: Path) -> list[Figure]:
    """A folder that may not be written to: nothing is recorded, and the ledger can still be verified."""
    opened = open_ledger(folder, environ={})
    opened.append({"x": 1}, person="ann")
    opened.store.forget()
    opened.close()
    return _in_a_process("appends refused with a clear error in a read-only folder", _write_protected, folder)


def _write_protected(folder: Path) -> str:
    if os.geteuid() == 0:  # whom permissions do not hold
        for path in (folder, *folder.iterdir()):
            os.chown(path, 65534, 65534)
        for path in folder.parents:
            if path != Path("/") and not path.stat().st_mode & 0o005:
                path.chmod(path.stat().st_mode | 0o055)
        os.setgid(65534)
        os.setuid(65534)
    for path in folder.iterdir():
        path.chmod(0o400)
    folder.chmod(0o500)
    try:
        opened = open_ledger(folder, create=False, environ={})
        if not verify_ledger(opened).sound:
            return "it does not verify"
        opened.append({"x": 1}, person="ann")
    except LedgerError as error:
        return "" if "right to write" in str(error) else str(error)
    finally:
        folder.chmod(0o700)
    return "it was written"


def _in_a_process(name: str, work: Callable[[Path], str], folder: Path) -> list[Figure]:
    receiver, sender = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_tell, args=(work, folder, sender))  # type: ignore[attr-defined] # contexts have it
    process.start()
    sender.close()
    try:
        problem = receiver.recv()
    except EOFError:
        problem = "it died"
    process.join()
    return [Figure(f"{name}{': ' + problem if problem else ''}", int(not problem), "", "asked for", 1)]


def _tell(work: Callable[[Path], str], folder: Path, sender: Connection) -> None:
    sender.send(work(folder))


def clock_set_back(folder: Path) -> list[Figure]:
    """An hour back: refused until somebody records why."""
    now = [datetime(2026, 7, 1, 12, tzinfo=UTC)]
    opened = open_ledger(folder, environ={}, clock=lambda: now[0])
    opened.append({"x": 1}, person="ann")
    now[0] -= timedelta(hours=1)
    try:
        opened.append({"x": 2}, person="ann")
        told = False
    except LedgerError as error:
        told = "behind the newest entry" in str(error)
    opened.close()
    return [Figure("appends refused with a clear error when the clock is set back", int(told), "", "asked for", 1)]


def server_gone() -> list[Figure]:
    """The database server ends the connection in the middle of a transaction (needs PATHFOLIO_TEST_POSTGRES)."""
    url = os.environ.get(POSTGRES_VARIABLE)
    if not url:
        return []
    import sqlalchemy as sa

    made, name = sa.make_url(url), f"faults_{os.urandom(4).hex()}"
    admin = sa.create_engine(made.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection, tempfile.TemporaryDirectory() as keys:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
        opened = open_ledger(
            made.set(database=name).render_as_string(hide_password=False), environ={"XDG_DATA_HOME": keys}
        )
        kept = {opened.append({"x": number}, person="ann").id for number in range(20)}
        end = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")

        def lost(*_: object) -> None:
            connection.execute(end, {"name": name})

        try:
            opened.write([opened.draft({"x": -1}, "ann", RECOMMENDATION)], lost)
            told = False
        except LedgerError as error:
            told = "nothing was recorded" in str(error)
        kept.add(opened.append({"x": 21}, person="ann").id)
        same = _ids(opened) == kept and verify_ledger(opened).sound
        opened.close()
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
    return [Figure("the database gone in the middle: told, nothing lost", int(told and same), "", "asked for", 1)]


# -- requests at random --------------------------------------------------------------------------------------


def fuzzed(build: Build, folder: Path, requests: int) -> list[Figure]:
    """Requests of an investor and of compliance; needs what `pip install 'pathfolio[test]'` brings."""
    if importlib.util.find_spec("schemathesis") is None:
        return []
    import logging

    from web.benchmarks.fuzz import fuzz_site

    logging.disable(logging.CRITICAL)  # thousands of refusals
    found = fuzz_site(build, folder, requests)
    logging.disable(logging.NOTSET)
    told = [Figure(text[:200], 1, "") for text in found.findings[:20]]
    answers = json.dumps(dict(sorted(found.answers.items())))
    return [
        Figure(f"requests at random, answers {answers}", found.requests, ""),
        Figure("server errors, tracebacks, broken answers, others' data", len(found.findings), "", "asked for", 0),
        *told,
    ]


def _ids(ledger: Ledger) -> set[str]:
    return {header.id for header in ledger.headers(kinds=[RECOMMENDATION])}
