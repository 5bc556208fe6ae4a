"""Which algorithms there are, what their options are, and how one is run on a snapshot."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, get_type_hints

import msgspec

from pathfolio.kg.algorithms.centrality import Betweenness, PageRank
from pathfolio.kg.algorithms.communities import Leiden, Louvain
from pathfolio.kg.algorithms.excerpt import excerpt_of
from pathfolio.kg.algorithms.fastrp import FastRP
from pathfolio.kg.algorithms.protocol import Algorithm
from pathfolio.kg.algorithms.shortest import Paths
from pathfolio.kg.algorithms.similarity import Similarity
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.languages import DEFAULT, languages, words
from pathfolio.kg.languages.names import Names
from pathfolio.kg.people import without_investors
from pathfolio.kg.store.query import QueryResult

ALGORITHMS: Final[Mapping[str, type[Algorithm]]] = MappingProxyType(
    {each.name: each for each in (PageRank, Betweenness, Louvain, Leiden, Similarity, FastRP, Paths)}
)
"""Name to what does it."""


@dataclass(frozen=True)
class AlgorithmOption:
    """An option of an algorithm.

    Attributes:
        default: as a text; None where a value must be given.
        about: what it is, in each language.
    """

    name: str
    default: str | None
    about: Names


@dataclass(frozen=True)
class DescribedAlgorithm:
    """An algorithm as people choose it: what it is called, what it finds, its options, its own first."""

    name: str
    title: Names
    sentence: Names
    options: tuple[AlgorithmOption, ...]


def described(name: str) -> DescribedAlgorithm:
    """What an algorithm is.

    Raises:
        UsageError: there is none of this name.
    """
    kind = _algorithm(name)
    fields = sorted(msgspec.structs.fields(kind), key=lambda each: each.name in _SHARED)
    options = tuple(AlgorithmOption(each.name, _default(each), _about(name, each.name)) for each in fields)
    return DescribedAlgorithm(name, _told(name, "title"), _told(name, "sentence"), options)


def algorithm_of(name: str, given: Mapping[str, str]) -> Algorithm:
    """An algorithm with its options from texts.

    Raises:
        UsageError: there is no such algorithm or option, one is missing, or a value is not as it should be.

    >>> algorithm_of("pagerank", {"damping": "0.5"}).damping
    0.5
    """
    kind = _algorithm(name)
    names = [each.name for each in msgspec.structs.fields(kind)]
    unknown = [option for option in given if option not in names]
    if unknown:
        raise UsageError(f"{name} has no option {unknown[0]!r}: it has {', '.join(sorted(names))}")
    for each in described(name).options:
        if each.default is None and not given.get(each.name):
            raise UsageError(f"{name} needs -P {each.name}=…: {each.about[DEFAULT]}")
    hints = get_type_hints(kind, include_extras=True)
    values = {option: _value(option, text, hints[option]) for option, text in given.items()}
    return kind(**values)


def run_algorithm(
    graph: KnowledgeGraph, algorithm: Algorithm, max_rows: int = 10_000, *, investors: bool = False
) -> QueryResult:
    """The table that an algorithm makes of a snapshot.

    Args:
        max_rows: what comes after is cut off, and the result says so.
        investors: people and what is said of them are part of what it sees. Without them no result can tell of any.

    Raises:
        UsageError: an option names what is not there, or a day later than the snapshot.
    """
    begun = time.perf_counter()
    if not investors:
        graph = without_investors(graph)
    if algorithm.as_of is not None:
        graph = graph.at(algorithm.as_of)
    excerpt = excerpt_of(graph, algorithm.relations, algorithm.kinds, weighted=algorithm.weighted)
    table = algorithm.run(excerpt)
    rows = list(islice(table.rows, max_rows + 1))
    cut = f"{max_rows:,} rows" if len(rows) > max_rows else None
    return QueryResult(table.columns, tuple(rows[:max_rows]), cut, time.perf_counter() - begun)


_SHARED: Final = frozenset(each.name for each in msgspec.structs.fields(Algorithm))
_PLACE: Final = re.compile(r" - at `.*`$")


def _algorithm(name: str) -> type[Algorithm]:
    try:
        return ALGORITHMS[name]
    except KeyError:
        raise UsageError(f"no algorithm {name!r}: choose {', '.join(ALGORITHMS)}") from None


def _value(option: str, text: str, kind: Any) -> Any:
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"{option}: {text!r} will not do: {_PLACE.sub('', str(error))}") from None


def _default(field: msgspec.structs.FieldInfo) -> str | None:
    if field.default is msgspec.NODEFAULT:
        return None
    if field.default is None:
        return ""
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def _told(name: str, what: str) -> Names:
    return Names({lang: words(lang, "algorithms", name)[what] for lang in languages()})


def _about(name: str, option: str) -> Names:
    """What an option is: as its algorithm says, else as all say that have one of its name."""
    either = {
        lang: {**words(lang, "algorithm_options"), **words(lang, "algorithms", name, "options")} for lang in languages()
    }
    return Names({lang: texts[option] for lang, texts in either.items()})
