"""When Python looks for garbage in a process that serves: seldom, and never in what was loaded."""

from __future__ import annotations

import gc
from typing import Final

_THRESHOLDS: Final = (50_000, 20, 100)
"""So many new objects before it looks, so often before it looks further: an answer makes some 20,000, and hardly any
are in cycles, which alone need to be looked for."""


def settle() -> None:
    """Take what is there now for lasting.

    Looking through the snapshot again and again would stop everybody for a tenth of a second, and would write to what
    helpers share; looking after every 700 new objects, as Python does of itself, takes an eighth of a first list's
    time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
