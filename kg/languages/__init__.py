"""The languages that pathfolio speaks: a folder each, with all its texts.

A folder holds `language.toml`, which says how the language is written, and any number of other TOML files, which are
read as one: a kind of node, a channel or a rule that is added brings all its texts of a language in one file of its
own. The sections:

| section | texts |
|---|---|
| words, kinds, plurals, peers, groups, relations(_of_many), channels, metrics, units, sources | within sentences |
| labels | words of the data's small vocabularies (industries, levels, countries), by kind of node |
| reasons, what_if | sentences in Jinja, with the phrases that they share |
| page | an explanation as page, printout and picture |
| queries, query_parameters | titles and sentences of the named queries |
| verdicts, rules | findings of suitability rules; titles and bases of the shipped rule files |
| report | the report on a record |
| site | the pages |
| person | patterns by which what is said to the investor is said of the investor |

English is the language in which code, rule files and data name things. So `rules`, `labels`, `sources`, `units`,
`report.notes`, `site.names` and `site.details` translate from English (or from codes), and what they lack stays as it
is; of all other sections each language has every key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final, TypeAlias

from pathfolio.kg.errors import DataError, UsageError

DEFAULT: Final = "en"
"""What is spoken to whoever asks for no language that is here."""

_ABOUT: Final = "language.toml"

Tree: TypeAlias = "dict[str, str | list[str] | Tree]"


@dataclass(frozen=True)
class Language:
    """How one language is written (its language.toml).

    Attributes:
        tag: its folder's name, an IETF language tag.
        name: what it calls itself.
        locale: Babel's name of its locale, for numbers, dates and plurals.
        accepts: tags of readers who are best spoken to in it, besides its own.
        fallbacks: languages whose texts its readers understand best, where there is none in it.
        local_names: whether an asset's local name comes before the international one.
        quote: what stands before and after a name within a sentence.
        comma, last_comma: between the items of a list, and before the last.
        semicolon: between statements of one sentence.
        clause: between what is said and what is said of it.
        brackets: around what explains, with the space before them.
        colon: between a heading and what it heads, on one line.
        space: between two sentences.
        script: han, or latin: how far apart lines stand.
        fonts: the tag by which fontconfig finds fonts that print it; empty where every font does.
        families: fonts that printouts name for its ideographs, or for those of the names in it.
    """

    tag: str
    name: str
    locale: str
    accepts: tuple[str, ...]
    fallbacks: tuple[str, ...]
    local_names: bool
    quote: tuple[str, str]
    comma: str
    last_comma: str
    semicolon: str
    clause: str
    brackets: tuple[str, str]
    colon: str
    space: str
    script: str
    families: tuple[str, ...]
    fonts: str = ""


@cache
def languages() -> tuple[str, ...]:
    """The tags of all languages, `DEFAULT` first."""
    found = (item.name for item in resources.files(__name__).iterdir() if item.joinpath(_ABOUT).is_file())
    return tuple(sorted(found, key=lambda tag: (tag != DEFAULT, tag)))


@cache
def language(tag: str) -> Language:
    """How the language is written.

    Raises:
        UsageError: there is no such language.

    Examples:
        >>> language("zh-TW").name
        '繁體中文'
    """
    given = tomllib.loads(_folder(tag).joinpath(_ABOUT).read_text(encoding="utf-8"))
    lists = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    return Language(tag=tag, **{**given, **lists})


def preferred(wanted: Iterable[str]) -> str:
    """The language for a reader who wants the first of some tags most; `DEFAULT` where none is here.

    >>> preferred(["fr-CH", "zh-Hant-HK", "en"]), preferred(["en-GB", "zh-TW"]), preferred(["fr"])
    ('zh-TW', 'en', 'en')
    """
    spoken = {accepted.lower(): tag for tag in languages() for accepted in (tag, *language(tag).accepts)}
    for tag in wanted:
        parts = tag.lower().split("-")
        shorter = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
        found = next((spoken[part] for part in shorter if part in spoken), None)
        if found is not None:
            return found
    return DEFAULT


def understood(tag: str) -> tuple[str, ...]:
    """The language, and those that its readers are spoken to in where there is no text in it."""
    return tuple(dict.fromkeys((tag, *language(tag).fallbacks, DEFAULT)))


def words(tag: str, *path: str) -> Mapping[str, str]:
    """The texts of a section, or of a table within it; empty where the language has no such table.

    Raises:
        UsageError: there is no such language.

    Examples:
        >>> words("en", "kinds")["Fund"]
        'Fund'
    """
    return _parts(tag, path)[0]


def tables(tag: str, *path: str) -> Mapping[str, Mapping[str, str]]:
    """The tables of a section, or of a table within it, each with its texts."""
    return _parts(tag, path)[1]


@cache
def _parts(tag: str, path: tuple[str, ...]) -> tuple[Mapping[str, str], Mapping[str, Mapping[str, str]]]:
    tree = _texts(tag)
    for name in path:
        inner = tree.get(name, {})
        tree = inner if isinstance(inner, dict) else {}
    inside = {key: _leaves(value) for key, value in tree.items() if isinstance(value, dict)}
    return _leaves(tree), MappingProxyType(inside)


def _leaves(tree: Tree) -> Mapping[str, str]:
    return MappingProxyType({key: value for key, value in tree.items() if isinstance(value, str)})


@cache
def _texts(tag: str) -> Tree:
    """All files of a language as one."""
    files = sorted((item for item in _folder(tag).iterdir() if item.name.endswith(".toml")), key=lambda f: f.name)
    return merged({f"{tag}/{f.name}": f.read_text(encoding="utf-8") for f in files if f.name != _ABOUT})


def merged(files: Mapping[str, str]) -> Tree:
    """TOML files by name as one tree.

    Raises:
        DataError: a file is no TOML, or two of them give the same text.

    Examples:
        >>> merged({"a.toml": '[kinds]\\nFund = "Fund"', "b.toml": '[kinds]\\nRating = "Rating"'})
        {'kinds': {'Fund': 'Fund', 'Rating': 'Rating'}}
    """
    whole: Tree = {}
    origin: dict[tuple[str, ...], str] = {}
    for name, text in files.items():
        try:
            tree: Tree = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise DataError(f"{name}: not valid TOML: {error}: correct this line") from None
        _add(whole, tree, name, (), origin)
    return whole


def _add(whole: Tree, tree: Tree, name: str, path: tuple[str, ...], origin: dict[tuple[str, ...], str]) -> None:
    for key, value in tree.items():
        place = (*path, key)
        known = whole.get(key)
        if known is None and isinstance(value, dict):
            known = whole[key] = {}
        if isinstance(value, dict) and isinstance(known, dict):
            _add(known, value, name, place, origin)
        elif known is not None:
            first = origin.get(place, "another file")
            raise DataError(f"{name}: {'.'.join(place)} = {value!r} stands in {first} too: keep one of them")
        else:
            whole[key] = value
        origin.setdefault(place, name)


def _folder(tag: str) -> Traversable:
    if tag not in languages():
        raise UsageError(f"no language {tag!r}: choose one of {', '.join(languages())}")
    return resources.files(__name__).joinpath(tag)
