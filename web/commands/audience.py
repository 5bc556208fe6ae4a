"""`pathfolio audience`: whom an asset suits, and why; for staff."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from typing import TYPE_CHECKING, Any, Final

from pathfolio.kg.languages import DEFAULT, languages
from pathfolio.kg.spreadsheet import RULE, safe_cell
from pathfolio.web.advice import account_name, add_rules, add_today, open_desk, what_happened
from pathfolio.web.arguments import add_build
from pathfolio.web.list_formats import sample_label

if TYPE_CHECKING:
    from pathfolio.explain.explanation import Explanation
    from pathfolio.recommender.investor_ranking import Prospect

COLUMNS: Final = ("rank", "score", "user_id", "name", "reasons")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio audience`."""
    add_build(parser)
    parser.add_argument("--asset", required=True, metavar="A", help="the asset's id")
    parser.add_argument("-k", type=int, default=100, metavar="N", help="how many investors (default: 100)")
    words = "language of reasons (default: %(default)s)"
    parser.add_argument("--lang", default=DEFAULT, choices=languages(), help=words)
    add_rules(parser)
    add_today(parser)
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help=f"default: table; {RULE}")


def run(args: argparse.Namespace) -> None:
    """Print the investors for whom the asset scores best and is suitable, with reasons, once it is recorded who."""
    from pathfolio.explain.records.audience_record import AudienceQuestion, recorded_audience
    from pathfolio.kg.progress import Progress
    from pathfolio.recommender.build import load_build

    desk = open_desk(load_build(args.build), args.rules, today=args.today)
    asked = AudienceQuestion(account_name(), "command line", args.asset, args.k, desk.today())
    found = recorded_audience(desk, asked, (args.lang,))
    people = [_row(person, explanation, args.lang) for person, explanation in found.people]
    if args.format == "json":
        sys.stdout.write(json.dumps(people, indent=2, ensure_ascii=False) + "\n")
    elif args.format == "csv":
        sys.stdout.write(as_csv(people))
    else:
        sys.stdout.write(sample_label(desk.adviser.build))
        _print_table(people)
    Progress().note(what_happened(desk, found.receipt.id))


def as_csv(people: list[dict[str, Any]]) -> str:
    """A header and a line per person, texts as `safe_cell`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = (person | {"reasons": " ".join(person["reasons"])} for person in people)
    writer.writerows([safe_cell(row[name]) for name in COLUMNS] for row in rows)
    return out.getvalue()


def _print_table(people: list[dict[str, Any]]) -> None:
    if not people:
        sys.stdout.write("it suits nobody who has not held it\n")
        return
    width = max(len("investor"), *(len(person["user_id"]) for person in people))
    sys.stdout.write('each with the first reason, worded as the investor would read it ("you" is the investor)\n')
    sys.stdout.write(f"{'':4}  {'score':>9}  {'investor':{width}}  name\n")
    for person in people:
        sys.stdout.write("{rank:4}  {score:9.4f}  {user_id:{width}}  {name}\n".format(**person, width=width))
        sys.stdout.writelines(f"{'':17}{text}\n" for text in person["reasons"][:1])


def _row(person: Prospect, explanation: Explanation, lang: str) -> dict[str, Any]:
    reasons = [reason.text for reason in explanation.reasons_in(lang)]
    name = explanation.user.label(lang)
    return dict(zip(COLUMNS, (person.rank, person.score, person.user_id, name, reasons), strict=True))
