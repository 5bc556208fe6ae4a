"""Files that their owner alone may read, and the password that `graph serve` keeps from one start to the next."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from platformdirs import user_state_path

from pathfolio.kg.errors import StoreError, UsageError

PASSWORD_VARIABLE: Final = "PATHFOLIO_GRAPH_PASSWORD"  # noqa: S105 - the name of a variable
SHORTEST: Final = 12


def write_secret(path: Path, text: str) -> None:
    """Write a file with mode 0600."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def kept_password(environment: Mapping[str, str] = os.environ) -> str:
    """The password of `graph serve`'s reader: PATHFOLIO_GRAPH_PASSWORD, or one made once among the user's state.

    Raises:
        UsageError: it is too short.
        StoreError: it can be neither read nor kept.
    """
    given = environment.get(PASSWORD_VARIABLE, "")
    if given:
        return _checked(given, PASSWORD_VARIABLE)
    path = user_state_path("pathfolio") / "graph-password"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            suppress(FileExistsError),
            os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new,
        ):
            new.write(secrets.token_urlsafe(24))
        return _checked(path.read_text(encoding="utf-8").strip(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: no password can be kept here ({error}): set {PASSWORD_VARIABLE}") from None


def _checked(password: str, where: str) -> str:
    if len(password) < SHORTEST:
        raise UsageError(f"{where}: a password has {SHORTEST} characters at least: give a longer one")
    return password
