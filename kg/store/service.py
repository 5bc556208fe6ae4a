"""`GraphService`: a store for analysts, at an address or embedded in a build, that outlives a server's end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final, Self

from pathfolio.kg.errors import PathfolioError, StoreError, UsageError
from pathfolio.kg.progress import Progress
from pathfolio.kg.store.address import StoreAddress
from pathfolio.kg.store.answer import Limits, QueryStoppedError
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.catalog import NamedQuery
from pathfolio.kg.store.embedded import EXIT_STUCK, WRITER
from pathfolio.kg.store.meta import stored_graph
from pathfolio.kg.store.query import QueryResult, run_query
from pathfolio.kg.store.secret import write_secret
from pathfolio.kg.store.server import (
    PASSWORD_FILE,
    START_SECONDS,
    STORE_FOLDER,
    EmbeddedServer,
    ServerOptions,
    locked,
    start_loaded,
)

ADDRESS_FILE: Final = "address.json"
LOOK_SECONDS: Final = 0.5
"""So often it is looked whether a server that another process starts is there."""


class GraphService:
    """Answers analysts' queries; safe to use from several threads.

    Attributes:
        limits: of each query, where it brings none of its own.
    """

    def __init__(self, store: Store, limits: Limits, server: EmbeddedServer | None, close: ExitStack) -> None:
        """Use `GraphService.at` or `GraphService.of_build`."""
        self.limits = limits
        self.server = server
        self._store = store
        self._close = close
        self._lock = threading.Lock()

    @classmethod
    def at(cls, address: StoreAddress, limits: Limits | None = None) -> GraphService:
        """Of a Bolt server that runs already.

        Raises:
            StoreError: it does not answer.
        """
        store = Store(address)
        close = ExitStack()
        close.callback(store.close)
        return cls(store, limits or Limits(), None, close)

    @classmethod
    def of_build(
        cls, build: Path, limits: Limits | None = None, options: ServerOptions | None = None, *, share: bool = False
    ) -> GraphService:
        """Of a build: its embedded server, started and loaded if need be, or one that another process shares.

        Args:
            share: let other processes of this user ask the server while it runs.

        Raises:
            DataError: the folder holds no build.
            StoreError: the server does not start, or another process keeps it to itself.
        """
        limits = limits or Limits()
        folder = build / STORE_FOLDER
        content_hash = _content_hash(build)
        with ExitStack() as stack:
            shared = _shared_or_locked(folder, stack)
            if shared is not None:
                return cls.at(shared, limits)
            server = _start(build, content_hash, options or ServerOptions(seconds=limits.seconds))
            stack.callback(server.stop)
            store = Store(server.reader())
            stack.callback(lambda: service._store.close())  # noqa: PLW0108 - `service` is bound below
            if share:
                _publish(server)
                stack.callback((folder / ADDRESS_FILE).unlink, missing_ok=True)
            service = cls(store, limits, server, stack.pop_all())
            return service

    @property
    def dialect(self) -> str:
        """ "neo4j", or "arcadedb" for the embedded server."""
        return self._store.dialect

    @property
    def store(self) -> Store:
        """The connection that is used now."""
        return self._store

    def run(
        self, text: str, parameters: Mapping[str, object] | None = None, limits: Limits | None = None
    ) -> QueryResult:
        """Run a query; see `run_query`. A server that ended itself over a query is started again for the next one."""
        limits = limits or self.limits
        self.revive()
        try:
            return run_query(self._store, text, parameters, limits)
        except QueryStoppedError:
            raise
        except StoreError:
            if self.server is None or not self.server.has_ended(seconds=2.0):
                raise
            if self.server.wait() == EXIT_STUCK:
                raise QueryStoppedError(min(limits.seconds, self.server.options.seconds)) from None
            raise StoreError("the query needed more memory than the embedded server has: ask for less") from None

    def run_named(self, query: NamedQuery, given: Mapping[str, str], limits: Limits | None = None) -> QueryResult:
        """Run a named query with texts as its parameters' values.

        Raises:
            UsageError: a value is missing or wrong, or the query compares vectors and the graph has none.
        """
        values = query.values(given)
        if query.needs_vectors:
            self.check_vectors(query.name)
        return self.run(query.text_for(self.dialect), values, limits)

    def check_vectors(self, name: str) -> None:
        """Refuse a named query that compares vectors where the graph has none."""
        self.revive()
        about = stored_graph(self._store)
        if about is None or not about.embedding_model:
            raise UsageError(
                f"{name} compares vectors, and this graph has none: `pathfolio graph vectors BUILD` writes a build's"
            )

    def revive(self) -> None:
        """Start the embedded server again where it has ended itself."""
        if self.server is None or not self.server.has_ended():
            return
        with self._lock:
            if self.server.revive():
                self._store = Store(self.server.reader())
                if (self.server.folder / ADDRESS_FILE).exists():
                    _publish(self.server)

    def close(self) -> None:
        """Let the connections go, and end the server that was started for them."""
        self._close.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def writer_of_build(build: Path) -> Iterator[Store]:
    """A build's embedded server as a user who may write: the one that another process shares, else a new one.

    Raises:
        DataError: the folder holds no build.
        StoreError: the server does not start, or another process keeps it to itself.
    """
    content_hash = _content_hash(build)
    folder = build / STORE_FOLDER
    with ExitStack() as stack:
        shared = _shared_or_locked(folder, stack)
        if shared is None:
            address = stack.enter_context(_start(build, content_hash, ServerOptions())).writer()
        else:
            password = (folder / PASSWORD_FILE).read_text(encoding="ascii")
            address = StoreAddress(shared.uri, WRITER, password, shared.database)
        yield stack.enter_context(Store(address))


def _content_hash(build: Path) -> str:
    from pathfolio.kg.storage import load_graph

    try:
        return str(json.loads((build / "graph" / "graph.json").read_text(encoding="utf-8"))["content_hash"])
    except (OSError, KeyError, ValueError):
        return load_graph(build / "graph").content_hash  # says what is wrong


def _start(build: Path, content_hash: str, options: ServerOptions) -> EmbeddedServer:
    from pathfolio.kg.storage import load_graph

    return start_loaded(build / STORE_FOLDER, content_hash, lambda: load_graph(build / "graph"), options, Progress())


def _publish(server: EmbeddedServer) -> None:
    write_secret(server.folder / ADDRESS_FILE, json.dumps(asdict(server.reader())))


def _shared_or_locked(folder: Path, stack: ExitStack) -> StoreAddress | None:
    """The server that another process shares, waited for while it starts; None once the folder is this process's.

    Raises:
        StoreError: another process keeps the folder to itself.
    """
    end = time.monotonic() + START_SECONDS
    while True:
        shared = _shared(folder)
        if shared is not None:
            return shared
        try:
            stack.enter_context(locked(folder, min(LOOK_SECONDS, START_SECONDS)))
        except StoreError:
            if time.monotonic() > end:
                raise
        else:
            return None


def _shared(folder: Path) -> StoreAddress | None:
    """The server that another process shares, where one does and it answers."""
    try:
        address = StoreAddress(**json.loads((folder / ADDRESS_FILE).read_text(encoding="utf-8")))
        Store(address).close()
    except (OSError, ValueError, TypeError, PathfolioError):
        return None
    return address
