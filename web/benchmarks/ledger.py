"""The ledger: appends, verification, and what recording adds to an answer."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.verify import verify_ledger
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.serve import serve
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.rulefile import rules_for
from pathfolio.web.benchmarks.measured import Measured, seconds

RECORDS: Final = 100_000
_THREADS: Final = 64


def ledger(build: Build) -> list[Measured]:
    """Appends by threads and one by one, verification of 100,000 records, and an answer with and without its record."""
    with tempfile.TemporaryDirectory() as folder:
        opened = open_ledger(Path(folder) / "ledger", environ={}, marks=Path(folder) / "marks")
        one = 1 / seconds(lambda: opened.append(_Record(0), person="ann"), runs=50)
        group = _by_threads(opened, 6400)
        fill(opened, RECORDS - opened.size)
        started = time.perf_counter()
        sound = verify_ledger(opened).sound
        verified = time.perf_counter() - started
        opened.close()
        if not sound:
            raise AssertionError("the benchmark's own ledger does not verify")
        bare = _bare_commits(Path(folder) / "bare.sqlite")
    return [
        Measured("append, one at a time", one, "/s", "commits of SQLite alone", bare),
        Measured(f"append, {_THREADS} threads in group commit", group, "/s", "asked for", 2000),
        Measured(f"verify {RECORDS:,} records", verified, "s", "asked for", 10),
        *_answers(build),
    ]


class _Listed(msgspec.Struct, frozen=True):
    asset: str
    score: float
    name: str = "台積電"


class _Record(msgspec.Struct, frozen=True):
    """Like a thrifty record: some 20 lines."""

    number: int
    list: tuple[_Listed, ...] = tuple(_Listed("2330", 0.1 * n) for n in range(20))


def _by_threads(opened: Ledger, count: int) -> float:
    """Records per second."""

    def work(worker: int) -> None:
        for number in range(count // _THREADS):
            opened.append(_Record(number), person=f"investor {worker}")

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(_THREADS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count / (time.perf_counter() - started)


def fill(opened: Ledger, count: int, persons: int = 5000) -> None:
    """Append `count` small records of so many persons."""
    for start in range(0, count, 1000):
        numbers = range(start, min(start + 1000, count))
        opened.append_many([(_Record(number), f"investor {number % persons}") for number in numbers])


def _bare_commits(path: Path) -> float:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE t (x BLOB)")
        return 1 / seconds(lambda: connection.execute("INSERT INTO t VALUES (?)", (b"x" * 1500,)), runs=50)


def _answers(build: Build) -> list[Measured]:
    adviser = Adviser(build, rules_for(build.graph))
    users = iter([str(user) for user in build.graph.user_ids] * 2)
    with tempfile.TemporaryDirectory() as folder:
        opened = open_ledger(Path(folder) / "ledger", environ={}, marks=Path(folder) / "marks")
        ours = seconds(lambda: serve(adviser, opened, Question("bench", "api", next(users))), runs=30)
        opened.close()
    alone = seconds(lambda: adviser.advise(Question("bench", "api", next(users))), runs=30)
    return [Measured("an explained list of ten, recorded", ours, "s", "without its record", alone)]
