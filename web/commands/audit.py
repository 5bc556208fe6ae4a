"""`pathfolio audit`: the ledger of what was recommended, to whom, and why."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from explain.ledger.ledger import Ledger
    from explain.ledger.verify import Verification
    from explain.records.inspect import Look
    from explain.records.replay import Replay

_PURPOSE: Final = "looked at on the command line"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio audit`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_reading(actions)
    _add_proving(actions)
    _add_custody(actions)


def _action(actions: Any, name: str, summary: str, *, record: str | None = None) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = actions.add_parser(name, help=summary, description=summary)
    if record is not None:
        made.add_argument("record", metavar="RECORD", nargs=record or None, help="a record's id, or its beginning")
    return made


def _add_reading(actions: Any) -> None:
    listed = _action(actions, "list", "list records, the newest first")
    listed.add_argument("--user", metavar="U", help="only of this investor")
    listed.add_argument(
        "--kind", help="kind of entry, or all (default: recommendation and what-if, the lists that were shown)"
    )
    listed.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (default: 100)")
    shown = _action(actions, "show", "print one record", record="")
    report = _action(actions, "report", "write the report on one record", record="")
    report.add_argument("--lang", choices=("en", "zh-TW"), default="en", help="language (default: en)")
    report.add_argument("--out", type=Path, metavar="FILE", help="default: the record's id with the format's ending")
    export = _action(actions, "export", "write a case that can be verified anywhere", record="")
    export.add_argument("--out", type=Path, metavar="CASE.zip", required=True, help="the file to write")
    replayed = _action(actions, "replay", "compute a record again and compare bit for bit", record="")
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


def _add_proving(actions: Any) -> None:
    verify = _action(actions, "verify", "verify the whole ledger, or one record", record="?")
    verify.add_argument("--key", metavar="KEY", help="the public key to trust, or a file with it")
    verify.add_argument("--against", type=Path, metavar="FILE", action="append", default=[],
                        help="a checkpoint that was kept elsewhere; may be given several times")  # fmt: skip
    verify.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    _action(actions, "checkpoint", "print the newest signed checkpoint, to be kept elsewhere")
    _action(actions, "key", "print the public keys that sign, the newest last")


def _add_custody(actions: Any) -> None:
    hold = _action(actions, "hold", "put a person's records, or one record, under legal hold")
    which = hold.add_mutually_exclusive_group(required=True)
    which.add_argument("--user", metavar="U")
    which.add_argument("--record", metavar="RECORD")
    release = _action(actions, "release", "end a legal hold")
    release.add_argument("hold", metavar="HOLD", help="the hold's id")
    erase = _action(actions, "erase", "destroy a person's key: nothing of theirs can be read again")
    erase.add_argument("--user", metavar="U", required=True)
    erase.add_argument("--despite-retention", action="store_true", help="although records must still be kept")
    expire = _action(actions, "expire", "delete the content of records whose retention has ended")
    builds = _action(actions, "builds", "list the builds that are kept for the records that refer to them")
    builds.add_argument("--drop-unused", action="store_true", help="delete those that no record refers to any more")
    rotate = _action(actions, "rotate-key", "sign with a new key from now on")
    clock = _action(actions, "clock", "record that the clock was wrong, and go on from its present time")
    for parser in (hold, release, erase, rotate, clock):
        parser.add_argument("--reason", required=True, help="why; it is recorded")
    del expire


def run(args: argparse.Namespace) -> int:
    """Do one action on the ledger that PATHFOLIO_LEDGER names."""
    from explain.ledger.ledger import open_ledger

    ledger = open_ledger(create=False)
    try:
        return int(_ACTIONS[args.action](ledger, args) or 0)
    finally:
        ledger.close()


def _look(args: argparse.Namespace) -> Look:
    from explain.records.inspect import Look

    return Look(getpass.getuser(), args.purpose)


def _print_json(value: Any) -> None:
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


# -- reading -------------------------------------------------------------------------------------------------


def _list(ledger: Ledger, args: argparse.Namespace) -> None:
    from explain.records.inspect import LISTS, list_records
    from kg.errors import UsageError

    if args.limit < 1:
        raise UsageError(f"--limit {args.limit}: give 1 or more")
    kinds = (args.kind,) if args.kind else () if args.user else LISTS
    headers = ledger.headers(kinds=kinds, person=args.user, limit=args.limit)
    rows = list_records(ledger, _look(args), headers)
    if args.format == "json":
        _print_json([asdict(row) for row in rows])
        return
    for row in rows:
        assets = ", ".join(row.assets[:3]) + (", …" if len(row.assets) > 3 else "")
        nobody = "(somebody new)" if row.kind in LISTS else row.who
        who = row.user_id or (nobody if row.state == "readable" else f"({row.state})")
        sys.stdout.write(f"{row.id}  {row.time[:19]}  {row.kind:14}  {who:20}  {assets}\n")
    if not rows:
        sys.stdout.write("no such records\n")


def _show(ledger: Ledger, args: argparse.Namespace) -> None:
    from explain.records.inspect import LISTS
    from explain.records.tables import expanded

    look, header = _look(args), ledger.header(args.record)
    payload = ledger.read(header.id, who=look.who, purpose=look.purpose)
    shown = expanded(payload) if header.kind in LISTS else payload
    if args.format == "json":
        _print_json({"header": asdict(header), "record": shown})
        return
    sys.stdout.write(f"{header.id}  {header.time}  {header.kind}  entry {header.seq}\n")
    _print_record(shown) if header.kind in LISTS else _print_json(shown)


def _print_record(record: dict[str, Any]) -> None:
    from explain.records.history import assumed_text
    from explain.records.verdict_text import outcome_text, verdict_text

    question, candidates = record["question"], record["candidates"]
    investor = f"investor {question['user_id']}" if question["user_id"] else "somebody new"
    sys.stdout.write(f"{investor}, asked by {question['who']} through {question['through']}\n")
    if "assumed" in question:
        sys.stdout.write(f"what if: {assumed_text(question) or 'nothing is assumed'}\n")
    sys.stdout.write(f"build {record['build']['hash'][:12]}, data of {record['data']['as_of']}, ")
    sys.stdout.write(f"rules {record['rules']['market']} {record['rules']['version']}\n")
    for item in record["list"]:
        outcome = outcome_text(item["verdict"]["outcome"], "en")
        sys.stdout.write(f"{item['rank']:3}  {item['score']:9.4f}  {item['asset_id']:16}  {item['name']}: {outcome}\n")
        for reason in item.get("explanation", {"reasons": []})["reasons"]:
            if reason["lang"] == question["lang"]:
                sys.stdout.write(f"         {reason['text']}\n")
    if "counterfactual" in record:
        sys.stdout.write(f"what would change it: {record['counterfactual']['text'][question['lang']]}\n")
    sys.stdout.write(f"{candidates['count']} candidates, {candidates['allowed']} passed; rejected above the last:\n")
    for item in record["rejected"]:
        why = " ".join(verdict_text(item["verdict"], "en"))
        sys.stdout.write(f"{item['place']:3}  {item['score']:9.4f}  {item['asset_id']:16}  {why}\n")


def _report(ledger: Ledger, args: argparse.Namespace) -> None:
    from explain.records.inspect import report_on
    from explain.records.pdf import pdf_of
    from explain.records.report import report_html
    from kg.outfile import check_out

    header = ledger.header(args.record)
    out = args.out or Path(f"{header.id}.{args.format}")
    check_out(out, (f".{args.format}",))
    html = report_html(report_on(ledger, header.id, _look(args), args.lang))
    if args.format == "pdf":
        out.write_bytes(pdf_of(html))
    else:
        out.write_text(html, encoding="utf-8")
    sys.stdout.write(f"{out}\n")


def _export(ledger: Ledger, args: argparse.Namespace) -> None:
    from explain.records.inspect import export_case
    from kg.outfile import check_out

    check_out(args.out, (".zip",))
    export_case(ledger, args.record, _look(args), args.out)
    sys.stdout.write(f"{args.out}: verify it with `python verify.py` from inside it\n")


def _replay(ledger: Ledger, args: argparse.Namespace) -> int:
    from explain.records.inspect import read_record
    from explain.records.replay import find_build, replay
    from web.rebuild import rebuilt

    header, record = read_record(ledger, args.record, _look(args))
    if args.data is not None:
        with rebuilt(ledger, record, args.data) as build:
            found = replay(ledger, header.id, record, build)
    else:
        found = replay(ledger, header.id, record, find_build(ledger, record, args.build))
    if args.format == "json":
        _print_json({"same": found.same, **asdict(found)})
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


# -- proving -------------------------------------------------------------------------------------------------


def _verify(ledger: Ledger, args: argparse.Namespace) -> int:
    from explain.ledger.note import Verifier
    from explain.ledger.verify import verify_ledger, verify_record

    trusted = [Verifier.parse(_text_of(args.key))] if args.key else []
    if args.record:
        finding = verify_record(ledger, args.record, trusted=trusted)
        problem = "" if finding is None else finding.problem
        if args.format == "json":
            _print_json({"record": args.record, "sound": not problem, "problem": problem})
        else:
            sys.stdout.write(f"{args.record}: {problem or 'as it was written'}\n")
        return 1 if problem else 0
    found = verify_ledger(ledger, trusted=trusted, against=[path.read_text("utf-8") for path in args.against])
    if args.format == "json":
        _print_json({"sound": found.sound, **asdict(found)})
    else:
        _print_verification(found)
    return 0 if found.sound else 1


def _text_of(key: str) -> str:
    return Path(key).read_text(encoding="utf-8") if Path(key).is_file() else key


def _print_verification(found: Verification) -> None:
    for finding in found.findings:
        where = "" if finding.seq is None else f"entry {finding.seq}"
        place = " ".join(part for part in (where, finding.record) if part)
        sys.stdout.write(f"{place + ': ' if place else ''}{finding.problem}\n")
    counted = f"{found.size:,} entries, {found.checkpoints:,} checkpoints"
    gone = f", {found.erased:,} erased, {found.expired:,} expired" if found.erased or found.expired else ""
    state = "sound" if found.sound else f"NOT SOUND, {len(found.findings)} findings"
    sys.stdout.write(f"{found.origin}: {counted}{gone}; root {found.root}\n{state}\n")


def _checkpoint(ledger: Ledger, _args: argparse.Namespace) -> None:
    sys.stdout.write(ledger.checkpoint())


def _key(ledger: Ledger, _args: argparse.Namespace) -> None:
    sys.stdout.writelines(f"{verifier.text}\n" for verifier in ledger.verifiers)


# -- custody -------------------------------------------------------------------------------------------------


def _hold(ledger: Ledger, args: argparse.Namespace) -> None:
    from explain.ledger import custody

    receipt = custody.hold(ledger, person=args.user, record=args.record, who=getpass.getuser(), reason=args.reason)
    sys.stdout.write(f"hold {receipt.id}\n")


def _release(ledger: Ledger, args: argparse.Namespace) -> None:
    from explain.ledger import custody

    custody.release(ledger, args.hold, who=getpass.getuser(), reason=args.reason)
    sys.stdout.write("released\n")


def _erase(ledger: Ledger, args: argparse.Namespace) -> None:
    from explain.ledger import custody

    custody.erase(
        ledger, args.user, who=getpass.getuser(), reason=args.reason, despite_retention=args.despite_retention
    )
    sys.stdout.write(
        "erased: the key is destroyed; destroy it in backups of the ledger too. Builds that are kept still hold the "
        "data that they were made of: see `pathfolio audit builds`\n"
    )


def _expire(ledger: Ledger, _args: argparse.Namespace) -> None:
    from explain.ledger import custody

    sys.stdout.write(f"{custody.expire(ledger, who=getpass.getuser())} records deleted\n")


def _builds(ledger: Ledger, args: argparse.Namespace) -> None:
    from explain.records.keep import builds_folder, drop_unused, kept_builds

    dropped = {kept.build_hash for kept in drop_unused(ledger)} if args.drop_unused else set()
    for kept in kept_builds(ledger):
        sys.stdout.write(f"{kept.build_hash[:12]}  {kept.records:9,} records  {kept.size / 1e6:9,.1f} MB\n")
    for build_hash in sorted(dropped):
        sys.stdout.write(f"{build_hash[:12]}  deleted: no record refers to it\n")
    sys.stdout.write(f"in {builds_folder(ledger)}\n")


def _rotate(ledger: Ledger, args: argparse.Namespace) -> None:
    from explain.ledger import custody

    new = custody.rotate_key(ledger, who=getpass.getuser(), reason=args.reason)
    sys.stdout.write(f"signs with {new.verifier(ledger.origin).text}: publish it\n")


def _clock(ledger: Ledger, args: argparse.Namespace) -> None:
    from explain.ledger import custody

    custody.accept_clock(ledger, who=getpass.getuser(), reason=args.reason)
    sys.stdout.write("recorded; entries go on from now\n")


_ACTIONS: Final = {
    "list": _list,
    "show": _show,
    "report": _report,
    "export": _export,
    "replay": _replay,
    "verify": _verify,
    "checkpoint": _checkpoint,
    "key": _key,
    "hold": _hold,
    "release": _release,
    "erase": _erase,
    "expire": _expire,
    "builds": _builds,
    "rotate-key": _rotate,
    "clock": _clock,
}
