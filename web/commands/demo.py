"""`pathfolio demo`: the sample market, built once and served."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pathfolio.web.advice import add_rules, add_today
from pathfolio.web.commands import serve

if TYPE_CHECKING:
    from pathfolio.kg.progress import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio demo`."""
    parser.add_argument("--folder", type=Path, help="where data and build are kept (default: your user data folder)")
    parser.add_argument("--rebuild", action="store_true", help="generate and build again even if a build is there")
    parser.add_argument("--seed", type=int, default=7, help="another seed gives another market (default: 7)")
    parser.add_argument("--no-serve", action="store_true", help="build only")
    serve.add_server_arguments(parser)
    add_rules(parser)
    add_today(parser)


def run(args: argparse.Namespace) -> int | None:
    """Build the sample market unless it is there, and serve it until interrupted."""
    from pathfolio.kg.progress import Progress
    from pathfolio.web.listening import bound

    progress = Progress()
    start = time.perf_counter()
    folder = args.folder or default_folder(args.seed)
    if args.rebuild or not _is_current(folder / "build"):
        progress.note(f"building the sample market (generated data) in {folder}")
        _build(folder, args.seed, progress)
        progress.note(f"built in {time.perf_counter() - start:.0f} s; next time it is there at once")
    if args.no_serve:
        return 0
    ledger = None if os.environ.get("PATHFOLIO_LEDGER") else folder / "ledger"
    with bound(args.host, args.port) as listener:
        return serve.serve_build(folder / "build", args, serve.Seat(listener), demo=True, ledger=ledger)


def default_folder(seed: int) -> Path:
    """Where the demo lives unless told otherwise: the user's own data folder, one per seed."""
    from platformdirs import user_data_path

    return user_data_path("pathfolio") / f"demo-{seed}"


def _is_current(build: Path) -> bool:
    """Whether a build of this very version is there."""
    from importlib.metadata import version

    from pathfolio.kg.errors import DataError
    from pathfolio.recommender.build import load_build

    try:
        return bool(load_build(build).manifest["versions"]["pathfolio"] == version("pathfolio"))
    except DataError:
        return False


def _build(folder: Path, seed: int, progress: Progress) -> None:
    from pathfolio.kg.sample import write_sample_market
    from pathfolio.kg.sample.size import END
    from pathfolio.recommender.build import BuildOptions, make_build
    from pathfolio.recommender.training import TrainingOptions
    from pathfolio.web.sources import from_folder

    options = BuildOptions(TrainingOptions(seed))
    with progress.stage("generate the sample market"):
        write_sample_market(folder / "market", seed)
    source = from_folder(folder / "market", END, progress)
    make_build(source.graph, folder / "build", options, progress, source.beside())
