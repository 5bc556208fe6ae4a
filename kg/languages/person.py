"""Texts that speak to the investor, made to speak of the investor: what staff read who look at another person's page.

The patterns of each language (section `person`) are applied to its texts before anything is filled in, so that no name
is changed.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pathfolio.kg.languages import words


@lru_cache(maxsize=4096)
def of_person(lang: str, text: str) -> str:
    """The text as it is said of the investor.

    >>> of_person("en", "Like you, 12 others hold it; your objective is Income.")
    "Like the investor, 12 others hold it; the investor's objective is Income."
    >>> of_person("zh-TW", "您的投資目標是{level}。")
    '該投資人的投資目標是{level}。'
    """
    for pattern, instead in words(lang, "person").items():
        text = re.sub(pattern, instead, text)
    return text
