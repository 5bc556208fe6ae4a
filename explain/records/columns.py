"""Arrays within a record: exact, small, and readable with nothing but zlib and base64."""

from __future__ import annotations

import base64
import zlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pathfolio.explain.records.layout.asked import PackedColumn

ENCODING: Final = "base64(zlib(little-endian))"


def packed(values: npt.NDArray[np.generic]) -> PackedColumn:
    """An array as text; the values come back bit for bit.

    >>> unpacked(packed(np.array([0.1, 2.0]))).tolist()
    [0.1, 2.0]
    """
    little = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"))
    data = base64.b64encode(zlib.compress(little.tobytes(), 1)).decode()
    return PackedColumn(f"{little.dtype.kind}{little.dtype.itemsize}", data)


def unpacked(column: PackedColumn) -> npt.NDArray[Any]:
    """The array that `packed` wrote."""
    raw = zlib.decompress(base64.b64decode(column.data))
    return np.frombuffer(raw, np.dtype(f"<{column.type}"))
