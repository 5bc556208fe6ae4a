"""`Succession`: a site that takes a new build without losing a request, for each build is served by its own process.

The process that was started keeps the address, loads nothing and answers nobody. It lets a copy of itself serve the
build; told to take a new one, it lets another copy load that beside the first, and when the other one answers, the
first answers whom it has and ends. Where the new build cannot be served, the first one goes on.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Final, NoReturn

from pathfolio.kg.workers import CAN_FORK
from pathfolio.web.listening import say

CAN_SUCCEED: Final = CAN_FORK and hasattr(signal, "SIGHUP")

_LOOK_SECONDS: Final = 2.0
"""How often a new build is looked for."""


@dataclass
class Life:
    """What a process that serves shares with the one that started it.

    Attributes:
        ready: the end of a pipe that says when this one answers.
        above: the end of a pipe that closes when the one above ends.
    """

    ready: int
    above: int

    def begin(self) -> None:
        """Say that visitors are answered, and from now on end with the process above; call it once all is loaded."""
        os.write(self.ready, b"!")
        os.close(self.ready)
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        os.read(self.above, 1)
        os.kill(os.getpid(), signal.SIGTERM)


@dataclass(eq=False)
class _Child:
    """A process that serves; something can be read from `told` when it answers visitors."""

    pid: int
    told: int


@dataclass
class Succession:
    """The processes that serve one build after the other.

    Args:
        serve: serves what is there now until it is told to stop, and returns the exit code; it calls `Life.begin`.
        mark: changes when another build is there; None where nobody looks for one.
    """

    serve: Callable[[Life], int]
    mark: Callable[[], object] | None = None
    _present: _Child | None = field(default=None, init=False)
    _coming: _Child | None = field(default=None, init=False)
    _former: list[_Child] = field(default_factory=list, init=False)
    _again: bool = field(default=False, init=False)
    _stopping: bool = field(default=False, init=False)
    _code: int | None = field(default=None, init=False)

    def run(self) -> int:
        """Until SIGTERM or SIGINT stops it, or nobody serves any more; returns the exit code."""
        self._life, self._held = os.pipe()
        self._selector = selectors.DefaultSelector()
        self._has_terminal = os.isatty(0)
        with _signals({signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}) as signals:
            self._selector.register(signals, selectors.EVENT_READ)
            self._renew()
            while self._children():
                for key, _ in self._selector.select(_LOOK_SECONDS if self.mark else None):
                    if key.fileobj is signals:
                        for number in signals.recv(64):
                            self._obey(signal.Signals(number))
                    else:
                        self._hand_over(key.data)
                if self.mark is not None and self._seen != self.mark():
                    self._renew()
        os.close(self._held)
        os.close(self._life)
        return 1 if self._code is None else self._code

    def _children(self) -> list[_Child]:
        return [child for child in (self._present, self._coming, *self._former) if child is not None]

    def _obey(self, number: signal.Signals) -> None:
        if number == signal.SIGCHLD:
            self._bury()
        elif number == signal.SIGHUP and not self._terminal_is_gone():
            self._renew()
        else:
            self._stopping = True
            for child in self._children():
                _send(child, signal.SIGTERM)

    def _terminal_is_gone(self) -> bool:
        """Whether the signal came because a window was closed, which ends what was started there."""
        return self._has_terminal and not os.isatty(0)

    def _renew(self) -> None:
        """Let another process serve what is there now; one after the other."""
        self._again = self._coming is not None
        if self._again or self._stopping:
            return
        self._seen = self.mark() if self.mark else None
        told, ready = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(told)
            os.close(self._held)
            self._serve(Life(ready, self._life))
        os.close(ready)
        self._coming = _Child(pid, told)
        self._selector.register(told, selectors.EVENT_READ, self._coming)

    def _serve(self, life: Life) -> NoReturn:
        """What a copy does."""
        code = 1
        try:
            _forget_signals()
            code = self.serve(life)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _hand_over(self, child: _Child) -> None:
        """Let the former one go, as the new one answers."""
        answers = bool(os.read(child.told, 1))
        self._hang_up(child)
        if not answers:
            return  # it has ended, which a signal tells, too
        if self._present is not None:
            say("the new build is served; the one before ends once its visitors have been answered")
            self._former.append(self._present)
            _send(self._present, signal.SIGUSR1)
        self._present, self._coming = child, None
        if self._again:
            self._renew()

    def _bury(self) -> None:
        for child in self._children():
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                self._ended(child, os.waitstatus_to_exitcode(status))

    def _ended(self, child: _Child, code: int) -> None:
        code = code if code >= 0 else 1
        if child in self._former:
            self._former.remove(child)
        elif child is self._present:
            self._present, self._code = None, code
            if self._coming is not None:  # whoever watches over this process starts it anew
                _send(self._coming, signal.SIGTERM)
        else:
            self._hang_up(child)
            self._coming = None
            if self._present is not None and not self._stopping:
                say("the new build is not served: what was there before goes on")
            elif self._code is None:
                self._code = code

    def _hang_up(self, child: _Child) -> None:
        with suppress(KeyError):
            self._selector.unregister(child.told)
            os.close(child.told)


def _send(child: _Child, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(child.pid, number)


@contextmanager
def _signals(numbers: set[signal.Signals]) -> Iterator[socket.socket]:
    """A socket from which the numbers of signals are read that have come."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    before = {number: signal.signal(number, _noticed) for number in numbers}
    old = signal.set_wakeup_fd(theirs.fileno())
    try:
        yield ours
    finally:
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        ours.close()
        theirs.close()


def _noticed(number: int, frame: FrameType | None) -> None:
    """Its number is in the socket."""


def _forget_signals() -> None:
    """What came by the terminal is for the process above, which tells its children."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
