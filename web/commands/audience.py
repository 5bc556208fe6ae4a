"""`pathfolio audience`: whom an asset suits; for staff."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import asdict

from web.advice import account_name, add_rules, open_desk
from web.arguments import add_build


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio audience`."""
    add_build(parser)
    parser.add_argument("--asset", required=True, metavar="A", help="the asset's id")
    parser.add_argument("-k", type=int, default=100, metavar="N", help="how many investors (default: 100)")
    add_rules(parser)
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="default: table")


def run(args: argparse.Namespace) -> None:
    """Print the investors for whom the asset scores best and is suitable; the look at them is recorded first."""
    from explain.ledger.ledger import ACCESS
    from explain.records.keep import keep
    from explain.records.serve import tags_of
    from recommender.audience import audience
    from recommender.build import load_build

    build = load_build(args.build)
    desk = open_desk(build, args.rules)
    people = [asdict(person) for person in audience(build.scorer, args.asset, args.k, gate=desk.adviser.gate)]
    keep(build, desk.adviser.rules, desk.ledger)
    look = {"records": [], "who": account_name(), "purpose": f"audience of {args.asset}: {len(people)} investors"}
    desk.ledger.append(look, person=None, kind=ACCESS, retention=ACCESS, tags=tags_of(desk.adviser))
    if args.format == "json":
        sys.stdout.write(json.dumps(people, indent=2, ensure_ascii=False) + "\n")
    elif args.format == "csv":
        writer = csv.DictWriter(sys.stdout, ("user_id", "name", "rank", "score"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(people)
    else:
        for person in people:
            sys.stdout.write("{rank:4}  {score:9.4f}  {user_id}  {name}\n".format(**person))
