"""Text, compressed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

LEVEL: Final = 1
"""zlib's fastest: explanations repeat themselves so much that more effort gains little."""


@dataclass(frozen=True)
class Squeezed:
    """Text as a zlib stream (RFC 1950)."""

    stream: bytes

    @classmethod
    def of(cls, text: bytes) -> Squeezed:
        """Compress `text`."""
        return cls(zlib.compress(text, LEVEL))

    @property
    def text(self) -> bytes:
        """What was compressed."""
        return zlib.decompress(self.stream)
