"""`pathfolio recommend BUILD --profile …`: the list of somebody of whom only answers are known."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explain.records.adviser import Advice
    from explain.records.desk import Desk
    from recommender.build import Build


def print_profile_list(build: Build, args: argparse.Namespace, desk: Desk, who: str) -> str:
    """Print the list of the answers in `args.profile` with its first reasons; returns the id of its record.

    Raises:
        UsageError: a question or an answer that the snapshot does not have, or k below 1.
        LedgerError: it could not be recorded, so nothing is printed.
    """
    from explain.records.adviser import Question
    from explain.records.assumed import Assumed
    from explain.records.serve import serve
    from recommender.questionnaire import answered, read_profile

    assumed = Assumed.of(build.graph, answered(build.graph, read_profile(args.profile)))
    question = Question(who, "command line", "", args.k, args.kind, assumed=assumed)
    served = serve(desk.adviser, desk.ledger, question)
    {"table": _print_table, "json": _print_json, "csv": _print_csv}[args.format](served.advice, build)
    return served.receipt.id


def _rows(found: Advice) -> list[dict[str, Any]]:
    return [
        {**asdict(line), "reasons": [reason.text for reason in explanation.reasons_in("en")]}
        for line, explanation in zip(found.lines, found.explanations, strict=True)
    ]


def _print_table(found: Advice, build: Build) -> None:
    if build.is_sample:
        sys.stdout.write(f"{build.manifest['name']}: generated data, no real investors or assets\n")
    rows = _rows(found)
    width = max((len(row["asset_id"]) for row in rows), default=0)
    for row in rows:
        line = f"{row['rank']:3}  {row['score']:9.4f}  {row['kind']:5}  {row['asset_id']:{width}}  {row['name']}"
        sys.stdout.write("\n     ".join([line, *row["reasons"][:1]]) + "\n")
    if not rows:
        sys.stdout.write("no asset is left to recommend\n")


def _print_json(found: Advice, _build: Build) -> None:
    json.dump(_rows(found), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _print_csv(found: Advice, _build: Build) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    names = ("user_id", "rank", "asset_id", "kind", "name", "score")
    writer.writerow(names)
    writer.writerows([row[name] if name != "score" else repr(row[name]) for name in names] for row in _rows(found))
