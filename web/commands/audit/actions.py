"""What the actions of `pathfolio audit` share."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pathfolio.web.arguments import add_described

if TYPE_CHECKING:
    from pathfolio.explain.ledger.ledger import Ledger

Act = Callable[["Ledger", argparse.Namespace], int | None]


def add_action(
    actions: Any, name: str, summary: str, act: Act, *, record: str | None = None
) -> argparse.ArgumentParser:
    """One action; `record` is "" where it is about a record, "?" where it may be."""
    made = add_described(actions, name, summary)
    made.set_defaults(act=act)
    if record is not None:
        made.add_argument("record", metavar="RECORD", nargs=record or None, help="a record's id, or its beginning")
    return made


def print_json(value: object) -> None:
    """Indented, and with Chinese as it is."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
