"""Names with characters that turn the direction of writing: kept in a cage of their own, so that they turn no others.

A name with a right-to-left override (U+202E) in it would have the rest of its line read backwards: a figure, a verdict,
another name. Between U+2068 and U+2069 it turns itself alone (Unicode Standard Annex 9).
"""

from __future__ import annotations

import re
from typing import Final

_TURNS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BEGINS: Final = frozenset("\u2066\u2067\u2068")
_FIRST_STRONG: Final = "\u2068"
_END: Final = "\u2069"


def isolated(text: str) -> str:
    """`text` as it is, or, where it turns the direction, between marks that end whatever it begins.

    An end that belongs to nothing in the text is left out, since it would open the cage.

    >>> isolated("Acme"), ascii(isolated("Ac\\u202eme")), ascii(isolated("Ac\\u2069\\u2067me"))
    ('Acme', "'\\\\u2068Ac\\\\u202eme\\\\u2069'", "'\\\\u2068Ac\\\\u2067me\\\\u2069\\\\u2069'")
    """
    if text.isascii() or not _TURNS.search(text):
        return text
    kept = []
    depth = 0
    for character in text:
        if character == _END and not depth:
            continue
        depth += (character in _BEGINS) - (character == _END)
        kept.append(character)
    return f"{_FIRST_STRONG}{''.join(kept)}{_END * depth}{_END}"
