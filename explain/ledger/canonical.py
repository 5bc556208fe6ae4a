"""Canonical JSON: what msgspec writes with all keys sorted. One value has one text, and the text reads as that value.

Entries from before were RFC 8785. Both stand in the ledger as they were hashed, and nobody writes them again.
"""

from __future__ import annotations

import msgspec

from pathfolio.kg.errors import LedgerError


def canonical(value: object) -> bytes:
    """The canonical bytes of `value`: a struct, or dicts with text keys, lists, text, numbers, booleans and None.

    Raises:
        LedgerError: it has no canonical form (NaN, half a surrogate pair).

    >>> canonical({"b": [1.0, 1e-7, True], "a": "台積電"}).decode()
    '{"a":"台積電","b":[1.0,1e-7,true]}'
    """
    try:
        text = msgspec.json.encode(value, order="sorted")
        written = value if isinstance(value, msgspec.Struct) else msgspec.to_builtins(value)
        same = msgspec.json.decode(text, type=type(written)) == written
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise LedgerError(f"cannot be written as canonical JSON: {error}: nothing was recorded") from None
    if not same:
        raise LedgerError("cannot be written as canonical JSON: it reads otherwise, as NaN does: nothing was recorded")
    return text
