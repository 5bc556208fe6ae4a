"""Regular expressions that cannot backtrack without end: a server looks at the clock between rows, not within one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pathfolio.kg.store.tokens import Token, refusal, words

LONGEST_PATTERN: Final = 200
MOST_REPETITIONS: Final = 3
MOST_CHOICES: Final = 256
"""Ways through a pattern's groups and what is optional in it."""

LONGEST_GIVEN: Final = 100
"""Characters of a text that may be put together with others before =~ looks at it."""

LONGEST_MATCHED: Final = 300
"""Characters of a text in the query that =~ may look at."""

_REPEATED_GROUP: Final = re.compile(r"\)[*+{]|\\[1-9]|\(\?[^:i]")
_REPETITION: Final = re.compile(
    r"(?P<what>\\[wdsWDS]|\[(?:[^\]\\]|\\.)+\])?(?:[*+]|\{\d*,\d*\})(?P<next>[\w ,;:@#&/-])?"
)
_OPTIONAL: Final = re.compile(r"(?<![(*+?}])\?")
_LENGTHEN: Final = words("reduce replace")
_KEEP_SHORT: Final = words("tolower toupper lower upper trim ltrim rtrim btrim tostring")


def check_patterns(query: str, tokens: list[Token], parameters: Mapping[str, object]) -> None:
    """Regular expressions are given outright, cannot backtrack without end, and look at short texts.

    Raises:
        QueryError: one is computed, might take for ever, or looks at what may be long.
    """
    made = {tokens[at + 1].name for at in range(len(tokens) - 1) if tokens[at].upper == "AS"}
    made |= {tokens[at - 1].name for at in range(1, len(tokens)) if tokens[at].upper == "IN"}
    may_be_long = any(_may_be_long(token, parameters) for token in tokens)
    for at, token in enumerate(tokens):
        if token.text != "=~":
            continue
        pattern = _pattern(tokens, at + 1, parameters)
        if pattern is None:
            message = "=~ takes a pattern in quotes, a parameter, or such put together with +"
            raise refusal(message, query, token.start)
        if _takes_for_ever(pattern):
            message = "this pattern could take for ever: repeat no group, and use three * or + at most"
            raise refusal(message, query, token.start)
        if may_be_long and not _looks_at_short(tokens, at - 1, made):
            raise refusal("=~ looks at a property, as in n.name =~ '…', or at a short text", query, token.start)


def _takes_for_ever(pattern: str) -> bool:
    choices = 2 ** len(_OPTIONAL.findall(pattern))
    for group in pattern.split("("):
        choices *= 1 + group.count("|")
    is_branching = choices > MOST_CHOICES or _repetitions(pattern) > MOST_REPETITIONS
    return is_branching or len(pattern) > LONGEST_PATTERN or _REPEATED_GROUP.search(pattern) is not None


def _may_be_long(token: Token, parameters: Mapping[str, object]) -> bool:
    """Whether a query with this token may have a text that is longer than the graph's own."""
    if token.kind == "parameter":
        return _length(parameters.get(token.text[1:].strip("`"))) > LONGEST_GIVEN
    return token.name.lower() in _LENGTHEN or (token.kind == "text" and len(token.text) > LONGEST_GIVEN)


def _length(value: object) -> int:
    """Of the longest text in a parameter."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return max(map(_length, value.values()), default=0)
    return max(map(_length, value), default=0) if isinstance(value, list | tuple) else 0


def _looks_at_short(tokens: list[Token], left: int, made: set[str]) -> bool:
    """Whether what ends at `left` is a property or a short text, or one call around such, as in toLower(n.name).

    What the query itself has made, the names in `made`, may have anything as properties.
    """
    is_called = tokens[left].text == ")"
    left -= is_called
    owner = tokens[left - 2].name if left >= 2 and tokens[left].name and tokens[left - 1].text == "." else ""
    is_property = owner != "" and owner not in made
    is_short = tokens[left].kind == "text" and len(tokens[left].text) <= LONGEST_MATCHED
    before = left - (3 if is_property else 1)
    is_known = before >= 1 and tokens[before].text == "(" and tokens[before - 1].name.lower() in _KEEP_SHORT
    return (is_property or is_short) and (is_known or not is_called)


def _pattern(tokens: list[Token], at: int, parameters: Mapping[str, object]) -> str | None:
    """The pattern that begins at `at`: texts and parameters, put together with +; None where it is something else."""
    in_bracket = at < len(tokens) and tokens[at].text == "("
    at += in_bracket
    parts = []
    while at < len(tokens) and tokens[at].kind in ("text", "parameter"):
        parts.append(_text(tokens[at], parameters))
        after = tokens[at + 1].text if at + 1 < len(tokens) else ""
        if after != "+":
            is_whole = after == ")" if in_bracket else after not in ("[", ".", "||")
            beyond = tokens[at + 2].text if in_bracket and at + 2 < len(tokens) else ""
            return "".join(parts) if is_whole and beyond not in ("+", "[", ".", "||") else None
        at += 2
    return None


def _text(token: Token, parameters: Mapping[str, object]) -> str:
    if token.kind == "parameter":
        return str(parameters.get(token.text[1:].strip("`"), ""))
    return re.sub(r"\\(.)", r"\1", token.text[1:-1])


def _repetitions(pattern: str) -> int:
    """How many repetitions may give back what they took: not those that end for sure, as in `\\w+ `."""
    return sum(not _ends_for_sure(found) for found in _REPETITION.finditer(pattern))


def _ends_for_sure(found: re.Match[str]) -> bool:
    if found["what"] is None or found["next"] is None:
        return False
    try:
        return re.fullmatch(found["what"], found["next"]) is None
    except re.error:  # Java's syntax is not Python's: count it
        return False
