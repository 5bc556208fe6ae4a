"""Cypher text as tokens: enough of the language to tell words from what stands in quotes and comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pathfolio.kg.store.answer import QueryError

_TOKEN: Final = re.compile(
    r"""
      (?P<space>\s+ | //[^\n\r]* | /\*.*?\*/)
    | (?P<text>'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*")
    | (?P<quoted>`(?:[^`]|``)*`)
    | (?P<number>(?:\d[\d_]*\.\d[\d_]*|\.\d[\d_]*|\d[\d_]*)(?:[eE][+-]?\d+)?\w*)
    | (?P<parameter>\$(?:`(?:[^`]|``)*`|\w+))
    | (?P<word>[^\W\d]\w*)
    | (?P<sign>=~|\.\.|<=|>=|<>|->|<-|\+=|\|\||::|[^\w\s])
    """,
    re.VERBOSE | re.DOTALL,
)

_ESCAPE: Final = re.compile(r"\\u", re.IGNORECASE)
"""The last backslash before a u: to look for the first of many takes the square of their number."""


def words(text: str) -> frozenset[str]:
    """The words of `text` as a set, for lists of names that read as text."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query.

    Attributes:
        kind: text, quoted (a name in backticks), number, parameter, word or sign.
        start: where it begins, in characters.
    """

    kind: str
    text: str
    start: int

    @property
    def upper(self) -> str:
        """A word in capitals; empty for everything else."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """A word or a quoted name without its backticks; empty for everything else."""
        if self.kind == "quoted":
            return self.text[1:-1].replace("``", "`")
        return self.text if self.kind == "word" else ""


def tokens_of(query: str) -> list[Token]:
    """The tokens of `query`, spaces and comments left out.

    Escapes such as \\u0043 are refused: Neo4j resolves them before it reads the text, quotes included, so that
    they could hide any word.

    Raises:
        QueryError: a quote or comment does not end, or there is a unicode escape.

    >>> [token.text for token in tokens_of("RETURN 'a//b' /* c */ AS `x y`")]
    ['RETURN', "'a//b'", 'AS', '`x y`']
    """
    escape = _ESCAPE.search(query)
    if escape is not None:
        raise refusal("write the character itself in place of a \\u escape", query, escape.start())
    found = []
    at = 0
    while at < len(query):
        match = _TOKEN.match(query, at)
        if match is None or (match.lastgroup == "sign" and match.group() in "'\"`"):
            raise refusal("a quotation mark has no partner", query, at)
        if match.group() == "/" and query.startswith("/*", at):
            raise refusal("a comment does not end", query, at)
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    return found


def partners(tokens: list[Token]) -> list[int]:
    """For each token that opens a bracket the place of the one that closes it, else the end of the tokens.

    >>> partners(tokens_of("f(a[0], (b)"))
    [10, 10, 10, 5, 10, 10, 10, 9, 10, 10]
    """
    found = [len(tokens)] * len(tokens)
    opened = list[int]()
    for at, token in enumerate(tokens):
        if token.text in ("(", "[", "{"):
            opened.append(at)
        elif token.text in (")", "]", "}") and opened:
            found[opened.pop()] = at
    return found


def with_insertions(query: str, insertions: Sequence[tuple[int, str]]) -> str:
    """`query` with texts put in at places of its own; of several at one place the earlier comes first.

    >>> with_insertions("RETURN x", [(7, "("), (8, " + 1)")])
    'RETURN (x + 1)'
    """
    parts = []
    done = 0
    for place, text in sorted(insertions, key=lambda pair: pair[0]):
        parts += [query[done:place], text]
        done = place
    return "".join([*parts, query[done:]])


def refusal(message: str, query: str, start: int) -> QueryError:
    """The error that names the place `start` of `query`."""
    before = query[:start]
    return QueryError(message, before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1)


def dotted_name(tokens: list[Token], at: int) -> tuple[str, int]:
    """The name that starts at `at`, such as db.labels, and the place of its last part; ("", at - 1) for none."""
    names: list[str] = []
    while at < len(tokens) and tokens[at].name:
        names.append(tokens[at].name)
        if at + 1 >= len(tokens) or tokens[at + 1].text != ".":
            return ".".join(names), at
        at += 2
    return ".".join(names), at - 1
