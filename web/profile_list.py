"""`pathfolio recommend BUILD --profile …`: the list of somebody of whom only answers are known."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explain.assumed import AssumedList
    from explain.records.desk import Desk
    from recommender.build import Build


def print_profile_list(build: Build, args: argparse.Namespace, desk: Desk, who: str) -> str:
    """Print the list of the answers in `args.profile` with its first reasons; returns the id of its record.

    Raises:
        UsageError: a question or an answer that the snapshot does not have, or k below 1.
        LedgerError: it could not be recorded, so nothing is printed.
    """
    from explain.assumed import WhatIfDesk
    from explain.records.assumed import record_what_if
    from kg.errors import UsageError
    from recommender.questionnaire import answered, read_profile

    if args.k < 1:
        raise UsageError(f"a list of {args.k} assets: -k takes 1 or more")
    answers = read_profile(args.profile)
    found = WhatIfDesk(build, desk.adviser.gate).answer(
        answered(build.graph, answers), None, args.k, args.kind, ("en",)
    )
    receipt = record_what_if(desk, who, "command line", None, {"answers": [list(pair) for pair in answers]}, found)
    {"table": _print_table, "json": _print_json, "csv": _print_csv}[args.format](found, build)
    return receipt.id


def _rows(found: AssumedList) -> list[dict[str, Any]]:
    rows = []
    for line in found.lines:
        asset, reasons = line.explanation.asset, [reason.text for reason in line.explanation.reasons]
        about = {"user_id": "", "rank": line.move.rank, "asset_id": asset.id, "kind": asset.kind.lower()}
        rows.append({**about, "name": asset.name, "score": line.score, "reasons": reasons})
    return rows


def _print_table(found: AssumedList, build: Build) -> None:
    if build.is_sample:
        sys.stdout.write(f"{build.manifest['name']}: generated data, no real investors or assets\n")
    rows = _rows(found)
    width = max((len(row["asset_id"]) for row in rows), default=0)
    for row in rows:
        line = f"{row['rank']:3}  {row['score']:9.4f}  {row['kind']:5}  {row['asset_id']:{width}}  {row['name']}"
        sys.stdout.write("\n     ".join([line, *row["reasons"][:1]]) + "\n")
    if not rows:
        sys.stdout.write("no asset is left to recommend\n")


def _print_json(found: AssumedList, _build: Build) -> None:
    json.dump(_rows(found), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _print_csv(found: AssumedList, _build: Build) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    names = ("user_id", "rank", "asset_id", "kind", "name", "score")
    writer.writerow(names)
    writer.writerows([row[name] if name != "score" else repr(row[name]) for name in names] for row in _rows(found))
