"""Values of query parameters, from the words of a command line or a form."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from pathfolio.kg.errors import UsageError


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError
    return text.lower() == "true"


def _list(text: str) -> list[Any]:
    found = json.loads(text)
    if not isinstance(found, list):
        raise ValueError
    return found


TYPES: Final[Mapping[str, Callable[[str], Any]]] = MappingProxyType(
    {"text": str, "integer": int, "number": float, "date": date.fromisoformat, "boolean": _boolean, "list": _list}
)


def parse_value(name: str, text: str, kind: str) -> Any:
    """`text` as a value of `kind`, a key of `TYPES`.

    Raises:
        UsageError: it is none.

    >>> parse_value("least", "0.05", "number"), parse_value("asset", "2330", "text")
    (0.05, '2330')
    """
    try:
        value = TYPES[kind](text)
    except (ValueError, RecursionError):
        example = {"date": "2022-06-30", "list": '["A", "B"]', "boolean": "true"}.get(kind, "7")
        raise UsageError(f"parameter {name}: {text!r} is no {kind}: write it as {example}") from None
    return _checked(name, value)


def guess_value(text: str) -> Any:
    """A number, date, list, true or false where `text` looks like one, else the text; quotes make it a text.

    >>> guess_value("0.5"), guess_value("2022-06-30"), guess_value("VOO"), guess_value('"2330"')
    (0.5, datetime.date(2022, 6, 30), 'VOO', '2330')
    """
    try:
        return date.fromisoformat(text) if len(text) == len("2022-06-30") and text[4:5] == "-" else json.loads(text)
    except (ValueError, RecursionError):
        return text


def parse_assignments(words: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """name=value or name:type=value, as given with -P: the name's text and type, None where no type is given.

    Raises:
        UsageError: a word is neither, a name comes twice, or a type is unknown.

    >>> parse_assignments(["a=VOO", "code:text=007"])
    {'a': ('VOO', None), 'code': ('007', 'text')}
    """
    found: dict[str, tuple[str, str | None]] = {}
    for word in words:
        left, equals, text = word.partition("=")
        name, colon, kind = left.partition(":")
        if not equals or not name.isidentifier():
            raise UsageError(f"-P {word!r}: write it as name=value, or name:type=value")
        if colon and kind not in TYPES:
            raise UsageError(f"-P {word!r}: {kind!r} is no type: use one of {', '.join(TYPES)}")
        if name in found:
            raise UsageError(f"-P {name} is given twice")
        found[name] = (text, kind or None)
    return found


def free_parameters(words: Sequence[str]) -> dict[str, Any]:
    """Values for a query of the analyst's own, their types guessed where none is given."""
    assignments = parse_assignments(words).items()
    return {
        name: _checked(name, guess_value(text)) if kind is None else parse_value(name, text, kind)
        for name, (text, kind) in assignments
    }


def _checked(name: str, value: object) -> Any:
    """A value that a store can take; raises UsageError for whole numbers beyond 64 bits, infinity and NaN."""
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, list):
            _checked(name, part)
        elif (isinstance(part, int) and not -(2**63) <= part < 2**63) or (
            isinstance(part, float) and not math.isfinite(part)
        ):
            raise UsageError(f"parameter {name}: {str(part)[:40]} is beyond 64 bits: write a smaller number, or a text")
    return value
