"""The named queries: files in kg/cypher, each a Cypher text under a few comment lines with its parameters.

    // parameter a text
    // parameter least number = 0.01
    // parameter as_of date = today
    // example: a=VOO b=QQQ
    // needs: vectors

What a query and its parameters are called stands with each language's texts (`pathfolio.kg.languages`, sections
`queries` and `query_parameters`). `today` as a default stands for the graph's own day. A file NAME.neo4j.cypher takes
the place of NAME.cypher on Neo4j, where that server has something better than what every server has; it has no comment
lines of its own. `needs: vectors` stands where the nodes' vectors are compared, which not every graph has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from pathfolio.kg.errors import UsageError
from pathfolio.kg.languages import DEFAULT, languages, words
from pathfolio.kg.languages.names import Names
from pathfolio.kg.store.parameters import TYPES, parse_assignments, parse_value

GRAPH_DAY: Final = "today"
_PARAMETER: Final = re.compile(r"(?P<name>\w+) (?P<type>\w+)(?: = (?P<default>.+))?")


@dataclass(frozen=True)
class QueryParameter:
    """A parameter of a named query; `default` is its text, None where a value must be given."""

    name: str
    type: str
    default: str | None
    about: Names


@dataclass(frozen=True)
class NamedQuery:
    """A question that analysts ask often.

    Attributes:
        name: of its file.
        title: what it is called; `sentence`: what it asks.
        text: for any server.
        neo4j: for Neo4j, where it can do better; else the same.
        example: values as on the command line, such as a=VOO b=QQQ.
        needs_vectors: whether it compares the nodes' vectors, which not every graph has.
    """

    name: str
    title: Names
    sentence: Names
    parameters: tuple[QueryParameter, ...]
    example: str
    text: str
    neo4j: str
    needs_vectors: bool

    def text_for(self, dialect: str) -> str:
        """The Cypher for a kind of server."""
        return self.neo4j if dialect == "neo4j" else self.text

    def values(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Typed values from texts; what defaults to the graph's own day is left out, for `run_query` to fill in.

        Raises:
            UsageError: one is missing, unknown or not of its type.
        """
        names = [parameter.name for parameter in self.parameters]
        unknown = [name for name in given if name not in names]
        if unknown:
            raise UsageError(f"{self.name} has no parameter {unknown[0]!r}: it has {', '.join(names)}")
        out = {}
        for parameter in self.parameters:
            text = given.get(parameter.name, parameter.default)
            if text is None:
                raise UsageError(f"{self.name} needs -P {parameter.name}=…: {parameter.about[DEFAULT]}")
            if text != GRAPH_DAY or parameter.type != "date":
                out[parameter.name] = parse_value(parameter.name, text, parameter.type)
        return out

    def values_from_words(self, words: Sequence[str]) -> dict[str, Any]:
        """As `values`, from name=value words."""
        return self.values({name: text for name, (text, _) in parse_assignments(words).items()})


@cache
def named_queries() -> Mapping[str, NamedQuery]:
    """All named queries by name, in alphabetical order."""
    folder = files("pathfolio.kg") / "cypher"
    texts = {item.name: item.read_text(encoding="utf-8") for item in folder.iterdir() if item.name.endswith(".cypher")}
    names = sorted(name.removesuffix(".cypher") for name in texts if not name.endswith(".neo4j.cypher"))
    return MappingProxyType({name: _parse(name, texts) for name in names})


def named_query(name: str) -> NamedQuery:
    """The named query called `name`.

    Raises:
        UsageError: there is none.
    """
    try:
        return named_queries()[name]
    except KeyError:
        raise UsageError(f"no named query {name!r}: `pathfolio cypher --list` lists them") from None


def _parse(name: str, texts: Mapping[str, str]) -> NamedQuery:
    lines = texts[f"{name}.cypher"].splitlines()
    head = [line.removeprefix("// ") for line in lines if line.startswith("// ")]
    body = "\n".join(line for line in lines if not line.startswith("// ")).strip()
    fields = dict(line.split(": ", 1) for line in head if not line.startswith("parameter "))
    parameters = tuple(_parameter(name, line) for line in head if line.startswith("parameter "))
    neo4j = texts.get(f"{name}.neo4j.cypher", body).strip()
    title, sentence = _told(name, "title"), _told(name, "sentence")
    needs_vectors = fields.get("needs") == "vectors"
    return NamedQuery(name, title, sentence, parameters, fields["example"], body, neo4j, needs_vectors)


def _parameter(name: str, line: str) -> QueryParameter:
    match = _PARAMETER.fullmatch(line.removeprefix("parameter "))
    if match is None or match["type"] not in TYPES:
        raise ValueError(f"{name}.cypher: {line!r} is no parameter line")
    return QueryParameter(match["name"], match["type"], match["default"], _about(name, match["name"]))


def _told(query: str, what: str) -> Names:
    texts = {lang: words(lang, "queries", query).get(what, "") for lang in languages()}
    return Names({lang: text for lang, text in texts.items() if text})


def _about(query: str, parameter: str) -> Names:
    """What a parameter is: as its query says, else as all say that have one of its name."""
    either = {
        lang: {**words(lang, "query_parameters"), **words(lang, "queries", query, "parameters")} for lang in languages()
    }
    return Names({lang: texts[parameter] for lang, texts in either.items() if parameter in texts})
