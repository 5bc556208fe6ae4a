"""`Names`: what something is called, by language."""

from __future__ import annotations

from collections.abc import Mapping

from pathfolio.kg.languages import DEFAULT, languages, understood, words


class Names:
    """A map from language to text that knows an answer for every language: what its readers understand best.

    >>> names = Names({"en": "Semiconductors", "zh-TW": "半導體"})
    >>> names["zh-TW"], names["en"]
    ('半導體', 'Semiconductors')
    """

    __slots__ = ("_hash", "_json", "_texts")

    def __init__(self, texts: Mapping[str, str]) -> None:
        """The names by language tag; at least one."""
        if not texts:
            raise ValueError("no name in any language")
        self._texts = dict(texts)
        self._hash = hash(tuple(sorted(self._texts.items())))
        self._json: dict[str, str] | None = None

    @classmethod
    def everywhere(cls, name: str) -> Names:
        """The same name in every language."""
        return cls({DEFAULT: name})

    @classmethod
    def translated(cls, name: str, *section: str) -> Names:
        """A name in English, and what a section of each language translates it to.

        >>> Names.translated("Restricted list", "rules")["zh-TW"]
        '限制名單'
        """
        translations = {lang: words(lang, *section).get(name) for lang in languages()}
        return cls({DEFAULT: name} | {lang: text for lang, text in translations.items() if text is not None})

    def __getitem__(self, lang: str) -> str:
        text = self._texts.get(lang)
        if text is not None:
            return text
        known = (tag for tag in understood(lang) if tag in self._texts)
        return self._texts[next(known, next(iter(self._texts)))]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Names) and self._texts == other._texts

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Names({self._texts!r})"

    def texts(self) -> tuple[str, ...]:
        """All that it is called."""
        return tuple(self._texts.values())

    def to_json(self) -> dict[str, str]:
        """Language to name, without those that another one's stands in for."""
        if self._json is None:  # every record asks
            self._json = self._written()
        return self._json.copy()

    def _written(self) -> dict[str, str]:
        kept = dict(self._texts)
        for lang, text in self._texts.items():
            kept.pop(lang)
            if not kept or Names(kept)[lang] != text:
                kept[lang] = text
        return kept
