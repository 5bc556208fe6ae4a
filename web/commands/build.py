"""`pathfolio build`: from a data folder, or from the graph store, to a build."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pathfolio.web.arguments import add_horizon, add_signals, iso_date


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
    parser.add_argument(
        "--vectors", type=Path, metavar="FILE", help="own vectors (.parquet or .csv: id, v0, v1, …) as a channel"
    )
    parser.add_argument(
        "--vectors-weight", type=float, metavar="W", help="how much they say (default: 0.1, that of the KG embedding)"
    )
    add_signals(parser, "none")
    add_horizon(parser, 7, "7")


def run(args: argparse.Namespace) -> None:
    """Build, and print where the build is and what it holds."""
    from dataclasses import replace

    from pathfolio.kg.errors import UsageError
    from pathfolio.kg.progress import Progress
    from pathfolio.recommender.build import BuildOptions, check_replaceable, make_build
    from pathfolio.recommender.channels.own import WEIGHT
    from pathfolio.recommender.demand import DemandOptions
    from pathfolio.recommender.own_table import read_vectors
    from pathfolio.recommender.score_inputs import ScoreOptions
    from pathfolio.recommender.training import TrainingOptions
    from pathfolio.web.sources import from_folder, from_store

    if (args.data is None) == (args.graph is None):
        raise UsageError("name a data folder, or a store with --graph, and not both")
    if args.vectors_weight is not None and args.vectors is None:
        raise UsageError("--vectors-weight weighs own vectors: name them with --vectors")
    if args.signals and args.data is None:
        raise UsageError("--signals are made of prices, which a store does not hold: name a data folder")
    check_replaceable(args.out)
    weight = WEIGHT if args.vectors_weight is None else args.vectors_weight
    vectors = None if args.vectors is None else read_vectors(args.vectors, weight)
    progress = Progress()
    source = (
        from_folder(args.data, args.as_of, progress, signals=args.signals or ())
        if args.data
        else from_store(args.graph, args.as_of, progress)
    )
    score = ScoreOptions(demand=DemandOptions(horizon=float(args.horizon)))
    options = BuildOptions(TrainingOptions(args.seed, args.embedding, args.towers), score)
    build = make_build(source.graph, args.out, options, progress, replace(source.beside(), vectors=vectors))
    sys.stdout.write(f"{args.out}: build {build.build_hash[:12]} of {build.manifest['name']} as of {build.as_of}\n")
    sys.stdout.write(source.set_aside(args.out))
