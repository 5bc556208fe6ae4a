"""Opening a ledger, and making one where there is none: its store, its keys, its first entry."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pathfolio.explain.ledger.custody import finish_rotation
from pathfolio.explain.ledger.keys import master_key, next_key, signing_key
from pathfolio.explain.ledger.ledger import FORMAT, Clock, Ledger
from pathfolio.explain.ledger.mark import marks_folder
from pathfolio.explain.ledger.payloads import Opening
from pathfolio.explain.ledger.store import open_store
from pathfolio.explain.ledger.watch import Watch
from pathfolio.explain.ledger.writer import Writer, check_master

LOCATION_VARIABLE: Final = "PATHFOLIO_LEDGER"


def utc_now() -> datetime:
    """The clock that is used where none is given."""
    return datetime.now(UTC)


def ledger_location(environ: Mapping[str, str] = os.environ) -> str:
    """PATHFOLIO_LEDGER, or a folder among the user's data."""
    home = environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return environ.get(LOCATION_VARIABLE) or str(Path(home) / "pathfolio" / "ledger")


def open_ledger(
    location: str | Path | None = None,
    *,
    create: bool = True,
    clock: Clock = utc_now,
    environ: Mapping[str, str] = os.environ,
    marks: Path | None = None,
) -> Ledger:
    """Open the ledger at `location` (PATHFOLIO_LEDGER, or a folder among the user's data, where None).

    Args:
        create: make it, and its keys, where it is not there yet.
        clock: gives the time of each entry.
        marks: where it is kept what this machine saw of ledgers; `mark.marks_folder`, if not given.

    Raises:
        LedgerError: it is not there, cannot be opened, is signed by another key, or is older than what was seen of it.
    """
    where = ledger_location(environ) if location is None else location
    store = open_store(where, create=create)
    folder = store.folder or Path(ledger_location({k: v for k, v in environ.items() if k != LOCATION_VARIABLE}))
    keys = signing_key(folder, environ, create=create), master_key(folder, environ, create=create)
    marks = marks or marks_folder()
    ledger = Ledger(store, (*keys, next_key(environ)), (folder, marks), clock)
    if create:
        _begin(ledger, marks)
        finish_rotation(ledger)
        with store.read() as connection:
            check_master(connection, ledger.master)
        ledger.watch.check()
        ledger.watch.has_begun()
    return ledger


def _begin(ledger: Ledger, marks: Path) -> None:
    """Write the opening entry of a new ledger: its name and its first key."""
    if ledger.size or ledger.signing is None:
        return
    Watch(ledger.store, marks).may_begin()
    origin = f"pathfolio/{secrets.token_hex(4)}"
    draft = ledger.draft(Opening(origin=origin, verifier=ledger.signing.verifier(origin).text, format=FORMAT))
    watch = Watch(ledger.store, marks, origin)
    watch.has_begun()  # else the next to come would take it for another ledger in the place of the one before
    Writer(ledger.store, ledger.master, ledger.signing, origin, list, watch).open_with(draft)
