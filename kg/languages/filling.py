"""Texts with their gaps filled, and how far apart what is filled in stands from what is around it.

Chinese is written without spaces, but for one between Chinese characters and Latin letters or digits. Whether there is
one beside a gap depends on what is filled in, so it is decided here alone, and texts need not know.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from string import Formatter
from typing import Final

from pathfolio.kg.languages import language

_HAN: Final = "han"
_WIDE: Final = ("W", "F")
_ALSO_NARROW: Final = frozenset("−±")
"""Signs of numbers: as wide as their surroundings by Unicode, part of the number here."""


_DAY: Final = re.compile(r"\d+年\d+月")
"""A date in words counts as Chinese, as Unicode's locales write it within sentences."""


def filled(lang: str, text: str, /, **values: object) -> str:
    """The text with its gaps filled, as `str.format` does it; in Chinese with the spaces that belong there.

    Examples:
        >>> filled("zh-TW", "買入後，{subject} 將占 {share}。", subject="景衡微電子", share="20.1%")
        '買入後，景衡微電子將占 20.1%。'
        >>> filled("zh-TW", "其中 {share} 屬於{subject}。", subject="USD", share="88%")
        '其中 88% 屬於 USD。'
        >>> filled("en", "{share} of it", share="88%")
        '88% of it'
    """
    if language(lang).script != _HAN:
        return text.format(**values)
    out = ""
    for literal, name, form, conversion in _parsed(text):
        out = _joined(out, literal)
        if name is not None:
            gap = f"{{{name}{'!' + conversion if conversion else ''}{':' + form if form else ''}}}"
            out = _joined(out, gap.format(**values))
    return out


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[tuple[str, str | None, str | None, str | None], ...]:
    return tuple(Formatter().parse(text))


def _joined(before: str, after: str) -> str:
    """Two parts of a sentence; a space that a text has beside a gap stays where neither side is Chinese."""
    left, right = before.rstrip(" "), after.lstrip(" ")
    if not left or not right:
        return before + after
    spaces = before[len(left) :] + after[: len(after) - len(right)]
    one, two = left[-1], right[0]
    if _DAY.match(right):
        spaces = "" if _is_wide(one) else spaces
    elif _is_wide(one) or _is_wide(two):
        is_apart = (_is_character(one) and _is_narrow(two)) or (_is_narrow(one) and _is_character(two))
        spaces = " " if is_apart else ""
    return f"{left}{spaces}{right}"


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in _WIDE


def _is_character(letter: str) -> bool:
    """A Chinese character, not a mark."""
    return _is_wide(letter) and unicodedata.category(letter)[0] in "LN"


def _is_narrow(letter: str) -> bool:
    """A letter, digit or mark of Latin script."""
    if _is_wide(letter):
        return False
    is_ascii = letter.isascii() and letter.isprintable()
    return is_ascii or unicodedata.category(letter)[0] in "LNM" or letter in _ALSO_NARROW
