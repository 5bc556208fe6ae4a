"""Where an answer goes that is asked for as a file, checked before it is made and recorded."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from pathfolio.kg.errors import UsageError


def write_private(out: Path, content: bytes | str) -> None:
    """Write a file that only its owner can read, whatever the umask and whatever stood there before.

    Raises:
        OSError: it cannot be written.
    """
    handle = os.open(out, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(handle, "wb") as file:
        if hasattr(os, "fchmod") and stat.S_ISREG(os.fstat(handle).st_mode):
            os.fchmod(handle, 0o600)  # before anything is in it
            file.truncate(0)
        file.write(content.encode() if isinstance(content, str) else content)


def check_out(out: Path, endings: Sequence[str] = ()) -> None:
    """Refuse a file that could not be written, or whose name ends otherwise than what would be written.

    Args:
        endings: with their dot; any where empty.

    Raises:
        UsageError: another ending, no such folder, a folder itself, or no right to write there.
    """
    if endings and out.suffix not in endings:
        raise UsageError(f"{out}: name a {' or a '.join(endings)} file")
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent}: no such folder: make it, or write elsewhere with --out")
    if out.is_dir():
        raise UsageError(f"{out}: a folder, not a file: name a file in it with --out")
    if not os.access(out if out.exists() else out.parent, os.W_OK):
        raise UsageError(f"{out}: this account may not write there: write elsewhere with --out")
