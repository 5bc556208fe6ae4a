"""Which queries analysts may run: those that read, and reach nothing but the graph.

What a query does is the server's to say: its type and operators (`pathfolio.kg.store.plan`), READ access or a user who
may only read, a transaction that is always rolled back, and limits of time and size (`Store.ask`). This is the layer
before: it names the place of what is surely no reading, refuses the few things that read and yet reach further (files,
other databases, users, procedures and functions of plugins), and bounds what a server cannot stop
(`pathfolio.kg.store.loops`). Where a word may be either, a clause or somebody's name, the server decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from pathfolio.kg.store.answer import QueryError
from pathfolio.kg.store.loops import check_loops
from pathfolio.kg.store.patterns import check_patterns
from pathfolio.kg.store.tokens import Token, dotted_name, refusal, tokens_of, with_insertions, words

LONGEST_QUERY: Final = 32_000
DEEPEST_NESTING: Final = 60

_STARTS: Final = words("MATCH OPTIONAL WITH UNWIND RETURN CALL SHOW")
_REFUSED: Final = words(
    "CREATE MERGE SET DELETE DETACH NODETACH REMOVE DROP FOREACH INSERT ALTER GRANT DENY REVOKE LOAD USE TRANSACTIONS "
    "TERMINATE SHOW"
)
_AFTER_NAME: Final = words(
    "AS ORDER SKIP OFFSET LIMIT WHERE RETURN WITH MATCH OPTIONAL UNWIND CALL UNION AND OR XOR IN IS ASC ASCENDING DESC "
    "DESCENDING WHEN THEN ELSE END STARTS ENDS CONTAINS , ) ] } . : = <> < > <= >= + - * / % ^ | || =~"
)
"""What may follow a name and follows no clause's first word."""

_SHOWN: Final = words("INDEX INDEXES CONSTRAINT CONSTRAINTS FUNCTION FUNCTIONS PROCEDURE PROCEDURES")
_KINDS_SHOWN: Final = words(
    "ALL BUILT IN USER DEFINED FULLTEXT LOOKUP POINT RANGE TEXT VECTOR NODE RELATIONSHIP REL UNIQUE UNIQUENESS KEY "
    "EXIST EXISTENCE PROPERTY TYPE"
)
_REACHING: Final = words("file linenumber eval")
_NAMESPACES: Final = words("date datetime localdatetime time localtime duration point")
"""Functions with a dot belong to plugins, but for those of these values and the similarities of vectors."""

PROCEDURES: Final = words(
    """
    db.labels db.propertykeys db.relationshiptypes db.schema.nodetypeproperties db.schema.reltypeproperties
    db.schema.visualization db.index.fulltext.querynodes db.index.fulltext.queryrelationships
    db.index.vector.querynodes db.index.vector.queryrelationships db.info
    """
)


class Wanted(Enum):
    """What an answer shall hold."""

    ROWS = ""
    PLAN = "EXPLAIN"
    PROFILE = "PROFILE"


@dataclass(frozen=True)
class CheckedQuery:
    """A query that may run.

    Attributes:
        text: without a leading EXPLAIN or PROFILE.
        wanted: what the answer shall hold.
        bounded: the text with bounds put in that a server keeps while it runs it; empty where it needs none.
    """

    text: str
    wanted: Wanted = Wanted.ROWS
    bounded: str = ""

    @property
    def run(self) -> str:
        """What to run."""
        return self.bounded or self.text


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
    wanted = Wanted.ROWS
    if tokens and tokens[0].upper in (Wanted.PLAN.value, Wanted.PROFILE.value):
        wanted = Wanted(tokens[0].upper)
        end = tokens[0].start + len(wanted.value)
        query = " " * end + query[end:]  # blanks, so that places in the text stay what they were
        tokens = tokens[1:]
    _check_start(query, tokens)
    _check_words(query, tokens)
    _check_calls(query, tokens)
    check_patterns(query, tokens, parameters or {})
    bounds = check_loops(query, tokens, parameters or {})
    return CheckedQuery(query, wanted, with_insertions(query, bounds) if bounds else "")


def _check_start(query: str, tokens: list[Token]) -> None:
    if not tokens or tokens[0].upper not in _STARTS:
        start = tokens[0].start if tokens else 0
        raise refusal("a query begins with MATCH, OPTIONAL MATCH, WITH, UNWIND, RETURN, CALL or SHOW", query, start)
    if tokens[0].upper != "SHOW":
        return
    kinds = [token.upper for token in tokens[1:]]
    while kinds and kinds[0] in _KINDS_SHOWN:
        kinds = kinds[1:]
    if not kinds or kinds[0] not in _SHOWN or "EXECUTABLE" in kinds:
        raise refusal("SHOW is for indexes, constraints, functions and procedures alone", query, tokens[0].start)


def _check_words(query: str, tokens: list[Token]) -> None:
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if depth > DEEPEST_NESTING:
            raise refusal(f"brackets are nested more than {DEEPEST_NESTING} deep", query, token.start)
        if token.text == ";":
            raise refusal("one query at a time", query, token.start)
        if at and token.upper in _REFUSED and not _is_name(tokens, at):
            raise refusal(f"{token.upper} is not for queries that only read", query, token.start)


def _is_name(tokens: list[Token], at: int) -> bool:
    """Whether the word at `at` is a property (n.set), a label or type (:Set, |SET), the key of a map or a variable."""
    before = tokens[at - 1].text if at else ""
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    if after is None or after.text in _AFTER_NAME or after.upper in _AFTER_NAME:
        return True
    return before in (".", ":", "|") and after.text != "("


def _check_calls(query: str, tokens: list[Token]) -> None:
    """No name before a bracket is a plugin's function, and every name after CALL is a procedure that is allowed."""
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
    namespace, dot, _ = name.lower().partition(".")
    is_plugin = dot and namespace not in _NAMESPACES and not name.lower().startswith("vector.similarity.")
    if is_plugin or name.lower() in _REACHING:
        raise refusal(f"function {name}() is not among those that analysts may use", query, tokens[first].start)
