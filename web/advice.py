"""Where answers are handed out from here: under which rules, and into which ledger they go before they are shown."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pathfolio.web.arguments import iso_date

if TYPE_CHECKING:
    from pathfolio.explain.records.desk import Desk
    from pathfolio.recommender.build import Build
    from pathfolio.recommender.suitability.rules import RuleSet

RULES_VARIABLE: Final = "PATHFOLIO_RULES"


def add_rules(parser: argparse.ArgumentParser) -> None:
    """--rules, for commands that hand out recommendations."""
    parser.add_argument(
        "--rules",
        metavar="RULES",
        help=f"suitability rules: eu, us, tw, none, or a TOML file (default: {RULES_VARIABLE}, or those of the market "
        "in whose currency most assets trade)",
    )


def add_today(parser: argparse.ArgumentParser) -> None:
    """--today, for commands that apply the rules."""
    parser.add_argument(
        "--today",
        type=iso_date,
        metavar="DATE",
        help="the day of asking, from which the rules count ages; it is recorded (default: the clock's; generated data "
        "have a day of their own)",
    )


def rules_of(build: Build, chosen: str | None) -> RuleSet:
    """The rules that `--rules` names, else those of the environment, else those of the build's market.

    Raises:
        DataError: there is no such file or market, or the file is refused.
    """
    from pathfolio.recommender.suitability.rulefile import load_rules, rules_for

    named = chosen or os.environ.get(RULES_VARIABLE)
    return load_rules(named) if named else rules_for(build.graph)


def open_desk(
    build: Build, rules: str | None = None, ledger: str | Path | None = None, today: date | None = None
) -> Desk:
    """A desk for the build's answers.

    Args:
        today: the day of asking, as in `day_of_asking`.
        ledger: where it is; PATHFOLIO_LEDGER or a folder among the user's data for None.

    Raises:
        LedgerError: the ledger cannot be opened, so nothing can be shown.
        DataError: as `rules_of`.
        UsageError: as `day_of_asking`.
    """
    from pathfolio.explain.ledger.opening import open_ledger
    from pathfolio.explain.records.adviser import Adviser
    from pathfolio.explain.records.asking import day_of_asking
    from pathfolio.explain.records.desk import Desk

    day = day_of_asking(build, today)
    return Desk(Adviser(build, rules_of(build, rules)), open_ledger(ledger), today=day)


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
        from pathfolio.kg.outfile import write_private

        write_private(out, text)


def what_happened(desk: Desk, record_id: str) -> str:
    """One line for whoever asked: the record, where it is, under which rules, and what these could not judge."""
    rules = desk.adviser.rules
    untold = desk.adviser.gate.untold_rules
    told = f"; no investor's answer is known for the rules {', '.join(untold)}" if untold else ""
    return f"record {record_id} in {desk.ledger.store.where}; {today_text(desk)}; {rules_text(rules)}{told}"


def today_text(desk: Desk) -> str:
    """The day of asking; that of generated data is their own, and said to be."""
    today = desk.today()
    build = desk.adviser.build
    own = ", the generated data's own day" if build.is_sample and today == build.as_of else ""
    return f"asked on {today}{own}"


def rules_text(rules: RuleSet) -> str:
    """The rules by market and version; "no rules" where there are none, so that none seem to have a day."""
    return f"rules {rules.market} {rules.version}" if rules.rules else "no rules"
