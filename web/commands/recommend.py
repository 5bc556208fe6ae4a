"""`pathfolio recommend`: one investor's list on the terminal, or everybody's in a file."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from web.arguments import add_build, add_list_options

if TYPE_CHECKING:
    from recommender.build import Build
    from recommender.model import Recommendation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio recommend`."""
    add_build(parser)
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--user", metavar="U", help="the investor's id")
    who.add_argument("--all", action="store_true", help="every investor; goes with --out")
    add_list_options(parser)
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="default: table")
    parser.add_argument("--out", type=Path, metavar="FILE", help="with --all: a .parquet or .csv file")


def run(args: argparse.Namespace) -> None:
    """Print one list, or write all."""
    from kg.errors import UsageError
    from recommender.build import load_build
    from recommender.retrieve import recommend

    if args.all != (args.out is not None):
        raise UsageError("--all goes with --out FILE.parquet" if args.all else "--out goes with --all")
    build = load_build(args.build)
    if args.all:
        _write_all(build, args)
        return
    lines = recommend(build.scorer, args.user, args.k, args.kind, include_held=args.include_held)
    {"table": _print_table, "json": _print_json, "csv": _print_csv}[args.format](lines, build)


def _write_all(build: Build, args: argparse.Namespace) -> None:
    from kg.progress import Progress
    from recommender.lists_file import write_lists

    progress = Progress()
    with progress.stage(f"recommend to {len(build.graph.users):,} investors") as details:
        rows = write_lists(build.scorer, args.out, args.k, args.kind, include_held=args.include_held)
        details.append(f"{rows:,} rows in {args.out}")


def _print_table(lines: list[Recommendation], build: Build) -> None:
    if build.is_sample:
        sys.stdout.write(f"{build.manifest['name']}: generated data, no real investors or assets\n")
    width = max((len(line.asset_id) for line in lines), default=0)
    for line in lines:
        sys.stdout.write(f"{line.rank:3}  {line.score:9.4f}  {line.kind:5}  {line.asset_id:{width}}  {line.name}\n")
    if not lines:
        sys.stdout.write("no asset is left to recommend\n")


def _print_json(lines: list[Recommendation], _build: Build) -> None:
    json.dump([asdict(line) for line in lines], sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _print_csv(lines: list[Recommendation], _build: Build) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("user_id", "rank", "asset_id", "kind", "name", "score"))
    writer.writerows((li.user_id, li.rank, li.asset_id, li.kind, li.name, repr(li.score)) for li in lines)
