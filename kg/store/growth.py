"""Values that a query makes out of others must not grow without bound: a server counts rows, not what is in one.

Twenty times `WITH l + l AS l` make a list of millions out of a short one, in one row, and no time limit ends what is
done with it: Neo4j looks at the clock between rows. So each name that a query gives with AS has a weight, the number
of earlier values that its own is put together from, and weights have a bound. Inside a list expression such a name
stands only where it is a number, is compared, or is one element of a list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pathfolio.kg.store.tokens import Token, refusal, words

MOST_GROWTH: Final = 16
LONGEST_MATCHED: Final = 300
"""Characters of a text in the query that =~ may look at."""

_CLAUSES: Final = words("MATCH OPTIONAL WHERE WITH RETURN UNWIND CALL UNION ORDER SKIP LIMIT OFFSET YIELD")
_SCALAR: Final = frozenset(["*", "/", "%", "^", "-", "<", ">", "<=", ">=", "=", "<>"])
"""What stands between numbers, or compares: a value beside it does not become part of another."""

_NUMBERS: Final = words("count sum avg size length tointeger tofloat stdev abs round")
_MAKERS: Final = words("collect range split keys nodes relationships labels reduce replace properties")
_MAKING_SIGNS: Final = frozenset(["[", "{", "+", "||"])
_SIZES: Final = words("size length count")
_KEEP_SHORT: Final = words("tolower toupper lower upper trim ltrim rtrim btrim tostring")


def weights_of(query: str, tokens: list[Token], parameters: Mapping[str, object], closes: list[int]) -> dict[str, int]:
    """The weight of each name that the query gives with AS; 0 where its value is a number.

    Args:
        closes: as `partners` gives them.

    Raises:
        QueryError: something is put together from too many earlier values.
    """
    weights: dict[str, int] = {}
    for first, end in _expressions(tokens):
        alias = next((at for at in range(end - 2, first - 1, -1) if tokens[at].upper == "AS"), end)
        weight = 0
        if not _is_number(tokens, first, alias, closes):
            weight = _weight(tokens[first:alias], weights, parameters) * _lengthened(tokens, first, alias, closes)
        if weight > MOST_GROWTH:
            message = "this puts too many values together out of one another: use UNWIND and collect()"
            raise refusal(message, query, tokens[first].start)
        if alias < end:
            name = tokens[alias + 1].name
            weights[name] = max(weight, weights.get(name, 0))
    return weights


def check_body(
    query: str, body: list[Token], own: set[str], weights: Mapping[str, int], parameters: Mapping[str, object]
) -> None:
    """In what a list expression does with each element, no other list or text stands as a whole.

    Args:
        own: the expression's own variables.

    Raises:
        QueryError: one does.
    """
    for at, token in enumerate(body):
        is_whole = _is_part(body, at) and not _is_element(body, at) and token.name not in own
        if is_whole and _weight_of(token, weights, parameters):
            message = f"{token.text} stands in a list expression: use UNWIND in its place"
            raise refusal(message, query, token.start)


def check_matched(query: str, tokens: list[Token], weights: Mapping[str, int]) -> None:
    """What =~ looks at is a property or a short text: a pattern takes its length to the power of its stars.

    Raises:
        QueryError: it is something else.
    """
    for at, token in enumerate(tokens):
        if token.text != "=~":
            continue
        left = at - 1
        if tokens[left].text == ")":  # one call around it, such as toLower(n.name)
            left -= 1
        is_property = left >= 2 and tokens[left - 1].text == "." and not weights.get(tokens[left - 2].name)
        is_short = tokens[left].kind == "text" and len(tokens[left].text) <= LONGEST_MATCHED
        before = left - (3 if is_property else 1)
        is_called = before >= 1 and tokens[before].text == "(" and tokens[before - 1].name.lower() in _KEEP_SHORT
        if not (is_property or is_short) or (left < at - 1 and not is_called):
            raise refusal("=~ looks at a property, as in n.name =~ '…', or at a short text", query, token.start)


def _expressions(tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """The places of the expressions in clauses, each from its first token to behind its last."""
    brackets: list[str] = []
    first = 0
    height = 0
    for at, token in enumerate(tokens):
        after = tokens[at + 1].text if at + 1 < len(tokens) else ""
        is_clause = token.upper in _CLAUSES and after != ":" and tokens[at - 1].text not in (".", ":", "|")
        closes = token.text in (")", "]", "}")
        if closes and brackets:
            brackets.pop()
        if (
            (is_clause and (not brackets or brackets[-1] == "{"))
            or (token.text == "," and len(brackets) == height)
            or len(brackets) < height
        ):
            if at > first:
                yield first, at
            first = at + 1
            height = len(brackets)
        if token.text in ("(", "[", "{"):
            brackets.append(token.text)
    if len(tokens) > first:
        yield first, len(tokens)


def _weight(expression: list[Token], weights: Mapping[str, int], parameters: Mapping[str, object]) -> int:
    """How many earlier values the expression is put together from; 0 for a property and the like."""
    parts = (_weight_of(token, weights, parameters) for at, token in enumerate(expression) if _is_part(expression, at))
    return sum(parts) or int(any(map(_makes, expression)))


def _makes(token: Token) -> bool:
    """Whether it makes a list, a map or a text that was not there before."""
    is_long = token.kind == "text" and len(token.text) > LONGEST_MATCHED
    return is_long or token.text in _MAKING_SIGNS or token.name.lower() in _MAKERS


def _is_number(tokens: list[Token], first: int, end: int, closes: list[int]) -> bool:
    """Whether it is one call of a function that makes a number, or what UNWIND range(…) counts."""
    is_counting = first > 0 and tokens[first - 1].upper == "UNWIND" and tokens[first].name.lower() == "range"
    if end - first < 3 or tokens[first + 1].text != "(":
        return False
    if tokens[first].name.lower() not in _NUMBERS and not is_counting:
        return False
    return closes[first + 1] == end - 1


def _weight_of(token: Token, weights: Mapping[str, int], parameters: Mapping[str, object]) -> int:
    if token.kind == "parameter":
        return int(isinstance(parameters.get(token.text[1:].strip("`")), str | list | tuple | dict))
    return weights.get(token.name, 0)


def _is_part(tokens: list[Token], at: int) -> bool:
    """Whether a name or parameter at `at` becomes part of the value: not where it is compared, counted or a number."""
    before = tokens[at - 1].text if at else ""
    after = tokens[at + 1].text if at + 1 < len(tokens) else ""
    is_label = before == ":" and not (at >= 3 and tokens[at - 3].text in ("{", ","))  # {key: HERE} is none
    if before == "." or is_label or after in ("(", ":"):
        return False
    is_first = before == "=" and at >= 4 and tokens[at - 4].name.lower() == "reduce"  # reduce(s = HERE, …)
    if (before in _SCALAR and not is_first) or after in _SCALAR:
        return False
    return not (before == "(" and after == ")" and at >= 2 and tokens[at - 2].name.lower() in _SIZES)


def _is_element(tokens: list[Token], at: int) -> bool:
    """Whether one element is taken, as in l[0], or a property; l[0..9] is a list."""
    after = tokens[at + 1].text if at + 1 < len(tokens) else ""
    if after != "[":
        return after == "."
    end = next((i for i in range(at + 2, len(tokens)) if tokens[i].text in ("]", "..")), at)
    return tokens[end].text == "]"


def _lengthened(tokens: list[Token], first: int, end: int, closes: list[int]) -> int:
    """By how much calls of replace() may lengthen a text: the length of what is put in, where it is given outright."""
    factor = 1
    for at in range(first, min(end, len(tokens) - 1)):
        if tokens[at].name.lower() == "replace" and tokens[at + 1].text == "(" and factor <= MOST_GROWTH:
            close = closes[at + 1]
            last = tokens[close - 1]
            is_given = last.kind == "text" and tokens[close - 2].text == ","
            factor *= max(len(last.text) - 2, 1) if is_given else MOST_GROWTH
    return factor
