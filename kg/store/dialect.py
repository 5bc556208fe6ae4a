"""Where the embedded server's Cypher is not Neo4j's: it is made to answer the same, or says in a line what does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from pathfolio.kg.store.guard import CheckedQuery
from pathfolio.kg.store.tokens import Token, dotted_name, partners, refusal, tokens_of, with_insertions

_SIMILARITIES: Final = MappingProxyType(
    {
        "vector.similarity.cosine": ("((1.0 + ", ") / 2.0)"),
        "vector.similarity.euclidean": ("(1.0 / (1.0 + (1.0 / ", " - 1.0) ^ 2))"),
    }
)
"""What to put around the embedded server's similarity to get Neo4j's: it gives the cosine c and 1 / (1 + distance),
Neo4j (1 + c) / 2 and 1 / (1 + distance²), https://neo4j.com/docs/cypher-manual/5/functions/vector/."""

_INSTEAD: Final = MappingProxyType(
    {
        "db.info": "MATCH (g:PathfolioGraph) RETURN g says which graph it is",
        "db.propertykeys": "MATCH (n) UNWIND keys(n) AS key RETURN DISTINCT key finds those of nodes",
        "db.schema.nodetypeproperties": "MATCH (n) UNWIND keys(n) AS key RETURN DISTINCT labels(n), key finds them",
        "db.schema.reltypeproperties": "MATCH ()-[r]->() UNWIND keys(r) AS key RETURN DISTINCT type(r), key finds them",
        "db.index.vector.querynodes": "ORDER BY vector.similarity.cosine(…) DESC LIMIT … finds the same by looking at "
        "every vector, as `pathfolio cypher --name nearest` does",
        "db.index.vector.queryrelationships": "it has no index of vectors",
        "db.index.fulltext.querynodes": "WHERE toLower(n.name) CONTAINS … finds names",
        "db.index.fulltext.queryrelationships": "WHERE … CONTAINS … finds texts",
    }
)


def for_embedded(query: CheckedQuery) -> CheckedQuery:
    """`query` so that the embedded server answers as Neo4j would.

    Raises:
        QueryError: it cannot; the message says what does.
    """
    tokens = tokens_of(query.text)
    _check_known(query.text, tokens)
    changed = with_insertions(query.run, list(_insertions(tokens_of(query.run))))
    return query if changed == query.text else replace(query, bounded=changed)


def _check_known(text: str, tokens: list[Token]) -> None:
    shows = {token.upper for token in tokens} & {"FUNCTION", "FUNCTIONS", "PROCEDURE", "PROCEDURES"}
    if tokens[0].upper == "SHOW" and shows:
        message = (
            "the embedded server does not list its functions and procedures: they are those of Neo4j's Cypher manual"
        )
        raise refusal(message, text, tokens[0].start)
    for at, token in enumerate(tokens):
        name = dotted_name(tokens, at + 1)[0].lower() if token.upper == "CALL" else ""
        if name in _INSTEAD:
            raise refusal(f"the embedded server has no {name}: {_INSTEAD[name]}", text, token.start)


def _insertions(tokens: list[Token]) -> Iterator[tuple[int, str]]:
    closes = partners(tokens)
    for at, token in enumerate(tokens):
        name, last = dotted_name(tokens, at) if token.name.lower() in ("vector", *_SIMILARITIES) else ("", at)
        around = _SIMILARITIES.get(name.lower())
        if around is not None and last + 1 < len(tokens) and tokens[last + 1].text == "(":
            end = tokens[closes[last + 1]]
            yield token.start, around[0]
            yield end.start + 1, around[1]
