"""Proving that the ledger is as it was written: to oneself, and by checkpoints and keys to others."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathfolio.web.commands.audit.actions import add_action, print_json

if TYPE_CHECKING:
    from pathfolio.explain.ledger.ledger import Ledger
    from pathfolio.explain.ledger.note import Verifier
    from pathfolio.explain.ledger.verify import Verification
    from pathfolio.explain.records.sealed import VerifiedBuild


def add_actions(actions: Any) -> None:
    """verify, checkpoint and key."""
    verify = add_action(actions, "verify", "verify the whole ledger, or one record", _verify, record="?")
    verify.add_argument("--key", metavar="KEY", help="the public key to trust, or a file with it")
    verify.add_argument("--against", type=Path, metavar="FILE", action="append", default=[],
                        help="a checkpoint that was kept elsewhere; may be given several times")  # fmt: skip
    verify.add_argument("--builds", choices=("all", "here", "none"), default="all",
                        help="which sealed builds to verify, too: all that records refer to, those kept here, none "
                        "(default: all)")  # fmt: skip
    verify.add_argument("--figures", action="store_true",
                        help="compute the figures of all records again, too, from the closes that were sealed with "
                        "their builds (of one record they always are)")  # fmt: skip
    verify.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    add_action(actions, "checkpoint", "print the newest signed checkpoint, to be kept elsewhere", _checkpoint)
    add_action(actions, "key", "print the public keys that sign, the newest last", _key)


def _verify(ledger: Ledger, args: argparse.Namespace) -> int:
    from pathfolio.explain.ledger.verify import verify_ledger, with_mark
    from pathfolio.explain.records.figures import check_all_figures
    from pathfolio.explain.records.sealed import WhichBuilds, verify_builds
    from pathfolio.kg.progress import Progress

    trusted = _trusted(args.key)
    against = [path.read_text("utf-8", errors="replace") for path in args.against]
    if args.record:
        return _verify_record(ledger, args, trusted, against)
    progress = Progress()
    with progress.stage("verify entries") as details:
        found = with_mark(ledger, verify_ledger(ledger, trusted=trusted, against=against))
        details.append(f"{found.size:,}")
    builds = verify_builds(ledger, WhichBuilds(args.builds), progress)
    figures = None
    if args.figures:
        with progress.stage("compute figures again") as details:
            figures = check_all_figures(ledger)
            details.append(f"{figures.checked:,}")
        found = replace(found, findings=(*found.findings, *figures.findings))
    sound = found.sound and not any(build.problems for build in builds)
    if args.format == "json":
        print_json({"sound": sound, **asdict(found), "builds": [asdict(build) for build in builds],
                    **({} if figures is None else {"figures": asdict(figures)})})  # fmt: skip
    else:
        if figures is not None:
            said = f"{figures.passed_over:,} without figures or without closes here"
            sys.stdout.write(f"figures of {figures.checked:,} records computed again; {said}\n")
        _print_verification(found, builds)
    return 0 if sound else 1


def _verify_record(ledger: Ledger, args: argparse.Namespace, trusted: list[Verifier], against: list[str]) -> int:
    """One record, its build, its figures by that build's closes, and that the ledger begins with what was signed."""
    from pathfolio.explain.ledger.verify import verify_extends, verify_record
    from pathfolio.explain.records.figures import wrong_figures
    from pathfolio.explain.records.inspect import LISTS
    from pathfolio.explain.records.sealed import WhichBuilds, verify_builds
    from pathfolio.kg.progress import Progress

    findings = [verify_record(ledger, args.record, trusted=trusted)]
    findings += [verify_extends(ledger, text, trusted=trusted) for text in against]
    problems = [finding.problem for finding in findings if finding is not None]
    if not problems:
        record = ledger.header(args.record)
        for build in verify_builds(ledger, WhichBuilds(args.builds), Progress(), record=record):
            problems += [f"build {build.build_hash[:12]}: {problem}" for problem in build.problems]
        if not problems and WhichBuilds(args.builds) is not WhichBuilds.NONE and record.kind in LISTS:
            problems += wrong_figures(ledger, record)
    problem = "; ".join(problems)
    if args.format == "json":
        print_json({"record": args.record, "sound": not problem, "problem": problem})
    else:
        sys.stdout.write(f"{args.record}: {problem or 'as it was written'}\n")
    return 1 if problem else 0


def _trusted(key: str | None) -> list[Verifier]:
    """The key that --key gives, as it is or as a file; raises UsageError where it is none."""
    from pathfolio.explain.ledger.note import Verifier
    from pathfolio.kg.errors import LedgerError, UsageError

    if key is None:
        return []
    try:
        return [Verifier.parse(Path(key).read_text("utf-8", errors="replace") if Path(key).is_file() else key)]
    except LedgerError as error:
        raise UsageError(f"--key: {error}, as `pathfolio audit key` prints it") from None


def _print_verification(found: Verification, builds: list[VerifiedBuild]) -> None:
    for finding in found.findings:
        where = "" if finding.seq is None else f"entry {finding.seq}"
        place = " ".join(part for part in (where, finding.record) if part)
        sys.stdout.write(f"{place + ': ' if place else ''}{finding.problem}\n")
    for build in builds:
        about = f"build {build.build_hash[:12]} ({build.records:,} records)"
        sys.stdout.writelines(f"{about}: {problem}\n" for problem in build.problems)
    counted = f"{found.size:,} entries, {found.checkpoints:,} checkpoints"
    gone = f", {found.erased:,} erased, {found.expired:,} expired" if found.erased or found.expired else ""
    hashed = sum(build.size for build in builds) / 1e6
    kept = f"; {len(builds):,} builds, {hashed:,.1f} MB" if builds else ""
    wrong = len(found.findings) + sum(len(build.problems) for build in builds)
    state = f"NOT SOUND, {wrong} findings" if wrong else "sound"
    sys.stdout.write(f"{found.origin}: {counted}{gone}; root {found.root}{kept}\n{state}\n")


def _checkpoint(ledger: Ledger, _args: argparse.Namespace) -> None:
    sys.stdout.write(ledger.checkpoint())


def _key(ledger: Ledger, _args: argparse.Namespace) -> None:
    sys.stdout.writelines(f"{verifier.text}\n" for verifier in ledger.verifiers)
