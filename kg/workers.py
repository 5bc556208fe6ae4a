"""`Workers`: processes that compute beside this one, as copies of it that share its memory.

A worker inherits all that is loaded, and what it is to do; only questions and answers are sent, so only these need be
values that can be pickled. It ends when its parent does, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import struct
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing import connection
from queue import LifoQueue
from typing import Any, Final, Generic, NoReturn, TypeVar

CAN_FORK: Final = "fork" in multiprocessing.get_all_start_methods()

Asked = TypeVar("Asked")
Done = TypeVar("Done")


class WorkerLostError(Exception):
    """The worker died before it answered, as of too little memory, or there is none."""


class Workers(Generic[Asked, Done]):
    """Answers questions in processes of its own; safe to be asked by several threads.

    Make it before the process has threads or connections, and after everything is loaded that answers need.
    Where a process dies, another one takes its place.

    Args:
        answer: computes one answer.
        count: of processes.
    """

    def __init__(self, answer: Callable[[Asked], Done], count: int) -> None:
        """Start the processes."""
        self._nursery = _Nursery(answer)
        self._living = [self._nursery.bear() for _ in range(count)]
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
            WorkerLostError: it died, or there is none.
        """
        worker = self._idle.get()
        if worker is None:
            self._idle.put(None)  # for whoever waits, too
            raise WorkerLostError
        try:
            found = worker.ask(question)
        except (EOFError, OSError):
            self._replace(worker)
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
        self._nursery.close()
        for worker in self._living:
            worker.wait()

    def _replace(self, worker: _Worker) -> None:
        with self._lock:
            self._living.remove(worker)
            try:
                self._living.append(self._nursery.bear())
                self._idle.put(self._living[-1])
            except (EOFError, OSError):
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

    def __init__(self, pid: int, line: connection.Connection) -> None:
        self.pid = pid
        self._line = line

    def ask(self, question: object) -> Any:
        """What came of it, or `_Failed`; raises EOFError or OSError where the process has died."""
        self._line.send(question)
        return self._line.recv()

    def wait(self) -> None:
        """Until the process has ended."""
        with suppress(EOFError, OSError):
            while True:
                self._line.recv()
        self._line.close()


class _Nursery:
    """A copy of this process as it was at first, without its later threads and connections, of which workers are born.

    A process that has threads cannot be copied safely, so what takes a dead worker's place cannot be a copy of it. All
    that were born here end when `life`, which nobody writes to, is closed: so they do however this process ends.
    """

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        ours, theirs = socket.socketpair()
        their_life, self._life = os.pipe()
        self._line = ours
        context = multiprocessing.get_context("fork")
        self._process = context.Process(
            target=_bear, args=(answer, theirs, their_life, (ours, self._life)), daemon=True
        )
        self._process.start()
        theirs.close()
        os.close(their_life)

    def bear(self) -> _Worker:
        """Another worker; raises OSError or EOFError where the nursery itself has died."""
        line, theirs = multiprocessing.get_context("fork").Pipe()
        with theirs:
            socket.send_fds(self._line, [b"?"], [theirs.fileno()])
        told = self._line.recv(_PID.size, socket.MSG_WAITALL)
        if len(told) < _PID.size:
            raise EOFError
        return _Worker(_PID.unpack(told)[0], line)

    def close(self) -> None:
        """End all that were born."""
        os.close(self._life)
        self._line.close()
        self._process.join()


_PID: Final = struct.Struct("q")


def _bear(answer: Callable[[Any], Any], line: socket.socket, life: int, not_ours: tuple[socket.socket, int]) -> None:
    """What the nursery does: it makes a worker each time it is asked, until its parent ends."""
    not_ours[0].close()
    os.close(not_ours[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    while True:
        _, theirs, _, _ = socket.recv_fds(line, 1, 1)
        if not theirs:
            os._exit(0)
        pid = os.fork()
        if not pid:
            line.close()
            _serve(answer, connection.Connection(theirs[0]), life)
        os.close(theirs[0])
        line.sendall(_PID.pack(pid))


def _serve(answer: Callable[[Any], Any], line: connection.Connection, life: int) -> NoReturn:
    """What a worker does: it answers until its parent ends."""
    try:
        threading.Thread(target=_end_with, args=(life,), daemon=True).start()
        while True:
            line.send(_tried(answer, line.recv()))
    except (EOFError, OSError):
        os._exit(0)
    finally:
        os._exit(1)


def _tried(answer: Callable[[Any], Any], question: object) -> Any:
    try:
        return answer(question)
    except Exception as error:
        error.add_note(f"in a helper:\n{traceback.format_exc()}")
        return _Failed(error)


def _end_with(life: int) -> None:
    os.read(life, 1)
    os._exit(0)
