"""Facts of the investor and of the rules, in the report's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pathfolio.explain.wording import wording_of
from pathfolio.kg.labels import local_label
from pathfolio.kg.schema import ATTRIBUTE_RELATIONS, PROFILE_RELATIONS, RELATIONS, NodeKind
from pathfolio.recommender.suitability.kinds import FRACTIONS

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

    def filled(self, key: str, **values: object) -> str:
        """The text with its gaps filled."""
        return self.words[key].format(**values)


@dataclass(frozen=True)
class FactRow:
    """One fact: what, its value, who said so, of which day, and how it was derived."""

    field: str
    value: str
    source: str
    day: str
    note: str


def fact_row(fact: Mapping[str, Any], texts: ReportTexts, *, field: str) -> FactRow:
    """A fact of the investor's profile or portfolio."""
    tail, kind = str(fact.get("tail", "")), LEVEL_KINDS.get(fact["relation"], "")
    value = local_label(kind, tail, texts.lang) if kind else tail or _number(fact, texts.lang)
    if fact["relation"] == "YEARS":
        value = texts.filled("assumed_years", n=value)
    source = in_words(str(fact.get("source", "")), texts)
    return FactRow(field, value, source, _day(fact, texts), in_words(str(fact.get("note", "")), texts))


def fact_text(fact: Mapping[str, Any], names: Mapping[str, str], texts: ReportTexts) -> str:
    """A fact that a rule used, in one line: what it says, where it is from, of which day, and how it was derived.

    Args:
        names: asset ids to names.
    """
    relation, tail = str(fact["relation"]), str(fact.get("tail", ""))
    kind = _LABELS.get(relation)
    label = local_label(kind, tail, texts.lang) if kind else names.get(tail, tail)
    sentence = texts.facts.get(relation, "{head} {relation} {tail} {value}")
    gaps = {"head": fact.get("head", ""), "relation": relation, "tail": label, "value": _number(fact, texts.lang)}
    said = re.sub(r"\s+", " ", sentence.format(**gaps)).strip()
    source, note = (in_words(str(fact.get(name, "")), texts) for name in ("source", "note"))
    from_where = texts["also"].join(part for part in (source, str(fact.get("as_of", "")), note) if part)
    return texts.filled("in_brackets", text=said, note=from_where)


def _number(fact: Mapping[str, Any], lang: str) -> str:
    value = fact.get("value")
    if value is None:
        return ""
    wording = wording_of(lang)
    if fact["relation"] in FRACTIONS:
        return wording.percent(value, 1)
    return wording.number(value, 0 if float(value).is_integer() else 2)


def _day(fact: Mapping[str, Any], texts: ReportTexts) -> str:
    return str(fact.get("as_of") or texts["undated"])


def in_words(text: str, texts: ReportTexts) -> str:
    """A source or note in the report's language, where it is one of ours; others are as the data have them."""
    for pattern, words in texts.notes.items():
        text = re.sub(pattern, words, text)
    said = wording_of(texts.lang).source
    return " + ".join(said(part) for part in text.split(" + "))
