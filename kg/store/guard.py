"""Which queries analysts may run: those that read, in words that are known to be harmless.

This is the first of several layers. Behind it stand the server's own word on what the query does, READ access or a
user who may only read, a transaction that is always rolled back, and limits of time and size (`Store.ask`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pathfolio.kg.store.answer import QueryError
from pathfolio.kg.store.loops import check_loops, check_patterns
from pathfolio.kg.store.tokens import Token, dotted_name, refusal, tokens_of, words

LONGEST_QUERY: Final = 32_000
DEEPEST_NESTING: Final = 60

_STARTS: Final = words("MATCH OPTIONAL WITH UNWIND RETURN CALL")
_REFUSED: Final = words(
    "CREATE MERGE SET DELETE DETACH NODETACH REMOVE DROP FOREACH INSERT ALTER GRANT DENY REVOKE RENAME LOAD CSV USE "
    "PERIODIC TRANSACTIONS TERMINATE DEALLOCATE REALLOCATE DRYRUN ENABLE SHOW PROFILE"
)
FUNCTIONS: Final = words(
    """
    abs acos all allreduce any asin atan atan2 avg btrim ceil char_length character_length coalesce collect cos cosh
    cot coth count date degrees duration e elementid endnode exists exp floor haversin head isempty isnan keys labels
    last left length localdatetime log log10 lower ltrim max min nodes none normalize nullif percentilecont
    percentiledisc pi point properties radians range reduce relationships replace reverse right round rtrim
    shortestpath allshortestpaths sign sin single sinh size split sqrt startnode stdev stdevp substring sum tail tan
    tanh toboolean tobooleanlist tobooleanornull tofloat tofloatlist tofloatornull tointeger tointegerlist
    tointegerornull tolower tostring tostringlist tostringornull toupper trim type upper valuetype
    date.truncate duration.between duration.indays duration.inmonths duration.inseconds point.distance
    point.withinbbox vector.similarity.cosine vector.similarity.euclidean
    """
)
PROCEDURES: Final = words(
    """
    db.labels db.propertykeys db.relationshiptypes db.schema.nodetypeproperties db.schema.reltypeproperties
    db.schema.visualization db.index.fulltext.querynodes db.index.fulltext.queryrelationships
    db.index.vector.querynodes db.index.vector.queryrelationships
    """
)
_BEFORE_BRACKET: Final = words(
    "MATCH WHERE WITH RETURN UNWIND AND OR XOR NOT IN AS BY ON CASE WHEN THEN ELSE DISTINCT CALL UNION OPTIONAL STARTS "
    "ENDS CONTAINS IS LIMIT SKIP OFFSET ORDER ACYCLIC TRAIL WALK SHORTEST PATH PATHS GROUP GROUPS"
)
"""Words that a bracket may follow without making a call."""


@dataclass(frozen=True)
class CheckedQuery:
    """A query that may run.

    Attributes:
        text: without a leading EXPLAIN.
        explain: whether only its plan was asked for.
    """

    text: str
    explain: bool


def check_query(query: str, parameters: Mapping[str, object] | None = None) -> CheckedQuery:
    """Let a query through that only reads, with functions and procedures that reach nothing but the graph.

    Raises:
        QueryError: it does more, or might; the message names the word and its place.

    >>> check_query("MATCH (n:Fund) RETURN count(n);").text
    'MATCH (n:Fund) RETURN count(n)'
    """
    if len(query) > LONGEST_QUERY:
        raise QueryError(f"a query has at most {LONGEST_QUERY:,} characters, not {len(query):,}")
    tokens = tokens_of(query)
    while tokens and tokens[-1].text == ";":
        query = query[: tokens[-1].start].rstrip()
        tokens = tokens[:-1]
    explain = bool(tokens) and tokens[0].upper == "EXPLAIN"
    if explain:
        end = tokens[0].start + len("EXPLAIN")
        query = " " * end + query[end:]  # blanks, so that places in the text stay what they were
        tokens = tokens[1:]
    if not tokens or tokens[0].upper not in _STARTS:
        start = tokens[0].start if tokens else 0
        raise refusal("a query begins with MATCH, OPTIONAL MATCH, WITH, UNWIND, RETURN or CALL", query, start)
    _check_words(query, tokens)
    _check_calls(query, tokens)
    check_patterns(query, tokens, parameters or {})
    check_loops(query, tokens, parameters or {})
    return CheckedQuery(query, explain)


def _check_words(query: str, tokens: list[Token]) -> None:
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if depth > DEEPEST_NESTING:
            raise refusal(f"brackets are nested more than {DEEPEST_NESTING} deep", query, token.start)
        if token.text == ";":
            raise refusal("one query at a time", query, token.start)
        if token.upper in _REFUSED and not _is_name(tokens, at):
            raise refusal(f"{token.upper} is not for queries that only read", query, token.start)


def _is_name(tokens: list[Token], at: int) -> bool:
    """Whether the word at `at` is a property (n.set), a label or type (:Set, |SET) or the key of a map ({set: 1})."""
    before = tokens[at - 1].text if at else ""
    after = tokens[at + 1].text if at + 1 < len(tokens) else ""
    if before in ("{", ","):
        return after == ":"
    return before in (".", ":", "|") and after != "("


def _check_calls(query: str, tokens: list[Token]) -> None:
    """Every name before a bracket is a function that is allowed, every name after CALL such a procedure."""
    procedures = set()
    for at, token in enumerate(tokens):
        if token.upper == "CALL" and not _is_name(tokens, at):
            procedures.add(_check_procedure(query, tokens, at + 1))
        elif token.text == "(" and at and tokens[at - 1].name and at - 1 not in procedures:
            _check_function(query, tokens, at - 1)


def _check_procedure(query: str, tokens: list[Token], at: int) -> int:
    """The place of the last part of the procedure's name; -1 for a subquery."""
    if at < len(tokens) and tokens[at].text in ("(", "{"):
        return -1
    name, last = dotted_name(tokens, at)
    if name.lower() not in PROCEDURES:
        place = tokens[at].start if at < len(tokens) else len(query)
        raise refusal(f"procedure {name or '?'} is not among those that analysts may call", query, place)
    return last


def _check_function(query: str, tokens: list[Token], last: int) -> None:
    first = last
    while first >= 2 and tokens[first - 1].text == "." and tokens[first - 2].name:
        first -= 2
    name = ".".join(tokens[at].name for at in range(first, last + 1, 2))
    if tokens[last].upper in _BEFORE_BRACKET and first == last:
        return
    if name.lower() not in FUNCTIONS:
        raise refusal(f"function {name}() is not among those that analysts may use", query, tokens[first].start)
