"""`Helpers`: processes beside the site that compute answers, so that a long one keeps nobody else waiting.

Python computes one thing at a time in a process. What a helper computes does not hold up the pages, whose own work is
short: to record the answer and to show it. Helpers are copies of the site's process, made once everything is loaded,
so they share its memory; they never touch the ledger.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from flask import Flask

from pathfolio.explain.records.adviser import Advice, Question
from pathfolio.explain.records.answer import RememberedAnswer
from pathfolio.kg.errors import UsageError
from pathfolio.kg.workers import CAN_FORK, WorkerLostError, Workers
from pathfolio.web.site.garbage import settle
from pathfolio.web.site.render import served
from pathfolio.web.site.served import ServedBuild

log = logging.getLogger("pathfolio.helpers")

MOST: Final = 4
"""So many helpers are started where nobody says how many: each remembers for itself what it has looked up."""

Done = TypeVar("Done")


@dataclass(frozen=True)
class _Work:
    """What a helper does: `work` with its arguments; all of it can be pickled."""

    work: Callable[..., object]
    args: tuple[object, ...]


class Helpers:
    """Computes answers in processes of its own; make it before the process has threads or connections.

    Args:
        app: the site, with everything looked up that it needs.
        count: of processes.
    """

    def __init__(self, app: Flask, count: int) -> None:
        """Start the processes."""
        self._desk = _served(app).desk
        settle()
        self._workers: Workers[_Work, Any] = Workers(partial(_do, app), count)
        self._long = threading.Semaphore(max(count - 1, 1))

    @property
    def living(self) -> int:
        """How many processes there are."""
        return len(self.pids)

    @property
    def pids(self) -> list[int]:
        """Of the processes that live, as far as is known."""
        return self._workers.pids

    def compute(self, question: Question, view_of: Callable[[Advice], object]) -> RememberedAnswer:
        """The answer; computed here where the helper dies, as of too little memory; another one takes its place."""
        return self._done(lambda: self._desk.compute_here(question, view_of), _Work(_answer, (question, view_of)))

    def work(self, work: Callable[..., Done], *args: object) -> Done:
        """What `work` makes of `args`, which takes long: one helper at least stays free for answers."""
        with self._long:
            return self._done(partial(work, *args), _Work(work, args))

    def _done(self, here: Callable[[], Done], work: _Work) -> Done:
        """What a helper makes of it; done `here` where the helper dies, or none is left."""
        try:
            done: Done = self._workers.ask(work)
        except WorkerLostError:
            log.error(
                "a helper died: %d are there; where it happens again, give memory, or fewer --helpers", self.living
            )
            return here()
        return done

    def close(self) -> None:
        """End the processes."""
        self._workers.close()


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
    app.extensions["pathfolio_measures"].watch_helpers(lambda: helpers.living, count)
    return helpers


def _do(app: Flask, each: _Work) -> Any:
    with app.app_context():
        return each.work(*each.args)


def _answer(question: Question, view_of: Callable[[Advice], object]) -> RememberedAnswer:
    return RememberedAnswer.of(served().desk.adviser, question, view_of)


def _served(app: Flask) -> ServedBuild:
    found: ServedBuild = app.extensions["pathfolio"]
    return found
