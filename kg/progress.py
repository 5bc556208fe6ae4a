"""Progress of long work: one line per stage with its seconds and memory, kept for the build's report."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO


def peak_memory_mb() -> float:
    """The largest resident memory of this process so far, in MB (Linux counts in kB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


@dataclass(frozen=True)
class Stage:
    """One finished stage: what it was, how long it took (by the clock, and of processor time) and the process's peak
    memory after it."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    detail: str = ""


@dataclass
class Progress:
    """Prints a line when a stage starts (on a terminal) and one when it ends; `stages` keeps them.

    Args:
        out: where lines go; None for silence.
    """

    out: TextIO | None = field(default_factory=lambda: sys.stderr)
    stages: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[list[str]]:
        """Time a stage; what is appended to the list that it yields stands beside its name."""
        details: list[str] = []
        start, cpu = time.perf_counter(), time.process_time()
        self._write(f"  …       {name}", transient=True)
        yield details
        took = time.perf_counter() - start, time.process_time() - cpu
        done = Stage(name, *took, peak_memory_mb(), ", ".join(details))
        self.stages.append(done)
        self._write(f"  {done.seconds:6.1f} s  {name}" + (f": {done.detail}" if done.detail else ""))

    def note(self, text: str) -> None:
        """A plain line."""
        self._write(text)

    def update(self, text: str) -> None:
        """What is going on within a stage; shown on a terminal only, and overwritten."""
        self._write(f"  …       {text}", transient=True)

    def _write(self, text: str, *, transient: bool = False) -> None:
        if self.out is None or (transient and not self.out.isatty()):
            return
        clear = "\r\x1b[K" if self.out.isatty() else ""
        self.out.write(f"{clear}{text}" + ("" if transient else "\n"))
        self.out.flush()
