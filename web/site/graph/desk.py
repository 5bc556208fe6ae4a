"""`GraphDesk`: the store behind the console, started when it is first asked for and ended with the site."""

from __future__ import annotations

import logging
import re
import threading
from contextlib import ExitStack
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pathfolio.kg.errors import PathfolioError, StoreError
from pathfolio.kg.graph_folder import GraphFolder
from pathfolio.kg.people import without_investors
from pathfolio.kg.progress import Progress
from pathfolio.kg.schema import OF_INVESTORS
from pathfolio.kg.store.answer import Limits
from pathfolio.kg.store.catalog import NamedQuery, named_queries
from pathfolio.recommender.build import Build

if TYPE_CHECKING:
    from pathfolio.kg.store.service import GraphService

LIMITS: Final = Limits(seconds=15.0, rows=2_000, bytes=4 * 2**20)
START_SECONDS: Final = 300.0
ASSETS_FOLDER: Final = "store-assets"
"""Where, in a build or a graph, the embedded server keeps its copy of the graph without investors."""

_ABOUT_INVESTORS: Final = re.compile(rf"\b({'|'.join(sorted(OF_INVESTORS))})\b")

log = logging.getLogger("pathfolio.graph")


class State(StrEnum):
    """How far the store is."""

    OFF = "off"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


class GraphDesk:
    """The store of one build, or of a graph alone, for the console.

    Args:
        source: whose graph is asked.
        investors: whether the graph has its investors in it; without accounts it may, for analysts it may not.

    Attributes:
        failure: why it did not start, in words.
    """

    def __init__(self, source: Build | GraphFolder, *, investors: bool) -> None:
        """Start nothing yet."""
        self.investors = investors
        self.failure = ""
        self._source = source
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._service: GraphService | None = None
        self._closed = False

    @property
    def state(self) -> State:
        """How far it is."""
        if self._service is not None:
            return State.READY
        if self.failure:
            return State.FAILED
        return State.OFF if self._thread is None else State.STARTING

    def start(self) -> None:
        """Begin to start, in the background; where it failed before, try again."""
        with self._lock:
            if self._closed or self.state in {State.STARTING, State.READY}:
                return
            self.failure = ""
            self._thread = threading.Thread(target=self._open, daemon=True, name="graph-desk")
            self._thread.start()

    def wait(self, seconds: float) -> State:
        """Wait until it has started, for so long at most."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self.state

    def started(self) -> str:
        """Start, wait until it is there, and say in a line where any Neo4j client finds it.

        Raises:
            StoreError: it does not start.
        """
        self.start()
        self.wait(START_SECONDS)
        reader = self.service.store.address
        who = "" if self.investors else " (without investors)"
        return (
            f"the graph{who} is at {reader.uri}, user {reader.user}, password {reader.password}, "
            f"database {reader.database}; read only"
        )

    @property
    def service(self) -> GraphService:
        """The service; raises StoreError where it is not ready."""
        if self._service is None:
            raise StoreError(self.failure or "the graph server is still starting: try again in a moment")
        return self._service

    @property
    def queries(self) -> tuple[NamedQuery, ...]:
        """The named queries that this graph can answer; that without investors never has vectors."""
        found = named_queries().values()
        return tuple(q for q in found if self.investors or not (q.needs_vectors or _ABOUT_INVESTORS.search(q.text)))

    def close(self) -> None:
        """End the server that was started."""
        self._closed = True
        if self._thread is not None:
            self._thread.join()
        if self._service is not None:
            self._service.close()
            self._service = None

    def _open(self) -> None:
        from pathfolio.kg.store.service import GraphService  # brings the driver, which no other page needs

        try:
            if self.investors:
                self._service = GraphService.of_build(self._source.folder, LIMITS, share=True)
            else:
                self._service = _of_assets(self._source)
        except PathfolioError as error:
            log.error("the graph server does not start: %s", error)
            self.failure = str(error)
        except Exception as error:
            log.exception("the graph server does not start")
            self.failure = f"the graph server does not start ({type(error).__name__}): see the log"


def _of_assets(source: Build | GraphFolder) -> GraphService:
    """An embedded server with the graph without investors."""
    from pathfolio.kg.store.bolt import Store
    from pathfolio.kg.store.server import ServerOptions, locked, start_loaded
    from pathfolio.kg.store.service import GraphService

    folder = source.folder / ASSETS_FOLDER
    with ExitStack() as stack:
        stack.enter_context(locked(folder))
        graph = without_investors(source.graph)
        options = ServerOptions(seconds=LIMITS.seconds)
        server = start_loaded(folder, graph.content_hash, lambda: graph, options, Progress(None))
        stack.callback(server.stop)
        store = Store(server.reader())
        stack.callback(lambda: service.store.close())  # noqa: PLW0108 - `service` is bound below
        service = GraphService(store, LIMITS, server, stack.pop_all())
        return service
