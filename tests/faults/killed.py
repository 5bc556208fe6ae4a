"""Processes killed at random moments: while they append, while they build and train, while a build is put in place."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Final

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.verify import verify_ledger
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.keep import keep_files
from pathfolio.explain.records.serve import serve
from pathfolio.kg.errors import DataError, LedgerError
from pathfolio.kg.sample import SampleSize, write_sample_market
from pathfolio.kg.sample.size import END
from pathfolio.kg.swap import replace_folder
from pathfolio.recommender.build import Build, load_build
from pathfolio.recommender.suitability.rulefile import rules_for
from pathfolio.web.benchmarks.measured import Measured
from tests.faults.processes import FORK, ids_in
from tests.noted import Noted

MARKET: Final = SampleSize(investors=40, stocks=40, funds=4, bonds=4, years=1)
"""The smallest market that can be made; everything is trained on it as on any other."""


def killed_while_appending(folder: Path, kills: int) -> list[Measured]:
    """No acknowledged record is lost, and the ledger verifies."""
    rng, acknowledged = random.Random(7), set[str]()  # noqa: S311 -- moments, not secrets
    for _ in range(kills):
        acknowledged |= set(_killed(_append, (folder,), rng, rng.randint(1, 40)))
    opened = open_ledger(folder, environ={})
    stored, found = ids_in(opened), verify_ledger(opened)
    opened.close()
    return [
        Measured(f"records acknowledged before {kills} kills while appending", len(acknowledged), ""),
        Measured("of them lost", len(acknowledged - stored), "", "asked for", 0),
        Measured("findings of the verification after", len(found.findings), "", "asked for", 0),
    ]


def killed_while_made(folder: Path, kills: int) -> list[Measured]:
    """Ledgers killed while they and their keys are made, each in a place of its own: whoever comes next goes on."""
    rng, broken = random.Random(6), list[str]()  # noqa: S311 -- moments, not secrets
    for number in range(kills):
        place = folder / str(number)
        _killed(_append, (place,), rng, 0, within=0.1)
        try:
            opened = open_ledger(place, environ={})
            opened.append(Noted(1), person="ann")
            broken += [finding.problem for finding in verify_ledger(opened).findings]
            opened.close()
        except LedgerError as error:
            broken.append(str(error))
    wrong = Measured(f"ledgers of no use after {kills} kills while they were made", len(broken), "", "asked for", 0)
    return [wrong, *(Measured(text, 1, "") for text in broken)]


def killed_while_put_in_place(build: Build, folder: Path, kills: int) -> list[Measured]:
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
    return [
        Measured(f"builds that did not serve after {kills} kills while put in place", broken, "", "asked for", 0),
        Measured("half-made folders left beside, which the next build deletes", len(left_beside(target)), ""),
    ]


def killed_while_kept(build: Build, folder: Path, kills: int) -> list[Measured]:
    """A build's copy for its records cut off: it is whole or not there, and whoever comes next makes it."""
    archive, rng, broken = folder / "builds", random.Random(10), 0  # noqa: S311 -- moments, not secrets
    target = archive / build.build_hash
    for _ in range(kills):
        _killed(_keep, (build, archive), rng, rng.randint(0, 3), within=0.05)
        try:
            if target.exists():
                load_build(target, verify=True)
        except DataError:
            broken += 1
    load_build(keep_files(build, archive), verify=True)
    return [
        Measured(f"copies of a build that were not whole after {kills} kills while kept", broken, "", "asked for", 0),
        Measured("half-made copies left beside after the next", len(left_beside(target)), "", "asked for", 0),
    ]


def _keep(build: Build, archive: Path, done: Connection) -> None:
    """Keep a build and delete what is kept, for ever."""
    while True:
        target = keep_files(build, archive)
        done.send(target.name)
        shutil.rmtree(archive / "gone", ignore_errors=True)
        target.rename(archive / "gone")  # a deletion that is cut off is none of what is tried
        shutil.rmtree(archive / "gone")


def left_beside(target: Path) -> list[str]:
    """Names of folders beside a build in which another one was being made."""
    return [path.name for path in target.parent.iterdir() if path.name.startswith(f".{target.name}")]


def _killed(
    work: Callable[..., None], args: tuple[object, ...], rng: random.Random, steps: int, within: float = 0.02
) -> list[str]:
    """Run `work` in a process, kill it `within` seconds after so many steps; what it had reported."""
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=work, args=(*args, sender))  # type: ignore[attr-defined] # contexts have it
    process.start()
    sender.close()
    told: list[str] = []
    with contextlib.suppress(EOFError):
        for _ in range(steps):
            told.append(receiver.recv())
    time.sleep(rng.random() * within)
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
            receipt = ledger.append(Noted(0, "x" * 700), person=f"investor {worker}")
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


# -- the whole command ---------------------------------------------------------------------------------------


def killed_while_building(folder: Path, kills: int, refreshes: int) -> list[Measured]:
    """`pathfolio build`, with all of its training, and `pathfolio refresh`, killed at moments all over their time.

    The time begins once the tables are read. After each kill the build that is in place is verified by its hashes,
    serves a list, and the list is recorded.
    """
    market, good, target = folder / "market", folder / "good", folder / "served"
    write_sample_market(market, 3, MARKET)
    build = ["build", str(market), "--as-of", END.isoformat(), "--out"]
    refresh = ["refresh", str(good), str(market), "--as-of", END.isoformat(), "--out"]
    whole = [_timed([*build, str(good)]), _timed([*refresh, str(target)])]
    shutil.rmtree(target)
    shutil.copytree(good, target)
    watch = _Watch(target, open_ledger(folder / "ledger", environ={}))
    for command, seconds, count in ((build, whole[0], kills), (refresh, whole[1], refreshes)):
        for number in range(count):
            watch.kill([*command, str(target)], seconds * (number + watch.rng.random()) / count)
    left = len(left_beside(target))
    _timed([*refresh, str(target)])
    watch.look()
    sound, stored = verify_ledger(watch.ledger).sound, ids_in(watch.ledger)
    watch.ledger.close()
    stages = ", ".join(f"{name} {count}" for name, count in watch.stages.items())
    return [
        Measured(f"builds and refreshes killed ({stages})", kills + refreshes, ""),
        Measured("after them, builds that were not whole or did not serve", len(watch.broken), "", "asked for", 0),
        *(Measured(text, 1, "") for text in watch.broken),
        Measured(f"of {left} half-made folders left beside, still there after the next", len(left_beside(target)), ""),
        Measured("lists recorded", len(watch.shown), ""),
        Measured("of them lost", len(watch.shown - stored), "", "asked for", 0),
        Measured("the ledger verifies after", int(sound), "", "asked for", 1),
    ]


@contextlib.contextmanager
def _begun(arguments: Sequence[str]) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """A command of pathfolio that has finished its first stage, and what else it tells."""
    command = [sys.executable, "-c", "import sys; from pathfolio.web.cli import main; sys.exit(main())", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        if process.stderr is None:
            raise AssertionError("a command without output")
        first = process.stderr.readline()
        if "read" not in first:
            raise AssertionError(f"pathfolio {arguments[0]} did not begin: {first.strip()}")
        yield process, process.stderr


def _timed(arguments: Sequence[str]) -> float:
    """How many seconds the command takes after its first stage; raises AssertionError where it fails."""
    with _begun(arguments) as (process, told):
        started, rest = time.perf_counter(), told.read()
        if process.wait():
            raise AssertionError(f"pathfolio {arguments[0]} failed: {rest.strip()}")
    return time.perf_counter() - started


@dataclass
class _Watch:
    """The build in place, before and after each kill.

    Attributes:
        stages: where the killed commands were, to how many of them.
        shown: ids of the lists that were recorded.
        broken: what was wrong with the build that was in place.
    """

    target: Path
    ledger: Ledger
    rng: random.Random = field(default_factory=lambda: random.Random(9))  # noqa: S311 -- moments, not secrets
    stages: Counter[str] = field(default_factory=Counter)
    shown: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    def kill(self, arguments: Sequence[str], after: float) -> None:
        """Start a command, kill it so many seconds after its first stage, and look at the build in place then."""
        with _begun(arguments) as (process, told):
            time.sleep(after)
            over = process.poll() is not None
            process.kill()
            self.stages["done before" if over else _stage(told.read())] += 1
        self.look()

    def look(self) -> None:
        """The build in place is whole, and a list of it is served and recorded."""
        try:
            build = load_build(self.target, verify=True)
            user = str(build.graph.nodes.id[self.rng.choice(build.graph.users)])
            served = serve(Adviser(build, rules_for(build.graph)), self.ledger, Question("bench", "api", user))
            self.shown.add(served.receipt.id)
        except (DataError, OSError) as error:
            self.broken.append(f"{self.target}: {error}")


def _stage(told: str) -> str:
    """Where a command was that had told of these finished stages."""
    done = re.findall(r"\d s  (assemble|train KG|train graph|measure|seal)", told)
    last = done[-1] if done else ""
    if last in {"", "seal"}:
        return "ending" if last else "assembling"
    return "sealing" if last in {"train graph", "measure"} else "training"
