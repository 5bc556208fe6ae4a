"""Reading records: as a list, one by one, as reports and cases, and by computing them again."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pathfolio.kg.bidi import isolated
from pathfolio.kg.languages import DEFAULT, languages
from pathfolio.web.advice import account_name
from pathfolio.web.commands.audit.actions import add_action, print_json

if TYPE_CHECKING:
    from pathfolio.explain.ledger.ledger import Ledger
    from pathfolio.explain.records.inspect import ListedRecord, Look
    from pathfolio.explain.records.replay import Replay
    from pathfolio.explain.records.told import ToldLine, ToldRecord

KINDS: Final = (
    "recommendation", "what-if", "audience", "access", "batch", "build", "rules", "hold", "release", "erasure",
    "expiry-proposal", "expiry", "key", "ledger", "clock", "restore", "all",
)  # fmt: skip
"""The kinds of entries in a ledger."""

_PURPOSE: Final = "looked at on the command line"


def add_actions(actions: Any) -> None:
    """list, show, report, export and replay."""
    listed = add_action(actions, "list", "list records, the newest first", _list)
    listed.add_argument("--user", metavar="U", help="only what is of this investor")
    listed.add_argument(
        "--kind", choices=KINDS, metavar="KIND",
        help=f"one of {', '.join(KINDS)} (default: the lists that were shown, recommendation and what-if; with --user "
        "all that is of this investor)",
    )  # fmt: skip
    listed.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (default: 100)")
    shown = add_action(actions, "show", "print one record", _show, record="")
    report = add_action(actions, "report", "write the report on one record", _report, record="")
    report.add_argument("--lang", choices=languages(), default=DEFAULT, help="language (default: %(default)s)")
    report.add_argument("--out", type=Path, metavar="FILE", help="default: the record's id with the format's ending")
    export = add_action(actions, "export", "write a case that can be verified anywhere", _export, record="")
    export.add_argument("--out", type=Path, metavar="CASE.zip", required=True, help="the file to write")
    replayed = add_action(actions, "replay", "compute a record again and compare bit for bit", _replay, record="")
    replayed.add_argument("--build", type=Path, metavar="BUILD", help="replay with this build, not the one kept")
    replayed.add_argument("--data", type=Path, metavar="DATA", help="the build is gone: make it again from this data")
    for parser, formats in (
        (listed, ("table", "json")),
        (shown, ("text", "json")),
        (report, ("html", "pdf")),
        (replayed, ("text", "json")),
    ):
        parser.add_argument("--format", choices=formats, default=formats[0], help=f"default: {formats[0]}")
    for parser in (listed, shown, report, export, replayed):
        parser.add_argument("--purpose", default=_PURPOSE, help="why; it is recorded with the look itself")


def _look(args: argparse.Namespace) -> Look:
    from pathfolio.explain.records.inspect import Look

    return Look(account_name(), args.purpose)


def _list(ledger: Ledger, args: argparse.Namespace) -> None:
    from pathfolio.explain.records.inspect import LISTS, list_records
    from pathfolio.kg.errors import UsageError

    if args.limit < 1:
        raise UsageError(f"--limit {args.limit}: give 1 or more")
    anything = args.kind == "all" or (args.kind is None and args.user)
    kinds = () if anything else LISTS if args.kind is None else (args.kind,)
    more = ledger.count(kinds=kinds, person=args.user) - args.limit
    rows = list_records(ledger, _look(args), ledger.headers(kinds=kinds, person=args.user, limit=args.limit))
    if args.format == "json":
        print_json([asdict(row) for row in rows])
    else:
        sys.stdout.writelines(_line(row) for row in rows)
    if not rows:
        sys.stderr.write("no such records\n")
    elif more > 0:
        sys.stderr.write(f"… {more:,} more: --limit N\n")


def _line(row: ListedRecord) -> str:
    from pathfolio.explain.records.inspect import LISTS

    assets = ", ".join(row.assets[:3]) + (", …" if len(row.assets) > 3 else "")
    nobody = "(somebody new)" if row.kind in LISTS else row.who
    who = row.user_id or (nobody if row.state == "readable" else f"({row.state})")
    return f"{row.id}  {row.time[:19]}  {row.kind:14}  {who:20}  {assets}\n"


def _show(ledger: Ledger, args: argparse.Namespace) -> None:
    from pathfolio.explain.ledger.entry import CLOCK_TAG
    from pathfolio.explain.records.inspect import LISTS
    from pathfolio.explain.records.layout import parse_record
    from pathfolio.explain.records.printed import expanded
    from pathfolio.explain.records.told import told

    look = _look(args)
    header = ledger.header(args.record)
    text = ledger.read_text(header.id, who=look.who, purpose=look.purpose)
    record = parse_record(text, header.id) if header.kind in LISTS else None
    if args.format == "json":
        print_json({"header": asdict(header), "record": json.loads(text) if record is None else expanded(record)})
        return
    shown = f" (the clock showed {header.tags[CLOCK_TAG]})" if CLOCK_TAG in header.tags else ""
    sys.stdout.write(f"{header.id}  {header.time}{shown}  {header.kind}  entry {header.seq}\n")
    print_json(json.loads(text)) if record is None else _print_record(told(record))


def _print_record(told: ToldRecord) -> None:
    from pathfolio.explain.records.history import assumed_text
    from pathfolio.explain.records.verdict_text import verdict_text

    record = told.record
    question, rules, candidates = record.question, record.rules, record.candidates
    investor = f"investor {question.user_id}" if question.user_id else "somebody new"
    sys.stdout.write(f"{investor}, asked by {question.who} through {question.through}\n")
    if question.assumed is not None:
        sys.stdout.write(f"what if: {assumed_text(question.assumed) or 'nothing is assumed'}\n")
    sys.stdout.write(f"build {record.build.hash[:12]}, data of {record.data.as_of}, ")
    sys.stdout.write(f"rules {rules.market} {rules.version}\n" if rules.rules else "no rules\n")
    for line in told.lines:
        _print_line(line, question.lang)
    if record.counterfactual is not None:
        sys.stdout.write(f"what would change it: {record.counterfactual.text[question.lang]}\n")
    above = "rejected above the last:" if record.rejected else "none rejected above the last"
    sys.stdout.write(f"{candidates.count} candidates, {candidates.allowed} passed; {above}\n")
    for each in told.rejected:
        item, why = each.rejection, " ".join(verdict_text(each.verdict.results, DEFAULT))
        sys.stdout.write(f"{item.place:3}  {item.score:9.4f}  {item.asset_id:16}  {why}\n")


def _print_line(told: ToldLine, lang: str) -> None:
    """One line of the list: its verdict, its reasons as they were shown, and what the rules say against it."""
    from pathfolio.explain.records.verdict_text import outcome_text, verdict_text

    line, outcome = told.line, outcome_text(told.verdict.state, DEFAULT)
    sys.stdout.write(f"{line.rank:3}  {line.score:9.4f}  {line.asset_id:16}  {isolated(line.name)}: {outcome}\n")
    said = [reason.text for reason in told.explanation.reasons if reason.lang == lang]
    said += [f"! {text}" for text in verdict_text(told.verdict.results, lang)]
    sys.stdout.writelines(f"         {text}\n" for text in said)


def _report(ledger: Ledger, args: argparse.Namespace) -> None:
    from pathfolio.explain.records.inspect import report_on
    from pathfolio.explain.records.pdf import pdf_of
    from pathfolio.explain.records.report import report_html
    from pathfolio.kg.outfile import check_out, write_private

    header = ledger.header(args.record)
    out = args.out or Path(f"{header.id}.{args.format}")
    check_out(out, (f".{args.format}",))
    html = report_html(report_on(ledger, header.id, _look(args), args.lang))
    write_private(out, pdf_of(html) if args.format == "pdf" else html)
    sys.stdout.write(f"{out}\n")


def _export(ledger: Ledger, args: argparse.Namespace) -> None:
    from pathfolio.explain.records.inspect import export_case
    from pathfolio.kg.outfile import check_out

    check_out(args.out, (".zip",))
    export_case(ledger, args.record, _look(args), args.out)
    sys.stdout.write(
        f"{args.out}: verify it with `python verify.py --key KEY` from inside it; `pathfolio audit key` prints KEY\n"
    )


def _replay(ledger: Ledger, args: argparse.Namespace) -> int:
    from pathfolio.explain.records.inspect import read_record
    from pathfolio.explain.records.replay import find_build, replay
    from pathfolio.web.rebuild import rebuilt

    header, record = read_record(ledger, args.record, _look(args))
    if args.data is not None:
        with rebuilt(ledger, record, args.data) as build:
            found = replay(ledger, header.id, record, build)
    else:
        found = replay(ledger, header.id, record, find_build(ledger, record, args.build))
    if args.format == "json":
        print_json({"same": found.same, **asdict(found)})
        return 0 if found.same else 1
    which = "the build that made it" if found.sealed else "another build"
    sys.stdout.write(f"record {found.record_id}, computed again with {which} ({found.build[:12]})\n")
    for name, (then, now) in found.software.items():
        sys.stdout.write(f"software: made with {name} {then or '(none)'}, now {now or '(none)'}\n")
    for difference in found.differences:
        sys.stdout.write(f"differs: {difference.field}: was {difference.recorded!r}, is {difference.computed!r}\n")
    sys.stdout.write(_outcome(found))
    return 0 if found.same else 1


def _outcome(found: Replay) -> str:
    """What the replay found, in one line."""
    if found.same:
        return "the same, bit for bit\n"
    if [difference.field for difference in found.differences] == ["build.hash"]:
        return "the same answer, bit for bit, by a build that was made again and has a hash of its own\n"
    count = len(found.differences)
    return f"{count} {'field differs' if count == 1 else 'fields differ'}\n"
