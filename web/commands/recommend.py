"""`pathfolio recommend`: one investor's list on the terminal, or everybody's in a file."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from web.advice import account_name, add_rules, open_desk, what_happened
from web.arguments import add_build, add_list_options
from web.profile_list import print_profile_list

if TYPE_CHECKING:
    from explain.records.adviser import Advice
    from recommender.build import Build

_REJECTED_SHOWN: Final = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio recommend`."""
    add_build(parser)
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--user", metavar="U", help="the investor's id")
    who.add_argument("--all", action="store_true", help="every investor; goes with --out")
    who.add_argument(
        "--profile",
        metavar="NAME=VALUE,…",
        help="of somebody new: risk_level, objective, experience, capacity, segment, horizon (years), interest, …",
    )
    add_list_options(parser)
    add_rules(parser)
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="default: table")
    parser.add_argument("--out", type=Path, metavar="FILE", help="with --all: a .parquet or .csv file")


def run(args: argparse.Namespace) -> None:
    """Print one list, or write all; each is recorded first."""
    from kg.errors import UsageError
    from recommender.build import load_build

    if args.all != (args.out is not None):
        raise UsageError("--all goes with --out FILE.parquet" if args.all else "--out goes with --all")
    build = load_build(args.build)
    if args.all:
        _write_all(build, args)
    else:
        _print_one(build, args)


def _print_one(build: Build, args: argparse.Namespace) -> None:
    from explain.records.adviser import Question
    from explain.records.serve import serve
    from kg.progress import Progress

    desk = open_desk(build, args.rules)
    if args.profile is not None:
        record = print_profile_list(build, args, desk, account_name())
        Progress().note(what_happened(desk, record))
        return
    held = args.include_held
    question = Question(account_name(), "command line", args.user, args.k, args.kind, include_held=held)
    served = serve(desk.adviser, desk.ledger, question)
    {"table": _print_table, "json": _print_json, "csv": _print_csv}[args.format](served.advice, build)
    Progress().note(what_happened(desk, served.receipt.id))


def _write_all(build: Build, args: argparse.Namespace) -> None:
    from explain.records.everybody import Everybody, serve_everybody
    from kg.progress import Progress

    progress, desk = Progress(), open_desk(build, args.rules)
    with progress.stage(f"recommend to {len(build.graph.users):,} investors") as details:
        asked = Everybody(account_name(), "command line", args.k, args.kind, include_held=args.include_held)
        done = serve_everybody(desk.adviser, desk.ledger, asked, args.out, progress)
        details.append(f"{done.rows:,} rows in {args.out}")
    progress.note(what_happened(desk, done.receipt.id))


def _print_table(advice: Advice, build: Build) -> None:
    if build.is_sample:
        sys.stdout.write(f"{build.manifest['name']}: generated data, no real investors or assets\n")
    width = max((len(line.asset_id) for line in advice.lines), default=0)
    for line in advice.lines:
        sys.stdout.write(f"{line.rank:3}  {line.score:9.4f}  {line.kind:5}  {line.asset_id:{width}}  {line.name}\n")
    if not advice.lines:
        sys.stdout.write("no asset is left to recommend\n")
    if advice.rejected:
        sys.stdout.write(f"not suitable, though the score ranks them higher: {_rejected(advice)}\n")


def _rejected(advice: Advice) -> str:
    """The first of the rejected assets, each with the rules that rejected it."""
    found = [
        f"{each.asset_id} ({', '.join(r.rule for r in each.verdict.against if r.effect is each.verdict.outcome)})"
        for each in advice.rejected[:_REJECTED_SHOWN]
    ]
    more = len(advice.rejected) - len(found)
    return ", ".join([*found, f"{more} more"] if more else found)


def _print_json(advice: Advice, _build: Build) -> None:
    json.dump([asdict(line) for line in advice.lines], sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _print_csv(advice: Advice, _build: Build) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("user_id", "rank", "asset_id", "kind", "name", "score"))
    writer.writerows((li.user_id, li.rank, li.asset_id, li.kind, li.name, repr(li.score)) for li in advice.lines)
