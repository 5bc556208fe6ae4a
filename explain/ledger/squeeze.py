"""Text compressed part by part: parts that are known can be joined around a new one without compressing them again."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LEVEL: Final = 1
"""zlib's fastest: explanations repeat themselves so much that more effort gains little."""

_RAW: Final = -15
_HEADER: Final = b"\x78\x01"
_EMPTY_LAST_BLOCK: Final = b"\x03\x00"
_ADLER: Final = 65521


@dataclass(frozen=True)
class Part:
    """Some text, deflated for itself: no part refers to what stands before it.

    Attributes:
        deflated: whole blocks of RFC 1951, none of them the last.
        adler: Adler-32 of the text.
        length: of the text, in bytes.
    """

    deflated: bytes
    adler: int
    length: int

    @classmethod
    def of(cls, text: bytes) -> Part:
        """Compress `text`."""
        deflater = zlib.compressobj(LEVEL, wbits=_RAW)
        return cls(deflater.compress(text) + deflater.flush(zlib.Z_FULL_FLUSH), zlib.adler32(text), len(text))


@dataclass(frozen=True)
class Squeezed:
    """Text as a zlib stream (RFC 1950)."""

    stream: bytes

    @classmethod
    def of(cls, text: bytes) -> Squeezed:
        """Compress `text`."""
        return cls(zlib.compress(text, LEVEL))

    @classmethod
    def joined(cls, parts: Iterable[Part]) -> Squeezed:
        """The texts of the parts, one after the other.

        >>> zlib.decompress(Squeezed.joined([Part.of(b"one "), Part.of(b"text")]).stream)
        b'one text'
        """
        blocks, adler = [], 1
        for part in parts:
            blocks.append(part.deflated)
            adler = _combined(adler, part.adler, part.length)
        return cls(_HEADER + b"".join(blocks) + _EMPTY_LAST_BLOCK + struct.pack(">I", adler))

    @property
    def text(self) -> bytes:
        """What was compressed."""
        return zlib.decompress(self.stream)


def _combined(one: int, two: int, length: int) -> int:
    """Adler-32 of two texts, one after the other, from that of each; `length` is the second's (RFC 1950, sec. 8.2)."""
    low = (one & 0xFFFF) + (two & 0xFFFF) - 1
    high = (one >> 16) + (two >> 16) + length * ((one & 0xFFFF) - 1)
    return (high % _ADLER) << 16 | low % _ADLER
