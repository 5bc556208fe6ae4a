"""Labels of a graph's small vocabularies (industries, levels, countries, …) in the reader's language.

Data sets name these in their own words: English, Chinese, or codes. The section `labels` of a language has what they
are called in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from pathfolio.kg.languages import words

_GROUPS: Final = MappingProxyType(dict.fromkeys(("Industry", "Sector", "Category"), "Classification"))
"""Kinds that share one vocabulary: what is a sector in one data set is a fund's category in another."""


def local_label(kind: str, label: str, lang: str) -> str:
    """`label` in the language of `lang`; as it is where no translation is known.

    Args:
        kind: a `NodeKind` or its value, or "Rating" or "IncomeBand".
        label: as the data set has it.
        lang: the tag of a language.

    >>> local_label("Industry", "Semiconductors", "zh-TW")
    '半導體'
    >>> local_label("Industry", "半導體業", "en")
    'Semiconductors'
    >>> local_label("Industry", "半導體業", "zh-TW")
    '半導體業'
    """
    return _labels(lang, _GROUPS.get(str(kind), str(kind))).get(label.strip().casefold(), label)


@cache
def _labels(lang: str, kind: str) -> Mapping[str, str]:
    """Label (in lower case) to word."""
    return {label.casefold(): word for label, word in words(lang, "labels", kind).items()}
