"""`pathfolio recommend`: one investor's list on the terminal or in a file, or everybody's in a file."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pathfolio.kg.spreadsheet import RULE
from pathfolio.web.advice import account_name, add_rules, add_today, hand_out, open_desk, what_happened
from pathfolio.web.arguments import add_build, add_list_options

if TYPE_CHECKING:
    from pathfolio.explain.records.adviser import Question
    from pathfolio.recommender.build import Build

_ENDINGS: Final = {".txt": "table", ".json": "json", ".csv": "csv"}


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
    parser.add_argument(
        "--rerank",
        metavar="ORDER",
        default="",
        help="with --user: mean-variance[:WEIGHT], which weighs how much the list varies (0 to 1, else 0.25)",
    )
    add_rules(parser)
    add_today(parser)
    parser.add_argument(
        "--format", choices=tuple(_ENDINGS.values()), help=f"of one list (default: as --out ends, else table); {RULE}"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write there: .txt, .json or .csv; with --all .parquet or .csv"
    )


def run(args: argparse.Namespace) -> None:
    """Print one list, or write all; each is recorded first."""
    from pathfolio.kg.errors import UsageError
    from pathfolio.recommender.build import load_build
    from pathfolio.recommender.lists_file import check_name

    if args.rerank and args.user is None:
        raise UsageError("--rerank goes with --user")
    if args.all and args.out is None:
        raise UsageError("--all goes with --out FILE.parquet or --out FILE.csv")
    if args.all:
        check_name(args.out)
    else:
        _check_format(args)
    build = load_build(args.build)
    (_write_all if args.all else _write_one)(build, args)


def _check_format(args: argparse.Namespace) -> None:
    """Settle the format of one list; refuse a file that ends otherwise."""
    from pathfolio.kg.outfile import check_out

    if args.out is not None:
        check_out(args.out, [ending for ending, form in _ENDINGS.items() if args.format in (None, form)])
    args.format = args.format or ("table" if args.out is None else _ENDINGS[args.out.suffix])


def _write_one(build: Build, args: argparse.Namespace) -> None:
    from pathfolio.explain.records.serve import serve
    from pathfolio.kg.progress import Progress
    from pathfolio.web.list_formats import FORMATS

    desk = open_desk(build, args.rules, today=args.today)
    served = serve(desk.adviser, desk.ledger, replace(_question(build, args), today=desk.today()))
    hand_out(FORMATS[args.format](served.advice, build), args.out)
    Progress().note(what_happened(desk, served.receipt.id))


def _question(build: Build, args: argparse.Namespace) -> Question:
    """Of an investor of the build, or of somebody of whom only the answers in --profile are known."""
    from pathfolio.explain.records.adviser import Question

    who = account_name()
    held = args.include_held
    if args.profile is None:
        return Question(
            who, "command line", args.user, args.k, args.kind, include_held=held, rerank=_order(args.rerank)
        )
    from pathfolio.explain.records.assumption import Assumed
    from pathfolio.recommender.questionnaire import answered, read_profile

    assumed = Assumed.of(build.graph, answered(build.graph, read_profile(args.profile)))
    return Question(who, "command line", "", args.k, args.kind, assumed=assumed)


def _order(text: str) -> str:
    """The order as records have it; empty for that of the scores."""
    from pathfolio.recommender.portfolio.rerank import RiskOrder

    return RiskOrder.parse(text).name if text else ""


def _write_all(build: Build, args: argparse.Namespace) -> None:
    from pathfolio.explain.records.everybody import Everybody, serve_everybody
    from pathfolio.kg.progress import Progress

    progress = Progress()
    desk = open_desk(build, args.rules, today=args.today)
    with progress.stage(f"recommend to {len(build.graph.users):,} investors") as details:
        about = {"include_held": args.include_held, "today": desk.today()}
        asked = Everybody(account_name(), "command line", args.k, args.kind, **about)
        done = serve_everybody(desk.adviser, desk.ledger, asked, args.out, progress)
        details.append(f"{done.rows:,} rows in {args.out}")
    progress.note(what_happened(desk, done.receipt.id))
