"""`pathfolio build`: from a data folder, or from the graph store, to a build."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pathfolio.web.arguments import add_horizon, iso_date


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio build`."""
    parser.add_argument(
        "data", nargs="?", type=Path, metavar="DATA", help="a market folder or a FAR-Trans folder, found out by itself"
    )
    parser.add_argument("--graph", metavar="URI", help="read the graph from a store (bolt:// or neo4j://) instead")
    parser.add_argument("--as-of", type=iso_date, required=True, metavar="DATE", help="the day: nothing later is seen")
    parser.add_argument("--out", type=Path, required=True, metavar="BUILD", help="the folder to make or replace")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="of everything that is random (default: 7)")
    parser.add_argument(
        "--embedding",
        default="auto",
        metavar="MODEL",
        help="TransE, RotatE, ComplEx, DistMult, or auto: the best of them on an inner split (default)",
    )
    parser.add_argument(
        "--towers", action="store_true", help="add the two towers to the score: more training, and on no path"
    )
    add_horizon(parser, 7, "7")


def run(args: argparse.Namespace) -> None:
    """Build, and print where the build is and what it holds."""
    from pathfolio.kg.errors import UsageError
    from pathfolio.kg.progress import Progress
    from pathfolio.recommender.build import BuildOptions, check_replaceable, make_build
    from pathfolio.recommender.demand import DemandOptions
    from pathfolio.recommender.score_inputs import ScoreOptions
    from pathfolio.recommender.training import TrainingOptions
    from pathfolio.web.sources import from_folder, from_store

    if (args.data is None) == (args.graph is None):
        raise UsageError("name a data folder, or a store with --graph, and not both")
    check_replaceable(args.out)
    progress = Progress()
    source = from_folder(args.data, args.as_of, progress) if args.data else from_store(args.graph, args.as_of, progress)
    score = ScoreOptions(demand=DemandOptions(horizon=float(args.horizon)))
    options = BuildOptions(TrainingOptions(args.seed, args.embedding, args.towers), score)
    build = make_build(source.graph, args.out, options, progress, source.beside())
    sys.stdout.write(f"{args.out}: build {build.build_hash[:12]} of {build.manifest['name']} as of {build.as_of}\n")
    sys.stdout.write(source.set_aside(args.out))
