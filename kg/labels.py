"""Labels of a graph's small vocabularies (industries, levels, countries, …) in the reader's language.

Data sets name these in their own words: English, Chinese, or codes. `labels_zh.json` has the Traditional Chinese of
English words and codes, `labels_en.json` the English of codes and of Chinese words.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

_GROUPS: Final = MappingProxyType(dict.fromkeys(("Industry", "Sector", "Category"), "Classification"))
"""Kinds that share one vocabulary: what is a sector in one data set is a fund's category in another."""


def local_label(kind: str, label: str, lang: str) -> str:
    """`label` in the language of `lang`; as it is where no translation is known.

    Args:
        kind: a `NodeKind` or its value, or "Rating" or "IncomeBand".
        label: as the data set has it.
        lang: "en", or "zh-TW" (or another tag that starts with zh).

    >>> local_label("Industry", "Semiconductors", "zh-TW")
    '半導體'
    >>> local_label("Industry", "半導體業", "en")
    'Semiconductors'
    >>> local_label("Industry", "半導體業", "zh-TW")
    '半導體業'
    """
    words = _words("zh" if lang.startswith("zh") else "en").get(_GROUPS.get(str(kind), str(kind)), {})
    return words.get(label.strip().casefold(), label)


@cache
def _words(lang: str) -> dict[str, dict[str, str]]:
    """Kind to label (in lower case) to word."""
    text = resources.files("pathfolio.kg").joinpath(f"labels_{lang}.json").read_text(encoding="utf-8")
    groups: dict[str, dict[str, str]] = json.loads(text)
    return {kind: {label.casefold(): word for label, word in words.items()} for kind, words in groups.items()}
