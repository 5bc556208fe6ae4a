"""Canonical JSON (RFC 8785), by the `rfc8785` library, or faster where the standard encoder gives the same bytes."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import rfc8785

from kg.errors import LedgerError

# The standard encoder, with sorted keys, differs from RFC 8785 in four things only: how it writes some floats
# (1.0, 1e-07), escapes, keys beyond the basic plane (sorted by UTF-16 units there), and integers beyond 2**53.
# Floats are corrected here; whatever else occurs goes to the library.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
_FLOAT: Final = re.compile(r"(?<![\d.])-?\d++(?:\.0(?![\de])|(?:\.\d++)?e[+-]?\d++)")
_ASTRAL: Final = re.compile(rb"[\xf0-\xf4]")
_LONG_NUMBER: Final = re.compile(r"(?<![.\d])\d{16}")


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
    text = _ENCODER.encode(value)
    if "\\" in text:
        return None
    parts = text.split('"')
    for at in range(0, len(parts), 2):  # without escapes, every other part stands outside of texts
        part = parts[at]
        if "." in part or "e" in part:
            part = parts[at] = _FLOAT.sub(_number, part)
        if len(part) > 15 and _LONG_NUMBER.search(part):
            return None
    made = '"'.join(parts).encode()
    return None if _ASTRAL.search(made) else made


def _number(found: re.Match[str]) -> str:
    """The float that Python writes as `found` as ECMAScript writes it: decimal from 1e-6 on, without `e-0`."""
    text = found.group()
    if text.endswith(".0") and text != "-0.0":
        return text[:-2]
    mantissa, _, exponent = text.partition("e-0")
    if exponent in {"7", "8", "9"}:
        return f"{mantissa}e-{exponent}"
    if exponent in {"5", "6"} and mantissa[0] != "-":
        return f"0.{'0' * (int(exponent) - 1)}{mantissa.replace('.', '')}"
    if "e-" in text and not exponent:
        return text
    return bytes(rfc8785.dumps(float(text))).decode()
