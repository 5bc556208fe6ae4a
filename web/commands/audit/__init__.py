"""`pathfolio audit`: the ledger of what was recommended, to whom, and why."""

from __future__ import annotations

import argparse

from pathfolio.web.commands.audit import custody, proving, reading


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `pathfolio audit`; each sets `act`, which `run` calls."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for part in (reading, proving, custody):
        part.add_actions(actions)


def run(args: argparse.Namespace) -> int:
    """Do one action on the ledger that PATHFOLIO_LEDGER names."""
    from pathfolio.explain.ledger.opening import open_ledger

    ledger = open_ledger(create=False)
    try:
        return int(args.act(ledger, args) or 0)
    finally:
        ledger.close()
