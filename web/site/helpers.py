"""`Helpers`: processes beside the site that compute answers, so that a long one keeps nobody else waiting.

Python computes one thing at a time in a process. What a helper computes does not hold up the pages, whose own work is
short: to record the answer and to show it. Helpers are copies of the site's process, made once everything is loaded,
so they share its memory; they never touch the ledger.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection
from queue import LifoQueue
from typing import Any, Final, TypeVar

from flask import Flask

from pathfolio.explain.records.adviser import Advice, Question
from pathfolio.explain.records.answer import RememberedAnswer
from pathfolio.kg.errors import UsageError
from pathfolio.web.site.render import served
from pathfolio.web.site.served import Served

log = logging.getLogger("pathfolio.helpers")

MOST: Final = 4
"""So many helpers are started where nobody says how many: each remembers for itself what it has looked up."""

CAN_FORK: Final = "fork" in multiprocessing.get_all_start_methods()


Done = TypeVar("Done")


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
        self._living, self._lock = [_Helper(app) for _ in range(count)], threading.Lock()
        self._idle: LifoQueue[_Helper | None] = LifoQueue()
        self._long = threading.Semaphore(max(count - 1, 1))
        for helper in self._living:
            self._idle.put(helper)

    @property
    def pids(self) -> list[int]:
        """Of the processes that live, as far as is known."""
        return [helper.pid for helper in self._living]

    def compute(self, question: Question, view_of: Callable[[Advice], Any]) -> RememberedAnswer:
        """The answer; computed here where the helper dies, as of too little memory, or none is left."""
        return self._done(lambda: self._desk.compute_here(question, view_of), _answer, question, view_of)

    def work(self, work: Callable[..., Done], *args: Any) -> Done:
        """What `work` makes of `args`, which takes long: one helper at least stays free for answers."""
        with self._long:
            return self._done(partial(work, *args), work, *args)

    def _done(self, here: Callable[[], Done], work: Callable[..., Done], *args: Any) -> Done:
        """What a helper makes of it; done `here` where the helper dies, or none is left."""
        helper = self._idle.get()
        if helper is None:
            self._idle.put(None)
            return here()
        try:
            found: Done | _Failed = helper.ask(work, args)
        except (EOFError, OSError):
            self._lose(helper)
            helper = None
            return here()
        finally:
            if helper is not None or not self._living:
                self._idle.put(helper)
        if isinstance(found, _Failed):
            raise found.error
        return found

    def _lose(self, helper: _Helper) -> None:
        with self._lock:
            self._living.remove(helper)
        log.error(
            "a helper died: %d left; start the site again, with more memory or fewer --helpers", len(self._living)
        )

    def close(self) -> None:
        """End the processes."""
        for helper in self._living:
            helper.end()


@dataclass(frozen=True)
class _Failed:
    """Why there is no answer."""

    error: Exception


class _Helper:
    """One process that computes answers, one at a time."""

    def __init__(self, app: Flask) -> None:
        context = multiprocessing.get_context("fork")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_help, args=(app, theirs), daemon=True)
        self._process.start()
        self.pid = self._process.pid or 0
        theirs.close()

    def ask(self, work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """What came of it, or `_Failed`; raises EOFError or OSError where the process has died."""
        self._line.send((work, args))
        return self._line.recv()

    def end(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


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
    _served(app).work = helpers.work
    return helpers


def _help(app: Flask, line: connection.Connection) -> None:
    """What a helper does: it answers until the site ends, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the site, which ends its helpers
    threading.Thread(target=_end_with_the_site, daemon=True).start()
    with app.app_context():
        while True:
            line.send(_tried(*line.recv()))


def _tried(work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    try:
        return work(*args)
    except Exception as error:
        error.add_note(f"in a helper:\n{traceback.format_exc()}")
        return _Failed(error)


def _answer(question: Question, view_of: Callable[[Advice], Any]) -> RememberedAnswer:
    return RememberedAnswer.of(served().desk.adviser, question, view_of)


def _end_with_the_site() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _served(app: Flask) -> Served:
    found: Served = app.extensions["pathfolio"]
    return found
