"""A served site under load: lists with their reasons, each recorded in full before it is shown."""

from __future__ import annotations

import http.client
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Final
from urllib.parse import quote, urlsplit

from pathfolio.recommender.build import Build
from pathfolio.web.benchmarks.measured import Measured

RATE: Final = 100
"""Requests per second; PATHFOLIO_BENCH_RATE sets another one."""

SECONDS: Final = 60
INVESTORS: Final = 200
NEWCOMERS: Final = 0.1
"""The share of requests that somebody makes whose list nobody has asked for yet."""

_LOOKS: Final = 6
"""How often the memory is looked at on the way."""

_CLIENTS: Final = 16
_SECONDS_VARIABLE: Final = "PATHFOLIO_BENCH_SECONDS"
_RATE_VARIABLE: Final = "PATHFOLIO_BENCH_RATE"


def load(build: Build) -> list[Measured]:
    """First lists alone, then `RATE` requests a second for some time, one in ten of them somebody's first, as long as
    there are investors who have not asked.

    Requests come at random moments and do not wait for each other; a latency counts from the moment at which the
    request was due. PATHFOLIO_BENCH_SECONDS sets for how long (3600 for an hour).
    """
    seconds = int(os.environ.get(_SECONDS_VARIABLE) or SECONDS)
    rate = int(os.environ.get(_RATE_VARIABLE) or RATE)
    rng = random.Random(7)  # noqa: S311 -- moments, not secrets
    ids = [str(key) for key in build.graph.user_ids]
    rng.shuffle(ids)
    users, newcomers = ids[:INVESTORS], ids[INVESTORS:]
    known = frozenset(users)
    with tempfile.TemporaryDirectory() as folder, site(build, Path(folder)) as (process, address):
        first = ask_all(address, [(0.0, user) for user in users], clients=1)
        started = cpu_seconds(process.pid)
        memory = [memory_mb(process.pid)]
        due = _moments(rng, users, newcomers, rate * seconds, seconds)
        with _looking(process.pid, seconds, memory):
            again = ask_all(address, due, clients=_CLIENTS)
        cpu = cpu_seconds(process.pid) - started
        memory.append(memory_mb(process.pid))
        recorded = _records(Path(folder))
    asked = len(users) + len(due)
    new = sum(user not in known for _, user in due) / len(due)
    return [
        Measured("a first list, nothing else asked: median", first.quantile(0.5), "ms"),
        Measured("a first list: 99th percentile", first.quantile(0.99), "ms", "asked for at most", 50),
        Measured(f"lists, {rate}/s for {seconds} s, {new:.0%} of them first ones", again.rate, "/s", "asked for", rate),
        Measured("median latency", again.quantile(0.5), "ms"),
        Measured("99th percentile", again.quantile(0.99), "ms", "asked for at most", 50),
        Measured(
            "99th percentile of lists asked for before", again.quantile(0.99, known), "ms", "asked for at most", 50
        ),
        Measured("processor time per answer", cpu / len(due) * 1e3, "ms"),
        *(Measured(f"memory after {part} of {_LOOKS}", value, "MB") for part, value in enumerate(memory[:-1])),
        Measured("memory at the end", memory[-1], "MB", "at the start", memory[0]),
        Measured("answers without a record", asked - recorded, "", "asked for", 0),
    ]


def _moments(
    rng: random.Random, users: list[str], newcomers: list[str], count: int, seconds: int
) -> list[tuple[float, str]]:
    """When who asks; no newcomer asks twice, and where none are left, others ask instead."""
    new = iter(newcomers)
    moments = sorted(rng.random() * seconds for _ in range(count))
    return [(at, next(new, users[0]) if rng.random() < NEWCOMERS else rng.choice(users)) for at in moments]


@contextmanager
def _looking(pid: int, seconds: int, memory: list[float]) -> Iterator[None]:
    """Note the process's memory at equal distances, `_LOOKS` - 1 times within `seconds`."""
    over = threading.Event()

    def look() -> None:
        while len(memory) < _LOOKS and not over.wait(seconds / _LOOKS):
            memory.append(memory_mb(pid))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()


class _Asked:
    """What came of some requests."""

    def __init__(self) -> None:
        self.latencies: list[tuple[float, str]] = []
        self.failures: list[str] = []
        self.seconds = 0.0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def quantile(self, share: float, users: Container[str] | None = None) -> float:
        """Milliseconds within which this share of the requests (by these users) was answered."""
        taken = sorted(latency for latency, user in self.latencies if users is None or user in users)
        return taken[int(share * (len(taken) - 1))] * 1e3


def ask_all(address: str, due: list[tuple[float, str]], clients: int) -> _Asked:
    """Ask for the lists of investors, each at its moment (seconds from now); raises AssertionError where one fails."""
    waiting: SimpleQueue[tuple[float, str] | None] = SimpleQueue()
    for item in [*due, *[None] * clients]:
        waiting.put(item)
    found = _Asked()
    start = time.perf_counter()

    def work() -> None:
        connection = http.client.HTTPConnection(urlsplit(address).netloc)
        while (item := waiting.get()) is not None:
            moment = start + item[0] if item[0] else time.perf_counter()
            time.sleep(max(moment - time.perf_counter(), 0.0))
            problem = _ask(connection, item[1])
            if problem:
                found.failures.append(f"{item[1]}: {problem}")
            found.latencies.append((time.perf_counter() - moment, item[1]))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.seconds = time.perf_counter() - start
    if found.failures:
        raise AssertionError(f"{len(found.failures)} requests failed: {found.failures[:3]}")
    return found


def _ask(connection: http.client.HTTPConnection, user_id: str) -> str:
    """Ask for one list; what is wrong with the answer, empty for nothing."""
    try:
        connection.request("GET", f"/investors/{quote(user_id, safe='')}?format=json")
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return str(error)
    if response.status != http.HTTPStatus.OK:
        return str(response.status)
    return "" if b'"recommended"' in body else "no list"


@contextmanager
def site(build: Build, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`pathfolio serve` with a ledger of its own; its process and address."""
    code = "import sys; from pathfolio.web.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "serve", str(build.folder.absolute()), "--port", "0"]
    environ = os.environ | {"PATHFOLIO_LEDGER": str(folder), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as process:  # noqa: S603 -- our own
        if process.stderr is None:
            raise AssertionError("the site has no output")
        said = ""
        address = None
        while address is None and (line := process.stderr.readline()):
            said = line
            address = re.search(r"http://\S+", line)
        try:
            if address is None:
                raise AssertionError(f"the site did not start: {said.strip()}")
            threading.Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would stop the site
            yield process, address.group()
        finally:
            process.terminate()


def processes(pid: int) -> list[int]:
    """A process, all that it started, and all that these did, as far as they live."""
    found = [pid]
    for each in found:
        with suppress(OSError):  # it ended meanwhile
            for children in Path(f"/proc/{each}/task").glob("*/children"):
                found += map(int, children.read_text(encoding="ascii").split())
    return found


def ticks(pid: int) -> tuple[int, int]:
    """Processor time of one process, and of those that it waited for when they ended, in ticks of the clock."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    user, system, others_user, others_system = map(int, fields[11:15])
    return user + system, others_user + others_system


def cpu_seconds(pid: int) -> float:
    """Processor time of all of the site's processes."""
    return sum(ticks(each)[0] for each in processes(pid)) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """The largest resident memory of one process so far; 0 where it has just ended."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
    return next((int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM:")), 0.0)


def memory_mb(pid: int) -> float:
    """Memory of all of the site's processes; what they share counts once."""
    total = 0
    for each in processes(pid):
        lines = Path(f"/proc/{each}/smaps_rollup").read_text(encoding="ascii").splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1e3


def _records(folder: Path) -> int:
    from pathfolio.explain.ledger.opening import open_ledger
    from pathfolio.explain.ledger.payloads import RECOMMENDATION

    opened = open_ledger(folder, create=False, environ={})
    count = len(opened.headers(kinds=[RECOMMENDATION]))
    opened.close()
    return count
