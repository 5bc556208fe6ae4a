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
GROWTH = "growth"
SMALLEST = 20
"""Investors, and assets, of the smallest market that is generated."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio bench`."""
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"{', '.join(NAMES)} (default), and, if named: {', '.join((*LONG, GROWTH))}",
    )
    parser.add_argument("--build", type=Path, metavar="BUILD", help="the build to measure on (default: the demo's)")
    parser.add_argument("--uri", help="of `store`: an empty Neo4j to measure as well (default: PATHFOLIO_NEO4J_URI)")
    of = f"of `{GROWTH}`: "
    parser.add_argument(
        "--investors",
        type=_sizes,
        default=[1000],
        metavar="N,…",
        help=f"{of}sizes of generated markets (default: 1000)",
    )
    parser.add_argument("--assets", type=_sizes, metavar="M,…", help=f"{of}of all, or of each (default: 300)")
    parser.add_argument(
        "--seed", type=int, default=7, metavar="N", help=f"{of}another gives other markets (default: 7)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"{of}keep markets, builds and growth.json there")
    parser.epilog = "From a checkout, python -m tests.faults tries kills, changed bytes and requests at random."


def run(args: argparse.Namespace) -> None:
    """Run the benchmarks and print their figures."""
    if GROWTH in args.names:
        _grow(args)
    else:
        _measure(args)


def _measure(args: argparse.Namespace) -> None:
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
        raise UsageError(f"no benchmark {unknown[0]!r}: choose of {', '.join((*benchmarks, GROWTH))}")
    build = load_build(args.build or default_folder(7) / "build")
    sys.stdout.write(f"{machine()}\n{build.manifest['name']}, build {build.build_hash[:12]}\n")
    for name in args.names or NAMES:
        sys.stdout.write(report(name, benchmarks[name](build)) + "\n")


def _grow(args: argparse.Namespace) -> None:
    """Print all sizes side by side, once they are done."""
    from pathfolio.kg.errors import UsageError
    from pathfolio.kg.progress import Progress
    from pathfolio.web.benchmarks.growth import growth, table
    from pathfolio.web.benchmarks.measured import machine

    if args.names != [GROWTH]:
        raise UsageError(f"{GROWTH} measures on markets of its own: name no other benchmark beside it")
    assets = args.assets or [300]
    assets = assets * len(args.investors) if len(assets) == 1 else assets
    if len(assets) != len(args.investors):
        raise UsageError(f"--assets has {len(assets)} sizes, --investors {len(args.investors)}: name one, or as many")
    sys.stdout.write(f"{machine()}\n")
    done = list(growth(zip(args.investors, assets, strict=True), args.seed, args.out, Progress()))
    sys.stdout.write(f"{table(done)}\n")


def _sizes(text: str) -> list[int]:
    """Numbers of 20 or more, separated by commas."""
    parts = text.split(",")
    if not all(part.isdecimal() and int(part) >= SMALLEST for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r}: write numbers of {SMALLEST} or more, as 1000,10000")
    return [int(part) for part in parts]
