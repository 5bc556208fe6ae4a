"""What a request may bring: so much text, no characters that are none, no numbers that nothing can hold.

It is looked at once, before any page reads it, so that no page, ledger, database or answer meets what it cannot take.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from flask import Flask, Response, jsonify, request

from pathfolio.kg.errors import UsageError
from pathfolio.kg.store.guard import LONGEST_QUERY
from pathfolio.web.site.language import current_texts

LONGEST_TEXT: Final = 2_000
"""Characters of one value; ids and names have a thousand at most."""

MOST_VALUES: Final = 300
"""Values in an address or a form."""

MOST_IN_JSON: Final = 20_000
DEEPEST: Final = 20
LARGEST_BODY: Final = 256 * 1024
"""Bytes; the longest query with its parameters is far below."""

_LONGER: Final = MappingProxyType(
    {
        "query": LONGEST_QUERY + 1,
        "parameters": LONGEST_QUERY,
        "scene": LONGEST_QUERY,
        "look": LONGEST_QUERY,
        "next": 6 * LONGEST_QUERY,
        "csrf_token": LONGEST_QUERY,
    }
)
"""Names whose values may be longer; the guard itself says of a query how long it may be."""

_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


@dataclass(frozen=True)
class WrongQuestion:
    """What is wrong with a JSON object that was sent, and the remedy."""

    error: str


def register(app: Flask) -> None:
    """Refuse with 400 what no page could take."""
    app.before_request(_checked)


def _checked() -> Response | None:
    _check_pairs(request.args.items(multi=True))
    _check_pairs((request.view_args or {}).items())
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return None
    if request.mimetype in _FORMS:
        _check_pairs(request.form.items(multi=True))
        return None
    try:
        check_json(_body())
    except UsageError as error:
        response = jsonify({"error": str(error)})
        response.status_code = 400
        return response
    return None


def _body() -> Any:
    """The JSON that was sent; None where it is none, which the page says itself."""
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError):
        return None


def _check_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    for number, (name, value) in enumerate(pairs, 1):
        if number > MOST_VALUES:
            raise UsageError(current_texts().say("input_too_many", most=MOST_VALUES))
        check_text(name, name)
        check_text(name, str(value))


def check_text(name: str, text: str) -> None:
    """Refuse what is too long, half a character, or the character of no meaning that databases end texts at.

    Raises:
        UsageError: in the reader's language; it names `name`.
    """
    most = _LONGER.get(name, LONGEST_TEXT)
    shown = ascii(name[:40])[1:-1]
    if len(text) > most:
        raise UsageError(current_texts().say("input_too_long", name=shown, count=len(text), most=most))
    at = next((at for at, each in enumerate(text) if "\ud800" <= each <= "\udfff" or each == "\0"), None)
    if at is not None:
        raise UsageError(current_texts().say("input_no_text", name=shown, code=f"U+{ord(text[at]):04X}", place=at + 1))


def check_json(value: object) -> None:
    """Refuse JSON that is too large or too deep, and in it what `check_text` refuses and numbers beyond 64 bits.

    Raises:
        UsageError: in the reader's language; it names the value.
    """
    for number, (name, depth, each) in enumerate(_parts(value)):
        if number > MOST_IN_JSON or depth > DEEPEST:
            raise UsageError(current_texts().say("input_too_much_json", most=MOST_IN_JSON, depth=DEEPEST))
        if isinstance(each, str):
            check_text(name, each)
        elif _is_beyond(each):
            shown = ascii(name[:40])[1:-1]
            raise UsageError(current_texts().say("input_no_number", name=shown, number=str(each)[:40]))


def _is_beyond(value: object) -> bool:
    """Whether it is a number that no database, and no canonical record, can hold."""
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def _parts(value: object) -> Iterator[tuple[str, int, Any]]:
    """Every value in JSON with the key that it stands under, and how deep; keys are values of their own."""
    waiting = [("", 0, value)]
    while waiting:
        name, depth, each = waiting.pop()
        yield name, depth, each
        if isinstance(each, dict):
            waiting += [part for key, item in each.items() for part in ((key, depth + 1, key), (key, depth + 1, item))]
        elif isinstance(each, list):
            waiting += [(name, depth + 1, item) for item in each]
