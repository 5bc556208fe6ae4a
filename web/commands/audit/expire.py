"""Retention: what has outlived it is told; two people delete it."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pathfolio.kg.errors import UsageError
from pathfolio.web.advice import account_name
from pathfolio.web.arguments import iso_date
from pathfolio.web.commands.audit.actions import add_action, print_json

if TYPE_CHECKING:
    from pathfolio.explain.ledger.ledger import Ledger
    from pathfolio.explain.ledger.retention import Due


def add_expire(actions: Any) -> None:
    """The action `expire`."""
    told = "tell which records have outlived their retention; two people, one after the other, delete their content"
    made = add_action(actions, "expire", told, _expire)
    which = made.add_mutually_exclusive_group()
    which.add_argument("--propose", action="store_true", help="ask somebody else to have them deleted; needs --reason")
    which.add_argument("--confirm", metavar="PROPOSAL", help="delete what somebody else proposed: the proposal's id")
    made.add_argument("--reason", default="", help="why; it is recorded with the proposal")
    made.add_argument("--at-most", type=int, metavar="N", help="how many may be deleted (default: a tenth of all)")
    made.add_argument("--today", type=iso_date, metavar="DATE",
                      help="the day by which to judge, where the ledger was silent for long; both people name it "
                      "(default: the clock's, as far as the ledger's own entries bear it out)")  # fmt: skip
    made.add_argument("--format", choices=("text", "json"), default="text", help="of what is told (default: text)")


def _expire(ledger: Ledger, args: argparse.Namespace) -> None:
    from pathfolio.explain.ledger import retention

    if not args.propose and (args.reason or args.at_most is not None):
        raise UsageError("--reason and --at-most belong to a proposal: add --propose")
    if args.confirm:
        count = retention.confirm_expiry(ledger, args.confirm, who=account_name(), today=args.today)
        sys.stdout.write(f"{count:,} entries deleted\n")
    elif args.propose:
        receipt, found = retention.propose_expiry(
            ledger, who=account_name(), reason=args.reason, today=args.today, at_most=args.at_most
        )
        day = f" --today {args.today}" if args.today else ""
        sys.stdout.write(
            f"proposal {receipt.id} for {len(found.headers):,} entries: somebody else deletes them with `pathfolio "
            f"audit expire --confirm {receipt.id}{day}`\n"
        )
    else:
        _tell(retention.due(ledger, args.today), args.format)


def _tell(found: Due, form: str) -> None:
    if form == "json":
        print_json({**asdict(found), "headers": [asdict(header) for header in found.headers]})
        return
    out = sys.stdout
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(Counter(h.kind for h in found.headers).items()))
    first_and_last = f", of {found.headers[-1].time[:10]} to {found.headers[0].time[:10]}" if found.headers else ""
    of_them = f": {kinds}{first_and_last}" if kinds else ""
    out.write(f"{len(found.headers):,} of {found.entries:,} entries have outlived their retention{of_them}\n")
    if found.held:
        out.write(f"{found.held:,} more are kept by a hold\n")
    if found.doubted:
        out.write(
            f"{found.doubted:,} more are old by this machine's clock alone: the ledger has not lived that long; if the "
            "clock is right, both people name the day with --today\n"
        )
    out.write("nothing was deleted\n")
