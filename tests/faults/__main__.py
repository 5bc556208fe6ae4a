"""`python -m tests.faults`: what faults do to ledgers, builds and the site, tried at length.

Each figure has beside it what was asked for; a missed one is a failure of the program, not of the machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pathfolio.explain.ledger.mark import MARKS_VARIABLE
from pathfolio.kg.errors import PathfolioError, UsageError
from pathfolio.recommender.build import Build, load_build
from pathfolio.web.benchmarks.ledger import RECORDS
from pathfolio.web.benchmarks.measured import Measured, machine, report
from pathfolio.web.commands.demo import default_folder
from tests.faults import killed, writing
from tests.faults.changed_bytes import changed_bytes, every_byte
from tests.faults.postgres import server_gone

KILLS: Final = 200
BUILDS: Final = 150
"""Whole builds that are killed, and a third as many refreshes: each takes seconds."""

CONCURRENT: Final = 1000
FLIPS: Final = 240
"""Bytes changed in the file of a large ledger; each takes a verification of seconds."""

COLUMNS: Final = 4
"""Bytes changed in each of its columns."""

REQUESTS: Final = 5000


def fuzzed(build: Build, folder: Path, requests: int) -> list[Measured]:
    """Requests of all kinds of visitors; needs what `pip install 'pathfolio[test]'` brings."""
    if importlib.util.find_spec("schemathesis") is None:
        return []
    from tests.faults.fuzz import fuzz_site

    logging.disable(logging.CRITICAL)  # thousands of refusals
    found = fuzz_site(build, folder, requests)
    logging.disable(logging.NOTSET)
    told = [Measured(text[:200], 1, "") for text in found.findings[:20]]
    answers = json.dumps(dict(sorted(found.answers.items())))
    return [
        Measured(f"requests at random, answers {answers}", found.requests, "", "asked for", requests),
        *(Measured(f"of them to {path}", count, "") for path, count in sorted(found.endpoints.items())),
        Measured("server errors, tracebacks, broken answers, others' data", len(found.findings), "", "asked for", 0),
        *told,
    ]


TRIALS: Final = MappingProxyType[str, Callable[[Build, Path], list[Measured]]](
    {
        "made": lambda _, folder: killed.killed_while_made(folder, KILLS),
        "appending": lambda _, folder: killed.killed_while_appending(folder, KILLS),
        "building": lambda _, folder: killed.killed_while_building(folder, BUILDS, BUILDS // 3),
        "replacing": lambda build, folder: killed.killed_while_put_in_place(build, folder, KILLS),
        "keeping": lambda build, folder: killed.killed_while_kept(build, folder, KILLS),
        "threads": lambda _, folder: writing.many_at_once(folder, CONCURRENT),
        "processes": lambda _, folder: writing.two_processes(folder),
        "every-byte": lambda _, folder: every_byte(folder),
        "bytes": lambda _, folder: changed_bytes(folder, RECORDS, FLIPS, COLUMNS),
        "disk-full": lambda _, folder: writing.disk_full(folder),
        "read-only": lambda _, folder: writing.read_only(folder),
        "clock": lambda _, folder: writing.clock_set_back(folder),
        "server": lambda _, __: server_gone(),
        "requests": lambda build, folder: fuzzed(build, folder, REQUESTS),
    }
)
"""Name to what is tried, in a folder of its own that is not there yet."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Try what faults do: processes killed (made, appending, building, replacing, keeping), many at "
        "once (threads, processes), bytes changed (every-byte, bytes), nowhere to write (disk-full, read-only), a "
        "clock set back (clock), PostgreSQL gone (server), the site asked at random (requests). Beside each figure "
        "stands what is asked for.",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(TRIALS)} (default: all, the better part of an hour)"
    )
    parser.add_argument("--build", type=Path, metavar="BUILD", help="the build to try them on (default: the demo's)")
    return parser


def tried(names: Sequence[str], path: Path | None) -> None:
    """Try the named faults, or all of them, and print the figures."""
    unknown = [name for name in names if name not in TRIALS]
    if unknown:
        raise UsageError(f"no fault {unknown[0]!r}: choose of {', '.join(TRIALS)}")
    build = load_build(path or default_folder(7) / "build")
    sys.stdout.write(f"{machine()}\n{build.manifest['name']}, build {build.build_hash[:12]}\n")
    with tempfile.TemporaryDirectory() as folder:
        os.environ[MARKS_VARIABLE] = str(Path(folder) / "marks")
        for name in dict.fromkeys(names or TRIALS):
            sys.stdout.write(report(name, TRIALS[name](build, Path(folder) / name)) + "\n")
            sys.stdout.flush()


def main() -> int:
    """The exit code: 0 done, 2 wrong call, 3 data refused."""
    args = _parser().parse_args()
    try:
        tried(args.names, args.build)
    except PathfolioError as error:
        sys.stderr.write(f"tests.faults: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
