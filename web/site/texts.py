"""`Texts`: what the site says in one language; names, numbers and dates come from `pathfolio.explain.wording`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from babel import Locale

from pathfolio.explain.wording import LANGUAGES, Wording, wording_of
from pathfolio.kg.languages import tables, words
from pathfolio.kg.languages.filling import filled

OF_INVESTOR: Final = ("badge_", "answer_again", "portfolio_", "chart_", "follow", "dismiss", "holdings", "row_")
"""How the names of texts begin that speak to the investor whose page it is, not to whoever looks at it."""


@dataclass(frozen=True)
class Texts:
    """The site's sentences in one language.

    Attributes:
        entries: key to text.
        forms: key to the texts by plural form (`one`, `other`) of the value `n`.
        names: what the product calls things in English to their names in this language.
        details: patterns of what a build's stages say to what is read of them.
    """

    words: Wording
    entries: Mapping[str, str]
    forms: Mapping[str, Mapping[str, str]]
    names: Mapping[str, str]
    details: Mapping[str, str]

    @property
    def lang(self) -> str:
        """The language's tag, for `lang` attributes."""
        return self.words.lang

    def named(self, text: str) -> str:
        """What the product calls something (a stage, a way to ask, a parameter), as it is where it has no other name.

        >>> texts_of("zh-TW").named("train KG embedding")
        '訓練知識圖譜嵌入'
        """
        return self.names.get(text, text)

    def say(self, key: str, **values: str | int) -> str:
        """The text of `key` with its values; whole numbers are written as the language writes them.

        Raises:
            KeyError: there is no such text.
        """
        entry = self.entries.get(key)
        if entry is not None and self.words.is_of_person and key.startswith(OF_INVESTOR):
            entry = self.words.voiced(entry)
        if entry is None:
            forms = self.forms[key]
            form = Locale.parse(self.words.locale).plural_form(int(values["n"]))
            entry = forms.get(form, forms["other"])
        shown = {name: self.words.integer(v) if isinstance(v, int) else v for name, v in values.items()}
        return filled(self.lang, entry, **shown)


@cache
def texts_of(lang: str, is_of_person: bool = False) -> Texts:
    """The site's texts in `lang` (the section `site` of its folder), that speak to the investor or of the investor.

    Raises:
        UsageError: there is no such language.

    Examples:
        >>> texts_of("en").say("count_investors", n=1), texts_of("zh-TW").say("count_investors", n=2000)
        ('1 investor', '2,000 位投資人')
    """
    wording = wording_of(lang, is_of_person)
    forms = {key: table for key, table in tables(lang, "site").items() if key not in ("names", "details")}
    return Texts(wording, words(lang, "site"), forms, words(lang, "site", "names"), words(lang, "site", "details"))


def other_languages(lang: str) -> tuple[str, ...]:
    """All languages but `lang`."""
    return tuple(other for other in LANGUAGES if other != lang)
