"""How a command fails: a line for whoever called it, and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def reported(work: Callable[[], int], *, debug: bool = False) -> int:
    """The exit code of `work`: its own, or 1 where it failed, 2 for a wrong call, 3 for data that are refused.

    Args:
        debug: whether to raise what it raises, for the traceback.
    """
    try:
        return work()
    except KeyboardInterrupt:
        return _fail("interrupted", 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        from pathfolio.kg.errors import PathfolioError

        if isinstance(error, PathfolioError):
            return _fail(str(error), error.exit_code)
        if isinstance(error, OSError):
            where = f"{error.filename}: " if error.filename else ""
            return _fail(f"{where}{error.strerror or error}", 1)
        return _fail(f"unexpected {type(error).__name__}: {error} (run again with --debug for the traceback)", 1)


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"pathfolio: {' '.join(message.split())}\n")
    return code
