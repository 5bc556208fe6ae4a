"""Types of command-line arguments that several commands share."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any


def iso_date(text: str) -> date:
    """A date as ISO 8601.

    >>> iso_date("2022-06-30")
    datetime.date(2022, 6, 30)
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date: write it as 2022-06-30") from None


def add_described(actions: Any, name: str, summary: str) -> argparse.ArgumentParser:
    """A subcommand; its own help begins with the same sentence that the list of subcommands has."""
    made: argparse.ArgumentParser = actions.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:] + "."
    )
    return made


def add_build(parser: argparse.ArgumentParser, *, or_graph: bool = False) -> None:
    """The positional argument of commands that read a build; `or_graph` for those to which a graph alone will do."""
    makers = "`pathfolio build` or `pathfolio graph build`" if or_graph else "`pathfolio build`"
    parser.add_argument("build", type=Path, metavar="BUILD", help=f"a folder that {makers} made")


def add_list_options(parser: argparse.ArgumentParser) -> None:
    """--kind, -k and --include-held."""
    parser.add_argument("--kind", choices=("stock", "fund", "bond"), help="only assets of this kind")
    parser.add_argument("-k", type=int, default=10, metavar="N", help="length of the list (default: 10)")
    parser.add_argument("--include-held", action="store_true", help="list what is or was held, too")


def days(text: str) -> int:
    """A number of days, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days: write 1 or more")
    return int(text)


def _signals(text: str) -> list[str]:
    """Names of signals; `pathfolio.recommender.signals.facts` knows which there are."""
    from pathfolio.kg.errors import UsageError
    from pathfolio.recommender.signals.facts import chosen_signals

    try:
        return chosen_signals(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_signals(parser: argparse.ArgumentParser, default: str) -> None:
    """`--signals NAME,…`: whose facts are put into the graph."""
    meaning = f"put what models say into the graph as facts with their record: volatility,beta (default: {default})"
    parser.add_argument("--signals", type=_signals, metavar="NAME,…", help=meaning)


def add_horizon(parser: argparse.ArgumentParser, default: int | None, meaning: str) -> None:
    """`--horizon DAYS`: for how long the lists are to serve."""
    parser.add_argument(
        "--horizon",
        type=days,
        default=default,
        metavar="DAYS",
        help=f"how long a list is to serve: 1 lets fresh issues lead, 182 what sells lastingly (default: {meaning})",
    )
