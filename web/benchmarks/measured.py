"""What a benchmark measures, and how it is printed."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """One measured number, beside a reference where there is one.

    Attributes:
        name: what was measured.
        value: in `unit`.
        reference: what it is compared with, in words; empty for none.
        reference_value: in the same unit.
    """

    name: str
    value: float
    unit: str
    reference: str = ""
    reference_value: float | None = None

    @property
    def line(self) -> str:
        """One line of the report; the ratio says how many times the reference takes, or gives, of ours."""
        text = f"  {self.name:44} {self.value:12,.4g} {self.unit:8}"
        if self.reference_value is None:
            return text.rstrip()
        ratio = f" (ratio {self.reference_value / self.value:,.2f})" if self.value and self.reference_value else ""
        return f"{text} {self.reference}: {self.reference_value:,.4g}{ratio}"


def seconds(call: Callable[[], object], runs: int = 5, warm: int = 1) -> float:
    """Median seconds of `call` over `runs` runs, after `warm` runs that do not count."""
    for _ in range(warm):
        call()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def machine() -> str:
    """The machine in a line: processor, cores, Python."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = (line for line in cpuinfo.read_text(encoding="utf-8").splitlines() if line.startswith("model name"))
        name = next(models, f":{name}").split(":", 1)[1].strip()
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def report(title: str, figures: Iterable[Measured]) -> str:
    """A benchmark's figures under its name."""
    return "\n".join([title, *(figure.line for figure in figures)])
