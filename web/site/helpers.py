"""`Helpers`: processes beside the site that compute answers, so that a long one keeps nobody else waiting.

Python computes one thing at a time in a process. What a helper computes does not hold up the pages, whose own work is
short: to record the answer and to show it. Helpers are copies of the site's process, made once everything is loaded,
so they share its memory; they never touch the ledger.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from typing import Any, Final

from flask import Flask

from explain.records.adviser import Advice, Question
from explain.records.answer import Answer
from kg.errors import UsageError
from web.site.served import Served

MOST: Final = 4
"""So many helpers are started where nobody says how many: each remembers for itself what it has looked up."""

CAN_FORK: Final = "fork" in multiprocessing.get_all_start_methods()


class Helpers:
    """Computes answers in processes of its own; make it before the process has threads or connections.

    Args:
        app: the site, with everything looked up that it needs.
        count: of processes.
    """

    def __init__(self, app: Flask, count: int) -> None:
        """Start the processes."""
        self._desk = _served(app).desk
        gc.collect()
        gc.freeze()  # so that nobody's garbage collection writes to what is shared
        self._pool = ProcessPoolExecutor(count, multiprocessing.get_context("fork"), _begin, (app,))
        wait([self._pool.submit(_idle) for _ in range(count)])

    def compute(self, question: Question, view_of: Callable[[Advice], Any]) -> Answer:
        """The answer; computed here where the helpers have died, as of too little memory."""
        try:
            return self._pool.submit(_compute, question, view_of).result()
        except BrokenProcessPool:
            return self._desk.compute_here(question, view_of)

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)


def helpers_for(app: Flask, count: int | None) -> Helpers | None:
    """Helpers that compute what the site's desk hands out; None where there are none.

    Args:
        count: of processes; for None as many as cores, `MOST` at most.

    Raises:
        UsageError: fewer than none, or some where processes cannot be copied.
    """
    if count is None:
        count = min(os.cpu_count() or 1, MOST) if CAN_FORK else 0
    if count < 0 or (count and not CAN_FORK):
        raise UsageError(f"--helpers {count}: {'0 or more' if CAN_FORK else 'this system has none, so 0'}")
    if not count:
        return None
    desk = _served(app).desk
    desk.ledger.store.close()  # no connection is open while processes are copied; the next use opens one
    helpers = Helpers(app, count)
    desk.computes = helpers.compute
    return helpers


_app: Flask | None = None


def _begin(app: Flask) -> None:
    """Make this process a helper of `app`; it ends with the site, however that ends."""
    global _app  # noqa: PLW0603 -- a process is one helper
    _app = app
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the site, which ends its helpers
    app.app_context().push()
    threading.Thread(target=_end_with_the_site, daemon=True).start()


def _end_with_the_site() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _idle() -> None:
    pass


def _compute(question: Question, view_of: Callable[[Advice], Any]) -> Answer:
    if _app is None:
        raise AssertionError("a helper without a site")
    return Answer.of(_served(_app).desk.adviser, question, view_of)


def _served(app: Flask) -> Served:
    found: Served = app.extensions["pathfolio"]
    return found
