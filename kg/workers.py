"""`Workers`: processes that compute beside this one, as copies of it that share its memory.

A worker inherits all that is loaded, and what it is to do; only questions and answers are sent, so only these need be
values that can be pickled. It ends when its parent does, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import connection
from queue import LifoQueue
from typing import Any, Final, Generic, TypeVar

CAN_FORK: Final = "fork" in multiprocessing.get_all_start_methods()

Asked = TypeVar("Asked")
Done = TypeVar("Done")


class WorkerLostError(Exception):
    """The worker died before it answered, as of too little memory, or there is none left."""


class Workers(Generic[Asked, Done]):
    """Answers questions in processes of its own; safe to be asked by several threads.

    Make it before the process has threads or connections, and after everything is loaded that answers need.

    Args:
        answer: computes one answer.
        count: of processes.
    """

    def __init__(self, answer: Callable[[Asked], Done], count: int) -> None:
        """Start the processes."""
        self._living = [_Worker(answer) for _ in range(count)]
        self._lock = threading.Lock()
        self._idle: LifoQueue[_Worker | None] = LifoQueue()
        for worker in self._living:
            self._idle.put(worker)

    @property
    def pids(self) -> list[int]:
        """Of the processes that live, as far as is known."""
        return [worker.pid for worker in self._living]

    def ask(self, question: Asked) -> Done:
        """The answer of whichever process is free first.

        Raises:
            WorkerLostError: there is none.
        """
        worker = self._idle.get()
        if worker is None:
            self._idle.put(None)  # for whoever waits, too
            raise WorkerLostError
        try:
            found = worker.ask(question)
        except (EOFError, OSError):
            self._lose(worker)
            raise WorkerLostError from None
        except BaseException:
            self._idle.put(worker)
            raise
        self._idle.put(worker)
        if isinstance(found, _Failed):
            raise found.error
        answer: Done = found
        return answer

    def close(self) -> None:
        """End the processes."""
        for worker in self._living:
            worker.end()

    def _lose(self, worker: _Worker) -> None:
        with self._lock:
            self._living.remove(worker)
            if not self._living:
                self._idle.put(None)


def answers(
    answer: Callable[[Asked], Done],
    questions: Sequence[Asked],
    count: int = 0,
    *,
    fewest: int = 2,
    first: Asked | None = None,
) -> Iterator[Done]:
    """The answers to all questions, in their order, computed by `count` processes.

    Args:
        count: 0 for one per core.
        fewest: for fewer questions, no process is started; nor where processes cannot be copied.
        first: is answered here before processes part, so that what all of them look up is there.
    """
    count = count or os.cpu_count() or 1
    if count == 1 or len(questions) < fewest or not CAN_FORK:
        yield from map(answer, questions)
        return

    if first is not None:
        answer(first)
    with closing(Workers(answer, min(count, len(questions)))) as workers:

        def asked(question: Asked) -> Done:
            try:
                return workers.ask(question)
            except WorkerLostError:
                return answer(question)

        with ThreadPoolExecutor(len(workers.pids)) as threads:
            yield from threads.map(asked, questions)


@dataclass(frozen=True)
class _Failed:
    """Why there is no answer."""

    error: Exception


class _Worker:
    """One process, which answers one question at a time."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        context = multiprocessing.get_context("fork")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(answer, theirs), daemon=True)
        self._process.start()
        self.pid = self._process.pid or 0
        theirs.close()

    def ask(self, question: object) -> Any:
        """What came of it, or `_Failed`; raises EOFError or OSError where the process has died."""
        self._line.send(question)
        return self._line.recv()

    def end(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def _serve(answer: Callable[[Any], Any], line: connection.Connection) -> None:
    """What a worker does: it answers until its parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        line.send(_tried(answer, line.recv()))


def _tried(answer: Callable[[Any], Any], question: object) -> Any:
    try:
        return answer(question)
    except Exception as error:
        error.add_note(f"in a helper:\n{traceback.format_exc()}")
        return _Failed(error)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
