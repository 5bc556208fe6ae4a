"""Custody: legal hold, erasure, the keys, the clock and the builds that records refer to."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from pathfolio.web.advice import account_name
from pathfolio.web.commands.audit.actions import add_action
from pathfolio.web.commands.audit.expire import add_expire

if TYPE_CHECKING:
    from pathfolio.explain.ledger.ledger import Ledger


def add_actions(actions: Any) -> None:
    """hold, release, erase, expire, builds, rotate-key, clock and restored."""
    hold = add_action(actions, "hold", "put a person's records, or one record, under legal hold", _hold)
    which = hold.add_mutually_exclusive_group(required=True)
    which.add_argument("--user", metavar="U", help="the investor's id")
    which.add_argument("--record", metavar="RECORD", help="a record's id, or its beginning")
    release = add_action(actions, "release", "end a legal hold", _release)
    release.add_argument("hold", metavar="HOLD", help="the hold's id")
    erase = add_action(actions, "erase", "destroy a person's key: nothing of theirs can be read again", _erase)
    erase.add_argument("--user", metavar="U", required=True, help="the investor's id")
    erase.add_argument("--despite-retention", action="store_true", help="although records must still be kept")
    add_expire(actions)
    builds = add_action(actions, "builds", "list the builds that are kept for the records that refer to them", _builds)
    builds.add_argument("--drop-unused", action="store_true", help="delete those that no record refers to any more")
    rotate = add_action(actions, "rotate-key", "sign with a new key from now on", _rotate)
    clock = add_action(actions, "clock", "record that the clock was wrong, and go on with what it shows now", _clock)
    restored = add_action(actions, "restored", "record that an older copy was put back, and go on from it", _restored)
    for parser in (hold, release, erase, rotate, clock, restored):
        parser.add_argument("--reason", required=True, help="why; it is recorded")


def _hold(ledger: Ledger, args: argparse.Namespace) -> None:
    from pathfolio.explain.ledger import custody

    receipt = custody.hold(ledger, person=args.user, record=args.record, who=account_name(), reason=args.reason)
    sys.stdout.write(f"hold {receipt.id}\n")


def _release(ledger: Ledger, args: argparse.Namespace) -> None:
    from pathfolio.explain.ledger import custody

    custody.release(ledger, args.hold, who=account_name(), reason=args.reason)
    sys.stdout.write("released\n")


def _erase(ledger: Ledger, args: argparse.Namespace) -> None:
    from pathfolio.explain.ledger import custody

    custody.erase(ledger, args.user, who=account_name(), reason=args.reason, despite_retention=args.despite_retention)
    sys.stdout.write(
        "erased: the key is destroyed; destroy it in backups of the ledger too. Builds that are kept still hold the "
        "data that they were made of: see `pathfolio audit builds`\n"
    )


def _builds(ledger: Ledger, args: argparse.Namespace) -> None:
    from pathfolio.explain.records.keep import builds_folder, drop_unused, kept_builds

    dropped = {kept.build_hash for kept in drop_unused(ledger)} if args.drop_unused else set()
    for kept in kept_builds(ledger):
        sys.stdout.write(f"{kept.build_hash[:12]}  {kept.records:9,} records  {kept.size / 1e6:9,.1f} MB\n")
    for build_hash in sorted(dropped):
        sys.stdout.write(f"{build_hash[:12]}  deleted: no record refers to it\n")
    sys.stdout.write(f"in {builds_folder(ledger)}\n")


def _rotate(ledger: Ledger, args: argparse.Namespace) -> None:
    from pathfolio.explain.ledger import custody
    from pathfolio.explain.ledger.keys import NEXT_VARIABLE, SIGNING_VARIABLE

    new = custody.rotate_key(ledger, who=account_name(), reason=args.reason)
    sys.stdout.write(f"signs with {new.verifier(ledger.origin).text}: publish it\n")
    if new == ledger.next_signing:
        sys.stdout.write(f"set {SIGNING_VARIABLE} to what {NEXT_VARIABLE} is, everywhere, and unset the latter\n")


def _clock(ledger: Ledger, args: argparse.Namespace) -> None:
    from pathfolio.explain.ledger import custody

    custody.accept_clock(ledger, who=account_name(), reason=args.reason)
    sys.stdout.write("recorded; entries go on, with the newest entry's time until the clock has come to it\n")


def _restored(ledger: Ledger, args: argparse.Namespace) -> None:
    from pathfolio.explain.ledger import custody

    said = custody.accept_restore(ledger, who=account_name(), reason=args.reason)
    sys.stdout.write(f"recorded, with the checkpoint of the {said.size:,} entries that were seen; entries go on\n")
