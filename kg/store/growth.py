"""Values that a query makes out of others must not grow without bound: a server counts rows, not what is in one.

Twenty times `WITH l + l AS l` make a list of millions out of a short one, in one row, and no time limit ends what is
done with it: Neo4j looks at the clock between rows. So each name that a query gives with AS has a weight, the number
of earlier values that its own is put together from, and weights have a bound. Inside a list expression such a name
stands only where it is a number, is compared, or is one element of a list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pathfolio.kg.store.patterns import LONGEST_MATCHED
from pathfolio.kg.store.tokens import Token, refusal, words

MOST_GROWTH: Final = 16
_CLAUSES: Final = words("MATCH OPTIONAL WHERE WITH RETURN UNWIND CALL UNION ORDER SKIP LIMIT OFFSET YIELD")
_SCALAR: Final = frozenset(["*", "/", "%", "^", "-", "<", ">", "<=", ">=", "=", "<>"])
"""What stands between numbers, or compares: a value beside it does not become part of another."""

_NUMBERS: Final = words("count sum avg size length tointeger tofloat stdev abs round")
_MAKERS: Final = words("collect range split keys nodes relationships labels reduce replace properties")
_MAKING_SIGNS: Final = frozenset(["[", "{", "+", "||"])
_SIZES: Final = words("size length count")


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
) -> list[Token]:
    """In what a list expression does with each element, another list or text stands only to be searched.

    Args:
        own: the variables of the expression, and of those in it.

    Returns:
        The names and parameters of those that are searched.

    Raises:
        QueryError: one stands as a whole, and so would be there once for each element.
    """
    searched = []
    for at, token in enumerate(body):
        is_whole = _is_part(body, at) and not _is_element(body, at) and token.name not in own
        if not is_whole or not _weight_of(token, weights, parameters):
            continue
        if not _is_searched(body, at):
            message = f"{token.text} stands in a list expression: use UNWIND in its place"
            raise refusal(message, query, token.start)
        searched.append(token)
    return searched


def _is_searched(body: list[Token], at: int) -> bool:
    """Whether something is looked for in it, or it in something: x IN HERE, x STARTS WITH HERE, HERE CONTAINS x."""
    before = body[at - 1].upper if at else ""
    after = body[at + 1] if at + 1 < len(body) else None
    is_alone = after is None or after.text not in ("+", "||", "[", ".")
    is_right = before in ("IN", "CONTAINS") or (
        before == "WITH" and at >= 2 and body[at - 2].upper in ("STARTS", "ENDS")
    )
    return is_alone and (is_right or (after is not None and after.upper == "CONTAINS" and before not in ("+", "||")))


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
    """Whether it is reckoned, one call of a function that makes a number, or what UNWIND range(…) counts."""
    is_counting = first > 0 and tokens[first - 1].upper == "UNWIND" and tokens[first].name.lower() == "range"
    if _is_reckoned(tokens, first, end, closes):
        return True
    if end - first < 3 or tokens[first + 1].text != "(":
        return False
    if tokens[first].name.lower() not in _NUMBERS and not is_counting:
        return False
    return closes[first + 1] == end - 1


def _is_reckoned(tokens: list[Token], first: int, end: int, closes: list[int]) -> bool:
    """Whether its outermost signs are those of arithmetic with numbers alone: a sum may be one of lists."""
    level = []
    at = first
    while at < end:
        level.append(tokens[at])
        at = closes[at] + 1 if tokens[at].text in ("(", "[", "{") else at + 1
    is_open = any(token.text in ("+", "||", "|") or token.upper in ("CASE", "UNWIND") for token in level)
    return not is_open and any(token.text in ("*", "/", "%", "^") for token in level)


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
