"""What every struct of a record is: a part says things by names, a row by places."""

from __future__ import annotations

import msgspec

Number = int | float
"""Read as it was written: 4 stays 4, and 4.0 stays 4.0."""


class RecordPart(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """Anything that a record says by names."""


class RecordRow(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, array_like=True):
    """Anything that a record says by places."""
