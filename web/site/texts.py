"""`Texts`: what the site says in one language; names, numbers and dates come from `pathfolio.explain.wording`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from babel import Locale

from pathfolio.explain.wording import LANGUAGES, Wording, wording_of

DEFAULT_LANGUAGE: Final = "en"


@dataclass(frozen=True)
class Texts:
    """The site's sentences in one language.

    Attributes:
        entries: key to text, or to a table of texts by plural form (`one`, `other`) of the value `n`; `names` is a
            table of what the product calls things in English to their names in this language, `details` one of patterns
            of what a build's stages say to what is read of them.
    """

    words: Wording
    entries: MappingProxyType[str, Any]

    @property
    def lang(self) -> str:
        """The language's tag, for `lang` attributes."""
        return self.words.lang

    def named(self, text: str) -> str:
        """What the product calls something (a stage, a way to ask, a parameter), as it is where it has no other name.

        >>> texts_of("zh-TW").named("train KG embedding")
        '訓練知識圖譜嵌入'
        """
        return str(self.entries["names"].get(text, text))

    def say(self, key: str, **values: str | int) -> str:
        """The text of `key` with its values; whole numbers are written as the language writes them.

        Raises:
            KeyError: there is no such text.
        """
        entry = self.entries[key]
        if not isinstance(entry, str):
            form = Locale.parse(self.words.locale).plural_form(int(values["n"]))
            entry = entry.get(form, entry["other"])
        shown = {name: self.words.integer(v) if isinstance(v, int) else v for name, v in values.items()}
        return str(entry).format(**shown)


@cache
def texts_of(lang: str) -> Texts:
    """The site's texts in `lang` (texts/LANG.toml).

    Raises:
        UsageError: there is no such language.

    Examples:
        >>> texts_of("en").say("count_investors", n=1), texts_of("zh-TW").say("count_investors", n=2000)
        ('1 investor', '2,000 位投資人')
    """
    words = wording_of(lang)
    text = resources.files("pathfolio.web.site").joinpath("texts", f"{lang}.toml").read_text(encoding="utf-8")
    return Texts(words, MappingProxyType(tomllib.loads(text)))


def other_languages(lang: str) -> tuple[str, ...]:
    """All languages but `lang`."""
    return tuple(other for other in LANGUAGES if other != lang)
