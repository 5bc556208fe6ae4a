"""`Store`: a Bolt server through the official driver. The only file that imports it.

Everything that the driver can raise is turned into one of our errors here, with the server's own words where they
help, and everything that it returns into plain values (`pathfolio.kg.store.values`).
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Final, Self

import neo4j
import neo4j.exceptions as driver_errors
import neo4j.graph
import neo4j.time

from pathfolio.kg.errors import PathfolioError, StoreError, UsageError
from pathfolio.kg.schema import ASSET_LABEL
from pathfolio.kg.store.address import StoreAddress
from pathfolio.kg.store.answer import Answer, Limits, QueryError, QueryStoppedError
from pathfolio.kg.store.embedded import with_limit
from pathfolio.kg.store.guard import CheckedQuery, Wanted
from pathfolio.kg.store.layout import VECTOR
from pathfolio.kg.store.loops import MOST_PAIRS, TOO_LONG
from pathfolio.kg.store.plan import check_plan, shown_plan
from pathfolio.kg.store.values import NodeValue, PathValue, RelationValue

RETRY_SECONDS: Final = 15.0
"""How long a transaction is tried again after a passing fault, such as a cluster that elects a new leader."""

CONNECT_SECONDS: Final = 10.0
GRACE: Final = {"neo4j": 1.8, "arcadedb": 0.9}
"""Seconds that a server may take to end a query that is over its time, before it is left to itself."""

_EXPLAIN: Final = "EXPLAIN "

logging.getLogger("neo4j").addHandler(logging.NullHandler())


class Store:
    """A Bolt server that answered. Use it as a context manager, or close it.

    Safe to use from several threads: each request takes a driver of its own out of a small stock.

    Attributes:
        address: where it is.
        dialect: "neo4j", or "arcadedb" for the embedded server.
        product: name and version as the server gives them.

    Raises:
        UsageError: the address is not usable.
        StoreError: nothing answers there, or it refuses the user.
    """

    def __init__(self, address: StoreAddress, *, patience: float = RETRY_SECONDS) -> None:
        """Connect; `patience` is how long, in seconds, a transaction is tried again after a passing fault."""
        self.address = address
        self._patience = patience
        self._idle: list[neo4j.Driver] = []
        self._lock = threading.Lock()
        with self._driver() as driver:
            agent = str(driver.get_server_info().agent)
        self.dialect = "arcadedb" if "ArcadeDB" in agent else "neo4j"
        self.product = agent

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        with self._lock:
            idle = self._idle
            self._idle = []
        for driver in idle:
            driver.close()

    # -- what the loader and the reader need -------------------------------------------------------------------

    def write(self, text: str, **parameters: object) -> list[list[Any]]:
        """Run one statement in a transaction of its own, again where a passing fault ended it; returns its rows."""
        with self._driver() as driver, self._session(driver, neo4j.WRITE_ACCESS) as session:
            return session.execute_write(_run_all, text, parameters)

    def define(self, text: str) -> None:
        """Run one statement that changes the schema (those cannot share a transaction with data)."""
        with self._driver() as driver, self._session(driver, neo4j.WRITE_ACCESS) as session:
            session.run(text).consume()

    @contextmanager
    def writer(self) -> Iterator[Callable[..., list[list[Any]]]]:
        """`write` over one session, for many batches: each sees what the ones before it wrote, on clusters, too."""
        with self._driver() as driver, self._session(driver, neo4j.WRITE_ACCESS) as session:

            def write(text: str, **parameters: object) -> list[list[Any]]:
                return session.execute_write(_run_all, text, parameters)

            yield write

    def read(self, text: str, **parameters: object) -> list[list[Any]]:
        """All rows of a short answer."""
        with self._driver() as driver, self._session(driver, neo4j.READ_ACCESS) as session:
            return session.execute_read(_run_all, text, parameters)

    def stream(self, text: str, **parameters: object) -> Iterator[list[Any]]:
        """The rows of a long answer, as they come."""
        with self._driver() as driver, self._session(driver, neo4j.READ_ACCESS) as session:
            for record in session.run(text, parameters):
                yield list(record.values())

    # -- what analysts need ------------------------------------------------------------------------------------

    def ask(self, query: CheckedQuery, parameters: Mapping[str, object], limits: Limits) -> Answer:
        """Run a query that has been checked (`pathfolio.kg.store.guard`), in READ mode, within limits; nothing is
        committed.

        Raises:
            QueryError: the server says that it does more than read, or refused it; then its own message, with the
                position where it gives one.
            QueryStoppedError: the query ran past its time.
        """
        box: list[Answer | BaseException] = []
        driver = self._take()
        worker = threading.Thread(target=_into, args=(box, self._ask, driver, query, parameters, limits), daemon=True)
        worker.start()
        worker.join(limits.seconds + GRACE[self.dialect])
        if not box:
            threading.Thread(target=driver.close, daemon=True).start()  # ends the wait of the worker
            raise QueryStoppedError(limits.seconds)
        outcome = box[0]
        if isinstance(outcome, Answer):
            self._give_back(driver)
            return outcome
        threading.Thread(target=driver.close, daemon=True).start()
        raise _translated(outcome, self.address, limits) from None

    def _ask(
        self, driver: neo4j.Driver, query: CheckedQuery, parameters: Mapping[str, object], limits: Limits
    ) -> Answer:
        with driver.session(
            database=self._database, default_access_mode=neo4j.READ_ACCESS, fetch_size=min(limits.rows + 1, 1000)
        ) as session:
            plan = self._plan(session, query.text, parameters, limits)
            if query.wanted is Wanted.PLAN:
                return _plan_answer(plan)
            text = f"PROFILE {query.run}" if query.wanted is Wanted.PROFILE else query.run
            transaction = session.begin_transaction(timeout=limits.seconds)
            try:
                limited = with_limit(text, limits.seconds) if self.dialect == "arcadedb" else text
                result = transaction.run(limited, dict(parameters))
                if query.wanted is Wanted.PROFILE:
                    return _plan_answer(shown_plan(_profile(result.consume())))
                return _within_limits(result, limits)
            finally:
                transaction.rollback()

    def _plan(self, session: neo4j.Session, text: str, parameters: Mapping[str, object], limits: Limits) -> str:
        """The server's plan, once the server itself says that the query only reads."""
        try:
            with session.begin_transaction(timeout=limits.seconds) as transaction:
                summary = transaction.run(_EXPLAIN + text, dict(parameters)).consume()
        except driver_errors.ClientError as error:
            if ".Statement." not in str(error.code):
                raise
            # Neo4j counts what stands before the query, the embedded server does not, and counts columns from 0
            shift = len(_EXPLAIN) if self.dialect == "neo4j" else -1
            raise QueryError.from_server(str(error.message), shift) from None
        plan = summary.plan or {}
        if self.dialect == "neo4j" and summary.query_type != "r":
            raise QueryError("the server says that this query does more than read: only queries that read are run")
        shown = shown_plan(plan)
        check_plan(plan, shown)
        return shown

    # -- drivers and sessions ----------------------------------------------------------------------------------

    @property
    def _database(self) -> str | None:
        return self.address.database or None

    @contextmanager
    def _driver(self) -> Iterator[neo4j.Driver]:
        driver = self._take()
        try:
            yield driver
        except (driver_errors.Neo4jError, driver_errors.DriverError, OSError) as error:
            threading.Thread(target=driver.close, daemon=True).start()
            raise _translated(error, self.address) from None
        except BaseException:
            driver.close()
            raise
        self._give_back(driver)

    def _take(self) -> neo4j.Driver:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        address = self.address
        try:
            return neo4j.GraphDatabase.driver(
                address.uri,
                auth=(address.user, address.password),
                user_agent=f"pathfolio/{version('pathfolio')}",
                connection_timeout=CONNECT_SECONDS,
                connection_acquisition_timeout=2 * CONNECT_SECONDS,
                max_transaction_retry_time=self._patience,
                notifications_min_severity="OFF",
            )
        except (driver_errors.DriverError, ValueError, OSError) as error:
            raise UsageError(f"{address.uri}: {_first_line(str(error))}") from None

    def _give_back(self, driver: neo4j.Driver) -> None:
        with self._lock:
            self._idle.append(driver)

    def _session(self, driver: neo4j.Driver, mode: str) -> neo4j.Session:
        return driver.session(
            database=self._database,
            default_access_mode=mode,
            bookmark_manager=driver.execute_query_bookmark_manager,
            fetch_size=1000,
        )


def _into(box: list[object], function: Callable[..., object], *args: object) -> None:
    try:
        box.append(function(*args))
    except BaseException as error:  # it is raised again by the thread that waits
        box.append(error)


def _run_all(transaction: neo4j.ManagedTransaction, text: str, parameters: Mapping[str, object]) -> list[list[Any]]:
    return transaction.run(text, dict(parameters)).values()


def _plan_answer(plan: str) -> Answer:
    return Answer(("plan",), [(line,) for line in plan.splitlines()], None)


def _profile(summary: neo4j.ResultSummary) -> Mapping[str, Any]:
    """The plan with what was measured; the embedded server tells that as its plan."""
    return summary.profile or summary.plan or {}


def _within_limits(result: neo4j.Result, limits: Limits) -> Answer:
    rows: list[tuple[Any, ...]] = []
    size = 0
    for record in result:
        if len(rows) == limits.rows:
            return Answer(tuple(result.keys()), rows, f"{limits.rows:,} rows")
        row = tuple(_plain(value) for value in record.values())
        size += sum(map(_size, row))
        if size > limits.bytes:
            return Answer(tuple(result.keys()), rows, f"{limits.bytes / 2**20:,.0f} MiB")
        rows.append(row)
    return Answer(tuple(result.keys()), rows, None)


# -- values --------------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """A value of the driver without the driver: dates of Python's own, nodes and paths as ours."""
    if isinstance(value, neo4j.graph.Path | neo4j.graph.Node | neo4j.graph.Relationship):
        return _graph_value(value)
    if isinstance(value, neo4j.time.Duration):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    is_time = isinstance(value, neo4j.time.Date | neo4j.time.DateTime | neo4j.time.Time)
    return value.to_native() if is_time else value


def _graph_value(value: neo4j.graph.Path | neo4j.graph.Node | neo4j.graph.Relationship) -> Any:
    if isinstance(value, neo4j.graph.Path):
        return PathValue(tuple(map(_node, value.nodes)), tuple(map(_relation, value.relationships)))
    return _node(value) if isinstance(value, neo4j.graph.Node) else _relation(value)


def _node(node: neo4j.graph.Node) -> NodeValue:
    kinds = sorted(label for label in node.labels if label != ASSET_LABEL) or sorted(node.labels)
    return NodeValue(node.element_id, ":".join(kinds), _properties(node))


def _relation(relation: neo4j.graph.Relationship) -> RelationValue:
    head, tail = (node.element_id if node is not None else "" for node in relation.nodes)
    return RelationValue(relation.type, head, tail, _properties(relation))


def _properties(value: neo4j.graph.Node | neo4j.graph.Relationship) -> dict[str, Any]:
    """What a node or relation shows: its vector only where `n.embedding` asks for it."""
    return {key: _plain(item) for key, item in value.items() if key != VECTOR}


def _size(value: object) -> int:
    """Bytes that a value takes at least."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, Mapping):
        return sum(_size(key) + _size(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return 8 + sum(map(_size, value))
    if isinstance(value, NodeValue | RelationValue):
        return 32 + _size(value.properties)
    return _size(value.nodes) + _size(value.relations) if isinstance(value, PathValue) else 8


# -- errors --------------------------------------------------------------------------------------------------


def _translated(error: BaseException, address: StoreAddress, limits: Limits | None = None) -> BaseException:
    """Our error for one of the driver's; anything else comes back as it is."""
    if isinstance(error, PathfolioError):
        return error
    if isinstance(error, driver_errors.AuthError):
        return StoreError(
            f"{address.uri} refuses user {address.user!r}: check PATHFOLIO_NEO4J_USER and PATHFOLIO_NEO4J_PASSWORD"
        )
    if isinstance(error, driver_errors.Neo4jError):
        return _from_server(error, address, limits)
    if isinstance(error, driver_errors.ServiceUnavailable | driver_errors.SessionExpired | OSError):
        return StoreError(f"{address.uri} {_unreachable(error)}")
    if isinstance(error, driver_errors.DriverError):
        return StoreError(f"{address.uri}: {_first_line(str(error))}")
    return error


def _unreachable(error: BaseException) -> str:
    """What is wrong with a connection, by what the driver says was the cause."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"has a certificate that nobody here trusts ({cause.verify_message}): trust who signed it, or, where "
                "you know the server, write +ssc:// in place of +s://"
            )
        if isinstance(cause, ssl.SSLError):
            return "does not speak TLS: write bolt:// or neo4j://, without +s or +ssc"
    return "does not answer: start the server, or check the address"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, what it came from, and what that gathered."""
    while error is not None:
        yield error
        for part in getattr(error, "exceptions", ()):
            yield from _causes(part)
        error = error.__cause__ or error.__context__


def _from_server(error: driver_errors.Neo4jError, address: StoreAddress, limits: Limits | None) -> PathfolioError:
    code, message = str(error.code or ""), str(error.message or error)
    if "AuthenticationRateLimit" in code:
        return StoreError(
            f"{address.uri} refuses everybody after too many wrong passwords: wait 5 s, then try the right one"
        )
    if "DatabaseNotFound" in code:
        return StoreError(f"{address.uri} has no database {address.database!r}: set PATHFOLIO_NEO4J_DATABASE")
    if limits is None:
        return StoreError(f"{address.uri} refused a statement: {_first_line(message)}")
    return _of_query(code, message, address, limits)


def _of_query(code: str, message: str, address: StoreAddress, limits: Limits) -> PathfolioError:
    """What became of an analyst's query."""
    if "Transaction.T" in code and ("TimedOut" in code or "Terminated" in code):
        return QueryStoppedError(limits.seconds)
    if "OutOfMemory" in code:
        return QueryError("the query needs more memory than the server gives to one: ask for less")
    if TOO_LONG in message:
        message = f"a list expression would hold more than {MOST_PAIRS:,} elements against each other"
        return QueryError(f"{message}: use UNWIND in its place")
    if "heap budget" in message:
        message = "the query puts more into groups, lists or an order than the embedded server has memory for"
        return QueryError(f"{message}: look at fewer pairs, or ask a Neo4j")
    if code.startswith("Neo.ClientError") or ".Statement." in code or "UnknownError" in code:
        return QueryError.from_server(message)
    return StoreError(f"{address.uri}: {_first_line(message)}")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"
