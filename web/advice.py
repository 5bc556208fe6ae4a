"""Where answers are handed out from here: under which rules, and into which ledger they go before they are shown."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from explain.records.desk import Desk
    from recommender.build import Build
    from recommender.suitability.rules import RuleSet

RULES_VARIABLE: Final = "PATHFOLIO_RULES"


def add_rules(parser: argparse.ArgumentParser) -> None:
    """--rules, for commands that hand out recommendations."""
    parser.add_argument(
        "--rules",
        metavar="RULES",
        help=f"suitability rules: eu, us, tw, none, or a TOML file (default: {RULES_VARIABLE}, or those of the market "
        "in whose currency most assets trade)",
    )


def rules_of(build: Build, chosen: str | None) -> RuleSet:
    """The rules that `--rules` names, else those of the environment, else those of the build's market.

    Raises:
        DataError: there is no such file or market, or the file is refused.
    """
    from recommender.suitability.rulefile import load_rules, rules_for

    named = chosen or os.environ.get(RULES_VARIABLE)
    return load_rules(named) if named else rules_for(build.graph)


def open_desk(build: Build, rules: str | None = None, ledger: str | Path | None = None) -> Desk:
    """A desk for the build's answers.

    Args:
        ledger: where it is; PATHFOLIO_LEDGER or a folder among the user's data for None.

    Raises:
        LedgerError: the ledger cannot be opened, so nothing can be shown.
        DataError: as `rules_of`.
    """
    from explain.ledger.ledger import open_ledger
    from explain.records.adviser import Adviser
    from explain.records.desk import Desk

    return Desk(Adviser(build, rules_of(build, rules)), open_ledger(ledger))


def account_name() -> str:
    """The user of the operating system, who asks on the command line; what $USER says, anyone can set."""
    try:
        import pwd
    except ImportError:  # not POSIX
        return getpass.getuser()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in a container that runs as some number
        return f"uid {os.getuid()}"


def hand_out(text: str, out: Path | None) -> None:
    """Print the text, or write it to `out`."""
    if out is None:
        sys.stdout.write(text)
    else:
        from kg.outfile import write_private

        write_private(out, text)


def what_happened(desk: Desk, record_id: str) -> str:
    """One line for whoever asked: the record, where it is, under which rules, and what these could not judge."""
    rules, untold = desk.adviser.rules, desk.adviser.untold_rules
    told = f"; no investor's answer is known for the rules {', '.join(untold)}" if untold else ""
    return f"record {record_id} in {desk.ledger.store.where}; {rules_text(rules)}{told}"


def rules_text(rules: RuleSet) -> str:
    """The rules by market and version; "no rules" where there are none, so that none seem to have a day."""
    return f"rules {rules.market} {rules.version}" if rules.rules else "no rules"
