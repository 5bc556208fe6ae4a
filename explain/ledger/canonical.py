"""Canonical JSON (RFC 8785), by the `rfc8785` library, or faster where the standard encoder gives the same bytes."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import rfc8785

from pathfolio.kg.errors import LedgerError

# The standard encoder, with sorted keys, differs from RFC 8785 in four things only: how it writes some floats
# (1.0, 1e-07), escapes, keys beyond the basic plane (sorted by UTF-16 units there), and integers beyond 2**53.
# Floats are corrected here; whatever else occurs goes to the library.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
_TEXT: Final = "\0"
"""Stands for a text while numbers are corrected; no JSON has it."""

_EXPONENT: Final = re.compile(r"e[+-]\d++")
_LONG_OR_MINUS_ZERO: Final = re.compile(r"(?:^|[\[,:\0-])\d{16}|-0(?![\d.])")


def canonical(value: Any) -> bytes:
    """The canonical bytes of `value`: dicts with text keys, lists, tuples, text, numbers, booleans and None.

    Raises:
        LedgerError: it has no canonical form (NaN, an integer beyond 2**53, half a surrogate pair).

    >>> canonical({"b": [1.0, 1e-7, True], "a": "台積電"}).decode()
    '{"a":"台積電","b":[1,1e-7,true]}'
    """
    try:
        return _fast(value) or bytes(rfc8785.dumps(value))
    except (rfc8785.CanonicalizationError, TypeError, ValueError, AttributeError) as error:
        raise LedgerError(f"cannot be written as canonical JSON: {error}: nothing was recorded") from None


def _fast(value: Any) -> bytes | None:
    """The same bytes as the library's, or None where that is not certain."""
    written = _ENCODER.encode(value)
    if "\\" in written or len(written.encode("utf-16-le")) != 2 * len(written):
        return None
    parts = written.split('"')  # without escapes, every other part stands outside of texts
    plain = _without_exponents(_TEXT.join(parts[::2]))
    for end in (",", "]", "}", _TEXT):
        plain = plain.replace(f".0{end}", end)
    plain = plain.removesuffix(".0")
    if _LONG_OR_MINUS_ZERO.search(plain):
        return None
    parts[::2] = plain.split(_TEXT)
    return '"'.join(parts).encode()


def _without_exponents(plain: str) -> str:
    """With each float that Python writes with an exponent as ECMAScript writes it."""
    made, done = [], 0
    for found in _EXPONENT.finditer(plain):
        before = plain[done : found.start()]
        kept = before.rstrip("0123456789.-")
        made += [kept, _number(before[len(kept) :], found.group())]
        done = found.end()
    return "".join([*made, plain[done:]])


def _number(mantissa: str, exponent: str) -> str:
    """A float as ECMAScript writes it: decimal from 1e-6 on, without `e-0`."""
    small = exponent.removeprefix("e-0")
    if small in {"7", "8", "9"}:
        return f"{mantissa}e-{small}"
    if small in {"5", "6"} and mantissa[0] != "-":
        return f"0.{'0' * (int(small) - 1)}{mantissa.replace('.', '')}"
    if exponent.startswith("e-") and small == exponent:
        return f"{mantissa}{exponent}"
    return bytes(rfc8785.dumps(float(mantissa + exponent))).decode()
