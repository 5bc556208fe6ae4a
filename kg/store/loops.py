"""What a server cannot stop once it has begun: loops within one expression.

Neo4j looks at the clock between rows, not within an expression. What can be seen beforehand is kept short beforehand;
how long collected lists are is known when they are there, and so their lengths are looked at then: the source of a
list expression such as `[x IN xs WHERE x IN ys]` becomes `(xs)[CASE WHEN size(xs) * size(ys) > MOST THEN … END..]`,
which is the whole of xs, or an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pathfolio.kg.store.growth import check_body, weights_of
from pathfolio.kg.store.tokens import Token, partners, refusal, words

LONGEST_RANGE: Final = 10_000
"""Elements that range() may make outside UNWIND, whose rows a server can stop."""

LONGEST_INNER_RANGE: Final = 100
MOST_LOOPS: Final = 20
MOST_PAIRS: Final = 5_000_000
"""Elements of two lists that one expression may hold against each other."""

MOST_INNER: Final = 1_000
"""Elements of a list that is walked over for each element of another, which may have MOST_PAIRS / MOST_INNER."""

TOO_LONG: Final = "these lists are too long"
"""What date() cannot read where a bound is passed: both servers repeat it in their error."""

_LOOPS: Final = words("reduce all any none single allreduce")
_SHORT_LISTS: Final = words("nodes relationships labels keys range")
_SIZES: Final = words("size length")

Insertion = tuple[int, str]


@dataclass(frozen=True)
class _Loop:
    """A list expression; places are those of tokens.

    Attributes:
        at, end: its brackets.
        source, stop: where what it walks over begins, and where that has ended.
        outer: the one that it stands in.
    """

    at: int
    end: int
    source: int
    stop: int
    outer: _Loop | None

    @property
    def depth(self) -> int:
        """1 where it stands in no other."""
        return 1 if self.outer is None else 1 + self.outer.depth


def check_loops(query: str, tokens: list[Token], parameters: Mapping[str, object]) -> list[Insertion]:
    """List expressions stand in one another two deep, and range() counts far only in UNWIND.

    What they do with an element has no other list in it, but to look for something there, and no value is put together
    from too many others.

    Returns:
        What to put into the query, at places in its text, so that the server keeps to the bounds on lists' lengths.

    Raises:
        QueryError: an expression might run for long.
    """
    closes = partners(tokens)
    loops = list(islice(_loops(tokens, closes), MOST_LOOPS + 1))
    if len(loops) > MOST_LOOPS:
        message = f"more than {MOST_LOOPS} list expressions in one query: use UNWIND in their place"
        raise refusal(message, query, tokens[loops[MOST_LOOPS].at].start)
    weights = weights_of(query, tokens, parameters, closes)
    found = list[Insertion]()
    bounded = set[Token]()
    for loop in loops:
        _check_gathering(query, tokens, loop.at, loop.end)
        own = {name for other in loops if loop.at <= other.at < loop.end for name in _own(tokens, other)}
        searched = check_body(query, tokens[loop.stop + 1 : loop.end], own, weights, parameters)
        found += _bounds(query, tokens, loop, searched, bounded)
        bounded.update(searched)
    for at, token in enumerate(tokens):
        if token.name.lower() == "range" and _text(tokens, at + 1) == "(" and _upper(tokens, at - 1) != "UNWIND":
            is_repeated = any(loop.stop < at < loop.end for loop in loops)
            most = LONGEST_INNER_RANGE if is_repeated else LONGEST_RANGE
            _check_range(query, tokens, at, closes[at + 1], parameters, most)
    return found


def _loops(tokens: list[Token], closes: list[int]) -> Iterator[_Loop]:
    """The list expressions from left to right."""
    open_loops = list[_Loop]()
    for at, token in enumerate(tokens):
        while open_loops and open_loops[-1].end <= at:
            open_loops.pop()
        source = _loop_source(tokens, at, closes) if token.text in ("(", "[") else None
        if source is not None:
            end = closes[at]
            stop = next((i for i in _level(tokens, source, closes, end) if _begins_body(tokens[i])), end)
            loop = _Loop(at, end, source, stop, open_loops[-1] if open_loops else None)
            open_loops.append(loop)
            yield loop


def _own(tokens: list[Token], loop: _Loop) -> set[str]:
    """Its variables."""
    return {tokens[loop.at + 1].name, tokens[loop.source - 2].name}


def _bounds(
    query: str, tokens: list[Token], loop: _Loop, searched: list[Token], bounded: set[Token]
) -> list[Insertion]:
    """What keeps it short where its lists are long; those that are `bounded` are so by the loop around it."""
    found = list[Insertion]()
    if searched:
        sizes = " + ".join(f"size({name})" for name in sorted({token.text for token in searched}))
        found += _bound(query, tokens, loop, f"* ({sizes}) > {MOST_PAIRS}")
    if loop.outer is None:
        return found
    if loop.depth > 2:
        message = "list expressions stand in one another two deep at most: use UNWIND"
        raise refusal(message, query, tokens[loop.at].start)
    is_short = _text(tokens, loop.source) == "[" or (
        _text(tokens, loop.source + 1) == "(" and tokens[loop.source].name.lower() in _SHORT_LISTS
    )
    if not is_short and tokens[loop.source] not in bounded:
        found += _bound(query, tokens, loop, f"> {MOST_INNER}")
        found += _bound(query, tokens, loop.outer, f"> {MOST_PAIRS // MOST_INNER}")
    return found


def _bound(query: str, tokens: list[Token], loop: _Loop, condition: str) -> list[Insertion]:
    """The source of `loop`, or an error where its size is under `condition`."""
    last = tokens[loop.stop - 1]
    start, stop = tokens[loop.source].start, last.start + len(last.text)
    check = f"CASE WHEN size({query[start:stop]}) {condition} THEN date('{TOO_LONG}').day ELSE 0 END"
    return [(start, "("), (stop, f")[{check}..]")]


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
    """Whether it is put into the new value: not where it gets its first one, is compared, is surely a number, or stays
    what it was in a case of its own, as in ELSE s END."""
    if _upper(inside, at - 1) in ("THEN", "ELSE") and _upper(inside, at + 1) in ("WHEN", "ELSE", "END"):
        return False
    numbers = ("*", "/", "%", "^", "-", "<", ">", "<=", ">=", "=", "<>")
    return _text(inside, at - 1) not in numbers and _text(inside, at + 1) not in numbers


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
