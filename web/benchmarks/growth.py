"""What each stage costs as the market grows: processor time and memory of commands on generated markets.

Each stage is a process of its own, so that its processor time and its peak of memory are its own too. Workers that it
starts count, as they are seen every tenth of a second, since nobody waits for them when they end; the peak is that of
the largest process. The stages of a build follow it, as its report has them: there a peak is that of the build so far.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from pathfolio.kg.errors import PathfolioError
from pathfolio.kg.progress import Progress
from pathfolio.recommender.build import Build, load_build
from pathfolio.web.benchmarks.broker import END, Broker
from pathfolio.web.benchmarks.load import ask_all, cpu_seconds, memory_mb, peak_mb, processes, site, ticks

EXPLAINED: Final = 200
"""Investors whose lists are explained."""

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_EVERY: Final = 0.1
"""Seconds after which a stage's workers are looked at again."""

_INNER: Final = "  "
"""What stages of a build begin with."""

_POSITIONS: Final = "positions.txt"
_COMMAND: Final = "import sys; from pathfolio.web.cli import main; sys.exit(main())"
_GENERATE: Final = "import sys; from pathfolio.web.benchmarks.growth import generate; generate(*sys.argv[1:])"
_SAMPLE: Final = "import sys; from pathfolio.web.benchmarks.growth import explain_some; explain_some(*sys.argv[1:])"


@dataclass(frozen=True)
class StageCost:
    """What one stage took.

    Attributes:
        name: of the stage; one of a build begins with two blanks.
        seconds: of processor time, of all its processes.
        peak_mb: resident memory of the largest of its processes.
        wall_seconds: as a clock has it.
    """

    name: str
    seconds: float
    peak_mb: float
    wall_seconds: float

    @property
    def line(self) -> str:
        """One line of the table."""
        return f"{self.name:30}{self.cell:>26}"

    @property
    def cell(self) -> str:
        """Processor time and memory."""
        return f"{self.seconds:,.{1 if self.seconds >= 1 else 2}f} s {self.peak_mb:8,.0f} MB"


@dataclass(frozen=True)
class Grown:
    """What a market of one size took."""

    investors: int
    assets: int
    positions: int
    stages: tuple[StageCost, ...]

    @property
    def seconds(self) -> Mapping[str, float]:
        """Name of each stage to its processor time."""
        return {stage.name: stage.seconds for stage in self.stages}


def growth(sizes: Iterable[tuple[int, int]], seed: int, folder: Path | None, progress: Progress) -> Iterator[Grown]:
    """What markets of these sizes take, one after the other.

    Args:
        sizes: investors and assets.
        folder: keeps the markets, builds and growth.json; None for none.
        progress: is told of each stage when it is done.

    Raises:
        PathfolioError: a stage failed, with what it said last.
    """
    with tempfile.TemporaryDirectory() as aside:
        under = folder or Path(aside)
        done: list[Grown] = []
        for investors, assets in sizes:
            stages = []
            market = under / f"{investors}-{assets}"
            for stage in _stages(investors, assets, seed, market):
                progress.note(stage.line)
                stages.append(stage)
            positions = int((market / _POSITIONS).read_text(encoding="ascii"))
            done.append(Grown(investors, assets, positions, tuple(stages)))
            if folder is not None:
                text = json.dumps([asdict(one) for one in done], indent=2)
                (folder / "growth.json").write_text(text + "\n", encoding="utf-8")
            yield done[-1]


def exponents(grown: Sequence[Grown]) -> dict[str, float]:
    """For each stage the power of the positions with which its processor time grows: the slope of the logarithms."""
    if len({one.positions for one in grown}) < 2:
        return {}
    sizes = np.log([one.positions for one in grown])
    names = [name for name in grown[0].seconds if all(one.seconds.get(name, 0.0) > 0 for one in grown)]
    return {name: float(np.polyfit(sizes, np.log([one.seconds[name] for one in grown]), 1)[0]) for name in names}


def table(grown: Sequence[Grown]) -> str:
    """A line per stage, a pair of columns per size, and the exponents where there are several sizes."""
    powers = exponents(grown)
    heads = [f"{one.investors:,} x {one.assets:,}" for one in grown]
    held = [f"{one.positions:,} positions" for one in grown]
    lines = [f"{'':30}{''.join(f'{head:>26}' for head in heads)}", f"{'':30}{''.join(f'{one:>26}' for one in held)}"]
    for name in grown[0].seconds:
        cells = [next((stage for stage in one.stages if stage.name == name), None) for one in grown]
        shown = [stage.cell if stage else "" for stage in cells]
        power = f"   positions^{powers[name]:.2f}" if name in powers else ""
        lines.append(f"{name:30}{''.join(f'{cell:>26}' for cell in shown)}{power}")
    return "\n".join(lines)


def generate(folder: str, investors: str, assets: str, seed: str) -> None:
    """Write the market of a broker, and beside it the number of positions that were ever bought."""
    positions = Broker(int(investors), int(assets), int(seed)).write(Path(folder))
    Path(folder).with_name(_POSITIONS).write_text(f"{positions}\n", encoding="ascii")


def explain_some(folder: str) -> None:
    """Explain the lists of `EXPLAINED` investors, in the default language."""
    from pathfolio.explain.explainer import Explainer
    from pathfolio.kg.languages import DEFAULT
    from pathfolio.kg.span import Positions
    from pathfolio.recommender.retrieve import rank_assets

    build = load_build(folder)
    scorer, explainer = build.scorer, Explainer(build.graph, build.build_hash)
    everybody = build.graph.user_span.positions
    users = Positions(np.random.default_rng(0).choice(everybody, min(EXPLAINED, len(everybody)), replace=False))
    for chunk, best, _ in rank_assets(scorer, users, 10, None, include_held=False):
        for user, assets in zip(chunk.tolist(), best.tolist(), strict=True):
            for rank, asset in enumerate((asset for asset in assets if asset >= 0), 1):
                explainer.explain(scorer.account(user, asset), rank, (DEFAULT,))


def _stages(investors: int, assets: int, seed: int, folder: Path) -> Iterator[StageCost]:
    market, build = folder / "market", folder / "build"
    market.mkdir(parents=True, exist_ok=True)
    yield cost_of("generate", [market, *map(str, (investors, assets, seed))], code=_GENERATE)
    yield cost_of("build", ["build", market, "--as-of", END - _DAY, "--out", build])
    opened = load_build(build)
    yield from _inner(opened)
    yield cost_of("refresh", ["refresh", build, market, "--as-of", END, "--out", folder / "refreshed"])
    ledger = {"PATHFOLIO_LEDGER": str(folder / "ledger")}
    yield cost_of("lists of all", ["recommend", build, "--all", "--out", folder / "lists.parquet"], ledger)
    yield cost_of(f"explain {EXPLAINED} lists", [build], code=_SAMPLE)
    yield from _served(opened, folder / "site-ledger")
    week = f"{END - _WEEK}:{END}"
    yield cost_of("evaluate a week", ["evaluate", market, "--rolling", week, "--models", "pathfolio"])


def _inner(build: Build) -> Iterator[StageCost]:
    for one in build.report["stages"]:
        yield StageCost(f"{_INNER}{one['name']}", one["cpu_seconds"], one["peak_mb"], one["seconds"])


def _served(build: Build, ledger: Path) -> Iterator[StageCost]:
    """The site until it listens, and one first list."""
    start = time.perf_counter()
    with site(build, ledger) as (process, address):
        started = time.perf_counter() - start
        before = cpu_seconds(process.pid)
        yield StageCost("site until it answers", before, memory_mb(process.pid), started)
        user = str(build.graph.user_ids[0])
        first = ask_all(address, [(0.0, user)], clients=1)
        taken = cpu_seconds(process.pid) - before
        yield StageCost("a first list", taken, memory_mb(process.pid), first.quantile(0.5) / 1e3)


def cost_of(
    name: str, words: Sequence[str | Path | date], environ: Mapping[str, str] | None = None, code: str = _COMMAND
) -> StageCost:
    """Run Python `code` with these words in a process of its own."""
    command = [sys.executable, "-c", code, *map(str, words)]
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        surroundings = {**os.environ, "OMP_NUM_THREADS": "1", **(environ or {})}
        process = subprocess.Popen(command, stdout=said, stderr=said, env=surroundings)  # noqa: S603 -- our own
        seen = _Seen(process.pid)
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            seen.look()
            time.sleep(_EVERY)
        _, status, used = ended
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            last = (said.read().strip().splitlines() or ["nothing said"])[-1]
            raise PathfolioError(f"bench growth: {name} ended with {process.returncode}: {last}")
    seconds = used.ru_utime + used.ru_stime + seen.workers_seconds
    return StageCost(name, seconds, seen.peak_mb, time.perf_counter() - start)


class _Seen:
    """What was seen of a process and of those that it starts and does not wait for.

    The kernel's own account of a peak (`ru_maxrss`) would begin with what the process had that started it.
    """

    def __init__(self, pid: int) -> None:
        self.peak_mb = 0.0
        self._pid = pid
        self._ticks: dict[int, int] = {}
        self._waited_for = 0

    def look(self) -> None:
        """Note what each has used by now."""
        with suppress(OSError):  # one ended meanwhile
            self._waited_for = ticks(self._pid)[1]
            for each in processes(self._pid):
                self._ticks[each] = ticks(each)[0]
                self.peak_mb = max(self.peak_mb, peak_mb(each))

    @property
    def workers_seconds(self) -> float:
        """Processor time as it was seen last, without what their parent waited for."""
        workers = sum(used for pid, used in self._ticks.items() if pid != self._pid)
        return max(workers - self._waited_for, 0) / os.sysconf("SC_CLK_TCK")
