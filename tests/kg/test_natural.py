"""Natural questions pass: on both servers they are answered, alike, or a line says what the embedded server lacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from pathfolio.kg.store.answer import Limits, QueryError
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.guard import Wanted, check_query
from pathfolio.kg.store.load import load_into
from pathfolio.kg.store.loops import MOST_PAIRS
from pathfolio.kg.store.query import QueryResult, run_query
from pathfolio.kg.store.service import GraphService
from tests.kg.natural import BY_KIND, PARAMETERS, snippets
from tests.kg.store_world import SERVERS, address_of, embedded_server, empty, world

EVERY = [query for kind in BY_KIND for query in snippets(kind)]
LACKING = ("SHOW FUNCTIONS", "SHOW PROCEDURES", "CALL db.info", "CALL db.propertyKeys", "CALL db.schema.nodeType")
"""What the embedded server lacks, and says so in a line."""


@pytest.fixture(scope="module", params=SERVERS)
def service(request: pytest.FixtureRequest) -> Iterator[GraphService]:
    with Store(address_of(request.param)) as writer:
        empty(writer)
        load_into(writer, world())
    server = embedded_server() if request.param == "embedded" else None
    store = Store(address_of(request.param, reader=True))
    with closing(GraphService(store, Limits(), server, ExitStack())) as found:
        yield found


def asked(service: GraphService, query: str) -> QueryResult:
    return service.run(query, PARAMETERS)


def test_there_are_enough_and_none_is_refused() -> None:
    assert len(set(EVERY)) >= 90
    for query in EVERY:
        check_query(query, PARAMETERS)


def test_every_natural_question_is_answered_or_told_why_not(service: GraphService) -> None:
    for query in EVERY:
        if service.dialect == "arcadedb" and query.startswith(LACKING):
            with pytest.raises(QueryError, match=r"the embedded server (has no|does not list)") as caught:
                asked(service, query)
            assert "\n" not in str(caught.value)
        else:
            asked(service, query)


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (snippets("lists")[1], (("U2", 0.2), ("U3", 0.2), ("U4", 0.2))),
        ("RETURN [x IN [3, 1, 2] WHERE x IN $wanted] AS r", (([],),)),
        ("WITH [1, 2, 3] AS l, [2, 3, 4] AS m RETURN [x IN l WHERE x IN m | x * 2] AS r", (([4, 6],),)),
        ("WITH [1, 2, 3] AS l, [2, 3] AS m RETURN [x IN l WHERE any(y IN m WHERE y = x)] AS r", (([2, 3],),)),
        ("WITH null AS l, [2, 3] AS m RETURN [x IN l WHERE x IN m] AS r", ((None,),)),
        ("WITH [1, 2, 3] AS l, [2, 3] AS m RETURN reduce(s = 0, x IN l | CASE WHEN x IN m THEN s + x ELSE s END) AS r",
         ((5,),)),
        ("RETURN 7 AS set, 8 AS load, 9 AS transactions ORDER BY set", ((7, 8, 9),)),
    ],
)  # fmt: skip
def test_bounds_do_not_change_an_answer(service: GraphService, query: str, rows: object) -> None:
    assert asked(service, query).rows == rows


def test_lists_that_are_too_long_together_are_told_so(service: GraphService) -> None:
    assert MOST_PAIRS < 3_000**2
    for body in ("[x IN l WHERE -x IN l]", "[x IN l WHERE any(y IN l WHERE y = -x)]"):
        with pytest.raises(QueryError, match="more than 5,000,000 elements against each other: use UNWIND"):
            asked(service, f"UNWIND range(1, 3000) AS x WITH collect(x) AS l RETURN size({body}) AS n")


def test_both_servers_mean_the_same_by_similarity(service: GraphService) -> None:
    """Neo4j's (1 + cosine) / 2 and 1 / (1 + distance²)."""
    text = (
        "RETURN vector.similarity.cosine([1.0, 0.0], [0.0, 1.0]) AS c, vector.similarity.euclidean([1.0], [3.0]) AS e"
    )
    assert asked(service, text).rows[0] == pytest.approx((0.5, 0.2))
    both = "WITH [1.0, 0.5] AS a RETURN 1 - vector.similarity.cosine(a, [1.0, 0.5]) AS d"
    assert asked(service, both).rows[0][0] == pytest.approx(0.0, abs=1e-6)


def test_both_servers_order_labels_as_they_like_and_the_docs_say_so(service: GraphService) -> None:
    kinds = asked(service, "MATCH (a:Asset {id: 'A'}) RETURN labels(a) AS l, a:Stock AS s").rows[0]
    assert (sorted(kinds[0]), kinds[1]) == (["Asset", "Stock"], True)


def test_a_profile_is_a_plan_with_what_was_measured(service: GraphService) -> None:
    found = asked(service, "PROFILE MATCH (u:User)-[:HOLDS]->(a) RETURN u.id, count(a) AS n")
    assert found.columns == ("plan",)
    assert any("rows" in line for (line,) in found.rows)
    assert check_query("profile RETURN 1").wanted is Wanted.PROFILE


def test_words_that_are_names_are_none_of_a_clause() -> None:
    for query in ("RETURN 1 AS set", "MATCH (create:Fund) RETURN create.id", "WITH 1 AS use RETURN use + 1"):
        check_query(query)
    for query in ("MATCH (set) SET set.x = 1", "WITH 1 AS create CREATE (create)", "CALL { USE system RETURN 1 }"):
        with pytest.raises(QueryError):
            check_query(query)


def test_what_a_server_would_do_decides_where_words_do_not(service: GraphService) -> None:
    """`match` is a variable here, and DELETE a clause: only the server's plan tells."""
    query = "MATCH (match:User) DELETE match"
    check_query(query)
    with pytest.raises(QueryError, match=r"does more than read|would DELETE"):
        run_query(service.store, query)
