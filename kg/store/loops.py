"""What a server cannot stop once it has begun: loops within one expression, and patterns that backtrack.

Neo4j looks at the clock between rows, not within an expression, so these are kept short beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pathfolio.kg.store.growth import check_body, check_matched, weights_of
from pathfolio.kg.store.tokens import Token, partners, refusal, words

LONGEST_RANGE: Final = 10_000
"""Elements that range() may make outside UNWIND, whose rows a server can stop."""

LONGEST_INNER_RANGE: Final = 100
MOST_LOOPS: Final = 20
_LOOPS: Final = words("reduce all any none single allreduce")
_SHORT_LISTS: Final = words("nodes relationships labels keys range")
_SIZES: Final = words("size length")
_REPEATED_GROUP: Final = re.compile(r"\)[*+{]|\\[1-9]|\(\?[^:i]")
_UNBOUNDED: Final = re.compile(r"[*+]|\{\d*,\d*\}")


def check_patterns(query: str, tokens: list[Token], parameters: Mapping[str, object]) -> None:
    """Regular expressions are given outright, and cannot backtrack without end.

    Raises:
        QueryError: one is computed, or might take for ever.
    """
    for at, token in enumerate(tokens):
        if token.text != "=~":
            continue
        right = tokens[at + 1] if at + 1 < len(tokens) else token
        after = tokens[at + 2].text if at + 2 < len(tokens) else ""
        if right.kind not in ("text", "parameter") or after in ("+", "[", ".", "||"):
            raise refusal("=~ takes a pattern in quotes, or a parameter", query, token.start)
        pattern = right.text[1:-1] if right.kind == "text" else str(_parameter(right, parameters))
        if _REPEATED_GROUP.search(pattern) or len(_UNBOUNDED.findall(pattern)) > 3 or len(pattern) > 200:
            message = "this pattern could take for ever: repeat no group, and use three * or + at most"
            raise refusal(message, query, right.start)


def check_loops(query: str, tokens: list[Token], parameters: Mapping[str, object]) -> None:
    """List expressions stand in one another only over short lists, and range() counts far only in UNWIND.

    What they do with an element has no other list in it, and no value is put together from too many others.

    Raises:
        QueryError: an expression might run for long.
    """
    depth = 0
    stack = []
    loops = 0
    closes = partners(tokens)
    weights = weights_of(query, tokens, parameters, closes)
    check_matched(query, tokens, weights)
    for at, token in enumerate(tokens):
        if token.text in ("(", "[", "{"):
            source = _loop_source(tokens, at, closes)
            stack.append(source is not None)
            if source is not None:
                loops += 1
                depth += 1
                if loops > MOST_LOOPS:
                    message = f"more than {MOST_LOOPS} list expressions in one query: use UNWIND in their place"
                    raise refusal(message, query, token.start)
                _check_nesting(query, tokens, at, source, depth)
                _check_gathering(query, tokens, at, closes[at])
                body, own = _body(tokens, at, source, closes)
                check_body(query, body, own, weights, parameters)
        elif token.text in (")", "]", "}") and stack:
            depth -= stack.pop()
        if token.name.lower() == "range" and _text(tokens, at + 1) == "(" and _upper(tokens, at - 1) != "UNWIND":
            most = LONGEST_INNER_RANGE if depth > 1 else LONGEST_RANGE
            _check_range(query, tokens, at, closes[at + 1], parameters, most)


def _check_gathering(query: str, tokens: list[Token], at: int, end: int) -> None:
    """reduce() adds to what it has gathered; it does not double it."""
    if tokens[at - 1].name.lower() != "reduce" or _text(tokens, at + 2) != "=":
        return
    inside = _arguments(tokens, at, end)
    uses = sum(token.name == tokens[at + 1].name and _is_added(inside, i) for i, token in enumerate(inside))
    if uses > 1 or any(token.name.lower() == "replace" for token in inside):
        message = "reduce() uses what it has gathered once, without replace()"
        raise refusal(message, query, tokens[at - 1].start)


def _is_added(inside: list[Token], at: int) -> bool:
    """Whether it is put into the new value: not where it gets its first one, is compared, or is surely a number."""
    numbers = ("*", "/", "%", "^", "-", "<", ">", "<=", ">=", "=", "<>")
    return _text(inside, at - 1) not in numbers and _text(inside, at + 1) not in numbers


def _body(tokens: list[Token], at: int, source: int, closes: list[int]) -> tuple[list[Token], set[str]]:
    """What the list expression at `at` does with each element, and its variables."""
    end = closes[at]
    start = next((i + 1 for i in _level(tokens, source, closes, end) if _begins_body(tokens[i])), 0)
    own = {tokens[at + 1].name, tokens[source - 2].name}
    return (tokens[start:end] if start else []), own


def _begins_body(token: Token) -> bool:
    return token.text == "|" or token.upper == "WHERE"


def _level(tokens: list[Token], at: int, closes: list[int], end: int) -> Iterator[int]:
    """The places from `at` to `end` that are in no bracket of their own."""
    while at < end:
        yield at
        at = closes[at] if tokens[at].text in ("(", "[", "{") else at + 1


def _text(tokens: list[Token], at: int) -> str:
    return tokens[at].text if 0 <= at < len(tokens) else ""


def _upper(tokens: list[Token], at: int) -> str:
    return tokens[at].upper if 0 <= at < len(tokens) else ""


def _loop_source(tokens: list[Token], at: int, closes: list[int]) -> int | None:
    """Where the list begins that the bracket at `at` walks over; None where it opens no list expression."""
    if tokens[at].text == "[":
        return at + 3 if _upper(tokens, at + 2) == "IN" else None
    if tokens[at].text != "(" or not at or tokens[at - 1].name.lower() not in _LOOPS:
        return None
    inside = _level(tokens, at + 1, closes, closes[at])
    return next((i + 1 for i in inside if tokens[i].upper == "IN"), at + 1)


def _check_nesting(query: str, tokens: list[Token], at: int, source: int, depth: int) -> None:
    if depth == 1:
        return
    is_short = _text(tokens, source) == "[" or (
        _text(tokens, source + 1) == "(" and tokens[source].name.lower() in _SHORT_LISTS
    )
    if depth > 2 or not is_short:
        raise refusal(
            "list expressions stand in one another only over short lists: use UNWIND", query, tokens[at].start
        )


def _check_range(query: str, tokens: list[Token], at: int, end: int, parameters: Mapping[str, Any], most: int) -> None:
    """The arguments of range() are plain numbers that are small enough, or sizes of lists that are there."""
    for token in _arguments(tokens, at + 1, end):
        value: Any = 0
        if token.kind == "number":
            value = _number(token.text)
        elif token.kind == "parameter":
            value = _parameter(token, parameters)
        elif token.text in ("*", "^", "[") or (token.name and token.name.lower() not in _SIZES):
            value = None
        if not isinstance(value, int | float) or abs(value) > most:
            message = f"range() counts to {most:,} here, in numbers or sizes of lists: use UNWIND range() for more"
            raise refusal(message, query, tokens[at].start)


def _arguments(tokens: list[Token], at: int, end: int) -> list[Token]:
    """The tokens between the bracket at `at` and its partner at `end`, without what stands in size() and length()."""
    found = []
    depth = 0
    hidden = 0
    for i in range(at, end):
        text = tokens[i].text
        if text in ("(", "[", "{"):
            depth += 1
            if not hidden and tokens[i - 1].name.lower() in _SIZES:
                hidden = depth
        elif text in (")", "]", "}"):
            hidden = 0 if hidden == depth else hidden
            depth -= 1
        elif not hidden:
            found.append(tokens[i])
    return found


def _parameter(token: Token, parameters: Mapping[str, object]) -> Any:
    return parameters.get(token.text[1:].strip("`"), 0)


def _number(text: str) -> float:
    try:
        return float(text.replace("_", ""))
    except ValueError:  # hexadecimal and the like
        return float("inf")
