"""Facts of the investor and of the rules, in the report's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pathfolio.explain.wording import Wording, wording_of
from pathfolio.kg.labels import local_label
from pathfolio.kg.languages.filling import filled
from pathfolio.kg.schema import ATTRIBUTE_RELATIONS, PROFILE_RELATIONS, RELATIONS, NodeKind
from pathfolio.recommender.suitability.kinds import FRACTIONS
from pathfolio.recommender.suitability.verdict import UsedFact

LEVEL_KINDS: Final = MappingProxyType(
    {relation.value: RELATIONS[relation].tails[0].value for relation in PROFILE_RELATIONS}
)
"""Relations of an investor to the vocabulary of the level that they lead to."""

_LABELS: Final = (
    LEVEL_KINDS
    | {relation.value: RELATIONS[relation].tails[0].value for relation in ATTRIBUTE_RELATIONS}
    | {"EXPOSURE": NodeKind.INDUSTRY.value}  # an asset or issuer, too, whose name is no label
)


@dataclass(frozen=True)
class ReportTexts:
    """The fixed texts of a language.

    Attributes:
        levels: the tables of a rule file's levels, in words.
        facts: relation to a sentence with the gaps {head}, {tail} and {value}.
        notes: patterns of the notes on facts, as records have them, to what they become in this language.
    """

    lang: str
    words: Mapping[str, str]
    levels: Mapping[str, str]
    facts: Mapping[str, str]
    notes: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.words[key]

    @property
    def wording(self) -> Wording:
        """How the language names and writes what is not fixed."""
        return wording_of(self.lang)

    def filled(self, key: str, **values: object) -> str:
        """The text with its gaps filled."""
        return filled(self.lang, self.words[key], **values)


@dataclass(frozen=True)
class FactRow:
    """One fact: what, its value, who said so, of which day, and how it was derived."""

    field: str
    value: str
    source: str
    day: str
    note: str


def fact_row(fact: UsedFact, texts: ReportTexts, *, field: str) -> FactRow:
    """A fact of the investor's profile or portfolio."""
    kind = LEVEL_KINDS.get(fact.relation)
    value = local_label(kind, fact.tail, texts.lang) if kind else fact.tail or _number(fact, texts.wording)
    if fact.relation == "YEARS":
        value = texts.filled("assumed_years", n=value)
    day = fact.as_of or texts["undated"]
    return FactRow(field, value, in_words(fact.source, texts), day, in_words(fact.note, texts))


def fact_text(fact: UsedFact, names: Mapping[str, str], texts: ReportTexts) -> str:
    """A fact that a rule used, in one line: what it says, where it is from, of which day, and how it was derived.

    Args:
        names: asset ids to names.
    """
    kind = _LABELS.get(fact.relation)
    label = local_label(kind, fact.tail, texts.lang) if kind else names.get(fact.tail, fact.tail)
    sentence = texts.facts.get(fact.relation, "{head} {relation} {tail} {value}")
    value = _number(fact, texts.wording)
    told = filled(texts.lang, sentence, head=fact.head, relation=fact.relation, tail=label, value=value)
    said = re.sub(r"\s+", " ", told).strip()
    parts = (in_words(fact.source, texts), fact.as_of, in_words(fact.note, texts))
    from_where = texts["also"].join(part for part in parts if part)
    return texts.filled("in_brackets", text=said, note=from_where)


def _number(fact: UsedFact, wording: Wording) -> str:
    value = fact.value
    if value is None:
        return ""
    if fact.relation in FRACTIONS:
        return wording.percent(value, 1)
    return wording.number(value, 0 if float(value).is_integer() else 2)


def in_words(text: str, texts: ReportTexts) -> str:
    """A source or note in the report's language, where it is one of ours; others are as the data have them."""
    for pattern, words in texts.notes.items():
        text = re.sub(pattern, words, text)
    said = texts.wording.source
    return " + ".join(said(part) for part in text.split(" + "))
