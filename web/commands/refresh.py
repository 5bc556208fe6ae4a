"""`pathfolio refresh`: the next day's build with the same weights; nothing is trained."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pathfolio.web.arguments import add_build, add_horizon, add_signals, iso_date


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio refresh`."""
    add_build(parser)
    parser.add_argument("data", type=Path, metavar="DATA", help="the data folder, with the new day's rows in it")
    parser.add_argument("--as-of", type=iso_date, required=True, metavar="DATE", help="the new day")
    parser.add_argument("--out", type=Path, required=True, metavar="BUILD2", help="the folder to make or replace")
    add_signals(parser, "as the build")
    add_horizon(parser, None, "as the build")


def run(args: argparse.Namespace) -> None:
    """Write the new build, and say how far the world has moved since the training."""
    from dataclasses import replace

    from pathfolio.kg.errors import UsageError
    from pathfolio.kg.progress import Progress
    from pathfolio.recommender.build import BuildOptions, check_replaceable, load_build, write_build
    from pathfolio.recommender.drift import measure_drift
    from pathfolio.recommender.training import TrainingOptions
    from pathfolio.web.sources import from_folder
    from pathfolio.web.told import ledger_if_any, with_told

    check_replaceable(args.out)
    old = load_build(args.build)
    if args.as_of < old.as_of:
        raise UsageError(f"{args.build} is of {old.as_of}: --as-of takes that day or a later one")
    progress = Progress()
    signals = old.signal_names if args.signals is None else args.signals
    source = from_folder(
        args.data, args.as_of, progress, lambda tables: with_told(tables, ledger_if_any(), args.as_of), signals
    )
    with progress.stage("measure drift") as details:
        drift = measure_drift(old.scorer, source.graph)
        details.append(f"{drift.new_nodes:.1%} new nodes, demand shift {drift.demand_shift:.2f}")
    scorer = old.scorer if args.horizon is None else old.scorer.for_days(args.horizon)
    options = BuildOptions(TrainingOptions.of(old.manifest), replace(scorer.options, calendar=True))
    beside = source.beside(drift=drift.to_json(), refreshed_from=old.build_hash)
    learned = old.learned.with_prices(source.prices)
    build = write_build(source.graph, learned, args.out, options, progress, beside)
    due = "; ".join(drift.reasons)
    verdict = f"training again is due: {due}" if due else "no need to train again"
    sys.stdout.write(f"{args.out}: build {build.build_hash[:12]} as of {build.as_of}; {verdict}\n")
    sys.stdout.write(source.set_aside(args.out))
