"""What callers hand in, checked as they run: most notebooks have no type checker; and where what they made lies."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from pathfolio.kg.errors import UsageError


def a_day(value: date, name: str) -> date:
    """The day of a date or a point in time; raises UsageError for anything else.

    >>> a_day(date(2026, 6, 30), "as_of")
    datetime.date(2026, 6, 30)
    """
    if isinstance(value, datetime):
        return value.date()
    if not isinstance(value, date):
        raise UsageError(f"{name} is {value!r}: give a day as datetime.date(2026, 6, 30)")
    return value


def ids_of(users: Iterable[str]) -> list[str]:
    """Ids, each once; raises UsageError for one text, and for what is no text.

    >>> ids_of(["b", "a", "b"])
    ['b', 'a']
    """
    if isinstance(users, str):
        raise UsageError(f"users is {users!r}: give a list of ids, as [{users!r}]")
    ids = list(dict.fromkeys(users))
    wrong = [one for one in ids if not isinstance(one, str)]
    if wrong:
        raise UsageError(f"an investor's id is a text, not {wrong[0]!r}: give [{str(wrong[0])!r}]")
    return ids


def scratch_folder() -> Path:
    """A new folder that its owner alone can read, removed when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="pathfolio-"))
    maker = os.getpid()

    def remove() -> None:
        if os.getpid() == maker:  # and not a fork of it, which ends earlier
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder
