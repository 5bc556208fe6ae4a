"""`pathfolio audience`: whom an asset suits, and why; for staff."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from typing import TYPE_CHECKING, Any, Final

from web.advice import account_name, add_rules, open_desk
from web.arguments import add_build

if TYPE_CHECKING:
    from explain.explanation import Explanation

_COLUMNS: Final = ("rank", "score", "user_id", "name", "reasons")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio audience`."""
    add_build(parser)
    parser.add_argument("--asset", required=True, metavar="A", help="the asset's id")
    parser.add_argument("-k", type=int, default=100, metavar="N", help="how many investors (default: 100)")
    parser.add_argument("--lang", default="en", choices=("en", "zh-TW"), help="language of reasons (default: en)")
    add_rules(parser)
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="default: table")


def run(args: argparse.Namespace) -> None:
    """Print the investors for whom the asset scores best and is suitable, with reasons; the look is recorded first."""
    from explain.records.prospects import prospects
    from recommender.build import load_build

    desk = open_desk(load_build(args.build), args.rules)
    found = prospects(desk, account_name(), args.asset, args.k, (args.lang,))
    people = [_row(rank, explanation, args.lang) for rank, explanation in found]
    if args.format == "json":
        sys.stdout.write(json.dumps(people, indent=2, ensure_ascii=False) + "\n")
    elif args.format == "csv":
        writer = csv.DictWriter(sys.stdout, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(person | {"reasons": " ".join(person["reasons"])} for person in people)
    else:
        for person in people:
            sys.stdout.write("{rank:4}  {score:9.4f}  {user_id}  {name}\n".format(**person))
            sys.stdout.writelines(f"{'':17}{text}\n" for text in person["reasons"][:1])


def _row(rank: int, explanation: Explanation, lang: str) -> dict[str, Any]:
    reasons = [reason.text for reason in explanation.reasons_in(lang)]
    name = explanation.user.label(lang)
    return dict(zip(_COLUMNS, (rank, explanation.score, explanation.user_id, name, reasons), strict=True))
