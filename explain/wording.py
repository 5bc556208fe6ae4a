"""`Wording`: how one language names what the graph and the score are made of, and writes numbers and dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Final

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from pathfolio.kg.languages import Language, language, languages, words
from pathfolio.kg.languages.filling import filled
from pathfolio.kg.languages.person import of_person

LANGUAGES: Final = languages()

SOURCES_JOINED: Final = " + "
"""Between the sources of what several say together."""

SOURCE_PARTS: Final = "; "
"""Between whose data a figure is made of, its formula and what else is to be known of it."""


@dataclass(frozen=True)
class Wording:
    """The words of one language (its folder in `pathfolio.kg.languages`) and Babel's forms of its locale.

    Attributes:
        is_of_person: the investor is spoken of, not to.
    """

    language: Language
    is_of_person: bool = False

    @property
    def lang(self) -> str:
        """The language's tag."""
        return self.language.tag

    @property
    def locale(self) -> str:
        """Babel's name of the locale."""
        return self.language.locale

    @property
    def you(self) -> str:
        """The investor who is spoken to, where a name would stand."""
        return self.voiced(words(self.lang, "words")["you"])

    def voiced(self, text: str) -> str:
        """A text with its gaps, as it is said to the investor or of the investor."""
        return of_person(self.lang, text) if self.is_of_person else text

    def kind(self, kind: str) -> str:
        """The name of a node kind."""
        return self._named("kinds", kind)

    def plural(self, kind: str) -> str:
        """Several assets of a kind, within a sentence."""
        return self._named("plurals", kind)

    def peers(self, kind: str) -> str:
        """Investors who have the same level of a kind as the one spoken to, within a sentence."""
        return self.voiced(self._named("peers", kind))

    def group(self, relation: str) -> str:
        """What assets share that have the same tail of a relation, within a sentence."""
        return self._named("groups", relation)

    def relation(self, relation: str, of_many: bool = False) -> str:
        """What a relation says, read from head to tail; `of_many` where its head is several investors."""
        said = words(self.lang, "relations_of_many").get(relation) if of_many else None
        return said or self._named("relations", relation)

    def edge_said(
        self, relation: str, weight: float | None, source: str, as_of: date | None, known_at: date | None
    ) -> str:
        """An edge in one line: relation and weight, who says so, of which day, and since when it was known."""
        parts = [self.relation(relation) + ("" if weight is None else f" {self.percent(weight)}"), self.source(source)]
        parts += [] if as_of is None else [self.page("edge_of_day", day=as_of.isoformat())]
        parts += [] if known_at is None else [self.page("edge_known", day=known_at.isoformat())]
        return " · ".join(part for part in parts if part)

    def channel(self, channel: str) -> str:
        """The name of a channel or of a base term."""
        return self._named("channels", channel)

    def model(self, model: str) -> str:
        """The name of a model that tells a signal."""
        return self._named("models", model)

    def metric(self, metric: str) -> str:
        """The name of a figure, as it stands within a sentence."""
        return self.voiced(self._named("metrics", metric))

    def page(self, key: str, **values: object) -> str:
        """A text of pages and printouts."""
        return filled(self.lang, words(self.lang, "page")[key], **values)

    def others(self, count: int) -> str:
        """Other investors, summed up."""
        return filled(self.lang, words(self.lang, "words")["others"], n=self.integer(count))

    def investor(self, user_id: str) -> str:
        """An investor whose name is not known."""
        return f"{words(self.lang, 'words')['investor']} {user_id[:6]}"

    def integer(self, value: float) -> str:
        """A count."""
        return _integer(int(value), self.locale)

    def number(self, value: float, digits: int = 1) -> str:
        """A number with exactly `digits` decimals."""
        return _decimal(float(value), digits, self.locale)

    def percent(self, fraction: float, digits: int = 1) -> str:
        """A fraction as a percentage."""
        return _percent(float(fraction), digits, self.locale)

    def unit(self, unit: str) -> str:
        """The name of a figure's unit."""
        return self._translated("units", unit)

    def source(self, source: str) -> str:
        """Who said so: in this language where it is a source of ours, else as the data have it.

        >>> wording_of("zh-TW").source("counted in the snapshot of 2026-06-30")
        '由 2026-06-30 的資料計算'
        >>> wording_of("zh-TW").source("sample exchanges + a bank")
        '示範交易所 + a bank'
        """
        return SOURCES_JOINED.join(map(self._source, source.split(SOURCES_JOINED)))

    def _source(self, source: str) -> str:
        parts = source.split(SOURCE_PARTS)
        return self.language.semicolon.join(self._translated("sources", part) for part in parts)

    def _translated(self, table: str, text: str) -> str:
        """As a table of patterns has it; what it lacks stays."""
        known = words(self.lang, table)
        said = next((pattern for pattern in known if re.fullmatch(pattern, text)), None)
        return text if said is None else re.sub(said, known[said], text)

    def day(self, day: date) -> str:
        """A date in words."""
        return _day(day, self.locale)

    def signed(self, value: float, digits: int = 3) -> str:
        """A contribution with its sign, a real minus where it is negative."""
        rounded = round(value, digits) + 0.0
        return f"{'−' if rounded < 0 else '+'}{_decimal(abs(rounded), digits, self.locale)}"

    def _named(self, table: str, key: str) -> str:
        return words(self.lang, table).get(key) or key.replace("_", " ")


@cache
def wording_of(lang: str, is_of_person: bool = False) -> Wording:
    """The wording of a language, that speaks to the investor, or of the investor.

    Raises:
        UsageError: there is none.

    Examples:
        >>> wording_of("en").percent(0.0623), wording_of("zh-TW").integer(1312), wording_of("en").signed(-0.5)
        ('6.2%', '1,312', '−0.500')
        >>> wording_of("en").percent(-0.049)
        '−4.9%'
    """
    return Wording(language(lang), is_of_person)


@lru_cache(maxsize=65536)
def _integer(value: int, locale: str) -> str:
    return _with_minus(str(format_decimal(value, locale=locale)))


@lru_cache(maxsize=65536)
def _decimal(value: float, digits: int, locale: str) -> str:
    return _with_minus(str(format_decimal(value, "#,##0." + "0" * digits if digits else "#,##0", locale=locale)))


@lru_cache(maxsize=65536)
def _percent(value: float, digits: int, locale: str) -> str:
    return _with_minus(str(format_percent(value, "#,##0." + "0" * digits + "%" if digits else "#,##0%", locale=locale)))


def _with_minus(number: str) -> str:
    """With a real minus instead of the hyphen that Babel writes in these locales."""
    return number.replace("-", "−")


@lru_cache(maxsize=4096)
def _day(day: date, locale: str) -> str:
    return str(format_date(day, "long", locale=locale))
