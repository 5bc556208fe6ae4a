"""A ledger that many write to at once, that has nowhere to write, or whose clock is set back."""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.verify import verify_ledger
from pathfolio.kg.errors import LedgerError
from pathfolio.web.benchmarks.measured import Measured
from tests.faults.processes import FORK, ids_in, in_threads
from tests.noted import Noted

# -- many at once --------------------------------------------------------------------------------------------


def many_at_once(folder: Path, count: int) -> list[Measured]:
    """As many threads as records, let go at the same moment."""
    opened, start = open_ledger(folder, environ={}), threading.Barrier(count)
    receipts: list[str] = []

    def work(number: int) -> None:
        start.wait()
        receipts.append(opened.append(Noted(number), person=f"investor {number}").id)

    in_threads(work, count)
    stored, sound = ids_in(opened), verify_ledger(opened).sound
    opened.close()
    return [
        Measured(f"of {count:,} concurrent appends, lost", count - len(stored & set(receipts)), "", "asked for", 0),
        Measured("the ledger verifies after", int(sound), "", "asked for", 1),
    ]


def two_processes(folder: Path, each: int = 200) -> list[Measured]:
    """Two processes append to one ledger."""
    open_ledger(folder, environ={}).close()
    processes = [FORK.Process(target=_append_some, args=(folder, each)) for _ in range(2)]  # type: ignore[attr-defined] # contexts have it
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    opened = open_ledger(folder, environ={})
    lost, sound = 2 * each - len(ids_in(opened)), verify_ledger(opened).sound
    opened.close()
    return [
        Measured(f"of {2 * each} appends by two processes, lost", lost, "", "asked for", 0),
        Measured("the ledger verifies after", int(sound), "", "asked for", 1),
    ]


def _append_some(folder: Path, count: int) -> None:
    opened = open_ledger(folder, environ={})
    for number in range(count):
        opened.append(Noted(number), person=f"investor {number % 7}")
    opened.close()


# -- nowhere to write ----------------------------------------------------------------------------------------


def disk_full(folder: Path) -> list[Measured]:
    """The file may not grow beyond 2 MB: what is acknowledged is there, the rest is refused with a clear error."""
    return _in_a_process("appends refused with a clear error on a full disk", _fill_up, folder)


def _fill_up(folder: Path) -> str:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    opened, taken = open_ledger(folder, environ={}), []
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
    try:
        for number in range(2000):
            taken.append(opened.append(Noted(number, os.urandom(2000).hex()), person="ann").id)
    except LedgerError as error:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        whole = ids_in(opened) == set(taken) and verify_ledger(opened).sound
        return "" if whole and "nothing was recorded" in str(error) else f"after {len(taken)}: {error}"
    return "never full"


def read_only(folder: Path) -> list[Measured]:
    """A folder that may not be written to: nothing is recorded, and the ledger can still be verified."""
    opened = open_ledger(folder, environ={})
    opened.append(Noted(1), person="ann")
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
        opened.append(Noted(1), person="ann")
    except LedgerError as error:
        return "" if "right to write" in str(error) else str(error)
    finally:
        folder.chmod(0o700)
    return "it was written"


def _in_a_process(name: str, work: Callable[[Path], str], folder: Path) -> list[Measured]:
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_tell, args=(work, folder, sender))  # type: ignore[attr-defined] # contexts have it
    process.start()
    sender.close()
    try:
        problem = receiver.recv()
    except EOFError:
        problem = "it died"
    process.join()
    return [Measured(f"{name}{': ' + problem if problem else ''}", int(not problem), "", "asked for", 1)]


def _tell(work: Callable[[Path], str], folder: Path, sender: Connection) -> None:
    sender.send(work(folder))


def clock_set_back(folder: Path) -> list[Measured]:
    """An hour back: refused until somebody records why."""
    now = [datetime(2026, 7, 1, 12, tzinfo=UTC)]
    opened = open_ledger(folder, environ={}, clock=lambda: now[0])
    opened.append(Noted(1), person="ann")
    now[0] -= timedelta(hours=1)
    try:
        opened.append(Noted(2), person="ann")
        told = False
    except LedgerError as error:
        told = "behind the newest entry" in str(error)
    opened.close()
    return [Measured("appends refused with a clear error when the clock is set back", int(told), "", "asked for", 1)]
