"""Everything that reads what users write takes time as the text is long, and refuses what is too long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Final

import numpy as np
import pytest

from pathfolio.explain.evidence import ChannelPart, Path, PathEdge, PathNode
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.formats.svg import as_svg
from pathfolio.explain.ledger.canonical import canonical
from pathfolio.kg.errors import UsageError
from pathfolio.kg.issuers import issuer_key
from pathfolio.kg.languages.names import Names
from pathfolio.kg.store.answer import QueryError
from pathfolio.kg.store.guard import LONGEST_QUERY, check_query
from pathfolio.kg.store.parameters import free_parameters
from pathfolio.recommender.questionnaire import read_profile
from pathfolio.web.site.directory import Directory, folded
from tests.linear import MOST, growth

BEGINNINGS: Final = ("RETURN ", "MATCH (n) RETURN [x IN ", "RETURN reduce(s = 1, x IN [1] | ", "CALL ")
PIECES: Final = (
    "\\", "any(1),", "a[1,", "(", "[", "{", ")", "replace(", "replace ", "`", "'", "``", "/*", "//\n", "*/", "reduce(",
    "reduce(s=1,x IN l|s+x),", "[x IN l|x],", "a.", "1.", "1_", "1e", "WITH 1 AS a ", "=~", "=~'a',", "range(",
    "range(1,2),", "IN ", "WHERE ", "|", "AS ", "$a ", "$`", "$", "..", "size(", "none(x IN ", " ", "x=",
    "replace(a,'b','c'),", "x[a[b[1]]],", "\u0301", "UNWIND range(", "-", "case when ",
)  # fmt: skip
"""What queries are made of, whole or broken off."""

OTHERS: Final[dict[str, tuple[Callable[[str], object], tuple[str, ...]]]] = {
    "server's message": (QueryError.from_server, (" ", "line 1", " at line ", "(line 1, column 2", "\n")),
    "parameters": (lambda text: free_parameters([f"a={text}"]), ("[", "9", "9,", '"', "1e", " ", "\\")),
    "profile": (read_profile, (",", "a=", "a=b,", " ", ", a", "\u3000")),
    "issuer": (lambda text: issuer_key(f"MIGSDRI{text}"), (" ", "A ", "A", ".", "é", "of ")),
    "search": (lambda text: Directory(np.zeros(1, np.int64), (text,)).find(text[:200], 1), ("a", "a ", "\n")),
    "folded": (folded, ("a", " ", "ﷺ", "é")),
    "canonical": (canonical, ("a", '"', "\\", "1e-7,", "-0", "é", "1" * 16)),
}
"""What else reads texts of users: name to what reads, and pieces."""


def _checked(query: str) -> None:
    with suppress(QueryError):
        check_query(query)


def _tried(work: Callable[[str], object]) -> Callable[[str], None]:
    def tried(text: str) -> None:
        with suppress(UsageError, RecursionError):
            work(text)

    return tried


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_the_guard_takes_time_as_a_query_is_long(beginning: str) -> None:
    pairs = random.Random(18).sample([one + two for one in PIECES for two in PIECES], 60)  # noqa: S311 - no secret
    for piece in (*PIECES, *pairs):
        found = growth(_checked, lambda size, piece=piece: beginning + piece * (size // len(piece)), LONGEST_QUERY)
        assert found < MOST, (beginning, piece, found)


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_else_reads_texts_takes_time_as_they_are_long(name: str) -> None:
    work, pieces = OTHERS[name]
    for piece in pieces:
        found = growth(_tried(work), lambda size, piece=piece: piece * (size // len(piece)), 20_000)
        assert found < MOST, (name, piece, found)


@pytest.mark.parametrize("query", ["RETURN '" + "\\" * 99_000 + "'", "RETURN " + "any(1)," * 4_000 + "1"])
def test_the_queries_that_froze_every_page_are_refused_at_once(query: str) -> None:
    took = []
    for _ in range(3):  # the least counts: a collection of garbage may fall into one
        begun = time.thread_time()
        with pytest.raises(QueryError):
            check_query(query)
        took.append(time.thread_time() - begun)
    assert min(took) < 0.2


def test_a_query_that_is_too_long_is_told_how_long_it_may_be() -> None:
    check_query("RETURN 1" + " " * (LONGEST_QUERY - 8))
    with pytest.raises(QueryError, match="32,000 characters, not 32,001"):
        check_query("RETURN 1" + " " * (LONGEST_QUERY - 7))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("UNWIND [[1]] AS l RETURN reduce(s = [y IN [1] | y], x IN [1, 2] | s + l)", "stands in a list expression"),
        ("MATCH (n) WITH collect(n.name) AS y RETURN replace(left('a', 'b'), 'c', y + y) AS z", "too many values"),
        ("MATCH (n) WITH [n] AS y RETURN y + replace(split(n.name, 'b'), 'c', y) AS z", "too many values"),
        ("RETURN " + ", ".join(["[x IN [1] | x]"] * 21), "more than 20 list expressions"),
    ],
)
def test_what_a_call_is_given_is_found_behind_brackets_of_its_own(query: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        check_query(query)


# -- names ---------------------------------------------------------------------------------------------------


def _explanation(name: str) -> Explanation:
    """Six paths whose nodes all have that name."""
    day = date(2026, 6, 30)
    called = Names.everywhere(name)
    user, asset = PathNode("u", "User", called), PathNode("a", "Stock", called)
    paths = []
    for middle in (PathNode(str(at), "Stock", called) for at in range(6)):
        ends = ("u", "HOLDS", str(middle.id)), (str(middle.id), "COMPETES_WITH", "a")
        edges = tuple(PathEdge(*end, None, "x", day, day) for end in ends)
        paths.append(Path(f"p{middle.id}", "relations", 0.125, (user, middle, asset), edges))
    return Explanation(user, asset, day, "b", 1, 0.75, (), (ChannelPart("relations", 0.75, 0.0),), tuple(paths))


@pytest.mark.parametrize("piece", ["W", "i", "A b ", "台", " "])
def test_pictures_take_time_as_names_are_long(piece: str) -> None:
    def drawn(name: str) -> None:
        as_svg(_explanation(name))

    drawn("warm")
    assert growth(drawn, lambda size: "x" + piece * (size // len(piece)), 3_200) < MOST
