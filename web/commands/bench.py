"""`pathfolio bench`: measure this machine, as ratios against named references."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pathfolio.recommender.build import Build
    from pathfolio.web.benchmarks.measured import Measured

NAMES = ("help", "lists", "explained", "paths", "explanations", "faithfulness", "ledger")
LONG = ("everyone", "scale", "load", "store", "retrieval", "what-if")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio bench`."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)} (default), and, if named: {', '.join(LONG)}"
    )
    parser.add_argument("--build", type=Path, metavar="BUILD", help="the build to measure on (default: the demo's)")
    parser.add_argument("--uri", help="of `store`: an empty Neo4j to measure as well (default: PATHFOLIO_NEO4J_URI)")
    parser.epilog = "From a checkout, python -m tests.faults tries kills, changed bytes and requests at random."


def run(args: argparse.Namespace) -> None:
    """Run the benchmarks and print their figures."""
    from pathfolio.kg.errors import UsageError
    from pathfolio.recommender.build import load_build
    from pathfolio.web.benchmarks import explaining, ledger, load, retrieval, serving, store, what_if
    from pathfolio.web.benchmarks.measured import machine, report
    from pathfolio.web.commands.demo import default_folder

    benchmarks: dict[str, Callable[[Build], list[Measured]]] = {
        "help": serving.help_text,
        "lists": serving.lists,
        "explained": serving.explained,
        "paths": explaining.paths,
        "explanations": explaining.explanations,
        "everyone": explaining.everyone,
        "faithfulness": explaining.faithfulness,
        "ledger": ledger.ledger,
        "scale": explaining.scale,
        "load": load.load,
        "store": partial(store.store, uri=args.uri),
        "retrieval": retrieval.retrieval,
        "what-if": what_if.what_if,
    }
    unknown = [name for name in args.names if name not in benchmarks]
    if unknown:
        raise UsageError(f"no benchmark {unknown[0]!r}: choose of {', '.join(benchmarks)}")
    build = load_build(args.build or default_folder(7) / "build")
    sys.stdout.write(f"{machine()}\n{build.manifest['name']}, build {build.build_hash[:12]}\n")
    for name in args.names or NAMES:
        sys.stdout.write(report(name, benchmarks[name](build)) + "\n")
