"""`ConsoleQuestion`: what was asked at the console, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pathfolio.kg.errors import StoreError, UsageError
from pathfolio.kg.store.answer import QueryError, QueryStoppedError
from pathfolio.kg.store.catalog import NamedQuery, named_query
from pathfolio.kg.store.parameters import free_parameters
from pathfolio.kg.store.query import QueryResult
from pathfolio.web.site.graph.desk import GraphDesk, State


@dataclass(frozen=True)
class ConsoleQuestion:
    """A query of one's own, or a named one.

    Attributes:
        query: Cypher; not used where `named` is given.
        values: of the parameters: texts for a named query, values in JSON's types for one's own.
        lines: parameters of one's own query as text, one name=value a line; beside `values`.
    """

    query: str = ""
    named: NamedQuery | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    lines: str = ""

    @property
    def is_asked(self) -> bool:
        """Whether there is anything to answer: a named query waits for the parameters that it needs."""
        if self.named is None:
            return bool(self.query.strip())
        return all(p.default is not None or self.values.get(p.name) for p in self.named.parameters)


def question_in(body: Mapping[str, Any]) -> ConsoleQuestion:
    """The question that was saved: `name` and `values`, or `query` and `lines`.

    Raises:
        UsageError: it names a query that there is no longer.
    """
    named = named_query(body["name"]) if body.get("name") else None
    return ConsoleQuestion(body.get("query", ""), named, body.get("values", {}), body.get("lines", ""))


@dataclass(frozen=True)
class Problem:
    """Why there is no answer; line and column count from 1 and are 0 where nobody says."""

    message: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Answered:
    """What became of a question: a result or a problem, or neither; `status` is HTTP's."""

    result: QueryResult | None = None
    problem: Problem | None = None
    status: int = 200


def ask(
    desk: GraphDesk, question: ConsoleQuestion, patience: float, note: Callable[[ConsoleQuestion], object]
) -> Answered:
    """Answer a question, once `note` has recorded it; a store that is starting is waited for `patience` seconds.

    Nothing is raised for what an analyst can do wrong: the problem is part of the answer.
    """
    if desk.wait(patience) in {State.STARTING, State.OFF}:
        return Answered(status=503)
    if not question.is_asked:
        return Answered()
    note(question)
    try:
        return Answered(answer_to(desk, question))
    except QueryError as error:
        return Answered(problem=Problem(str(error), error.line, error.column), status=400)
    except (UsageError, StoreError) as error:
        return Answered(problem=Problem(str(error)), status=status_of(error))


def status_of(error: UsageError | StoreError) -> int:
    """HTTP's status of what an analyst can do wrong, or a store."""
    if isinstance(error, UsageError):
        return 400
    return 504 if isinstance(error, QueryStoppedError) else 502


def answer_to(desk: GraphDesk, question: ConsoleQuestion) -> QueryResult:
    """The answer; raises what the desk's service raises."""
    if question.named is not None:
        given = {name: str(value) for name, value in question.values.items()}
        return desk.service.run_named(question.named, given)
    words = [line.strip() for line in question.lines.splitlines() if line.strip()]
    return desk.service.run(question.query, free_parameters(words) | dict(question.values))
